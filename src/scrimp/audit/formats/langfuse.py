"""Langfuse observations: exports of the UI (CSV, JSON, JSONL), pages of the API, files of the blob storage export.

Keys of usage details are disjoint and add up, unless the total says that the others lie inside input and output.
https://github.com/langfuse/langfuse (shared/src/domain/observations.ts, server/ingestion/types.ts, utils/transforms)
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from scrimp.audit.entry import Entry
from scrimp.audit.formats.base import Format, Row, Sample, amount, body, count, each, mapping, parsed, text
from scrimp.audit.formats.bodies import add_answer, saying
from scrimp.audit.formats.fields import Names, cell, fill, label, opened, tag, tokens
from scrimp.call import INPUT_CLASSES, OUTPUT_CLASSES, Usage
from scrimp.wire.counts import usage_of

CALL: Names = {
    "id": ("id",), "at": ("startTime",), "end": ("endTime",), "s": ("latency",), "environment": ("environment",),
    "model": ("model", "providedModelName"), "tier": ("modelParameters.service_tier", "modelParameters.serviceTier"),
    "finish": ("metadata.finish_reason", "metadata.finishReason", "metadata.stop_reason"),
    "user": ("userId", "trace.userId"), "session": ("sessionId", "trace.sessionId"),
}  # fmt: skip
OLDER: Names = {
    "input": ("usage.input", "usage.promptTokens", "promptTokens", "inputUsage"),
    "output": ("usage.output", "usage.completionTokens", "completionTokens", "outputUsage"),
}
"""Tokens of rows without usage details."""
CALLS = ("GENERATION", "EMBEDDING")
"""Types of observations that are calls of a model whatever they hold; spans and events never are."""
OTHERS = ("AGENT", "CHAIN", "EVALUATOR", "GUARDRAIL", "RETRIEVER", "TOOL")
"""Types that are calls only where tokens are counted on themselves."""
UNNAMED = re.compile(
    r"(Azure)?(Chat)?(OpenAI|Anthropic|Bedrock\w*|Google\w*|VertexAI)(-\w+)?|litellm-\w+|generation|llm|ai\.\w+\.do\w+"
)
"""Names that integrations give to every call: they say nothing of what it is for."""
CLASSES = tuple((re.compile(pattern), kind) for pattern, kind in (
    ("web_search", "searches"), ("total", ""),
    ("^output.*rejected_prediction", "rejected_prediction"), ("^output.*prediction", "output"), ("prediction", ""),
    ("(creation|write).*1h", "cache_write_1h"), ("(creation|write).*12h", "cache_write_12h"),
    ("cache.*(creation|write)", "cache_write"), ("cache.*audio|audio.*cache", "audio_cached"), ("cache", "cached"),
    ("reasoning|thought|thinking", "reasoning"),
    ("(output|completion).*audio", "audio_output"), ("(output|completion).*image", "image_output"),
    ("output|completion", "output"),
    ("audio", "audio_input"), ("image", "image_input"), ("video", "video_input"), ("input|prompt", "input"),
))  # fmt: skip
"""What a key of usage details contains -> the class of tokens that it counts, the first that fits."""
PROVIDERS = re.compile("(prompt|completion|input|output)_tokens|(in|out)putTokens|(prompt|candidates)TokenCount")
"""Keys of usage objects that were handed to Langfuse as the provider sent them."""
NOT_SET = (None, "", "inf", "Infinity", "None", "null")
"""What model parameters that set nothing have become."""
MARKS = ("usageDetails", "modelParameters", "promptTokens", "usage_details", "model_parameters")


def read(row: Row) -> tuple[Entry, ...]:
    """The entry of an observation; none for a span, an event, and whatever else asks no model."""
    row = opened(_plainly(row), "modelParameters", "metadata", "trace", "usage")
    kind = text(row.get("type")).upper() or "GENERATION"
    usage = _usage(row) if kind in (*CALLS, *OTHERS) else None
    if kind not in CALLS and usage in (None, Usage()):
        return ()
    entry = fill(Entry(api="openai.embeddings" if kind == "EMBEDDING" else "openai.chat", usage=usage), row, CALL)
    entry.stream = cell(row, "completionStartTime", "timeToFirstToken") is not None
    entry.environment = "" if entry.environment == "default" else entry.environment
    entry.feature = text(row.get("name"))
    if not entry.feature or UNNAMED.fullmatch(entry.feature):
        entry.feature = text(cell(row, "promptName", "traceName", "trace.name")) or entry.feature
    tag(entry, cell(row, "tags", "traceTags", "trace.tags"))
    label(entry, row["metadata"])
    # calls of one trace belong together, where nothing larger is named
    entry.session = entry.session or text(row.get("traceId"))
    # a cost of 0 without details means that Langfuse knew no price
    cost = amount(mapping(row.get("costDetails")).get("total"))
    entry.logged = cost if cost is not None else amount(cell(row, "totalCost", "calculatedTotalCost")) or None
    _add_bodies(entry, row)
    if row.get("level") == "ERROR":
        entry.status, entry.error = 500, (text(row.get("statusMessage")) or "error")[:200]
    return (entry,)


def _plainly(row: Row) -> dict[str, Any]:
    """A row under the API's names, its cells as they were: the CSV writes times (once all text) as JSON, in quotes."""
    found = {_camel(name): value for name, value in row.items()}
    for name, value in found.items():
        if isinstance(value, str) and len(value) > 1 and value[0] == value[-1] == '"':
            inner = parsed(value)
            found[name] = inner if isinstance(inner, str) else value
    return found


