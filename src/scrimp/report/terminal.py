"""The report as text for a terminal: the waterfall with bars, a table with spark lines, what has no price.

Fits the width it is given: columns are dropped from the right, their words go below the row, as they may be what
explains it; money is never cut or wrapped. Colour only for meaning: green for saved, red for what cost more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from scrimp.report.labels import clean, cut, fit, width
from scrimp.report.money import align, percent
from scrimp.report.numbers import Report, share, shorten
from scrimp.report.steps import MARKS, Step, decimals_of, printed, waterfall
from scrimp.report.tables import Column, Rows, spent
from scrimp.report.times import period
from scrimp.report.words import counts, next_command, table_note, unpriced_note

MOST_ROWS = 20
MOST_MODELS = 8
GREEN, RED, PLAIN = "\x1b[32m", "\x1b[31m", "\x1b[0m"
LEAST_NAME, MOST_NAME = 8, 32
"""Narrowest and widest the column of names gets."""
SHARE_BLOCKS = 5
SPARK = "▁▂▃▄▅▆▇█"
SPARK_COLUMNS = 8


def render(report: Report, columns: int = 80, colour: bool = False, address: str = "", scrimp: str = "scrimp") -> str:
    """The whole report, no line wider than `columns`; no calls: the gateway's `address`, how `scrimp` is called."""
    if not report.total.calls:
        return "\n".join(next_command(report, address, scrimp)) + "\n"
    by, groups = report.tables[0].by, shorten(report.tables[0].groups, MOST_ROWS)
    places = decimals_of(report, (row.sums for row in groups))
    rows = spent(report, groups, by.capitalize(), places)._replace(foot=0)
    lines = [*_waterfall(report, columns, colour, places), "", *grid(rows, columns, colour)]
    lines += [*wrapped(table_note(by), columns, " "), "", *wrapped(counts(report.total), columns)]
    lines += _unpriced(report, columns)
    if not report.adds_up:
        lines += wrapped("These sums do not add up; `scrimp report --verify` says where.", columns)
    return joined(lines)


def joined(lines: Iterable[str]) -> str:
    """Lines as a text, without the blanks at their ends."""
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _waterfall(report: Report, columns: int, colour: bool, places: int) -> Iterator[str]:
    title, legend = f"Savings  {period(report)}", "measured ▒  estimated ░"
    room = columns - width(title) - width(legend)
    yield from [title + " " * room + legend] if room >= 2 else [cut(title, columns), cut(legend, columns)]
    steps = waterfall(report.total)
    names = [f" {step.label}" if step.whole else f"   {step.label}" for step in steps]
    amounts = align(printed(report.total, steps, places))
    longest = min(max(width(name) for name in names), 28, columns - 2 - width(amounts[0]))
    percents = [percent(share(step.shown, report.total.list_nano), sign=not step.whole) for step in steps]
    last = max(map(len, percents))
    bars = columns - longest - width(amounts[0]) - last - 6
    for step, name, money, part in zip(steps, names, amounts, percents, strict=True):
        start = name if width(name) <= longest else cut(name, longest - 1) + "…"
        line = start + " " * (longest - width(start)) + "  " + coloured(money, -step.saves, colour)
        if bars >= 8:
            line += f"  {_bar(step, bars)}  {part:>{last}}"
        yield line


def _bar(step: Step, columns: int) -> str:
    """A step's piece of the waterfall, at least one block wide unless it is nothing."""
    first = min(round(step.low * columns), columns - 1)
    size = max(1, round(step.high * columns) - first) if step.high > step.low else 0
    return (" " * first + MARKS[step.kind] * size).ljust(columns)


def _unpriced(report: Report, columns: int) -> Iterator[str]:
    if not report.total.unpriced:
        return
    yield ""
    yield from wrapped(unpriced_note(report.total), columns)
    for row in report.unpriced_models[:MOST_MODELS]:
        name = f"{clean(row.model) or '(no model)'} at {clean(row.provider) or '(no provider)'}"
        yield cut(f"   {row.calls:>9,}  {name}", columns)
    if len(report.unpriced_models) > MOST_MODELS:
        yield f"   and {len(report.unpriced_models) - MOST_MODELS:,} more models; --json lists them all"


