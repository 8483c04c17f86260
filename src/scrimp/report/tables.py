"""Tables before they have a form, so that every form of a report shows the same ones.

Names and words may hold other people's text: whoever draws them cleans and escapes all of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from scrimp.report.money import align, listing, lone, percent
from scrimp.report.numbers import Group, Report, saved, share, total_row


class Label(str):
    """A name of others, a place in a file, a command: no words of ours."""


class Column(NamedTuple):
    """A column beside the names. `over`: cells to colour, those below 0 as saved, above as cost more.

    `keep`: never dropped. `left`: words, aligned left.
    """

    title: str
    cells: Sequence[str]
    over: Sequence[int] = ()
    keep: bool = False
    left: bool = False


class Rows(NamedTuple):
    """A table: a column of names titled `title`, then `columns`; the last `foot` rows are sums. False without rows.

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

    def __bool__(self) -> bool:
        return bool(self.names)


def money(title: str, amounts: Iterable[int], places: int, keep: bool = False) -> Column:
    """A column of amounts, each read by itself."""
    return Column(title, align([lone(nano, places) for nano in amounts]), keep=keep)


def numbers(title: str, counts: Iterable[int], keep: bool = False) -> Column:
    """A column of whole numbers."""
    return Column(title, [f"{count:,}" for count in counts], keep=keep)


def words(title: str, cells: Iterable[str]) -> Column:
    """A column of text."""
    return Column(title, list(cells), left=True)


def spent(report: Report, groups: Sequence[Group], title: str, places: int) -> Rows:
    """What some groups cost and, last, all calls: calls, list price, paid, the part that was saved."""
    rows = [*groups, total_row(report)]
    sums = [row.sums for row in rows]
    columns = [
        numbers("Calls", (one.calls for one in sums), keep=True),
        Column("List", listing(sums, "list_nano", places)),
        Column("Paid", listing(sums, "paid_nano", places), keep=True),
        Column("Saved", [percent(share(saved(one), one.list_nano)) for one in sums], [-saved(one) for one in sums]),
    ]
    return Rows(
        title, [Label(row.name) if row.label else row.name for row in rows], columns, foot=1,
        shares=[share(one.paid_nano, report.total.paid_nano) for one in sums],
        daily=[row.daily for row in rows] if len(report.days) > 1 else (),
        span=(min(report.days, default=0), max(report.days, default=0)),
    )  # fmt: skip
