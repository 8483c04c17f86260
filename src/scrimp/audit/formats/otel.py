"""OpenTelemetry spans of model calls as JSON: OTLP documents, or one span after another as exporters print them.

Names are those of the GenAI conventions, the older ones, OpenInference's and Traceloop's. Spans of agents and chains
repeat the tokens of the calls below them: those are told by their kind, by what is below them, and by the answer's id.
https://github.com/open-telemetry/semantic-conventions-genai
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from scrimp.audit.entry import Entry
from scrimp.audit.formats.base import Format, Options, Read, Row, Sample, body, mapping, parsed, text
from scrimp.audit.formats.fields import Names, cell, dicts, disjoint, entries_of, fill, objects, tokens
from scrimp.call import Usage

Attributes = Mapping[str, Any]
TIMES: Names = {"at": ("startTimeUnixNano", "start_time"), "end": ("endTimeUnixNano", "end_time")}
IDS = (
    *(("traceId", "trace_id", "context.trace_id"), ("spanId", "span_id", "context.span_id")),
    ("parentSpanId", "parent_span_id", "parent_id"),
)
"""Of the trace, the span and its parent."""
REMEMBERED = 100_000
"""Spans that are waited for: those around calls end, and come, after them; a parent in another service never does."""
TOKENS: Names = {
    "input": (
        "gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.usage.prompt_tokens", "llm.token_count.prompt",
    ),
    "output": (
        "gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.usage.completion_tokens",
        "llm.token_count.completion",
    ),
    "cached": (
        "gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_read_input_tokens",
        "gen_ai.usage.cached_input_tokens", "gen_ai.usage.details.cache_read_tokens",
        "llm.token_count.prompt_details.cache_read",
    ),
    "cache_write": (
        "gen_ai.usage.cache_creation.input_tokens", "gen_ai.usage.cache_creation_input_tokens",
        "gen_ai.usage.details.cache_write_tokens", "llm.token_count.prompt_details.cache_write",
    ),
    "reasoning": (
        "gen_ai.usage.reasoning.output_tokens", "gen_ai.usage.reasoning_tokens", "llm.usage.reasoning_tokens",
        "gen_ai.usage.details.reasoning_tokens", "llm.token_count.completion_details.reasoning",
    ),
    "audio_input": ("gen_ai.usage.audio.input_tokens", "llm.token_count.prompt_details.audio"),
    "image_input": ("gen_ai.usage.image.input_tokens",), "video_input": ("gen_ai.usage.video.input_tokens",),
    "audio_output": ("gen_ai.usage.audio.output_tokens", "llm.token_count.completion_details.audio"),
}  # fmt: skip
"""A class of tokens -> the attributes that count it; all but the first two lie inside those."""
CALL: Names = {
    "id": ("gen_ai.response.id", "llm.response.id"),
    "model": ("gen_ai.request.model", "llm.model_name", "embedding.model_name", "llm.request.model"),
    "answered": ("gen_ai.response.model", "llm.response.model"),
    "session": ("gen_ai.conversation.id", "session.id", "traceloop.association.properties.session_id"),
    "user": ("enduser.id", "user.id", "gen_ai.openai.request.user", "traceloop.association.properties.user_id"),
    "feature": ("scrimp.feature", "feature", "traceloop.workflow.name", "gen_ai.agent.name", "gen_ai.prompt.name"),
    "team": ("team", "team.id"), "environment": ("deployment.environment.name", "deployment.environment"),
    "tier": ("openai.response.service_tier", "gen_ai.openai.response.service_tier"),
    "finish": ("gen_ai.completion.0.finish_reason", "llm.finish_reason"),
    "stream": ("gen_ai.request.stream", "llm.is_streaming"), "error": ("error.type",),
    "logged": ("scrimp.cost.paid_usd", "gen_ai.usage.cost", "llm.cost.total", "operation.cost"),
}  # fmt: skip
"""A field of an Entry -> the attributes that tell it, of the span or else of its resource."""
PARAMETERS = ("max_tokens", "temperature", "top_p", "top_k", "seed", "frequency_penalty", "presence_penalty")
"""Parameters of a request that are attributes under the same name."""
KIND = ("gen_ai.operation.name", "openinference.span.kind", "traceloop.span.kind", "llm.request.type")
CALLS = ("chat", "text_completion", "completion", "generate_content", "embeddings", "embedding", "llm")
"""Kinds of spans that are calls, in lower case, whether they report tokens or not."""
AROUND = (
    *("invoke_agent", "create_agent", "invoke_workflow", "execute_tool", "plan", "retrieval", "agent", "chain", "tool"),
    *("retriever", "reranker", "rerank", "guardrail", "evaluator", "workflow", "task", "prompt"),
    *("create_memory", "search_memory", "update_memory", "upsert_memory", "delete_memory"),
)
"""Kinds of spans that are none; their tokens are those of the calls below them."""
PLAIN = ("stringValue", "boolValue", "doubleValue")
"""OTLP's values that are what they hold."""
PROVIDERS = {
    "az.ai.openai": "azure", "azure.ai.openai": "azure", "az.ai.inference": "azure", "azure.ai.inference": "azure",
    "aws.bedrock": "bedrock", "aws_bedrock": "bedrock",
    "gcp.gemini": "google", "gcp.vertex_ai": "google", "gcp.gen_ai": "google", "gemini": "google",
    "x_ai": "xai", "mistral_ai": "mistral", "mistralai": "mistral",
}  # fmt: skip
"""A provider's name in the conventions -> the price book's."""


