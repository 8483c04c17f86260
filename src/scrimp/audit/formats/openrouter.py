"""OpenRouter: its daily activity (API, JSON and CSV) and the export of its logs, one row a generation.

Money is OpenRouter's credits and, for calls with a key of one's own, what the provider took on that key.
https://openrouter.ai/docs/api/api-reference/analytics/get-user-activity and .../generations/get-generation
"""

from __future__ import annotations

from scrimp.audit.entry import BadRecord, Entry
from scrimp.audit.formats.base import Format, Row, Sample, amount, count, each, text
from scrimp.audit.formats.fields import Names, cell, disjoint, fill, is_true, tokens
from scrimp.call import Usage

CALL: Names = {
    "id": ("generation_id", "id"), "at": ("created_at", "date"), "ms": ("generation_time_ms", "generation_time"),
    "finish": ("finish_reason_normalized", "finish_reason"), "tier": ("service_tier",),
    "stream": ("streamed",), "cut": ("cancelled",), "session": ("session_id",),
    "feature": ("app_name",), "user": ("user", "external_user"), "key": ("api_key_name",),
}  # fmt: skip
TOKENS: Names = {
    "input": ("native_tokens_prompt", "tokens_prompt", "prompt_tokens"),
    "cached": ("native_tokens_cached", "tokens_cached"),
    "output": ("native_tokens_completion", "tokens_completion", "completion_tokens"),
    "reasoning": ("native_tokens_reasoning", "tokens_reasoning", "reasoning_tokens"),
}
PLAIN = ("", "standard")
"""Words for the variant of a model that is the model itself; others ("free", "nitro") are part of its name."""


def read_day(row: Row) -> tuple[Entry, ...]:
    """The calls of a day by model and endpoint; none where nothing was asked."""
    entry = _entry(row, text(row.get("model")))
    calls = count(row.get("requests"), "requests")
    if not calls and entry.usage == Usage():
        return ()
    if entry.at is None:
        raise BadRecord("it has no date")
    entry.aggregate, entry.calls = True, max(1, calls)
    if ":" not in entry.model:  # the permanent name leaves the variant out, and with it that it was free
        entry.answered = text(row.get("model_permaslug"))
    return (entry,)


def read_call(row: Row) -> tuple[Entry]:
    """The entry of a generation, from the export or as the API gives it."""
    entry = _entry(row, text(cell(row, "model_permaslug", "model")))
    variant = text(row.get("variant"))
    if variant not in PLAIN and ":" not in entry.model:
        entry.model = f"{entry.model}:{variant}"
    entry.error = "error" if entry.finish == "error" else ""
    return (entry,)


def _entry(row: Row, model: str) -> Entry:
    entry = fill(Entry(provider="openrouter", model=model, usage=disjoint(tokens(row, TOKENS))), row, CALL)
    own_key = "upstream_inference_cost" if is_true(row.get("is_byok")) else "byok_usage_inference"
    paid = (amount(cell(row, "cost_total", "total_cost", "usage")), amount(row.get(own_key)))
    entry.logged = None if paid == (None, None) else sum(filter(None, paid))
    served_by = text(row.get("provider_name"))
    entry.tags = (f"provider={served_by}",) if served_by else ()
    return entry


def _fits_calls(sample: Sample) -> bool:
    return sample.has("generation_id", "cost_total", "tokens_prompt") or sample.has("id", "native_tokens_prompt")


def _fits_days(sample: Sample) -> bool:
    days = sample.has("date", "model", "usage", "requests", "prompt_tokens")
    return days and any(sample.has(name) for name in ("model_permaslug", "byok_usage_inference", "endpoint_id"))


CALLS_LACK = ("exact repeats (it keeps no texts)", "prompt-cache writes")
DAYS_LACK = ("single calls (outliers, repeats, retries)", "prompt-cache use", "who called")
FORMATS = (
    Format("openrouter-calls", "OpenRouter log export", _fits_calls, each(read_call), missing=CALLS_LACK),
    Format("openrouter", "OpenRouter activity", _fits_days, each(read_day), missing=DAYS_LACK),
)
