"""Anthropic's usage and costs, from the admin API (usage, cost and analytics reports) or the console's CSV: only sums.

Usage has tokens by workspace, key, model, tier and context window, mostly without the number of calls; costs have
amounts alone. https://platform.claude.com/docs/en/manage-claude/usage-cost-api
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from scrimp.audit.entry import BadRecord, Entry
from scrimp.audit.formats.base import Format, Row, Sample, amount, count, each, mapping, moment, text
from scrimp.audit.formats.buckets import MISSING, entries, first_result, is_bucket
from scrimp.call import Usage

CONSOLE = {
    "usage_date_utc": "starting_at",
    "model_version": "model",
    "workspace": "workspace_id",
    "api_key": "api_key_id",
    "usage_type": "service_tier",
    "usage_input_tokens_no_cache": "uncached_input_tokens",
    "usage_input_tokens_cache_write_5m": "ephemeral_5m_input_tokens",
    "usage_input_tokens_cache_write_1h": "ephemeral_1h_input_tokens",
    "usage_input_tokens_cache_read": "cache_read_input_tokens",
    "usage_output_tokens": "output_tokens",
    "web_search_count": "web_search_requests",
}
"""A column of the console's CSV -> the API's name for it."""
PLAIN = frozenset(("", "standard", "message", "global", "not_available"))
"""Words for a tier, a speed or a place that change no price ("message" is the console's word on a bill)."""
FIGURES = ("uncached_input_tokens", "usage_input_tokens_no_cache", "output_tokens", "usage_output_tokens")
AMOUNTS = ("amount", "cost_usd")
LONG = 200_001
"""Input tokens of a call in the long window, at the least."""


def _fits_usage(sample: Sample) -> bool:
    return any(_is_ours(row) and not _has_amount(first_result(row)) for row in _looked_at(sample))


def _fits_costs(sample: Sample) -> bool:
    return any(_is_ours(row) and _has_amount(first_result(row)) for row in _looked_at(sample))


def _looked_at(sample: Sample) -> list[Row]:
    """The first rows; for a CSV without one its columns alone."""
    return list(sample.rows) or [dict.fromkeys(sample.columns, "")]


def _is_ours(row: Row) -> bool:
    if is_bucket(row, "starting_at"):
        return True
    if "usage_date_utc" in row:
        return _has_amount(row) or "usage_input_tokens_no_cache" in row
    return "starting_at" in row and ("uncached_input_tokens" in row or "amount" in row)


def _has_amount(result: Row) -> bool:
    return any(name in result for name in AMOUNTS)


def read(row: Row) -> Iterator[Entry]:
    """The entries of a page, a bucket or a row of the console's CSV; of costs and of usage alike."""
    return entries(row, _entry, "anthropic")


def _entry(result: Row) -> Entry | None:
    has_tokens = not result.keys().isdisjoint(FIGURES)
    if not has_tokens and not _has_amount(result):
        raise BadRecord("it has neither tokens nor an amount")
    if result.get("rbac_group_id"):
        raise BadRecord("usage by rbac_group_id counts a call for every group of its user; group by something else")
    if "usage_date_utc" in result:
        result = {CONSOLE.get(name, name): value for name, value in result.items() if name != "api_key_id"}
    entry = Entry(
        at=moment(result.get("starting_at")),
        provider="anthropic",
        model=_model(text(result.get("model"))),
        tier=_tier(result),
        feature=text(result.get("product")) or text(result.get("agent_id")),
        user=_user(result),
        team=text(result.get("workspace_id")),
        key=text(result.get("api_key_id")),
        session=text(result.get("session_id")),
        aggregate=True,
        calls=0,
    )
    return _used(entry, result) if has_tokens else _billed(entry, result)


def _used(entry: Entry, result: Row) -> Entry | None:
    """The entry with what was used; None where that is nothing. Only the analytics report counts requests."""
    entry.calls = count(result.get("requests"), "requests")
    entry.usage = Usage(
        input=count(result.get("uncached_input_tokens"), "uncached_input_tokens"),
        cached=count(result.get("cache_read_input_tokens"), "cache_read_input_tokens"),
        cache_write=_within(result, "cache_creation", "ephemeral_5m_input_tokens"),
        cache_write_1h=_within(result, "cache_creation", "ephemeral_1h_input_tokens"),
        output=count(result.get("output_tokens"), "output_tokens"),
        searches=_within(result, "server_tool_use", "web_search_requests"),
    )
    window = text(result.get("context_window"))
    if window == "200k-1M" or window.startswith(">"):
        entry.tags = ("long context",)
        entry.size = LONG
    elif window:
        entry.size = 0
    return entry if entry.calls or entry.usage != Usage() else None


def _within(result: Row, name: str, figure: str) -> int:
    """A figure of an object in a result; a flat row has it with the object's name before it, or alone."""
    places = (mapping(result.get(name)).get(figure), result.get(f"{name}.{figure}"), result.get(figure))
    return count(next((value for value in places if value not in (None, "")), None), figure)


def _tier(result: Row) -> str:
    """What decides the price beside the model, as the price book has it: "batch", "standard+us", "fast"."""
    tier = text(result.get("service_tier"))
    parts = [text(result.get("speed")), text(result.get("inference_geo"))]
    parts = [part for part in ("" if tier in PLAIN else tier, *parts) if part not in PLAIN]
    return "+".join(parts) or ("standard" if tier == "standard" else "")


def _user(result: Row) -> str:
    """Who it is for. An actor may be a key as well, which has its own place."""
    who = mapping(result.get("actor"))
    names = (result.get("account_id"), result.get("service_account_id"))
    places = (*names, *(who.get(name) for name in ("email_address", "user_id", "service_account_id", "subject")))
    return next((found for one in places if (found := text(one))), "")


def _model(said: str) -> str:
    """A model as the API names it; the console's bills have "Claude Haiku 4.5"."""
    return re.sub(r"[ .]+", "-", said.lower()) if " " in said else said


def _billed(entry: Entry, result: Row) -> Entry | None:
    """The entry with what was billed, or None where that is nothing.

    The API's amounts are in cents, the console's in dollars.
    """
    value = result.get("amount") if "amount" in result else result.get("cost_usd")
    if value is None or value == "":
        return None
    entry.logged = amount(value)
    if entry.logged is None:
        raise BadRecord(f"amount: {str(value)[:40]!r} is no amount")
    currency = text(result.get("currency"))
    if currency.lower() not in ("", "usd"):
        raise BadRecord(f"its amount is in {currency[:8]}, not in US dollars")
    if "amount" in result:
        entry.logged = (entry.logged + 50) // 100
    if not entry.logged:
        return None
    what = text(result.get("token_type")) or text(result.get("cost_type"))
    entry.tags = (what.replace(",", ""),) if what else ()
    return entry


FORMATS = (
    Format(
        "anthropic_usage",
        "Anthropic usage report (API or console)",
        _fits_usage,
        each(read),
        missing=(
            "how many calls there were (only its analytics report counts them)",
            *MISSING,
            "which output tokens are thinking",
        ),
    ),
    Format(
        "anthropic_costs",
        "Anthropic cost report (API or console)",
        _fits_costs,
        each(read),
        missing=("how many calls and tokens the amounts are for", *MISSING),
    ),
)