def grid(rows: Rows, across: int, colour: bool = False, most: int = MOST_NAME) -> Iterator[str]:
    """The lines of a table at most `across` wide, its names at most `most`. All that is no number may be anything."""
    names, roomy = list(rows.names), rows.roomy
    if rows.places:
        most = roomy = across // 2
        names = [_end(name, most) for name in names]
    mark = max((len(text) + 2 for text in rows.marks), default=0)
    longest = max(LEAST_NAME, min(most, max(width(clean(name)) for name in [rows.title, *names])))
    kept = [(one, list(_drawn(one, colour))) for one in _columns(rows)]
    wide = sum(width(texts[0]) for _, texts in kept)
    below: list[Column] = []
    while 1 + mark + min(longest, roomy) + wide > across and any(not one.keep for one, _ in kept):
        one, texts = kept.pop(max(place for place, (one, _) in enumerate(kept) if not one.keep))
        below.insert(0, one)
        wide -= width(texts[0])
    longest = max(LEAST_NAME, min(longest, across - 1 - mark - wide))
    rule = " " + "─" * (mark + longest + wide)
    yield " " * (1 + mark) + fit(rows.title, longest) + "".join(texts[0] for _, texts in kept)
    yield rule
    for index, name in enumerate(names):
        if rows.foot and index == len(names) - rows.foot:
            yield rule
        start = f"{rows.marks[index]:<{mark}}" if mark else ""
        yield f" {start}{fit(name, longest)}" + "".join(texts[index + 1] for _, texts in kept)
        told = "; ".join(one.cells[index] for one in below if one.left and one.cells[index])
        yield from wrapped(told, across, " " * (3 + mark))


def _columns(rows: Rows) -> list[Column]:
    """The columns with their words cleaned, shares and days drawn as columns."""
    columns = [one._replace(cells=list(map(clean, one.cells))) if one.left else one for one in rows.columns]
    if rows.shares:
        columns.append(Column("Share", [f"{blocks(part)} {percent(part):>4}" for part in rows.shares]))
    if rows.daily:
        columns.append(Column("Daily", [spark(daily, *rows.span) for daily in rows.daily]))
    return columns


def _drawn(column: Column, colour: bool) -> Iterator[str]:
    """The title and the cells, all as wide as the widest of them."""
    texts = [column.title, *column.cells]
    wide = max(map(width, texts))
    for text, over in zip(texts, [0, *(column.over or [0] * len(column.cells))], strict=True):
        blank = " " * (wide - width(text))
        shown = coloured(text, over, colour)
        yield f"  {shown}{blank}" if column.left else f"  {blank}{shown}"


def _end(text: str, columns: int) -> str:
    """The end of a place in a file, which tells more than its beginning."""
    text = clean(text)
    return text if width(text) <= columns else "…" + cut(text[::-1], columns - 1)[::-1]


def blocks(part: float | None) -> str:
    """A share as a row of blocks."""
    full = 0 if part is None else max(0, min(SHARE_BLOCKS, round(part * SHARE_BLOCKS)))
    return "█" * full + "░" * (SHARE_BLOCKS - full)


def spark(daily: dict[int, int], first: int, last: int) -> str:
    """What was paid over days `first` to `last` as a line of blocks, from nothing to this line's own highest."""
    days = last - first + 1
    points = min(days, SPARK_COLUMNS)
    sums = [0] * points
    for day, paid in daily.items():
        sums[(day - first) * points // days] += paid
    highest = max(*sums, 1)
    return "".join(SPARK[max(0, -(-paid * len(SPARK) // highest) - 1)] for paid in sums)


def coloured(text: str, over: int, colour: bool) -> str:
    """Green where it saved (`over` < 0), red where it cost more."""
    return f"{GREEN if over < 0 else RED}{text}{PLAIN}" if colour and over else text


def wrapped(text: str, across: int, start: str = "") -> Iterator[str]:
    """Words in lines of at most `across` columns, each after `start`; only a word longer than a line is broken."""
    room = max(2, across - len(start))  # a wide character takes two
    line = ""
    for word in text.split():
        if line and width(line) + 1 + width(word) > room:
            yield start + line
            line = ""
        line = f"{line} {word}" if line else word
        while width(line) > room:
            piece = cut(line, room)
            yield start + piece
            line = line[len(piece) :]
    if line:
        yield start + line
