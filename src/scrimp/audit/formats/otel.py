"""OpenTelemetry spans of model calls as JSON: OTLP documents, or one span after another as exporters print them.

Names are those of the GenAI conventions, the older ones, OpenInference's and Traceloop's. Spans of agents and chains
repeat the tokens of the calls below them: those are told by their kind, by what is below them, and by the answer's id.
https://github.com/open-telemetry/semantic-conventions-genai
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from scrimp.audit.entry import BadRecord, Entry
from scrimp.audit.formats import spans
from scrimp.audit.formats.base import Format, Options, Read, Row, Sample, amount, count, moment, parsed, text
from scrimp.audit.formats.conversation import bodies
from scrimp.audit.formats.spans import Attributes, Span
from scrimp.call import Api, Usage

TOKENS = {
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
        "gen_ai.usage.cache_write.input_tokens", "gen_ai.usage.cache_write_input_tokens",
        "gen_ai.usage.details.cache_write_tokens", "llm.token_count.prompt_details.cache_write",
    ),
    "reasoning": (
        "gen_ai.usage.reasoning.output_tokens", "gen_ai.usage.reasoning_output_tokens", "gen_ai.usage.reasoning_tokens",
        "gen_ai.usage.details.reasoning_tokens", "llm.usage.reasoning_tokens",
        "llm.token_count.completion_details.reasoning",
    ),
    "audio_input": ("gen_ai.usage.audio.input_tokens", "llm.token_count.prompt_details.audio"),
    "image_input": ("gen_ai.usage.image.input_tokens",),
    "video_input": ("gen_ai.usage.video.input_tokens",),
    "audio_output": ("gen_ai.usage.audio.output_tokens", "llm.token_count.completion_details.audio"),
}  # fmt: skip
"""A class of tokens -> the attributes that count it; all but the first two lie inside those."""
NAMES = {
    "model": ("gen_ai.request.model", "llm.model_name", "embedding.model_name", "llm.request.model"),
    "answered": ("gen_ai.response.model", "llm.response.model"),
    "session": (
        "gen_ai.conversation.id", "session.id", "langfuse.session.id", "traceloop.association.properties.session_id",
    ),
    "user": (
        "enduser.id", "user.id", "gen_ai.openai.request.user", "openai.request.user", "llm.user", "langfuse.user.id",
        "traceloop.association.properties.user_id",
    ),
    "feature": ("scrimp.feature", "feature", "traceloop.workflow.name", "gen_ai.agent.name", "gen_ai.prompt.name"),
    "team": ("team", "team.id"),
    "environment": ("deployment.environment.name", "deployment.environment"),
    "tier": ("openai.response.service_tier", "gen_ai.openai.response.service_tier"),
}  # fmt: skip
"""A field of an Entry -> the attributes that tell it, the first that is there."""
COSTS = ("scrimp.cost.paid_usd", "gen_ai.usage.cost", "llm.cost.total", "operation.cost")
CALLS = frozenset(("chat", "text_completion", "completion", "generate_content", "embeddings", "embedding", "llm"))
"""Kinds of spans that are calls, in lower case, whether they report tokens or not."""
AROUND = frozenset(
    (
        *("invoke_agent", "create_agent", "invoke_workflow", "execute_tool", "plan", "retrieval", "create_memory"),
        *("search_memory", "update_memory", "upsert_memory", "delete_memory", "agent", "chain", "tool", "retriever"),
        *("reranker", "rerank", "guardrail", "evaluator", "workflow", "task", "prompt"),
    )
)
"""Kinds of spans that are none; their tokens are those of the calls below them."""
PROVIDERS = {
    "az.ai.openai": "azure", "azure.ai.openai": "azure", "az.ai.inference": "azure", "azure.ai.inference": "azure",
    "aws.bedrock": "bedrock", "aws_bedrock": "bedrock",
    "gcp.gemini": "google", "gcp.vertex_ai": "google", "gcp.gen_ai": "google", "gemini": "google",
    "x_ai": "xai", "mistral_ai": "mistral", "mistralai": "mistral",
}  # fmt: skip
"""A provider's name in the conventions -> the price book's."""


def _fits(sample: Sample) -> bool:
    return any("resourceSpans" in row or "resource_spans" in row or spans.is_one(row) for row in sample.rows)


def _open(columns: tuple[str, ...], options: Options) -> Read:
    above = spans.Above()

    def read(row: Row) -> Iterator[Entry]:
        reasons: list[str] = []
        found = spans.within(row)
        for span in found:
            try:
                entry = _entry(span)
            except BadRecord as error:
                reasons.append(str(error))
                continue
            if not above.has_call(span, entry is not None) and entry is not None:
                yield entry
        if reasons:
            raise BadRecord(reasons[0] if len(found) == 1 else f"{len(reasons)} of {len(found)} spans: {reasons[0]}")

    return read


def _entry(span: Span) -> Entry | None:
    """The call of a span; None where it is something else."""
    told = span.attributes
    kind = _kind(told)
    used = any(name in told for name in (*TOKENS["input"], *TOKENS["output"]))
    if kind in CALLS or (used and kind not in AROUND):
        return _call(span, "openai.embeddings" if kind.startswith("embedding") else "other", used)
    return None


def _kind(told: Attributes) -> str:
    """What a span says it is, in lower case; "" where it does not."""
    names = ("gen_ai.operation.name", "openinference.span.kind", "traceloop.span.kind", "llm.request.type")
    return _first(told, names).lower()


def _call(span: Span, api: Api, used: bool) -> Entry:
    told = span.attributes
    entry = Entry(
        id=_first(told, ("gen_ai.response.id", "llm.response.id")) or f"{span.trace}:{span.id}".strip(":"),
        at=moment(span.start),
        api=api,
        provider=_provider(told),
        usage=_usage(told) if used else None,
        finish=_finish(told),
        stream=any(told.get(name) is True for name in ("gen_ai.request.stream", "llm.is_streaming")),
        logged=next((found for name in COSTS if (found := amount(told.get(name))) is not None), None),
    )
    for field, names in NAMES.items():
        setattr(entry, field, _first(told, names) or _first(span.resource, names))
    entry.feature = entry.feature or _service(span.resource)
    end = moment(span.end)
    if entry.at is not None and end is not None:
        entry.duration = max(0, end - entry.at)
    entry.error = (text(told.get("error.type")) or ("error" if span.failed else ""))[:200]
    if entry.error:
        entry.status = _status(told, entry.error)
        entry.error = f"{entry.error}: {span.message}"[:200] if span.message else entry.error
    if api == "other":
        entry.request, entry.answer = bodies(told, entry.model, entry.answered, entry.finish)
        entry.api = "openai.chat" if entry.request else api
    return entry


def _first(told: Attributes, names: tuple[str, ...]) -> str:
    for name in names:
        if name in told and (found := text(told[name])):
            return found
    return ""


def _service(resource: Attributes) -> str:
    """The service's name, unless the SDK made it up."""
    name = text(resource.get("service.name"))
    return "" if name.startswith("unknown_service") else name


