"""OpenTelemetry spans of model calls as JSON: OTLP documents, or one span after another as exporters print them.

Names are those of the GenAI conventions, the older ones, OpenInference's and Traceloop's. Spans of agents and chains
repeat the tokens of the calls below them: those are told by their kind, by what is below them, and by the answer's id.
https://github.com/open-telemetry/semantic-conventions-genai
"""

from __future__ import annotations

from collections.abc import Iterator

from scrimp.audit.entry import Entry
from scrimp.audit.formats import spans
from scrimp.audit.formats.base import Format, Options, Read, Sample, parsed, text
from scrimp.audit.formats.conversation import bodies
from scrimp.audit.formats.fields import Names, cell, disjoint, entries_of, fill, tokens
from scrimp.audit.formats.spans import Attributes, Span
from scrimp.call import Usage

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
    "image_input": ("gen_ai.usage.image.input_tokens",),
    "video_input": ("gen_ai.usage.video.input_tokens",),
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
    "team": ("team", "team.id"),
    "environment": ("deployment.environment.name", "deployment.environment"),
    "tier": ("openai.response.service_tier", "gen_ai.openai.response.service_tier"),
    "finish": ("gen_ai.completion.0.finish_reason", "llm.finish_reason"),
    "stream": ("gen_ai.request.stream", "llm.is_streaming"),
    "error": ("error.type",),
    "logged": ("scrimp.cost.paid_usd", "gen_ai.usage.cost", "llm.cost.total", "operation.cost"),
}
"""A field of an Entry -> the attributes that tell it, of the span or else of its resource."""
KIND = ("gen_ai.operation.name", "openinference.span.kind", "traceloop.span.kind", "llm.request.type")
CALLS = ("chat", "text_completion", "completion", "generate_content", "embeddings", "embedding", "llm")
"""Kinds of spans that are calls, in lower case, whether they report tokens or not."""
AROUND = (
    *("invoke_agent", "create_agent", "invoke_workflow", "execute_tool", "plan", "retrieval", "agent", "chain", "tool"),
    *("retriever", "reranker", "rerank", "guardrail", "evaluator", "workflow", "task", "prompt"),
    *("create_memory", "search_memory", "update_memory", "upsert_memory", "delete_memory"),
)
"""Kinds of spans that are none; their tokens are those of the calls below them."""
PROVIDERS = {
    "az.ai.openai": "azure", "azure.ai.openai": "azure", "az.ai.inference": "azure", "azure.ai.inference": "azure",
    "aws.bedrock": "bedrock", "aws_bedrock": "bedrock",
    "gcp.gemini": "google", "gcp.vertex_ai": "google", "gcp.gen_ai": "google", "gemini": "google",
    "x_ai": "xai", "mistral_ai": "mistral", "mistralai": "mistral",
}  # fmt: skip
"""A provider's name in the conventions -> the price book's."""


def _open(columns: tuple[str, ...], options: Options) -> Read:
    above = spans.Above()

    def read(span: Span) -> Iterator[Entry]:
        entry = _call(span)
        if not above.has_call(span, entry is not None) and entry is not None:
            yield entry

    return lambda row: entries_of(spans.within(row), read, "spans")


def _call(span: Span) -> Entry | None:
    """The call of a span; None where it is something else."""
    told = span.attributes
    kind = text(cell(told, *KIND)).lower()
    used = not told.keys().isdisjoint((*TOKENS["input"], *TOKENS["output"]))
    if kind not in CALLS and (kind in AROUND or not used):
        return None
    entry = fill(Entry(usage=_usage(told) if used else None), told, CALL)
    fill(fill(entry, span.resource, CALL), span.times, spans.TIMES)
    entry.id = entry.id or f"{span.trace}:{span.id}".strip(":")
    entry.provider = _provider(told)
    ends = parsed(told.get("gen_ai.response.finish_reasons"))
    entry.finish = text(ends[0]) if isinstance(ends, list) and ends else entry.finish
    service = text(span.resource.get("service.name"))
    if not service.startswith("unknown_service"):  # a name that the SDK made up
        entry.feature = entry.feature or service
    if entry.error or span.failed:
        entry.status = _status(told, entry.error)
        entry.error = ": ".join(filter(None, (entry.error or "error", span.message)))[:200]
    if kind.startswith("embedding"):
        entry.api = "openai.embeddings"
    else:
        entry.request, entry.answer = bodies(told, entry.model, entry.answered, entry.finish)
        entry.api = "openai.chat" if entry.request else "other"
    return entry


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


def _fits(sample: Sample) -> bool:
    return any(spans.is_one(row) for row in sample.rows)


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
