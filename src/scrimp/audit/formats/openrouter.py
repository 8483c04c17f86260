"""OpenRouter: its daily activity (API, JSON and CSV) and the export of its logs, one row a generation.

Money is OpenRouter's credits and, for calls with a key of one's own, what the provider took on that key.
https://openrouter.ai/docs/api/api-reference/analytics/get-user-activity and .../generations/get-generation
"""

from __future__ import annotations

from scrimp.audit.entry import BadRecord, Entry
from scrimp.audit.formats.base import Format, Row, Sample, amount, count, each, moment, text
from scrimp.audit.formats.gateway import first, lasted
from scrimp.call import Usage

PLAIN = ("", "standard")
"""Words for the variant of a model that is the model itself; others ("free", "nitro") are part of its name."""


def _fits_calls(sample: Sample) -> bool:
    exported = sample.has("generation_id", "cost_total", "tokens_prompt")
    return exported or any("native_tokens_prompt" in _generation(row) for row in sample.rows)


def _fits_days(sample: Sample) -> bool:
    snake = sample.has("date", "model", "usage", "requests", "prompt_tokens")
    camel = sample.has("date", "model", "usage", "requests", "promptTokens")
    return (snake or camel) and any(
        sample.has(name)
        for name in ("model_permaslug", "modelPermaslug", "byok_usage_inference", "byokUsageInference", "endpoint_id")
    )


def read_day(row: Row) -> tuple[Entry, ...]:
    """The calls of a day by model and endpoint; none where nothing was asked."""
    calls = count(row.get("requests"), "requests")
    usage = _usage(
        first(row, "prompt_tokens", "promptTokens"),
        first(row, "completion_tokens", "completionTokens"),
        first(row, "reasoning_tokens", "reasoningTokens"),
        0,
    )
    if not calls and usage == Usage():
        return ()
    at = moment(row.get("date"))
    if at is None:
        raise BadRecord("it has no date")
    entry = Entry(
        at=at,
        provider="openrouter",
        model=text(row.get("model")),
        usage=usage,
        logged=_paid(row.get("usage"), first(row, "byok_usage_inference", "byokUsageInference")),
        tags=_served_by(first(row, "provider_name", "providerName")),
        aggregate=True,
        calls=max(1, calls),
    )
    if ":" not in entry.model:  # the permanent name leaves the variant out, and with it that it was free
        entry.answered = text(first(row, "model_permaslug", "modelPermaslug"))
    return (entry,)


def _generation(row: Row) -> Row:
    """A generation, also as the API answers with one: inside `data`."""
    inner = row.get("data")
    return inner if isinstance(inner, dict) else row


def read_call(row: Row) -> tuple[Entry]:
    """The entry of a generation, from the export or as the API gives it."""
    row = _generation(row)
    model = text(first(row, "model_permaslug", "model"))
    variant = text(row.get("variant"))
    if variant not in PLAIN and ":" not in model:
        model = f"{model}:{variant}"
    entry = Entry(
        id=text(first(row, "generation_id", "id")),
        at=moment(row.get("created_at")),
        provider="openrouter",
        model=model,
        usage=_usage(
            first(row, "native_tokens_prompt", "tokens_prompt"),
            first(row, "native_tokens_completion", "tokens_completion"),
            first(row, "native_tokens_reasoning", "tokens_reasoning"),
            first(row, "native_tokens_cached", "tokens_cached"),
        ),
        finish=text(first(row, "finish_reason_normalized", "finish_reason")),
        tier=text(row.get("service_tier")).lower(),
        stream=_is_true(row.get("streamed")),
        cut=_is_true(row.get("cancelled")),
        feature=text(row.get("app_name")),
        user=text(first(row, "user", "external_user")),
        key=text(row.get("api_key_name")),
        session=text(row.get("session_id")),
        tags=_served_by(row.get("provider_name")),
        duration=lasted(first(row, "generation_time_ms", "generation_time"), 1_000_000),
        logged=_paid(
            first(row, "cost_total", "total_cost"),
            row.get("upstream_inference_cost" if _is_true(row.get("is_byok")) else "byok_usage_inference"),
        ),
    )
    if entry.finish == "error":
        entry.error = "error"
    return (entry,)


def _usage(given: object, made: object, thought: object, read: object) -> Usage:
    """Cached tokens are inside the prompt's, reasoning inside the completion's."""
    asked, said = count(given, "prompt tokens"), count(made, "completion tokens")
    reasoning = min(said, count(thought, "reasoning tokens"))
    cached = min(asked, count(read, "cached tokens"))
    return Usage(input=asked - cached, cached=cached, output=said - reasoning, reasoning=reasoning)


def _paid(credits: object, own_key: object) -> int | None:
    charged, outside = amount(credits), amount(own_key)
    return None if charged is None and outside is None else (charged or 0) + (outside or 0)


def _served_by(name: object) -> tuple[str, ...]:
    return (f"provider={text(name)}",) if text(name) else ()


def _is_true(value: object) -> bool:
    return str(value).lower() == "true"


FORMATS = (
    Format(
        "openrouter-calls",
        "OpenRouter log export",
        _fits_calls,
        each(read_call),
        missing=("exact repeats (it keeps no texts)", "prompt-cache writes"),
    ),
    Format(
        "openrouter",
        "OpenRouter activity",
        _fits_days,
        each(read_day),
        missing=("single calls (outliers, repeats, retries)", "prompt-cache use", "who called"),
    ),
)
