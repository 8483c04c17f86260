"""OpenRouter: its daily activity (API, JSON and CSV) and the export of its logs, one row a generation.

Money is OpenRouter's credits and, for calls with a key of one's own, what the provider took on that key.
https://openrouter.ai/docs/api/api-reference/analytics/get-user-activity and .../generations/get-generation
"""

from __future__ import annotations

from typing import Any

from scrimp.audit.entry import BadRecord, Entry
from scrimp.audit.formats.base import Format, Row, Sample, amount, count, each, text
from scrimp.audit.formats.fields import Names, cell, disjoint, fill, is_true, tokens
from scrimp.call import Usage

DAY: Names = {"at": ("date",), "model": ("model",)}
DAYS_TOKENS: Names = {
    "input": ("prompt_tokens",),
    "output": ("completion_tokens",),
    "reasoning": ("reasoning_tokens",),
}
CALL: Names = {
    "id": ("generation_id", "id"),
    "at": ("created_at",),
    "model": ("model_permaslug", "model"),
    "finish": ("finish_reason_normalized", "finish_reason"),
    "tier": ("service_tier",),
    "stream": ("streamed",),
    "cut": ("cancelled",),
    "feature": ("app_name",),
    "user": ("user", "external_user"),
    "key": ("api_key_name",),
    "session": ("session_id",),
    "ms": ("generation_time_ms", "generation_time"),
}
CALLS_TOKENS: Names = {
    "input": ("native_tokens_prompt", "tokens_prompt"),
    "cached": ("native_tokens_cached", "tokens_cached"),
    "output": ("native_tokens_completion", "tokens_completion"),
    "reasoning": ("native_tokens_reasoning", "tokens_reasoning"),
}
PLAIN = ("", "standard")
"""Words for the variant of a model that is the model itself; others ("free", "nitro") are part of its name."""


def read_day(row: Row) -> tuple[Entry, ...]:
    """The calls of a day by model and endpoint; none where nothing was asked."""
    calls, usage = count(row.get("requests"), "requests"), disjoint(tokens(row, DAYS_TOKENS))
    if not calls and usage == Usage():
        return ()
    entry = fill(Entry(provider="openrouter", usage=usage, aggregate=True, calls=max(1, calls)), row, DAY)
    if entry.at is None:
        raise BadRecord("it has no date")
    entry.logged = _paid(row.get("usage"), row.get("byok_usage_inference"))
    entry.tags = _served_by(row)
    if ":" not in entry.model:  # the permanent name leaves the variant out, and with it that it was free
        entry.answered = text(row.get("model_permaslug"))
    return (entry,)


def read_call(row: Row) -> tuple[Entry]:
    """The entry of a generation, from the export or as the API gives it."""
    entry = fill(Entry(provider="openrouter", usage=disjoint(tokens(row, CALLS_TOKENS))), row, CALL)
    variant = text(row.get("variant"))
    if variant not in PLAIN and ":" not in entry.model:
        entry.model = f"{entry.model}:{variant}"
    own_key = "upstream_inference_cost" if is_true(row.get("is_byok")) else "byok_usage_inference"
    entry.logged = _paid(cell(row, "cost_total", "total_cost"), row.get(own_key))
    entry.tags = _served_by(row)
    if entry.finish == "error":
        entry.error = "error"
    return (entry,)


def _paid(credits: Any, own_key: Any) -> int | None:
    charged, outside = amount(credits), amount(own_key)
    return None if charged is None and outside is None else (charged or 0) + (outside or 0)


def _served_by(row: Row) -> tuple[str, ...]:
    name = text(row.get("provider_name"))
    return (f"provider={name}",) if name else ()


def _fits_calls(sample: Sample) -> bool:
    return sample.has("generation_id", "cost_total", "tokens_prompt") or sample.has("id", "native_tokens_prompt")


def _fits_days(sample: Sample) -> bool:
    days = sample.has("date", "model", "usage", "requests", "prompt_tokens")
    return days and any(sample.has(name) for name in ("model_permaslug", "byok_usage_inference", "endpoint_id"))


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
