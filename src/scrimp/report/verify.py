"""Recomputes a whole database: does each call add up, and do the rollups say what the calls say?

Findings are sentences for a person: which call or cell, what is wrong, by how much.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from scrimp.call import usd
from scrimp.report.labels import clean
from scrimp.report.numbers import gap
from scrimp.report.times import stamp
from scrimp.store.base import HOUR, SUMS, Record, Rollup, roll_up

Reprice = Callable[[Record], tuple[int, int] | None]
"""What a call costs by today's price book: (list, paid) in nanodollars, or None where it has no price there."""


def verify(records: Iterable[Record], rollups: Iterable[Rollup], reprice: Reprice | None = None) -> list[str]:
    """Every finding, in words; an empty list when all of it adds up.

    Both must span the same whole hours. Memory grows with the number of cells, not of calls.
    """
    findings: list[str] = []
    expected: dict[object, Rollup] = {}
    for record in records:
        findings.extend(check_call(record, reprice))
        alone = roll_up(record)
        kept = expected.setdefault(alone.cell, alone)
        if kept is not alone:
            kept.merge(alone)
    for rollup in rollups:
        findings.extend(_check_cell(expected.pop(rollup.cell, None), rollup))
    findings.extend(f"{_place(cell)}: {cell.calls:,} calls are in no rollup" for cell in expected.values())
    return findings


def changed(before: Iterable[Rollup], after: Iterable[Rollup]) -> int | None:
    """The first hour whose cells are not the same any more; None when nothing was written in between."""
    earlier = {cell.cell: cell for cell in before}
    hours = [cell.hour for cell in after if earlier.pop(cell.cell, None) != cell]
    hours.extend(cell.hour for cell in earlier.values())
    return min(hours, default=None)


def check_call(record: Record, reprice: Reprice | None = None) -> Iterator[str]:
    """What is wrong with the money of one call."""
    call = f"call {clean(record.id)}"
    if off := gap(roll_up(record)):
        yield f"{call}: list - savings + overhead differs from paid by ${usd(off)}"
    if record.unpriced and (record.list_nano or record.paid_nano or record.savings):
        yield f"{call}: is unpriced and yet has a price (${usd(record.paid_nano)} paid)"
    if reprice is None or record.unpriced:
        return
    prices = reprice(record)
    if prices is None:
        yield f"{call}: the price book has no price for {clean(record.price_model)} any more"
        return
    for name, kept, now in zip(("list", "paid"), (record.list_nano, record.paid_nano), prices, strict=True):
        if kept != now:
            yield f"{call}: {name} is ${usd(kept)}, the price book says ${usd(now)} (${usd(kept - now)} off)"


def _check_cell(expected: Rollup | None, rollup: Rollup) -> Iterator[str]:
    cell = _place(rollup)
    if expected is None:
        yield f"{cell}: the rollup counts {rollup.calls:,} calls, the records have none"
        return
    for name in SUMS:
        told, counted = getattr(rollup, name), getattr(expected, name)
        if told != counted:
            yield f"{cell}: {name} is {told:,} in the rollup and {counted:,} in its calls ({told - counted:+,})"
    for row in sorted(rollup.savings.keys() | expected.savings.keys()):
        told, counted = rollup.savings.get(row, 0), expected.savings.get(row, 0)
        if told != counted:
            both = f"${usd(told)} in the rollup and ${usd(counted)} in its calls (${usd(told - counted)} off)"
            yield f"{cell}: {row[1]} saving of {clean(row[0])} is {both}"


def _place(cell: Rollup) -> str:
    names = ("feature", "user", "team", "key", "model", "provider", "tags")
    parts = [f"{name}={clean(getattr(cell, name))}" for name in names if getattr(cell, name)]
    return " ".join([f"hour {stamp(cell.hour * HOUR)}", *parts])
