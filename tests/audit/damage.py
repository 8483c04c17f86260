"""Logs whose lines are damaged the way lines are, and the check that nothing but the damaged rows is lost."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import strategies as st

from scrimp.audit.entry import BadRecord
from scrimp.audit.framing import Layout, pieces, rows

KINDS = ("flip", "cut", "quote", "braces", "empty", "utf8", "insert")
Unit = tuple[int, int, dict[str, Any]]
"""A row of a log: the indexes of its first and last line, and what it is when it is read."""


def damaged(line: bytes, chance: random.Random) -> bytes:
    """A line (without its end) damaged at a random place; it stays one line."""
    kind = chance.choice(KINDS)
    at = chance.randrange(len(line)) if line else 0
    if kind == "cut":
        return line[:at]
    if kind == "quote":
        return line[:at] + b'"' + line[at:]
    if kind == "braces":
        return line.translate(None, chance.choice((b"{", b"}", b"{}", b"[]", b"]")))
    if kind == "utf8":
        return line[:at] + chance.choice((b"\x80", b"\xc3", b"\xff")) + line[at:]
    if kind == "insert":
        return line[:at] + chance.choice((b"{", b"}", b"[", b"]", b",", b"\\", b"\0")) + line[at:]
    if kind == "empty" or not line:
        return b""
    flipped = line[at] ^ (1 << chance.randrange(8))
    return line[:at] + bytes([flipped if flipped != 0x0A else 0]) + line[at + 1 :]


def read(layout: Layout, data: bytes, size: int = 1 << 20) -> list[tuple[int, dict[str, Any] | str]]:
    """The rows of a log with their lines; the reason as text where one cannot be read."""
    found = (row for piece in pieces(layout, io.BytesIO(data).read, size) for row in rows(layout, piece))
    return [(line, str(row) if isinstance(row, BadRecord) else row) for line, row in found]


def lost(layout: Layout, lines: Sequence[bytes], units: Sequence[Unit], hit: set[int], chance: random.Random) -> int:
    """Damage the lines of these indexes; how many rows are not read though no line of theirs is damaged."""
    data = b"\n".join(damaged(line, chance) if at in hit else line for at, line in enumerate(lines)) + b"\n"
    found = dict(read(layout, data))
    sound = [unit for unit in units if hit.isdisjoint(range(unit[0], unit[1] + 1))]
    return sum(found.get(first + 1) != row for first, _, row in sound)


Made = tuple[list[bytes], list[Unit]]


@st.composite
def cases(
    draw: st.DrawFn, make: Callable[[int, random.Random], Made], first: int = 0
) -> tuple[Made, set[int], random.Random]:
    """A log of a few rows and which of its lines, from the index `first` on, are damaged: at least one."""
    chance = random.Random(draw(st.integers(0, 2**32)))
    lines, units = make(draw(st.integers(1, 30)), chance)
    hit = {at for at in range(first, len(lines)) if chance.random() < 0.05}
    return (lines, units), hit | {draw(st.integers(first, len(lines) - 1))}, chance


def hits(lines: Sequence[bytes], chance: random.Random, first: int = 0, share: float = 0.05) -> set[int]:
    """The indexes of a share of the lines, from the index `first` on."""
    return {at for at in range(first, len(lines)) if chance.random() < share}
