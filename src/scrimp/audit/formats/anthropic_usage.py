"""Anthropic's usage and costs, from the admin API (usage and cost reports) or the console's CSV: sums, no single calls.

Usage has tokens by workspace, key, model, tier and context window, without the number of calls; costs have amounts
alone. https://platform.claude.com/docs/en/manage-claude/usage-cost-api
"""

from __future__ import annotations

import re

from scrimp.audit.entry import BadRecord, Entry
from scrimp.audit.formats.base import Row, Sample, text
from scrimp.audit.formats.buckets import billed, kind_of, reports
from scrimp.audit.formats.fields import Names, cell, fill, tokens
from scrimp.call import Usage

FIELDS: Names = {
    "at": ("starting_at", "usage_date_utc"), "model": ("model", "model_version"), "team": ("workspace_id", "workspace"),
    "key": ("api_key", "api_key_id"), "user": ("account_id", "service_account_id"),
}  # fmt: skip
"""A field -> the API's name for it, and the console's."""
TOKENS: Names = {
    "input": ("uncached_input_tokens", "usage_input_tokens_no_cache"),
    "cached": ("cache_read_input_tokens", "usage_input_tokens_cache_read"),
    "cache_write": ("cache_creation.ephemeral_5m_input_tokens", "usage_input_tokens_cache_write_5m"),
    "cache_write_1h": ("cache_creation.ephemeral_1h_input_tokens", "usage_input_tokens_cache_write_1h"),
    "output": ("output_tokens", "usage_output_tokens"),
    "searches": ("server_tool_use.web_search_requests", "web_search_count"),
}
FIGURES = frozenset((*TOKENS["input"], *TOKENS["output"]))
AMOUNTS = ("amount", "cost_usd")
PLAIN = ("", "standard", "message", "global", "not_available")
"""Words for a tier, a speed or a place that change no price ("message" is the console's word on a bill)."""
LONG = 200_001
"""Input tokens of a call in the long window, at the least."""


def read(result: Row) -> Entry | None:
    """The entry of a result, of costs and of usage alike; None where it is empty."""
    entry = fill(Entry(provider="anthropic", aggregate=True, calls=0, tier=_tier(result)), result, FIELDS)
    if " " in entry.model:  # the console's bills have "Claude Haiku 4.5"
        entry.model = re.sub(r"[ .]+", "-", entry.model.lower())
    if result.keys().isdisjoint(FIGURES):
        return _billed(entry, result)
    entry.usage = Usage(**tokens(result, TOKENS))
    window = text(result.get("context_window"))
    if window == "200k-1M" or window.startswith(">"):
        entry.tags, entry.size = ("long context",), LONG
    elif window:
        entry.size = 0
    return entry if entry.usage != Usage() else None


def _tier(result: Row) -> str:
    """What decides the price beside the model, as the price book has it: "batch", "standard+us", "fast"."""
    tier = text(cell(result, "service_tier", "usage_type"))
    parts = (tier, text(result.get("speed")), text(result.get("inference_geo")))
    return "+".join(part for part in parts if part not in PLAIN) or ("standard" if tier == "standard" else "")


def _billed(entry: Entry, result: Row) -> Entry | None:
    """The entry with what was billed: the API's amounts are in cents, the console's in dollars."""
    if result.keys().isdisjoint(AMOUNTS):
        raise BadRecord("it has neither tokens nor an amount")
    what = text(cell(result, "token_type", "cost_type")).replace(",", "")
    entry.tags = (what,) if what else ()
    found = billed(entry, cell(result, *AMOUNTS), result.get("currency"))
    if "amount" in result:
        entry.logged = ((entry.logged or 0) + 50) // 100
    return found


def _is_flat(row: Row) -> bool:
    return not row.keys().isdisjoint((*TOKENS["input"], *AMOUNTS))


def _kind(sample: Sample) -> str:
    return kind_of(sample, FIELDS["at"], _is_flat, AMOUNTS)


FORMATS = reports("anthropic", "Anthropic", _kind, read, "how many calls there were", "which output is thinking")
