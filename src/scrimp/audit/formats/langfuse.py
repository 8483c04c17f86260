"""Langfuse observations: exports of the UI (CSV, JSON, JSONL), pages of the API, files of the blob storage export.

Keys of usage details are disjoint and add up, unless the total says that the others lie inside input and output.
https://github.com/langfuse/langfuse (shared/src/domain/observations.ts, server/ingestion/types.ts, utils/transforms)
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from scrimp.audit.entry import Entry
from scrimp.audit.formats.base import Format, Row, Sample, amount, body, count, each, mapping, moment, parsed, text
from scrimp.audit.formats.gateway import add_answer, first, label, lasted, tag
from scrimp.call import INPUT_CLASSES, NANO, OUTPUT_CLASSES, Usage
from scrimp.wire.counts import usage_of

CALLS = ("GENERATION", "EMBEDDING")
"""Types of observations that are calls of a model whatever they hold; spans and events never are."""
OTHERS = ("AGENT", "CHAIN", "EVALUATOR", "GUARDRAIL", "RETRIEVER", "TOOL")
"""Types that are calls only where tokens are counted on themselves."""
UNNAMED = frozenset((
    "OpenAI-generation", "OpenAI-embedding", "OpenAI", "ChatOpenAI", "AzureChatOpenAI", "ChatAnthropic", "ChatBedrock",
    "ChatBedrockConverse", "ChatGoogleGenerativeAI", "ChatVertexAI", "litellm-completion", "litellm-acompletion",
    "litellm-embedding", "litellm-aembedding", "generation", "llm", "ai.generateText.doGenerate",
    "ai.streamText.doStream", "ai.generateObject.doGenerate", "ai.streamObject.doStream",
))  # fmt: skip
"""Names that integrations give to every call: they say nothing of what it is for."""
PROVIDERS = frozenset((
    "prompt_tokens", "completion_tokens", "input_tokens", "output_tokens", "promptTokenCount", "candidatesTokenCount",
    "prompt_token_count", "candidates_token_count", "inputTokens", "outputTokens",
))  # fmt: skip
"""Keys of usage objects that were handed to Langfuse as the provider sent them."""
ANSWERS = ("choices", "output", "candidates")
"""Keys of answers that were handed over whole."""
MARKS = (
    *("usageDetails", "modelParameters", "parentObservationId", "promptTokens"),
    *("usage_details", "model_parameters", "parent_observation_id"),
)
NO_TOKENS = ("CHARACTERS", "MILLISECONDS", "SECONDS", "IMAGES", "REQUESTS")


def _fits(sample: Sample) -> bool:
    here = sample.has("traceId", "startTime") or sample.has("trace_id", "start_time")
    return here and any(sample.has(mark) for mark in MARKS)


def read(row: Row) -> tuple[Entry, ...]:
    """The entry of an observation; none for a span, an event, and whatever else asks no model."""
    cells = {_camel(name): _unquoted(value) for name, value in row.items()}
    kind = text(cells.get("type")).upper() or "GENERATION"
    if kind not in CALLS and kind not in OTHERS:
        return ()
    usage = _usage(cells)
    if kind in OTHERS and (usage is None or usage == Usage()):
        return ()
    params, trace = mapping(cells.get("modelParameters")), mapping(cells.get("trace"))
    notes = mapping(cells.get("metadata"))
    at, end = moment(cells.get("startTime")), moment(cells.get("endTime"))
    entry = Entry(
        id=text(cells.get("id")),
        at=at,
        api="openai.embeddings" if kind == "EMBEDDING" else "openai.chat",
        model=text(first(cells, "model", "providedModelName")),
        usage=usage,
        tier=text(first(params, "service_tier", "serviceTier")).lower(),
        finish=text(first(notes, "finish_reason", "finishReason", "stop_reason")),
        stream=first(cells, "completionStartTime", "timeToFirstToken") is not None,
        feature=_name(cells, trace),
        user=text(cells.get("userId")) or text(trace.get("userId")),
        session=text(cells.get("sessionId")) or text(trace.get("sessionId")),
        environment="" if cells.get("environment") == "default" else text(cells.get("environment")),
        duration=max(0, end - at) if end is not None and at is not None else lasted(cells.get("latency"), NANO),
        logged=_cost(cells),
    )
    tag(entry, first(cells, "tags", "traceTags") or trace.get("tags"))
    label(entry, notes)
    # calls of one trace belong together, where nothing larger is named
    entry.session = entry.session or text(cells.get("traceId"))
    _add_bodies(entry, cells, params)
    if cells.get("level") == "ERROR":
        entry.status, entry.error = 500, (text(cells.get("statusMessage")) or "error")[:200]
    return (entry,)


@lru_cache(1024)
def _camel(name: str) -> str:
    head, *words = name.split("_")
    return head + "".join(word.capitalize() for word in words)


def _unquoted(value: Any) -> Any:
    """A cell as it was: the CSV export writes times, and once wrote all text, as JSON text in its quotes."""
    if isinstance(value, str) and len(value) > 1 and value[0] == value[-1] == '"':
        found = parsed(value)
        return found if isinstance(found, str) else value
    return value


def _name(cells: Mapping[str, Any], trace: Mapping[str, Any]) -> str:
    """The observation's name, else its prompt's or its trace's."""
    name = text(cells.get("name"))
    if name and name not in UNNAMED:
        return name
    return text(first(cells, "promptName", "traceName")) or text(trace.get("name")) or name


