"""Bytes to rows: a log is cut into pieces of whole rows, and pieces into rows, each with its line number.

A row that is damaged costs only itself, and rows do not depend on where pieces end. Lines and CSV are cut here;
`table` knows rows over several lines, `document` finds the rows of one large JSON document.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

import msgspec

from scrimp.audit.document import Document
from scrimp.audit.entry import BadRecord
from scrimp.audit.layout import LONGEST, Layout, Piece
from scrimp.audit.table import QUOTE, Table

__all__ = ["LONGEST", "PIECE", "Layout", "Piece", "decoded", "pieces", "rows"]

PIECE = 2 * 1024 * 1024
"""Bytes of a piece: large enough that handing it over costs nothing, small enough that all cores get some."""
MARK = b"\x1e"
"""Stands between the rows of a JSON document in a piece (RFC 7464); no JSON text holds it as it is."""
LEFT_OUT = MARK + b"\n"
"""What stands in a piece for a line that is too long."""
TOO_LONG = f"longer than {LONGEST // 1024**2} MB"

Given = Callable[[int], bytes]
Found = tuple[int, dict[str, Any] | BadRecord]
_decode = msgspec.json.Decoder().decode


def pieces(layout: Layout, read: Given, size: int = PIECE) -> Iterator[Piece]:
    """Cut what `read` gives (at most so many bytes, b"" at the end); a CSV's header is in no piece."""
    passed = layout.skip + (layout.shape == "csv")
    rest = _after_lines(read, size, passed)
    if layout.shape == "json":
        return _document_pieces(Document(_before(rest, read), size, passed + 1), size)
    return _line_pieces(layout, rest, read, size, passed + 1)


def _after_lines(read: Given, size: int, passed: int) -> bytes:
    """What is already read of the rest when `passed` lines are read."""
    data = read(size)
    while passed and data:
        *lines, rest = data.split(b"\n", passed)
        passed -= len(lines)
        data = rest if not passed else read(size)
    return data


def _before(first: bytes, read: Given) -> Given:
    """`read`, with some bytes before what it gives."""
    held = [first] if first else []
    return lambda size: held.pop() if held else read(size)


def _line_pieces(layout: Layout, rest: bytes, read: Given, size: int, line: int) -> Iterator[Piece]:
    for data in chain(iter(lambda: read(size), b""), (b"",)):
        rest += data
        end = _whole_rows(layout, rest, bool(data))
        if not end and len(rest) > LONGEST:
            rest = _after_lines(read, size, 1)
            yield Piece(line, LEFT_OUT)
            line += 1
        elif end:
            yield Piece(line, rest[:end])
            line += rest.count(b"\n", 0, end)
            rest = rest[end:]


def _whole_rows(layout: Layout, data: bytes, more: bool) -> int:
    """How many of the bytes are whole rows."""
    if not more:
        return len(data)
    end = data.rfind(b"\n") + 1
    if layout.shape != "csv" or data.find(QUOTE, 0, end) < 0:
        return end
    lines = data[:end].split(b"\n")[:-1]
    known = Table(layout, lines, more).known()
    return end if known == len(lines) else sum(map(len, lines[:known])) + known


def rows(layout: Layout, piece: Piece) -> Iterator[Found]:
    """The rows of a piece with their line numbers; what cannot be read comes as the reason why."""
    if layout.shape == "csv":
        return _csv_rows(layout, piece)
    if layout.shape == "json":
        return _document_rows(piece)
    return _rows_within(layout.within, piece) if layout.within else _line_rows(piece)


def _csv_rows(layout: Layout, piece: Piece) -> Iterator[Found]:
    columns = layout.columns
    if piece.data == LEFT_OUT:
        yield piece.line, BadRecord(TOO_LONG)
        return
    for at, fields in Table(layout, piece.data.split(b"\n")).rows():
        if isinstance(fields, BadRecord):
            yield piece.line + at, fields
        else:
            yield piece.line + at, dict(zip(columns, fields, strict=True))


def _line_rows(piece: Piece) -> Iterator[Found]:
    for line, raw in enumerate(piece.data.split(b"\n"), piece.line):
        if not raw:
            continue
        try:
            found = _decode(raw)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            found = None
        if type(found) is dict:
            yield line, found
        elif not raw.isspace():
            yield line, decoded(raw)


def _rows_within(key: str, piece: Piece) -> Iterator[Found]:
    for line, found in _line_rows(piece):
        inner = None if isinstance(found, BadRecord) else found.get(key)
        if not isinstance(inner, list):
            yield line, found
            continue
        for one in inner:
            yield line, one if isinstance(one, dict) else BadRecord("no JSON object")


def _document_rows(piece: Piece) -> Iterator[Found]:
    line = piece.line
    for raw in piece.data.split(MARK):
        row = raw.lstrip(b"\n")
        line += len(raw) - len(row)
        yield line, decoded(row)
        line += row.count(b"\n")


def decoded(raw: bytes) -> dict[str, Any] | BadRecord:
    """One JSON object, or why it is none."""
    if len(raw) > LONGEST or raw[:1] == MARK:
        return BadRecord(TOO_LONG)
    try:
        found = _decode(raw)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        found = _decoded_leniently(raw)
    if type(found) is dict or isinstance(found, BadRecord):
        return found
    return BadRecord("no JSON object")


def _decoded_leniently(raw: bytes) -> Any:
    """What Python's own decoder takes beside: NaN, and halves of a surrogate pair, which become question marks,
    and a byte order mark before it."""
    try:
        found = json.loads(raw.decode("utf-8-sig"))
        return json.loads(json.dumps(found, ensure_ascii=False).encode(errors="replace"))
    except UnicodeDecodeError:
        return BadRecord("not UTF-8 text")
    except (ValueError, RecursionError) as error:
        return BadRecord(f"no JSON: {str(error)[:80]}")


def _document_pieces(document: Document, size: int) -> Iterator[Piece]:
    """Rows with a mark between them, and so many line ends before each that counting them gives its line."""
    held: list[bytes] = []
    first = line = 1
    length = 0
    for at, text in document.rows():
        data = text.encode("utf-8", "surrogateescape")
        if not held:
            first = line = at
        held.append(b"\n" * (at - line) + data)
        line = at + data.count(b"\n")
        length += len(data)
        if length >= size:
            yield Piece(first, MARK.join(held))
            held, length = [], 0
    if held:
        yield Piece(first, MARK.join(held))
