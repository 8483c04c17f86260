"""OpenAI's usage and costs, from the admin API (pages, buckets) or from the console's CSV: sums, no single calls.

Usage is tokens by project, key, model and tier; costs are amounts by line item, with no tokens, so they only say what
was billed. https://platform.openai.com/docs/api-reference/usage
"""

from __future__ import annotations

import re

from scrimp.audit.entry import BadRecord, Entry
from scrimp.audit.formats.base import Row, Sample, count, text
from scrimp.audit.formats.buckets import billed, kind_of, reports
from scrimp.audit.formats.fields import Names, cell, disjoint, fill, is_true, tokens
from scrimp.call import Usage

FIELDS: Names = {
    "at": ("start_time", "start_time_iso"), "model": ("model",), "team": ("project_id",), "user": ("user_id",),
    "key": ("api_key_id",), "tier": ("service_tier",),
}  # fmt: skip
TOKENS: Names = {
    "input": ("input_tokens",), "cached": ("input_cached_tokens",), "cache_write": ("input_cache_write_tokens",),
    "audio_input": ("input_audio_tokens",), "audio_cached": ("input_cached_audio_tokens",),
    "image_input": ("input_image_tokens",), "output": ("output_tokens",), "audio_output": ("output_audio_tokens",),
    "image_output": ("output_image_tokens",),
}  # fmt: skip
"""Both totals hold the rest. Of cached tokens only audio has a price of its own."""
UNPRICED = {
    "images": "images", "characters": "audio_speeches", "seconds": "audio_transcriptions",
    "usage_bytes": "vector_stores", "num_sessions": "code_interpreter_sessions",
}  # fmt: skip
"""A figure that is no number of tokens -> the endpoint that reports it; such results are entries without a usage."""
FIGURES = ("input_tokens", "output_tokens", "num_requests", *UNPRICED)
"""What tells a result of the usage API; which of them it has depends on the endpoint."""
AMOUNTS = ("amount", "amount_value")
_ITEM = re.compile(r"(?:(?P<tier>\w+) \| )?(?P<model>[\w.:/-]*[\d-][\w.:/-]*)(?: (?P<kind>\w+))?, (?P<what>.+)")
"""A line item that names a model: "gpt-5, cached input", "priority | gpt-5, output", "gpt-audio audio, input"."""


def read(result: Row) -> Entry | None:
    """The entry of a result, of costs and of usage alike; None where it is empty."""
    entry = fill(Entry(provider="openai", aggregate=True, calls=0), result, FIELDS)
    if not result.keys().isdisjoint(AMOUNTS):
        return _billed(entry, result)
    if result.keys().isdisjoint(FIGURES):
        raise BadRecord("it has neither tokens nor an amount")
    if is_true(result.get("batch")):
        entry.tier = "batch"
    return _used(entry, result)


def _used(entry: Entry, result: Row) -> Entry | None:
    """The entry with what was used, or None where that is nothing (the console has a row for each empty day)."""
    counts = tokens(result, TOKENS)
    counts["cached"] -= counts["audio_cached"]
    usage = disjoint(counts, strict=True)
    searches = count(result.get("num_requests"), "num_requests")
    entry.calls = count(result.get("num_model_requests"), "num_model_requests")
    if "embeddings" in text(result.get("object")) or "embedding" in entry.model:
        entry.api = "openai.embeddings"
    if usage == Usage() and searches:  # the calls that searched stand in the completions' usage
        entry.calls = 0
        on_web = "file_searches" not in text(result.get("object")) and "num_model_requests" in result
        entry.usage = Usage(searches=searches) if on_web else None
        entry.tags = ("web_searches" if on_web else "file_searches",)
        return entry
    others = tokens(result, {name: (name,) for name in UNPRICED})
    if usage == Usage() and any(others.values()):
        entry.tags = tuple(UNPRICED[name] for name, figure in others.items() if figure)
        return entry
    entry.usage = usage  # calls that used nothing are answers that failed
    return entry if entry.calls or usage != Usage() else None


def _billed(entry: Entry, result: Row) -> Entry | None:
    apart = isinstance(result.get("amount"), dict)
    value = cell(result, "amount.value", "amount_value") if apart else cell(result, "amount_value", "amount")
    entry.tier, entry.model, what = line_item(text(result.get("line_item")))
    entry.tags = (what,) if what else ()
    return billed(entry, value, cell(result, "amount_currency", "amount.currency"))


def line_item(said: str) -> tuple[str, str, str]:
    """The tier, the model and the kind of tokens that a line item of a bill is for; all of it where it names no model
    ("web search tool calls")."""
    found = _ITEM.fullmatch(said)
    if found is None:
        return "", "", said.replace(",", "")
    what = f"{found['kind'] or ''} {found['what']}".strip()
    return found["tier"] or "", found["model"], what.replace(",", "")


def _is_flat(row: Row) -> bool:
    ours = {"num_requests", "usage_bytes", "num_sessions"}
    return "amount_value" in row or "num_model_requests" in row or ("project_id" in row and not ours.isdisjoint(row))


def _kind(sample: Sample) -> str:
    return kind_of(sample, ("start_time",), _is_flat, AMOUNTS)


FORMATS = reports("openai", "OpenAI", _kind, read, "which output is reasoning", "which calls had a long context")
