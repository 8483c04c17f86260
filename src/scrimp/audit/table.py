"""Lines of CSV into rows, where a quoted field may go over several lines and any line may be damaged.

A line with an even number of quotation marks is a row, or damaged, by itself. A line with an odd number may begin a
field that ends in the next such line: they and all between are one row if that is a whole one and no line in it is
plainly another row; else the first line is damaged and reading goes on at the second.
"""

from __future__ import annotations

import csv
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from scrimp.audit.entry import BadRecord
from scrimp.audit.layout import LONGEST, Layout

FURTHEST = 8 * 1024 * 1024
"""Bytes of a row that goes over several lines; this much is held until it is known where one ends."""
QUOTE = b'"'
TIME, NUMBER, OTHER = "t", "n", "-"
"""What the cells of a column are."""
_TIME = re.compile(r"\d{4}[-/]\d\d?[-/]\d\d?(?:[T ].*)?|1\d{9}(?:\d{3}|\d{6}|\d{9})?(?:\.\d*)?")
_NUMBER = re.compile(r"[^\w\s]{0,2}\d[\d.,]*(?:[eE][+-]?\d+)?")


def kind_of(cell: str) -> str:
    """What a cell looks like; one that goes over several lines is neither number nor time."""
    cell = cell.strip(" \t")
    if _TIME.fullmatch(cell):
        return TIME
    return NUMBER if _NUMBER.fullmatch(cell) else OTHER


class Table:
    """Some lines of a CSV, without their ends; the first begins a row. `more`: other lines follow these."""

    def __init__(self, layout: Layout, lines: Sequence[bytes], more: bool = False) -> None:
        self._layout = layout
        self._lines = lines
        self._more = more
        self._delimiter = layout.delimiter.encode()
        self._delimiters = len(layout.columns) - 1
        self._is_typed = bool(layout.kinds.strip(OTHER))
        self._joined: tuple[int, int, list[str]] = (-1, -1, [])
        self._odd = [at for at, line in enumerate(lines) if QUOTE in line and line.count(QUOTE) & 1]

    def rows(self) -> Iterator[tuple[int, list[str] | BadRecord]]:
        """(index of its first line, fields or why there are none) of each row; blank lines are no rows."""
        lines, layout = self._lines, self._layout
        at = 0
        while at < len(lines):
            raw = lines[at]
            first = at
            at += 1
            if QUOTE in raw and raw.count(QUOTE) & 1:
                at = self._end(first) or at
                if self._joined[:2] == (first, at - 1):
                    yield first, self._joined[2]
                    continue
            elif not raw or raw.isspace():
                continue
            yield first, fields_of(layout, raw)

    def known(self) -> int:
        """How many of the lines are in rows whose end is here; what comes next decides on the rest."""
        next_row = 0
        for at in self._odd:
            if at >= next_row:
                end = self._end(at)
                if end is None:
                    return at
                next_row = end
        return len(self._lines)

    def _end(self, first: int) -> int | None:
        """Where the row of a line with an odd number of quotation marks ends; None where lines to come decide.

        Where its last line would do as well as the beginning of what is plainly a row, and so on, the last of these
        rows is believed.
        """
        ends: list[int] = []
        begin = first
        while True:
            last, is_known = self._last_line(begin, bool(ends))
            if not is_known:
                return None
            if last is None:
                return ends[0] + 1 if len(ends) % 2 else first + 1
            ends.append(last)
            begin = last

    def _last_line(self, first: int, plainly: bool) -> tuple[int | None, bool]:
        """The last line of a row over several that may begin here, None where none does; and whether that is sure."""
        if not self._is_open(first):
            return None, True
        last, is_known = self._next_odd(first)
        if last is None:
            return None, is_known
        between = self._lines[first + 1 : last]
        joined = fields_of(self._layout, b"\n".join(self._lines[first : last + 1]))
        if isinstance(joined, BadRecord) or (plainly and not self._is_plain(joined)):
            return None, True
        full = [line for line in between if line.count(self._delimiter) >= self._delimiters] if self._is_typed else ()
        if any(map(self._is_row_alone, full)):
            return None, True
        self._joined = self._joined if plainly else (first, last, joined)
        return last, True

    def _next_odd(self, at: int) -> tuple[int | None, bool]:
        """The next line with an odd number of quotation marks, if any is near enough, and whether that is sure."""
        place = bisect_right(self._odd, at)
        end = self._odd[place] if place < len(self._odd) else len(self._lines)
        too_far = sum(map(len, self._lines[at : end + 1])) + end - at > FURTHEST
        if too_far or end == len(self._lines):
            return None, too_far or not self._more
        return end, True

    def _is_open(self, at: int) -> bool:
        """Whether a line leaves a quoted field open: one more quotation mark makes it whole."""
        return _parsed(self._layout, self._lines[at]) is None and (
            _parsed(self._layout, self._lines[at].rstrip(b"\r") + QUOTE) is not None
        )

    def _is_row_alone(self, raw: bytes) -> bool:
        """Whether a line is plainly a row, not text with delimiters in it."""
        fields = fields_of(self._layout, raw)
        return not isinstance(fields, BadRecord) and self._is_plain(fields)

    def _is_plain(self, fields: list[str]) -> bool:
        """Whether times and numbers are where they should be; never where no column is known to hold any."""
        if not self._is_typed:
            return False
        return all(kind in (OTHER, kind_of(field)) for kind, field in zip(self._layout.kinds, fields, strict=True))


def fields_of(layout: Layout, raw: bytes) -> list[str] | BadRecord:
    """The fields of a row, or why it is none."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return BadRecord("not UTF-8 text")
    if '"' in text:
        found = _parsed(layout, raw)
        if found is None:
            return BadRecord("a quotation mark is missing or in the wrong place")
    else:
        found = text.rstrip("\r").split(layout.delimiter)
    if len(found) == len(layout.columns):
        return found
    return BadRecord(f"{len(found)} fields where the header has {len(layout.columns)}")


def _parsed(layout: Layout, raw: bytes) -> list[str] | None:
    """The fields of a row with quotation marks; None where they do not pair up."""
    try:
        text = raw.rstrip(b"\r").decode()
        if len(text) > csv.field_size_limit():
            csv.field_size_limit(LONGEST)  # the limit is Python's own and for everyone: raised only where it must be
        return next(csv.reader([text], delimiter=layout.delimiter, skipinitialspace=layout.spaced, strict=True))
    except (UnicodeDecodeError, csv.Error):
        return None
