"""The audit as text for a terminal: the headline, what to change, then where the money went and what is odd.

Every line fits the width it is given; columns are dropped from the right and their words go below, money is never cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from scrimp.audit.report import Report
from scrimp.audit.show.advice import COUNTED, in_full, table
from scrimp.audit.show.sections import UNPRICED, sections
from scrimp.audit.show.words import Section, Text, commands, headline, what
from scrimp.report.labels import clean, cut, width
from scrimp.report.terminal import grid, joined, wrapped

MOST_ODD = 5
"""Outliers shown, and repetitions: each takes some lines."""
MOST_TEXT = 2_000
"""Characters shown of an example's text."""


def render(report: Report, columns: int = 80, colour: bool = False, scrimp: str = "scrimp") -> str:
    """The whole report, every line at most `columns` (40 or more) wide. `scrimp` is how its reader calls it."""
    lines = [*wrapped(what(report), columns), *_texts(headline(report), columns, "")]
    if report.advice:
        lines += ["", *grid(table(report), columns, colour, columns), *wrapped(COUNTED, columns)]
    for section in sorted(sections(report, MOST_ODD), key=_comes_later):
        lines += ["", *_section(section, columns, colour)]
    lines += ["", *_next(commands(report, scrimp), columns)]
    return joined(lines)


def _comes_later(section: Section) -> bool:
    """Whether a section stands below what has no price and the tables of what was spent."""
    return section.title != UNPRICED and not (section.rows and section.rows.shares)


def explain(report: Report, number: int, columns: int = 80, scrimp: str = "scrimp") -> str:
    """One advice in full, counted from 1. Raises IndexError where there are not so many."""
    one = report.advice[number - 1]
    lines = list(wrapped(clean(f"{number}. {one.title}"), columns))
    for section in in_full(report, number):
        lines += ["", *_section(section, columns, False)]
    if one.examples and not report.shows_text:
        lines += ["", *wrapped(f"{scrimp} audit ... --explain {number} --show-text  shows what was asked.", columns)]
    return joined(lines)


def _section(section: Section, columns: int, colour: bool) -> Iterator[str]:
    yield from wrapped(section.title, columns)
    yield from _texts(section.notes, columns)
    if section.rows:
        yield from grid(section.rows, columns, colour, columns)
    yield from _texts(section.after, columns)


def _texts(texts: Iterable[Text], columns: int, start: str = " ") -> Iterator[str]:
    for text in texts:
        yield from wrapped(clean("".join(text))[:MOST_TEXT], columns, start)


def _next(steps: Iterable[tuple[str, str]], columns: int) -> Iterator[str]:
    start = "Next:  "
    for command, does in steps:
        line = f"{start}{command:<34}  {does}"
        yield line if width(line) <= columns else cut(f"{start}{command}", columns)
        start = " " * len(start)
