"""How a log is laid out, and what it is cut into: known once for a file, needed wherever its rows are read.

Both travel to the processes that read, so they are plain data.
"""

from __future__ import annotations

import msgspec

from scrimp.audit.formats.base import Shape

LONGEST = 64 * 1024 * 1024
"""Bytes of a row; a longer one is left out."""


class Layout(msgspec.Struct, frozen=True):
    """How a file is laid out: its shape, and for CSV its delimiter and columns.

    `skip`: lines before the header or first row that say nothing. `within`: the key of a list in each line of a
    "lines" file whose elements are the rows, "" where the line itself is one. For CSV, `kinds`: what each column holds,
    a character of `table.kind_of` each, "" for unknown; `spaced`: a space follows each delimiter.
    """

    shape: Shape
    columns: tuple[str, ...] = ()
    delimiter: str = ","
    skip: int = 0
    within: str = ""
    kinds: str = ""
    spaced: bool = False


class Piece(msgspec.Struct):
    """Whole rows of a log; `line` is the number of the first line."""

    line: int
    data: bytes