def _provider(told: Attributes) -> str:
    """Who was asked. Clients of OpenAI's API say "openai" whoever answers: then a public host tells better."""
    name = _first(told, ("gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system")).lower()
    host = _first(told, ("server.address", "net.peer.name")).lower()
    is_public = "." in host and host.rpartition(".")[2].isalpha() and not host.endswith((".local", ".internal", ".svc"))
    if name in ("", "openai") and is_public:
        return host
    return PROVIDERS.get(name, name)


def _finish(told: Attributes) -> str:
    found = parsed(told.get("gen_ai.response.finish_reasons")) or told.get("gen_ai.response.finish_reasons")
    if isinstance(found, list):
        found = found[0] if found else ""
    return text(found) or text(told.get("gen_ai.completion.0.finish_reason")) or text(told.get("llm.finish_reason"))


def _status(told: Attributes, error: str) -> int:
    """The HTTP status of a failure; 0 where nothing tells it."""
    for said in (error, *(text(told.get(name)) for name in ("http.response.status_code", "http.status_code"))):
        if len(said) == 3 and said.isdecimal() and "400" <= said < "600":
            return int(said)
    return 429 if "ratelimit" in error.lower().replace("_", "") else 0


def _usage(told: Attributes) -> Usage:
    """Tokens in disjoint classes.

    The conventions have cached and written tokens inside the input, and reasoning inside the output; what is more than
    the total around it stands beside it, as Anthropic counts and older instrumentations pass on.
    """
    counts = {name: _tokens(told, names) for name, names in TOKENS.items()}
    kept = counts["cached"] + counts["cache_write"]
    rest = counts["input"] - kept if kept <= counts["input"] else counts["input"]
    media = {}
    for name in ("audio_input", "image_input", "video_input"):  # cached ones are among the cached already
        media[name] = min(counts[name], rest)
        rest -= media[name]
    said = counts["output"] - counts["reasoning"] if counts["reasoning"] <= counts["output"] else counts["output"]
    spoken = min(counts["audio_output"], said)
    return Usage(
        input=rest,
        cached=counts["cached"],
        cache_write=counts["cache_write"],
        output=said - spoken,
        reasoning=counts["reasoning"],
        audio_output=spoken,
        **media,
    )


def _tokens(told: Mapping[str, Any], names: tuple[str, ...]) -> int:
    return next((count(told[name], name) for name in names if told.get(name) not in (None, "")), 0)


FORMATS = (
    Format(
        "otel",
        "OpenTelemetry GenAI spans",
        _fits,
        _open,
        ordered=True,
        missing=("calls that only an agent's span reports (its model calls are counted instead)",),
    ),
)
