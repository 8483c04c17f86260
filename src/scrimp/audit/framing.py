"""Bytes to rows: a log is cut into pieces of whole rows, and pieces into rows, each with its line number.

A row that is damaged costs only itself: every line is tried by itself first, a quoted field over several lines only
where that gives a whole row, and a JSON document goes on at the next line that begins an object.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from scrimp.audit.entry import BadRecord
from scrimp.audit.formats.base import Shape

PIECE = 2 * 1024 * 1024
"""Bytes of a piece: large enough that handing it over costs nothing, small enough that all cores get some."""
LONGEST = 64 * 1024 * 1024
"""Bytes of a row; a longer one is left out."""
MOST_LINES = 2_000
"""Lines that a quoted field of a CSV may go over."""
MARK = b"\x1e"
"""Stands between the rows of a JSON document in a piece (RFC 7464); no JSON text holds it as it is."""
LISTS = (
    "data",
    "resourceSpans",
    "resource_spans",
    "observations",
    "rows",
    "items",
    "records",
    "requests",
    "logs",
    "spans",
)
"""Members of a JSON document whose list is its rows."""

csv.field_size_limit(LONGEST)
_decode = msgspec.json.Decoder().decode


class Layout(msgspec.Struct, frozen=True):
    """How a file is laid out: its shape, and for CSV its delimiter and columns."""

    shape: Shape
    columns: tuple[str, ...] = ()
    delimiter: str = ","


class Piece(msgspec.Struct):
    """Whole rows of a log; `line` is the number of the first line."""

    line: int
    data: bytes


def pieces(layout: Layout, read: Callable[[int], bytes], size: int = PIECE) -> Iterator[Piece]:
    """Cut what `read` gives; a CSV's header is in no piece."""
    if layout.shape == "json":
        yield from _document_pieces(read, size)
        return
    line = 1
    rest = b""
    first = True
    while True:
        data = read(size)
        if first and data:
            data = data.removeprefix(b"\xef\xbb\xbf")
        rest += data
        if first and layout.shape == "csv" and (b"\n" in rest or not data):
            _, _, rest = rest.partition(b"\n")
            line, first = 2, False
        first = first and layout.shape == "csv"
        if not data:
            break
        end = _row_end(layout, rest)
        if end == 0 and len(rest) < LONGEST:
            continue
        end = end or len(rest)
        yield Piece(line, rest[:end])
        line += rest.count(b"\n", 0, end)
        rest = rest[end:]
    if rest:
        yield Piece(line, rest)


def _row_end(layout: Layout, data: bytes) -> int:
    """Where the last whole row ends that is surely one; 0 where there is none."""
    last = data.rfind(b"\n") + 1
    if layout.shape != "csv" or not last or b'"' not in data:
        return last
    end = last
    for _ in range(MOST_LINES):  # back to a line that is a row by itself and follows one: no field goes over there
        start = data.rfind(b"\n", 0, end - 1) + 1
        if start == 0:
            break
        if _is_row(layout, data[start:end]) and _is_row(layout, data[data.rfind(b"\n", 0, start - 1) + 1 : start]):
            return start if end != last else end
        end = start
    return last


def _is_row(layout: Layout, line: bytes) -> bool:
    try:
        return line.count(b'"') % 2 == 0 and len(_fields(line.decode(), layout.delimiter)) == len(layout.columns)
    except (csv.Error, UnicodeDecodeError, StopIteration):
        return False


def rows(layout: Layout, piece: Piece) -> Iterator[tuple[int, dict[str, Any] | BadRecord]]:
    """The rows of a piece with their line numbers; what cannot be read comes as the reason why."""
    if layout.shape == "csv":
        return _csv_rows(layout, piece)
    return _json_rows(piece, MARK if layout.shape == "json" else b"\n")


def _json_rows(piece: Piece, mark: bytes) -> Iterator[tuple[int, dict[str, Any] | BadRecord]]:
    line = piece.line
    for raw in piece.data.split(mark):
        here = line
        line += 1 if mark == b"\n" else raw.count(b"\n")
        if raw and not raw.isspace():
            lead = len(raw) - len(raw.lstrip())
            yield here + (raw.count(b"\n", 0, lead) if mark != b"\n" else 0), decoded(raw)


def decoded(raw: bytes) -> dict[str, Any] | BadRecord:
    """One JSON object, or why it is none."""
    if len(raw) > LONGEST:
        return BadRecord(f"longer than {LONGEST // 1024**2} MB")
    try:
        found = _decode(raw)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        try:
            found = json.loads(raw)
        except (ValueError, UnicodeError, RecursionError) as error:
            return BadRecord(f"no JSON: {str(error)[:80]}")
    return found if isinstance(found, dict) else BadRecord("no JSON object")


def _csv_rows(layout: Layout, piece: Piece) -> Iterator[tuple[int, dict[str, Any] | BadRecord]]:
    columns, delimiter = layout.columns, layout.delimiter
    wide = len(columns)
    lines = piece.data.split(b"\n")
    at = 0
    while at < len(lines):
        raw, line = lines[at], piece.line + at
        at += 1
        if not raw or raw.isspace():
            continue
        try:
            fields = _fields(raw.decode(), delimiter)
        except (UnicodeDecodeError, csv.Error) as error:
            yield line, BadRecord("not UTF-8 text" if isinstance(error, UnicodeDecodeError) else f"no CSV: {error}")
            continue
        if raw.count(b'"') % 2:
            over = _over_lines(layout, lines, at - 1)
            if over is None:
                yield line, BadRecord("a quotation mark is not closed")
                continue
            fields, at = over
        if len(fields) != wide:
            yield line, BadRecord(f"{len(fields)} fields where the header has {wide}")
            continue
        yield line, dict(zip(columns, fields, strict=True))


