"""A table in a terminal: columns are dropped from the right until it fits; money is never cut or wrapped.

Text of a dropped column goes below its row, as it may be what explains the row. Colour only for meaning: green for
saved, red for what cost more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from scrimp.report.labels import clean, cut, fit, width

GREEN, RED, PLAIN = "\x1b[32m", "\x1b[31m", "\x1b[0m"
NAME_COLUMNS = (8, 32)
"""Narrowest and widest the column of names gets."""
ROOMY_NAME = 14
"""Columns left to longer names before a column of figures is dropped."""
SHARE_BLOCKS = 5
SPARK = "▁▂▃▄▅▆▇█"
SPARK_COLUMNS = 8


class Column(NamedTuple):
    """A column beside the names. `over`: cells to colour, those below 0 as saved, above as cost more.

    `keep`: never dropped. `left`: words, aligned left.
    """

    title: str
    cells: Sequence[str]
    over: Sequence[int] = ()
    keep: bool = False
    left: bool = False

    @property
    def wide(self) -> int:
        """Columns of the terminal that it takes, the blanks before it included."""
        return 2 + max(width(text) for text in [self.title, *self.cells])

    def cell(self, index: int, colour: bool) -> str:
        """A cell as wide as the column."""
        text = self.cells[index]
        blank = " " * (self.wide - 2 - width(text))
        text = coloured(text, self.over[index] if self.over else 0, colour)
        return f"  {text}{blank}" if self.left else f"  {blank}{text}"


def grid(
    title: str,
    names: Sequence[str],
    columns: Sequence[Column],
    across: int,
    colour: bool = False,
    marks: Sequence[str] = (),
    foot: int = 0,
    room: tuple[int, int, int] = (*NAME_COLUMNS, ROOMY_NAME),
) -> Iterator[str]:
    """The lines of a table at most `across` wide. Cells must be clean; names may be anything.

    `marks` stand before the names; `foot` last rows stand below a rule; `room` is what the names get: at least, at
    most, and before a column is dropped.
    """
    mark = max((len(text) + 2 for text in marks), default=0)
    kept = list(columns)
    below: list[Column] = []
    least, most, roomy = room
    longest = max(least, min(most, max(width(clean(name)) for name in [title, *names])))
    while any(not one.keep for one in kept) and 1 + mark + min(longest, roomy) + sum(c.wide for c in kept) > across:
        last = max(place for place, one in enumerate(kept) if not one.keep)
        below.insert(0, kept.pop(last))
    wide = sum(one.wide for one in kept)
    longest = max(least, min(longest, across - 1 - mark - wide))
    titles = (one._replace(cells=[one.title, *one.cells], over=()).cell(0, False) for one in kept)
    yield " " * (1 + mark) + fit(title, longest) + "".join(titles)
    rule = " " + "─" * (mark + longest + wide)
    yield rule
    for index, name in enumerate(names):
        if foot and index == len(names) - foot:
            yield rule
        start = f"{marks[index]:<{mark}}" if marks else ""
        yield f" {start}{fit(name, longest)}" + "".join(one.cell(index, colour) for one in kept)
        told = "; ".join(one.cells[index] for one in below if one.left and one.cells[index])
        yield from wrapped(told, across, " " * (3 + mark))


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
    highest = max(sums)
    if highest <= 0:
        return SPARK[0] * points
    return "".join(SPARK[max(0, -(-paid * len(SPARK) // highest) - 1)] for paid in sums)


def coloured(text: str, over: int, colour: bool) -> str:
    """Green where it saved (`over` < 0), red where it cost more."""
    if not colour or not over:
        return text
    return f"{GREEN if over < 0 else RED}{text}{PLAIN}"


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