class Span(NamedTuple):
    """One span. `row` is how it is written; ids are as text, `parent` is "" for a root."""

    row: Row
    trace: str
    id: str
    parent: str
    attributes: Attributes
    resource: Attributes


def _open(columns: tuple[str, ...], options: Options) -> Read:
    waited_for: dict[tuple[str, str], None] = {}  # spans to come that have a call below them

    def read(span: Span) -> Iterator[Entry]:
        entry = _call(span)
        has_call = (span.trace, span.id) in waited_for
        waited_for.pop((span.trace, span.id), None)
        if (has_call or entry) and span.parent:
            waited_for[span.trace, span.parent] = None
            if len(waited_for) > REMEMBERED:
                del waited_for[next(iter(waited_for))]
        if entry and not has_call:
            yield entry

    return lambda row: entries_of(within(row), read, "spans")


def _call(span: Span) -> Entry | None:
    """The call of a span; None where it is something else."""
    told = span.attributes
    kind = text(cell(told, *KIND)).lower()
    used = not told.keys().isdisjoint((*TOKENS["input"], *TOKENS["output"]))
    if kind not in CALLS and (kind in AROUND or not used):
        return None
    entry = fill(Entry(usage=_usage(told) if used else None), told, CALL)
    fill(fill(entry, span.resource, CALL), span.row, TIMES)
    entry.id = entry.id or f"{span.trace}:{span.id}".strip(":")
    entry.provider = _provider(told)
    ends = parsed(told.get("gen_ai.response.finish_reasons"))
    entry.finish = text(ends[0]) if isinstance(ends, list) and ends else entry.finish
    service = text(span.resource.get("service.name"))
    if not service.startswith("unknown_service"):  # a name that the SDK made up
        entry.feature = entry.feature or service
    code = text(cell(span.row, "status.code", "status.status_code", "status_code"))
    if entry.error or code.removeprefix("STATUS_CODE_").upper() in ("2", "ERROR"):
        said = text(cell(span.row, "status.message", "status.description", "status_message"))
        entry.status = _status(told, entry.error)
        entry.error = ": ".join(filter(None, (entry.error or "error", said)))[:200]
    if kind.startswith("embedding"):
        entry.api = "openai.embeddings"
    else:
        _add_bodies(entry, told)
    return entry


def _add_bodies(entry: Entry, told: Attributes) -> None:
    """The messages of a span in the place where a chat completion has them; not what was sent byte for byte."""
    system = [{"role": "system", "parts": parts}] if (parts := dicts(told.get("gen_ai.system_instructions"))) else []
    messages = [_message(one) for one in (*system, *dicts(told.get("gen_ai.input.messages")))]
    if not messages:
        return
    settings = {name: told[key] for name in PARAMETERS if (key := f"gen_ai.request.{name}") in told}
    tools = {"tools": found} if (found := dicts(told.get("gen_ai.tool.definitions"))) else {}
    entry.api = "openai.chat"
    entry.request = body({"model": entry.model, "messages": messages, **tools, **settings})
    said = [
        {"message": _message(one), "finish_reason": text(one.get("finish_reason")) or entry.finish or None}
        for one in dicts(told.get("gen_ai.output.messages"))
    ]
    entry.answer = body({"model": entry.answered, "choices": said}) if said else b""