def _over_lines(layout: Layout, lines: list[bytes], start: int) -> tuple[list[str], int] | None:
    """A row that goes over several lines and where the next one begins; None where that gives no whole row."""
    quotes = 0
    for end in range(start, min(start + MOST_LINES, len(lines))):
        quotes += lines[end].count(b'"')
        if quotes % 2 == 0:
            try:
                fields = _fields(b"\n".join(lines[start : end + 1]).decode(), layout.delimiter)
            except (UnicodeDecodeError, csv.Error):
                return None
            return (fields, end + 1) if len(fields) == len(layout.columns) else None
    return None


def _fields(text: str, delimiter: str) -> list[str]:
    if '"' not in text:
        return text.rstrip("\r\n").split(delimiter)
    return next(
        csv.reader([text.rstrip("\r\n")] if "\n" not in text else text.splitlines(keepends=True), delimiter=delimiter)
    )


_BEGIN = re.compile(r"[\s,]*")
_NEXT = re.compile(r"\n[ \t,]*(?=\{)")
_scan = json.JSONDecoder(strict=False).raw_decode


class _Document:
    """A JSON document while it streams by: gives the objects of its list of rows, else itself, as raw text."""

    def __init__(self, read: Callable[[int], bytes], size: int) -> None:
        self._read, self._size = read, size
        self._text, self._at, self.line = "", 0, 1
        self._ended = False

    def rows(self) -> Iterator[tuple[int, str]]:
        """(line, raw JSON or what could not be read) of each row."""
        while self._skip():
            if self._text[self._at] == "[":
                self._step(self._at + 1)
                yield from self._elements()
            elif self._text[self._at] == "{" and self._enter():
                yield from self._elements()
                self._leave()
            else:
                yield self._value()

    def _elements(self) -> Iterator[tuple[int, str]]:
        while self._skip():
            if self._text[self._at] == "]":
                self._step(self._at + 1)
                return
            yield self._value()

    def _value(self) -> tuple[int, str]:
        """The value that begins here; where it is damaged, everything up to the next line that begins an object."""
        while True:
            line = self.line
            try:
                _, end = _scan(self._text, self._at)
            except (ValueError, RecursionError):
                if not self._ended and len(self._text) - self._at < LONGEST and self._may_be_cut():
                    self._more()
                    continue
                found = _NEXT.search(self._text, self._at + 1)
                end = found.end() if found else len(self._text)
            raw = self._text[self._at : end]
            self._step(end)
            return line, raw

    def _may_be_cut(self) -> bool:
        """Whether what is here may be sound and only not all read yet: nothing after it begins another object."""
        found = _NEXT.search(self._text, self._at + 1)
        while found:
            try:
                _scan(self._text, found.end())
            except (ValueError, RecursionError):
                return True
            depth = self._text.count("{", self._at, found.start()) - self._text.count("}", self._at, found.start())
            if depth <= 1 and found.group().lstrip("\n") in ("", ","):
                return False
            found = _NEXT.search(self._text, found.end())
        return True

    def _enter(self) -> bool:
        """Go into the list of rows of the object that begins here; False where it has none within what is read."""
        match = re.search(rf'"(?:{"|".join(LISTS)})"\s*:\s*\[\s*(?=[{{\]])', self._text[self._at : self._at + 65_536])
        if match is None:
            return False
        before = self._text[self._at : self._at + match.start()]
        if before.count("{") - before.count("}") != 1:
            return False
        self._step(self._at + match.end())
        return True

    def _leave(self) -> None:
        """Skip what follows the list up to the end of its object."""
        depth = 1
        while depth and self._skip():
            char = self._text[self._at]
            if char == '"':
                self._value()
                continue
            depth += (char in "{[") - (char in "}]")
            self._step(self._at + 1)

    def _skip(self) -> bool:
        """Go to the next character that says something; False at the end."""
        while True:
            match = _BEGIN.match(self._text, self._at)
            self._step(match.end() if match else self._at)
            if self._at < len(self._text):
                return True
            if self._ended:
                return False
            self._more()

    def _step(self, to: int) -> None:
        self.line += self._text.count("\n", self._at, to)
        self._at = to

    def _more(self) -> None:
        data = self._read(self._size)
        self._ended = not data
        self._text = self._text[self._at :] + data.decode("utf-8", "surrogateescape")
        self._at = 0


def _document_pieces(read: Callable[[int], bytes], size: int) -> Iterator[Piece]:
    held: list[bytes] = []
    first = line = 1
    length = 0
    for at, raw in _Document(_whole_characters(read), size).rows():
        data = raw.encode("utf-8", "surrogateescape")
        if not held:
            first = line = at
        gap = b"\n" * max(0, at - line)  # so that counting lines in the piece gives this row its own
        held.append(gap + data)
        line = at + data.count(b"\n")
        length += len(data)
        if length >= size:
            yield Piece(first, MARK.join(held))
            held, length = [], 0
    if held:
        yield Piece(first, MARK.join(held))


def _whole_characters(read: Callable[[int], bytes]) -> Callable[[int], bytes]:
    """`read`, but never ending within a character of several bytes."""
    rest = b""

    def whole(size: int) -> bytes:
        nonlocal rest
        data = rest + read(size)
        if len(data) == len(rest):
            rest = b""
            return data
        cut = len(data)
        while cut > len(data) - 3 and cut > 0 and data[cut - 1] & 0xC0 == 0x80:
            cut -= 1
        if cut > 0 and data[cut - 1] >= 0xC0:
            cut -= 1
        else:
            cut = len(data)
        rest = data[cut:]
        return data[:cut] or whole(size)

    return whole
