"""OpenAI's usage and costs, from the admin API (pages, buckets) or from the console's CSV: sums, no single calls.

Usage is tokens by project, key, model and tier; costs are amounts by line item, with no tokens, so they only say what
was billed. https://platform.openai.com/docs/api-reference/usage
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from scrimp.audit.entry import BadRecord, Entry
from scrimp.audit.formats.base import Format, Row, Sample, amount, count, each, moment, text
from scrimp.audit.formats.buckets import MISSING, entries, first_result, is_bucket
from scrimp.call import Usage

UNPRICED = {
    "images": "images",
    "characters": "audio_speeches",
    "seconds": "audio_transcriptions",
    "usage_bytes": "vector_stores",
    "num_sessions": "code_interpreter_sessions",
}
"""A figure that is no number of tokens -> the endpoint that reports it; such results are entries without a usage."""
FIGURES = ("input_tokens", "output_tokens", "num_requests", *UNPRICED)
"""What tells a result of the usage API; which of them it has depends on the endpoint."""
AMOUNTS = ("amount", "amount_value")
_ITEM = re.compile(r"(?:(?P<tier>\w+) \| )?(?P<model>[\w.:/-]*[\d-][\w.:/-]*)(?: (?P<kind>\w+))?, (?P<what>.+)")
"""A line item that names a model: "gpt-5, cached input", "priority | gpt-5, output", "gpt-audio audio, input"."""


class Item(NamedTuple):
    """A line item taken apart; `what` is the rest of it, or all of it where it names no model."""

    tier: str
    model: str
    what: str


def _fits_usage(sample: Sample) -> bool:
    return any(_is_ours(row) and not _has_amount(first_result(row)) for row in _looked_at(sample))


def _fits_costs(sample: Sample) -> bool:
    return any(_is_ours(row) and _has_amount(first_result(row)) for row in _looked_at(sample))


def _looked_at(sample: Sample) -> list[Row]:
    """The first rows; for a CSV without one its columns alone."""
    return list(sample.rows) or [dict.fromkeys(sample.columns, "")]


def _is_ours(row: Row) -> bool:
    if is_bucket(row, "start_time"):
        return True
    return "start_time" in row and ("amount_value" in row or _counts_requests(row))


def _counts_requests(row: Row) -> bool:
    ours = ("num_requests", "usage_bytes", "num_sessions")
    return "num_model_requests" in row or ("project_id" in row and not row.keys().isdisjoint(ours))


def _has_amount(result: Row) -> bool:
    return any(name in result for name in AMOUNTS)


def read(row: Row) -> Iterator[Entry]:
    """The entries of a page, a bucket or a row of the console's CSV; of costs and of usage alike."""
    return entries(row, _entry, "openai")


def _entry(result: Row) -> Entry | None:
    entry = Entry(
        at=moment(result.get("start_time") or result.get("start_time_iso")),
        provider="openai",
        model=text(result.get("model")),
        team=text(result.get("project_id")),
        user=text(result.get("user_id")),
        key=text(result.get("api_key_id")),
        tier=_tier(result),
        aggregate=True,
        calls=0,
    )
    if _has_amount(result):
        return _billed(entry, result)
    if result.keys().isdisjoint(FIGURES):
        raise BadRecord("it has neither tokens nor an amount")
    return _used(entry, result)


def _used(entry: Entry, result: Row) -> Entry | None:
    """The entry with what was used, or None where that is nothing (the console has a row for each empty day)."""
    kind = text(result.get("object")).removeprefix("organization.usage.").removesuffix(".result")
    searches = count(result.get("num_requests"), "num_requests")
    usage = _usage(result)
    entry.calls = count(result.get("num_model_requests"), "num_model_requests")
    if kind == "embeddings" or "embedding" in entry.model:
        entry.api = "openai.embeddings"
    if usage != Usage():
        entry.usage = usage
        return entry
    if searches:
        return _searched(entry, result, kind, searches)
    for name, endpoint in UNPRICED.items():
        if _is_some(result.get(name), name):
            entry.tags = (endpoint,)
            return entry
    if not entry.calls:
        return None
    entry.usage = usage  # calls that used nothing: answers that failed
    return entry