def _usage(cells: Mapping[str, Any]) -> Usage | None:
    details = mapping(cells.get("usageDetails")) or mapping(cells.get("providedUsageDetails"))
    if details:
        return _detailed(details)
    old = mapping(cells.get("usage"))
    if text(first(old, "unit") or cells.get("unit")).upper() in NO_TOKENS:
        return None
    given = first(old, "input", "promptTokens") or first(cells, "promptTokens", "inputUsage", "inputTokens")
    made = first(old, "output", "completionTokens") or first(cells, "completionTokens", "outputUsage", "outputTokens")
    usage = Usage(input=count(given, "input"), output=count(made, "output"))
    if usage == Usage():
        total = first(old, "total", "totalTokens") or first(cells, "totalTokens", "totalUsage")
        usage = Usage(input=count(total, "total"))
    return None if usage == Usage() else usage


def _detailed(details: Mapping[str, Any]) -> Usage | None:
    """Usage details as they come: each key in its class; those of a provider's own usage object as it means them."""
    numbers = {name: count(value, name) for name, value in details.items() if not isinstance(value, dict)}
    if "input" not in numbers and not PROVIDERS.isdisjoint(numbers):
        return usage_of(details)
    sums: dict[str, int] = {}
    for name, number in numbers.items():
        kind = _class(name.lower())
        if kind:
            sums[kind] = sums.get(kind, 0) + number
    if not sums and numbers.get("total"):
        return Usage(input=numbers["total"])
    plain = numbers.get("input", 0) + numbers.get("output", 0)
    if numbers.get("total") == plain:
        for whole, classes in (("input", INPUT_CLASSES), ("output", OUTPUT_CLASSES)):
            parts = sum(sums.get(one, 0) for one in classes if one != whole)
            sums[whole] = max(0, numbers.get(whole, 0) - parts)
    return Usage(**sums)


def _class(name: str) -> str:
    """The class of tokens that a key of usage details counts; "" for none."""
    if "web_search" in name:
        return "searches"
    if "total" in name:
        return ""
    if "prediction" in name:  # taken out of the output only where it is named as a part of it
        kind = "rejected_prediction" if "rejected" in name else "output"
        return kind if name.startswith("output") else ""
    if "cache" in name:
        return _cache_class(name)
    if any(word in name for word in ("reasoning", "thought", "thinking")):
        return "reasoning"
    side = "output" if "output" in name or "completion" in name else "input"
    for kind in ("audio", "image", "video"):
        if kind in name:
            return "output" if (kind, side) == ("video", "output") else f"{kind}_{side}"
    return side if side in name or "completion" in name or "prompt" in name else ""


def _cache_class(name: str) -> str:
    if "creation" not in name and "write" not in name:
        return "audio_cached" if "audio" in name else "cached"
    if "1h" in name:
        return "cache_write_1h"
    return "cache_write_12h" if "12h" in name else "cache_write"


def _cost(cells: Mapping[str, Any]) -> int | None:
    """What Langfuse was told or worked out; a cost of 0 without details means that it knew no price."""
    cost = amount(mapping(cells.get("costDetails")).get("total"))
    return cost if cost is not None else amount(first(cells, "totalCost", "calculatedTotalCost")) or None


def _add_bodies(entry: Entry, cells: Mapping[str, Any], params: Mapping[str, Any]) -> None:
    given = _value(cells.get("input"))
    if given:
        request = _request(entry, given)
        said = {name: one for name, value in params.items() if (one := _setting(value)) is not None}
        entry.request = body({"model": entry.model, **said, **request})
    made = _value(cells.get("output"))
    if isinstance(made, dict) and (any(key in made for key in ANSWERS) or made.get("type") == "message"):
        add_answer(entry, made)
    elif made and entry.api != "openai.embeddings":
        add_answer(entry, {"choices": [{"index": 0, "message": _message(made), "finish_reason": entry.finish or None}]})


def _value(cell: Any) -> Any:
    """Text, or what its JSON says."""
    found = parsed(cell)
    return found if isinstance(found, dict | list) else text(cell)


def _setting(value: Any) -> Any:
    """A model parameter, which may have become text; None where it sets nothing."""
    found = parsed(value)
    if found is None and text(value).lower() not in ("", "inf", "infinity", "none", "null"):
        return value
    return found


def _request(entry: Entry, given: Any) -> dict[str, Any]:
    """What was asked, as a request's body has it: the input may be one, its messages, or text."""
    if entry.api == "openai.embeddings":
        return given if isinstance(given, dict) and "input" in given else {"input": given}
    if isinstance(given, dict):
        if "messages" in given:
            return given
        if "input" in given and ("instructions" in given or isinstance(given["input"], list)):
            entry.api = "openai.responses"
            return given
        given = [given if "role" in given else {"role": "user", "content": body(given).decode()}]
    if isinstance(given, str):
        given = [{"role": "user", "content": given}]
    if not all(isinstance(one, dict) and "role" in one for one in given):
        given = [{"role": "user", "content": body(given).decode()}]
    return {"messages": given}


def _message(made: Any) -> dict[str, Any]:
    """The answer's message: the output may be one, a list that ends with it, or the content alone."""
    if isinstance(made, list) and made and isinstance(made[-1], dict):
        made = made[-1]
    if isinstance(made, dict) and ("role" in made or "tool_calls" in made or "content" in made):
        return {"role": "assistant", **made}
    return {"role": "assistant", "content": made if isinstance(made, str) else body(made).decode()}


FORMATS = (
    Format(
        "langfuse",
        "Langfuse observations",
        _fits,
        each(read),
        missing=("which provider answered (prices are those of the model's maker)",),
    ),
)
