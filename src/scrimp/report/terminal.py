"""The report as text for a terminal: the waterfall with bars, the table with spark lines, what has no price.

Fits the width it is given by dropping columns from the right; money is never cut or wrapped. Colour only for meaning:
green for saved, red for what cost more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from scrimp.report.labels import clean, cut, fit, width
from scrimp.report.money import Amount, align, listing, percent
from scrimp.report.numbers import Group, Report, UnpricedModel, saved, share, total_row
from scrimp.report.steps import MARKS, Step, decimals_of, printed, waterfall
from scrimp.report.times import period
from scrimp.report.words import counts, next_command, table_note, unpriced_note

GREEN, RED, PLAIN = "\x1b[32m", "\x1b[31m", "\x1b[0m"
MOST_ROWS = 20
MOST_MODELS = 8
SPARK = "▁▂▃▄▅▆▇█"
SPARK_COLUMNS = 8
SHARE_BLOCKS = 5
NAME_COLUMNS = (8, 32)
"""Narrowest and widest the column of names gets."""
ROOMY_NAME = 14
"""Columns left to longer names before a column of figures is dropped."""


def render(report: Report, columns: int = 80, colour: bool = False, address: str = "", scrimp: str = "scrimp") -> str:
    """The whole report, every line at most `columns` wide.

    `address` (the gateway's) and `scrimp` (how it is called) are told where there are no calls.
    """
    if not report.total.calls:
        return "\n".join(next_command(report, address, scrimp)) + "\n"
    groups = report.table.top(MOST_ROWS)
    places = decimals_of(report, (row.sums for row in groups))
    lines = [*_waterfall(report, columns, colour, places), "", *_table(report, groups, columns, colour, places), ""]
    lines.extend(_wrapped(counts(report.total), columns))
    lines.extend(_unpriced(report, columns))
    if not report.adds_up:
        lines.extend(_wrapped("These sums do not add up; `scrimp report --verify` says where.", columns))
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
        line = start + " " * (longest - width(start)) + "  " + _coloured(money, -step.saves, colour)
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


class _Column(NamedTuple):
    title: str
    cells: list[str]
    colours: Sequence[int]


def _table(report: Report, rows: list[Group], columns: int, colour: bool, places: int) -> Iterator[str]:
    every = [*rows, total_row(report)]
    names = [clean(row.name) for row in every]
    kept = _columns(report, every, places)
    narrowest, widest = NAME_COLUMNS
    longest = max(narrowest, min(widest, max(width(name) for name in [*names, report.table.by])))
    while len(kept) > 2 and min(longest, ROOMY_NAME) + sum(_wide(one) for one in kept) + 1 > columns:
        kept.pop(-1 if len(kept) > 3 else 1)  # what is paid stays longest
    longest = max(narrowest, min(longest, columns - 1 - sum(_wide(one) for one in kept)))
    titles = "".join("  " + one.title.rjust(_wide(one) - 2) for one in kept)
    yield " " + fit(report.table.by.capitalize(), longest) + titles
    yield " " + "─" * (longest + sum(_wide(one) for one in kept))
    for index, name in enumerate(names):
        cells = ("  " + _coloured(one.cells[index].rjust(_wide(one) - 2), one.colours[index], colour) for one in kept)
        yield " " + fit(name, longest) + "".join(cells)
    yield from (f" {line}" for line in _wrapped(table_note(report.table.by), columns - 1))


def _columns(report: Report, rows: list[Group], places: int) -> list[_Column]:
    """The columns in order of worth: the last is the first to go. The last row is the total."""
    *lists, whole_list = (Amount(row.sums, row.sums.list_nano) for row in rows)
    *paids, whole_paid = (Amount(row.sums, row.sums.paid_nano) for row in rows)
    none = [0] * len(rows)
    gains = [-saved(row.sums) for row in rows]
    parts = [share(row.sums.paid_nano, report.total.paid_nano) for row in rows]
    kept = [
        _Column("Calls", [f"{row.sums.calls:,}" for row in rows], none),
        _Column("List", align(listing(lists, whole_list, places)), none),
        _Column("Paid", align(listing(paids, whole_paid, places)), none),
        _Column("Saved", [percent(share(saved(row.sums), row.sums.list_nano)) for row in rows], gains),
        _Column("Share", [f"{_blocks(part)} {percent(part):>4}" for part in parts], none),
    ]
    if len(report.days) > 1:
        span = (min(report.days), max(report.days))
        kept.append(_Column("Daily", [spark(row.daily, *span) for row in rows], none))
    return kept


def _wide(one: _Column) -> int:
    """Columns of the terminal that a column takes, the blanks before it included."""
    return 2 + max(width(text) for text in [one.title, *one.cells])


def _blocks(part: float | None) -> str:
    full = 0 if part is None else max(0, min(SHARE_BLOCKS, round(part * SHARE_BLOCKS)))
    return "█" * full + "░" * (SHARE_BLOCKS - full)


def spark(daily: dict[int, int], first: int, last: int) -> str:
    """What was paid over days `first` to `last` as a line of blocks, from nothing to this line's own highest."""
    days = last - first + 1
    points = min(days, SPARK_COLUMNS)
    sums = [0] * points
    for day, paid in daily.items():
        sums[(day - first) * points // days] += paid
    highest = max(sums)
    if highest <= 0:
        return SPARK[0] * points
    return "".join(SPARK[max(0, -(-paid * len(SPARK) // highest) - 1)] for paid in sums)


def _unpriced(report: Report, columns: int) -> Iterator[str]:
    if not report.total.unpriced:
        return
    yield ""
    yield from _wrapped(unpriced_note(report.total), columns)
    for row in report.unpriced_models[:MOST_MODELS]:
        yield cut(f"   {row.calls:>9,}  {model_name(row)}", columns)
    if len(report.unpriced_models) > MOST_MODELS:
        yield f"   and {len(report.unpriced_models) - MOST_MODELS:,} more models; --json lists them all"


def model_name(row: UnpricedModel) -> str:
    """A model and its provider in words."""
    return f"{clean(row.model) or '(no model)'} at {clean(row.provider) or '(no provider)'}"


def _coloured(text: str, over: int, colour: bool) -> str:
    """Green where it saved (`over` < 0), red where it cost more."""
    if not colour or not over:
        return text
    return f"{GREEN if over < 0 else RED}{text}{PLAIN}"


def _wrapped(text: str, columns: int) -> Iterator[str]:
    """Words of ours in lines of at most `columns`."""
    line = ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > columns:
            yield line
            line = word
        else:
            line = f"{line} {word}" if line else word
    if line:
        yield line