def _searched(entry: Entry, result: Row, kind: str, searches: int) -> Entry:
    """Searches that the provider ran for calls whose tokens stand in the completions' usage: no calls of their own."""
    entry.calls = 0
    if kind == "web_searches" or "context_level" in result or "num_model_requests" in result:
        entry.usage = Usage(searches=searches)
        entry.tags = ("web_searches",)
    else:
        entry.tags = ("file_searches",)
    return entry


def _usage(result: Row) -> Usage:
    """Tokens in disjoint classes: the two totals hold text, audio, images, cached and cache-written ones.

    Of cached tokens only audio has a price of its own; a cached image costs what cached text costs.
    """
    total, said = _count(result, "input_tokens"), _count(result, "output_tokens")
    heard = _count(result, "input_cached_audio_tokens")
    parts = heard + _count(result, "input_cached_text_tokens") + _count(result, "input_cached_image_tokens")
    cached = _count(result, "input_cached_tokens") or parts
    written = _count(result, "input_cache_write_tokens")
    audio, image = _count(result, "input_audio_tokens"), _count(result, "input_image_tokens")
    spoken, drawn = _count(result, "output_audio_tokens"), _count(result, "output_image_tokens")
    rest = total - cached - written - audio - image
    if rest < 0 or heard > cached or spoken + drawn > said:
        raise BadRecord("its tokens by kind are more than their total")
    return Usage(
        input=rest,
        cached=cached - heard,
        cache_write=written,
        audio_input=audio,
        audio_cached=heard,
        image_input=image,
        output=said - spoken - drawn,
        audio_output=spoken,
        image_output=drawn,
    )


def _count(result: Row, name: str) -> int:
    return count(result.get(name), name)


def _is_some(value: Any, name: str) -> bool:
    """Whether something was used of what is not measured in tokens."""
    try:
        return float(text(value) or 0) > 0
    except ValueError:
        raise BadRecord(f"{name}: {text(value)[:40]!r} is no number") from None


def _tier(result: Row) -> str:
    batch = result.get("batch")
    if batch is True or text(batch).lower() in ("true", "1"):
        return "batch"
    return text(result.get("service_tier"))


def _billed(entry: Entry, result: Row) -> Entry | None:
    """The entry with what was billed, or None where that is nothing."""
    said = result.get("amount")
    value, currency = result.get("amount_value"), result.get("amount_currency")
    if isinstance(said, dict):
        value, currency = said.get("value"), said.get("currency")
    elif said is not None and value is None:
        value = said
    if value is None or value == "":
        return None
    entry.logged = amount(value)
    if entry.logged is None:
        raise BadRecord(f"amount: {str(value)[:40]!r} is no amount")
    if text(currency).lower() not in ("", "usd"):
        raise BadRecord(f"its amount is in {text(currency)[:8]}, not in US dollars")
    if not entry.logged:
        return None
    item = line_item(text(result.get("line_item")))
    entry.model = item.model
    entry.tier = item.tier
    entry.tags = (item.what,) if item.what else ()
    return entry


def line_item(said: str) -> Item:
    """The model, the tier and the kind of tokens that a line item of a bill is for.

    Many are for no model ("web search tool calls"): then `what` is all of it.
    """
    found = _ITEM.fullmatch(said)
    if found is None:
        return Item("", "", said.replace(",", ""))
    kind = f"{found['kind']} " if found["kind"] else ""
    return Item(found["tier"] or "", found["model"], (kind + found["what"]).replace(",", ""))


FORMATS = (
    Format(
        "openai_usage",
        "OpenAI usage (API or console)",
        _fits_usage,
        each(read),
        missing=(*MISSING, "which output tokens are reasoning", "which calls were long enough for long-context prices"),
    ),
    Format(
        "openai_costs",
        "OpenAI costs (API or console)",
        _fits_costs,
        each(read),
        missing=("how many calls and tokens the amounts are for", *MISSING),
    ),
)
