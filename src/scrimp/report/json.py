"""The report as JSON with stable keys. Amounts are exact decimal strings of dollars, of the calls with a price.

from, to              ISO 8601, UTC, whole hours; `to` is not in it; null of an empty store
calls, failed, unpriced, estimated, input_tokens, cached_tokens, output_tokens      counts
unpriced_models       rows of model, provider, calls
list_usd, savings (rows of strategy, usd, kind), overhead_usd, paid_usd             list - savings + overhead = paid
saved_usd             list - paid: what is saved after overhead
adds_up               whether the line above holds in every sum
daily                 rows of day, calls, list_usd, paid_usd, for days with calls
by, groups            rows of name, calls, unpriced, list_usd, paid_usd, saved_usd, share (of what is paid; null of
                      nothing), input_tokens, output_tokens, daily (rows of day, paid_usd); by tag a call may be in
                      several rows; calls without a label are "(no tag)", a label that reads so is in quotes
"""

from __future__ import annotations

from typing import Any

import msgspec

from scrimp.call import usd
from scrimp.report.numbers import Group, Report, saved, savings, share
from scrimp.report.times import day_name, stamp
from scrimp.store.base import HOUR


def render(report: Report) -> str:
    """The report as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(tree(report)), indent=2).decode() + "\n"


def tree(report: Report) -> dict[str, Any]:
    """The report as plain data, keys as in the module's docstring."""
    total = report.total
    return {
        "from": stamp(report.since * HOUR) if report.since < report.until else None,
        "to": stamp(report.until * HOUR) if report.since < report.until else None,
        "calls": total.calls,
        "failed": total.failed,
        "unpriced": total.unpriced,
        "estimated": total.estimated,
        "input_tokens": total.input_tokens,
        "cached_tokens": total.cached_tokens,
        "output_tokens": total.output_tokens,
        "unpriced_models": [
            {"model": row.model, "provider": row.provider, "calls": row.calls} for row in report.unpriced_models
        ],
        "list_usd": usd(total.list_nano),
        "savings": [{"strategy": row.strategy, "usd": usd(row.nano), "kind": row.kind} for row in savings(total)],
        "overhead_usd": usd(total.overhead_nano),
        "paid_usd": usd(total.paid_nano),
        "saved_usd": usd(saved(total)),
        "adds_up": report.adds_up,
        "daily": [
            {
                "day": day_name(day),
                "calls": sums.calls,
                "list_usd": usd(sums.list_nano),
                "paid_usd": usd(sums.paid_nano),
            }
            for day, sums in report.days.items()
        ],
        "by": report.table.by,
        "groups": [group(report, row) for row in report.table.groups],
    }


def group(report: Report, row: Group) -> dict[str, Any]:
    """A row of a table as plain data."""
    part = share(row.sums.paid_nano, report.total.paid_nano)
    return {
        "name": row.name,
        "calls": row.sums.calls,
        "unpriced": row.sums.unpriced,
        "list_usd": usd(row.sums.list_nano),
        "paid_usd": usd(row.sums.paid_nano),
        "saved_usd": usd(saved(row.sums)),
        "share": None if part is None else round(part, 6),
        "input_tokens": row.sums.input_tokens,
        "output_tokens": row.sums.output_tokens,
        "daily": [{"day": day_name(day), "paid_usd": usd(paid)} for day, paid in sorted(row.daily.items())],
    }
