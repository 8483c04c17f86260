"""What a report is made of before it has a form: texts, tables, sections; every form draws the same ones.

Whatever is in them may hold other people's text: a form cleans and escapes all of it. `Label` marks the pieces that are
names or code as a whole, which Markdown sets apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from scrimp.report.grid import Column
from scrimp.report.money import align, dollars, nearest, places_of, vanishes
from scrimp.report.numbers import NO_LABEL


class Label(str):
    """A name of others, a place in a file, a command: no words of ours."""

    __slots__ = ()


Text = tuple[str, ...]
"""Pieces of a sentence, in order."""


class Rows(NamedTuple):
    """A table: a column of names titled `title`, then `columns`; the last `foot` rows are sums.

    `shares` (fractions) and `daily` (day -> nanodollars, over `span`) are drawn; `more` are columns for wide forms.
    `marks` stand before the names; `roomy`: how long names may be before columns are dropped; `places`: the names are
    places in files, of which the end matters.
    """

    title: str
    names: Sequence[str]
    columns: Sequence[Column]
    foot: int = 0
    shares: Sequence[float | None] = ()
    daily: Sequence[dict[int, int]] = ()
    span: tuple[int, int] = (0, 0)
    more: Sequence[Column] = ()
    marks: Sequence[str] = ()
    roomy: int = 14
    places: bool = False


class Section(NamedTuple):
    """A part of the report: its heading, sentences, a table, sentences on the table."""

    title: str
    notes: Sequence[Text] = ()
    rows: Rows | None = None
    after: Sequence[Text] = ()


def usd(nano: int, places: int) -> str:
    """An amount with its dollar sign: "$412.90", "-$4.60"; more decimals where so few leave nothing of it."""
    text = dollars(nano) if vanishes(nano, places) else dollars(nearest(nano, places), places=places)
    return f"-${text[1:]}" if text.startswith("-") else f"${text}"


def lone(nano: int, places: int) -> str:
    """An amount that is read by itself, in a report of so many decimals: no more of them than it needs."""
    return usd(nano, min(places, max(2, places_of(nano))))


def money(title: str, amounts: Iterable[int], places: int, keep: bool = False) -> Column:
    """A column of amounts, each read by itself."""
    return Column(title, align([lone(nano, places) for nano in amounts]), keep=keep)


def numbers(title: str, counts: Iterable[int], keep: bool = False) -> Column:
    """A column of whole numbers."""
    return Column(title, [f"{count:,}" for count in counts], keep=keep)


def words(title: str, cells: Iterable[str]) -> Column:
    """A column of text."""
    return Column(title, list(cells), left=True)


def named(label: str) -> str:
    """A label as the name of a row, or that there is none."""
    return Label(label) if label else NO_LABEL


def many(count: int, noun: str) -> str:
    """A count with its noun: "1 call", "2,000 calls"."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
