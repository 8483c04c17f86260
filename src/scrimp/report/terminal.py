"""The report as text for a terminal: the waterfall with bars, the table with spark lines, what has no price.

Fits the width it is given by dropping columns from the right; money is never cut or wrapped. Colour only for meaning:
green for saved, red for what cost more.
"""

from __future__ import annotations

from collections.abc import Iterator

from scrimp.report.grid import Column, blocks, coloured, grid, spark, wrapped
from scrimp.report.labels import clean, cut, width
from scrimp.report.money import Amount, align, listing, percent
from scrimp.report.numbers import Group, Report, UnpricedModel, saved, share, total_row
from scrimp.report.steps import MARKS, Step, decimals_of, printed, waterfall
from scrimp.report.times import period
from scrimp.report.words import counts, next_command, table_note, unpriced_note

MOST_ROWS = 20
MOST_MODELS = 8


def render(report: Report, columns: int = 80, colour: bool = False, address: str = "", scrimp: str = "scrimp") -> str:
    """The whole report, every line at most `columns` wide.

    `address` (the gateway's) and `scrimp` (how it is called) are told where there are no calls.
    """
    if not report.total.calls:
        return "\n".join(next_command(report, address, scrimp)) + "\n"
    groups = report.table.top(MOST_ROWS)
    places = decimals_of(report, (row.sums for row in groups))
    lines = [*_waterfall(report, columns, colour, places), "", *_table(report, groups, columns, colour, places), ""]
    lines.extend(wrapped(counts(report.total), columns))
    lines.extend(_unpriced(report, columns))
    if not report.adds_up:
        lines.extend(wrapped("These sums do not add up; `scrimp report --verify` says where.", columns))
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _waterfall(report: Report, columns: int, colour: bool, places: int) -> Iterator[str]:
    title, legend = f"Savings  {period(report)}", "measured ▒  estimated ░"
    room = columns - width(title) - width(legend)
    if room >= 2:
        yield title + " " * room + legend
    else:
        yield cut(title, columns)
        yield cut(legend, columns)
    steps = waterfall(report.total)
    names = [f" {step.label}" if step.whole else f"   {step.label}" for step in steps]
    amounts = align(printed(report.total, steps, places))
    longest = min(max(width(name) for name in names), 28, columns - 2 - width(amounts[0]))
    percents = [percent(share(step.shown, report.total.list_nano), sign=not step.whole) for step in steps]
    bars = columns - longest - width(amounts[0]) - max(map(len, percents)) - 6
    for step, name, money, part in zip(steps, names, amounts, percents, strict=True):
        start = name if width(name) <= longest else cut(name, longest - 1) + "…"
        line = start + " " * (longest - width(start)) + "  " + coloured(money, -step.saves, colour)
        if bars >= 8:
            line += f"  {_bar(step, bars)}  {part:>{max(map(len, percents))}}"
        yield line


def _bar(step: Step, columns: int) -> str:
    """A step's piece of the waterfall, at least one block wide unless it is nothing."""
    first, last = round(step.low * columns), round(step.high * columns)
    if step.low == step.high:
        return " " * columns
    first = min(first, columns - 1)
    return (" " * first + MARKS[step.kind] * max(1, last - first)).ljust(columns)


def _table(report: Report, rows: list[Group], columns: int, colour: bool, places: int) -> Iterator[str]:
    every = [*rows, total_row(report)]
    names = [row.name for row in every]
    yield from grid(report.table.by.capitalize(), names, _columns(report, every, places), columns, colour)
    yield from wrapped(table_note(report.table.by), columns, " ")


def _columns(report: Report, rows: list[Group], places: int) -> list[Column]:
    """The columns in order of worth: what is paid stays longest. The last row is the total."""
    *lists, whole_list = (Amount(row.sums, row.sums.list_nano) for row in rows)
    *paids, whole_paid = (Amount(row.sums, row.sums.paid_nano) for row in rows)
    gains = [-saved(row.sums) for row in rows]
    parts = [share(row.sums.paid_nano, report.total.paid_nano) for row in rows]
    kept = [
        Column("Calls", [f"{row.sums.calls:,}" for row in rows], keep=True),
        Column("List", align(listing(lists, whole_list, places))),
        Column("Paid", align(listing(paids, whole_paid, places)), keep=True),
        Column("Saved", [percent(share(saved(row.sums), row.sums.list_nano)) for row in rows], gains),
        Column("Share", [f"{blocks(part)} {percent(part):>4}" for part in parts]),
    ]
    if len(report.days) > 1:
        span = (min(report.days), max(report.days))
        kept.append(Column("Daily", [spark(row.daily, *span) for row in rows]))
    return kept


def _unpriced(report: Report, columns: int) -> Iterator[str]:
    if not report.total.unpriced:
        return
    yield ""
    yield from wrapped(unpriced_note(report.total), columns)
    for row in report.unpriced_models[:MOST_MODELS]:
        yield cut(f"   {row.calls:>9,}  {model_name(row)}", columns)
    if len(report.unpriced_models) > MOST_MODELS:
        yield f"   and {len(report.unpriced_models) - MOST_MODELS:,} more models; --json lists them all"


def model_name(row: UnpricedModel) -> str:
    """A model and its provider in words."""
    return f"{clean(row.model) or '(no model)'} at {clean(row.provider) or '(no provider)'}"