@lru_cache(1024)
def _camel(name: str) -> str:
    head, *words = name.split("_")
    return head + "".join(word.capitalize() for word in words)


def _usage(row: Row) -> Usage | None:
    """Usage details as they come: each key in its class; those of a provider's own usage object as it means them."""
    older = tokens(row, OLDER)
    details = mapping(row.get("usageDetails")) or mapping(row.get("providedUsageDetails"))
    details = details or (older if any(older.values()) else {})
    if not details or text(row["usage"].get("unit")) not in ("", "TOKENS"):  # characters, images
        return None
    numbers = {name: count(value, name) for name, value in details.items() if not isinstance(value, dict)}
    if "input" not in numbers and any(map(PROVIDERS.fullmatch, numbers)):
        return usage_of(details)
    sums: dict[str, int] = {}
    for name, number in numbers.items():
        kind = next((kind for pattern, kind in CLASSES if pattern.search(name.lower())), "")
        if kind:
            sums[kind] = sums.get(kind, 0) + number
    if not sums and numbers.get("total"):
        return Usage(input=numbers["total"])
    if numbers.get("total") == numbers.get("input", 0) + numbers.get("output", 0):
        for whole, classes in (("input", INPUT_CLASSES), ("output", OUTPUT_CLASSES)):
            parts = sum(sums.get(one, 0) for one in classes if one != whole)
            sums[whole] = max(0, numbers.get(whole, 0) - parts)
    return Usage(**sums)


def _add_bodies(entry: Entry, row: Row) -> None:
    given, made = _value(row.get("input")), _value(row.get("output"))
    if given:
        settings = {name: value for name, value in row["modelParameters"].items() if value not in NOT_SET}
        settings = {name: value if parsed(value) is None else parsed(value) for name, value in settings.items()}
        entry.request = body({"model": entry.model, **settings, **_request(entry, given)})
    if isinstance(made, dict) and (made.keys() & {"choices", "output", "candidates"} or made.get("type") == "message"):
        add_answer(entry, made)
    elif made and entry.api != "openai.embeddings":
        add_answer(entry, saying(_message(made), entry.finish or None).top)


def _value(value: Any) -> Any:
    """Text, or what its JSON says."""
    found = parsed(value)
    return found if isinstance(found, dict | list) else text(value)


def _request(entry: Entry, given: Any) -> dict[str, Any]:
    """What was asked, as a request's body has it: the input may be one, its messages, or text."""
    if isinstance(given, dict) and "messages" in given:
        return given
    if entry.api == "openai.embeddings":
        return given if isinstance(given, dict) and "input" in given else {"input": given}
    if isinstance(given, dict) and "input" in given and ("instructions" in given or isinstance(given["input"], list)):
        entry.api = "openai.responses"
        return given
    messages = given if isinstance(given, list) else [given]
    if not all(isinstance(one, dict) and "role" in one for one in messages):
        messages = [{"role": "user", "content": given if isinstance(given, str) else body(given).decode()}]
    return {"messages": messages}


def _message(made: Any) -> dict[str, Any]:
    """The answer's message: the output may be one, a list that ends with it, or the content alone."""
    if isinstance(made, list) and isinstance(made[-1], dict):
        made = made[-1]
    if isinstance(made, dict) and made.keys() & {"role", "tool_calls", "content"}:
        return {"role": "assistant", **made}
    return {"role": "assistant", "content": made if isinstance(made, str) else body(made).decode()}


def _fits(sample: Sample) -> bool:
    here = sample.has("traceId", "startTime") or sample.has("trace_id", "start_time")
    return here and any(sample.has(mark) for mark in MARKS)


MISSING = ("which provider answered (prices are those of the model's maker)",)
FORMATS = (Format("langfuse", "Langfuse observations", _fits, each(read), missing=MISSING),)
