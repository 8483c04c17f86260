"""The audit as text for a terminal: the headline, what to change, then where the money went and what is odd.

Every line fits the width it is given; columns are dropped from the right and their words go below, money is never cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from scrimp.audit.report import Report
from scrimp.audit.show.advice import COUNTED, in_full, table
from scrimp.audit.show.pieces import Rows, Section, Text
from scrimp.audit.show.sections import sections
from scrimp.audit.show.words import commands, headline, what
from scrimp.report.grid import NAME_COLUMNS, Column, blocks, grid, spark, wrapped
from scrimp.report.labels import clean, cut, width
from scrimp.report.money import percent

MOST_ODD = 5
"""Outliers shown, and repetitions: each takes some lines."""
MOST_TEXT = 2_000
"""Characters shown of an example's text."""


def render(report: Report, columns: int = 80, colour: bool = False, scrimp: str = "scrimp") -> str:
    """The whole report, every line at most `columns` (40 or more) wide. `scrimp` is how its reader calls it."""
    lines = [*wrapped(what(report), columns), *_texts(headline(report), columns, "")]
    if report.advice:
        lines += ["", *_rows(table(report), columns, colour), *wrapped(COUNTED, columns)]
    for section in sections(report, MOST_ODD):
        lines += ["", *_section(section, columns, colour)]
    lines += ["", *_next(commands(report, scrimp), columns)]
    return _whole(lines)


def explain(report: Report, number: int, columns: int = 80, scrimp: str = "scrimp") -> str:
    """One advice in full, counted from 1. Raises IndexError where there are not so many."""
    lines = list(wrapped(clean(f"{number}. {report.advice[number - 1].title}"), columns))
    for section in in_full(report, number):
        lines += ["", *_section(section, columns, False)]
    if report.advice[number - 1].examples and not report.shows_text:
        lines += ["", *wrapped(f"{scrimp} audit ... --explain {number} --show-text  shows what was asked.", columns)]
    return _whole(lines)


def _whole(lines: Iterable[str]) -> str:
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _section(section: Section, columns: int, colour: bool) -> Iterator[str]:
    if section.title:
        yield from wrapped(section.title, columns)
    yield from _texts(section.notes, columns)
    if section.rows is not None:
        yield from _rows(section.rows, columns, colour)
    yield from _texts(section.after, columns)


def _texts(texts: Iterable[Text], columns: int, start: str = " ") -> Iterator[str]:
    for text in texts:
        yield from wrapped(clean("".join(text))[:MOST_TEXT], columns, start)


def _rows(rows: Rows, columns: int, colour: bool) -> Iterator[str]:
    drawn = [one._replace(cells=[clean(cell) for cell in one.cells]) if one.left else one for one in rows.columns]
    if rows.shares:
        drawn.append(Column("Share", [f"{blocks(part)} {percent(part):>4}" for part in rows.shares]))
    if rows.daily:
        drawn.append(Column("Daily", [spark(daily, *rows.span) for daily in rows.daily]))
    if rows.places:
        room = (NAME_COLUMNS[0], columns // 2, columns // 2)
        names = [_end(name, columns // 2) for name in rows.names]
    else:
        room = (NAME_COLUMNS[0], max(NAME_COLUMNS[1], columns), rows.roomy)
        names = list(rows.names)
    return grid(rows.title, names, drawn, columns, colour, rows.marks, rows.foot, room)


def _end(text: str, columns: int) -> str:
    """The end of a place in a file, which tells more than its beginning."""
    text = clean(text)
    if width(text) <= columns:
        return text
    while width(text) > columns - 1:
        text = text[1:]
    return f"…{text}"


def _next(steps: Iterable[tuple[str, str]], columns: int) -> Iterator[str]:
    start = "Next:  "
    for command, does in steps:
        line = f"{start}{command:<34}  {does}"
        yield line if width(line) <= columns else cut(f"{start}{command}", columns)
        start = " " * len(start)
