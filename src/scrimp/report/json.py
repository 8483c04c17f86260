"""The report as JSON with stable keys. Amounts are exact decimal strings of dollars, of the calls with a price.

from, to: ISO 8601, UTC, whole hours; `to` is not in it; null of an empty store
calls, failed, unpriced, estimated, input_tokens, cached_tokens, output_tokens: counts
unpriced_models: rows of model, provider, calls
list_usd, savings (rows of strategy, usd, kind), overhead_usd, paid_usd: list - savings + overhead = paid
saved_usd, adds_up: list - paid, what is saved after overhead; whether the line above holds in every sum
daily: rows of day, calls, list_usd, paid_usd, for days with calls
by, groups: rows of name, calls, unpriced, list_usd, paid_usd, saved_usd, share (of what is paid; null of nothing),
    input_tokens, output_tokens, daily (rows of day, paid_usd); by tag a call may be in several rows; calls without a
    label are "(no tag)", a label that reads so is in quotes
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import msgspec

from scrimp.call import usd
from scrimp.report.numbers import Group, Report, saved, savings, share
from scrimp.report.times import day_name, stamp
from scrimp.store.base import HOUR

PRICES = "list_usd=list_nano paid_usd=paid_nano"


def render(report: Report) -> str:
    """The report as indented JSON."""
    return written(tree(report))


def written(plain: dict[str, Any]) -> str:
    """Plain data as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(plain), indent=2).decode() + "\n"


def tree(report: Report) -> dict[str, Any]:
    """The report as plain data, keys as in the module's docstring."""
    total = report.total
    spans = report.since < report.until
    return {
        "from": stamp(report.since * HOUR) if spans else None,
        "to": stamp(report.until * HOUR) if spans else None,
        **told(total, "calls failed unpriced estimated input_tokens cached_tokens output_tokens"),
        "unpriced_models": [told(row, "model provider calls") for row in report.unpriced_models],
        "list_usd": usd(total.list_nano),
        "savings": [told(row, "strategy usd=nano kind") for row in savings(total)],
        **told(total, "overhead_usd=overhead_nano paid_usd=paid_nano"),
        "saved_usd": usd(saved(total)),
        "adds_up": report.adds_up,
        "daily": [{"day": day_name(day), **told(sums, f"calls {PRICES}")} for day, sums in report.days.items()],
        "by": report.tables[0].by,
        "groups": [group(report, row) for row in report.tables[0].groups],
    }


def group(report: Report, row: Group) -> dict[str, Any]:
    """A row of a table as plain data."""
    sums = row.sums
    return {
        "name": row.name,
        **told(sums, f"calls unpriced {PRICES}"),
        "saved_usd": usd(saved(sums)),
        "share": fraction(sums.paid_nano, report.total.paid_nano),
        **told(sums, "input_tokens output_tokens"),
        "daily": [{"day": day_name(day), "paid_usd": usd(paid)} for day, paid in sorted(row.daily.items())],
    }


def told(value: object, keys: str) -> dict[str, Any]:
    """Fields of a value by the keys that JSON has for them, each `key` or `key=field`.

    What a key that ends with `usd` names is nanodollars, told in dollars; `time` is ns since the epoch; None is null.
    """
    found: dict[str, Any] = {}
    for key, field, shown in _fields(keys):
        one = getattr(value, field)
        found[key] = one if one is None or shown is None else shown(one)
    return found


@lru_cache(64)
def _fields(keys: str) -> list[tuple[str, str, Callable[[int], str] | None]]:
    """Key, field and how it is shown where that is not as it is."""
    pairs = [pair.partition("=") for pair in keys.split()]
    shown = [stamp if key == "time" else usd if key.endswith("usd") else None for key, _, _ in pairs]
    return [(key, field or key, how) for (key, _, field), how in zip(pairs, shown, strict=True)]


def fraction(part: int, whole: int) -> float | None:
    """A share to six decimals, null of nothing."""
    found = share(part, whole)
    return None if found is None else round(found, 6)


def each_text(plain: Any, change: Callable[[str], str]) -> Any:
    """Plain data with every text in it changed, keys included."""
    if isinstance(plain, str):
        return change(plain)
    if isinstance(plain, list | tuple):
        return [each_text(part, change) for part in plain]
    if isinstance(plain, dict):
        return {change(name): each_text(part, change) for name, part in plain.items()}
    return plain