def _message(found: Row) -> dict[str, Any]:
    """A message of parts as one of content: texts as a chat completion has them, other parts as they are."""
    parts = found.get("parts")
    content = [_part(part) for part in parts] if isinstance(parts, list) else found.get("content")
    return {"role": text(found.get("role")), "content": content}


def _part(part: Any) -> Any:
    is_text = isinstance(part, dict) and part.get("type") == "text"
    return {"type": "text", "text": part.get("content")} if is_text else part


def _provider(told: Attributes) -> str:
    """Who was asked. Clients of OpenAI's API say "openai" whoever answers: then a public host tells better."""
    name = text(cell(told, "gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system")).lower()
    host = text(cell(told, "server.address", "net.peer.name")).lower()
    is_public = "." in host and host.rpartition(".")[2].isalpha() and not host.endswith((".local", ".internal", ".svc"))
    return host if name in ("", "openai") and is_public else PROVIDERS.get(name, name)


def _status(told: Attributes, error: str) -> int:
    """The HTTP status of a failure; 0 where nothing tells it."""
    for said in (error, text(cell(told, "http.response.status_code", "http.status_code"))):
        if len(said) == 3 and said.isdecimal() and "400" <= said < "600":
            return int(said)
    return 429 if "ratelimit" in error.lower().replace("_", "") else 0


def _usage(told: Attributes) -> Usage:
    """Tokens in disjoint classes. What is more than the total around it stands beside it, as Anthropic counts and older
    instrumentations pass on."""
    counts = tokens(told, TOKENS)
    for total, parts in (("input", ("cached", "cache_write")), ("output", ("reasoning",))):
        inside = sum(counts[part] for part in parts)
        counts[total] += inside if inside > counts[total] else 0
    return disjoint(counts)


def within(row: Row) -> list[Span]:
    """The spans of a row, those that ended first before others. BadRecord where it is none of the known shapes."""
    documents: list[Any] = objects(row["resourceSpans"], "resourceSpans") if "resourceSpans" in row else [row]
    if "scopeSpans" not in row and "resourceSpans" not in row:
        return [_span(row, _resource(row))]
    found = [
        _span(span, _resource(document))
        for document in documents
        for scope in objects(document.get("scopeSpans", []), "scopeSpans")
        for span in objects(scope.get("spans", []), "spans")
    ]
    # spans of several scopes need not come in the order they ended; the shorter of two is the one below
    return sorted(found, key=lambda span: (_nanoseconds(span, "end"), -_nanoseconds(span, "at")))


def _nanoseconds(span: Span, name: str) -> int:
    said = text(cell(span.row, *TIMES[name]))
    return int(said) if len(said) < 20 and said.isdecimal() else 0


def _resource(row: Row) -> Attributes:
    return _attributes(mapping(row.get("resource")).get("attributes"))


def _span(row: Row, resource: Attributes) -> Span:
    trace, own, parent = (text(cell(row, *names)).removeprefix("0x") for names in IDS)
    return Span(row, trace, own, parent, _attributes(row.get("attributes")), resource)


def _attributes(found: Any) -> Attributes:
    """Attributes by name, from an object or from OTLP's list of keys with typed values."""
    if isinstance(found, list):
        return {text(one.get("key")): _value(one.get("value")) for one in objects(found, "attributes")}
    return mapping(found)


def _value(found: Any) -> Any:
    """What an OTLP value holds, such as {"intValue": "7"}; None for bytes."""
    if not isinstance(found, dict) or not found:
        return found
    name, held = next(iter(found.items()))
    if name == "intValue":  # as text, or as a number
        said = text(held)
        return int(said) if len(said) < 20 and said.removeprefix("-").isdecimal() else held
    values = mapping(held).get("values")
    if name == "arrayValue":
        return [_value(one) for one in values] if isinstance(values, list) else []
    return _attributes(values) if name == "kvlistValue" else held if name in PLAIN else None


def _fits(sample: Sample) -> bool:
    return any(map(_is_one, sample.rows))


def _is_one(row: Row) -> bool:
    is_span = cell(row, *IDS[1]) is not None and isinstance(row.get("attributes"), dict | list)
    return is_span or "resourceSpans" in row or "scopeSpans" in row


MISSING = ("calls that only an agent's span reports (its model calls are counted instead)",)
FORMATS = (Format("otel", "OpenTelemetry GenAI spans", _fits, _open, ordered=True, missing=MISSING),)
