"""Bytes to rows: a log is cut into pieces of whole rows, and pieces into rows, each with its line number.

A damaged row costs only itself, and rows do not depend on where pieces end. A line of CSV is a row by itself unless its
quotation marks are odd in number: then it begins a row that ends in the next such line, if all of it is one row and no
line in it plainly is another.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import msgspec

from scrimp.audit.document import LONGEST, Document
from scrimp.audit.entry import BadRecord
from scrimp.audit.formats.base import Shape

PIECE = 2 * 1024 * 1024
"""Bytes of a piece: large enough that handing it over costs nothing, small enough that all cores get some."""
FURTHEST = 8 * 1024 * 1024
"""Bytes of a CSV row over several lines; this much is held until it is known where one ends."""
QUOTE = b'"'
TIME, NUMBER, OTHER = "t", "n", "-"
"""What the cells of a column are."""

Given = Callable[[int], bytes]
Found = tuple[int, dict[str, Any] | BadRecord]
_TIME = re.compile(r"\d{4}[-/]\d\d?[-/]\d\d?(?:[T ].*)?|1\d{9}(?:\d{3}|\d{6}|\d{9})?(?:\.\d*)?")
_NUMBER = re.compile(r"[^\w\s]{0,2}\d[\d.,]*(?:[eE][+-]?\d+)?")
_decode = msgspec.json.Decoder().decode
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(list[tuple[int, bytes]]).decode


class Layout(msgspec.Struct, frozen=True):
    """How a file is laid out. `within`: the key of a list in each line of a "lines" file whose elements are the rows,
    "" where the line itself is one. `kinds`: what the columns of a CSV hold, a character of `kind_of` each."""

    shape: Shape
    columns: tuple[str, ...] = ()
    delimiter: str = ","
    within: str = ""
    kinds: str = ""


class Piece(msgspec.Struct):
    """Whole rows of a log; `line` is the number of the first line. `data`: lines as they are, of a JSON document packed
    lines with their numbers; b"" for a line that is too long."""

    line: int
    data: bytes


def pieces(layout: Layout, read: Given, size: int = PIECE) -> Iterator[Piece]:
    """Cut what `read` gives (at most so many bytes, b"" at the end); a CSV's header is in no piece."""
    if layout.shape == "json":
        return _document_pieces(Document(read, size), size)
    if layout.shape == "csv":
        return _line_pieces(layout, _after_line(read, size), read, size, 2)
    return _line_pieces(layout, read(size), read, size, 1)


def _after_line(read: Given, size: int) -> bytes:
    """What is already read of the rest when a line is passed."""
    while data := read(size):
        end = data.find(b"\n") + 1
        if end:
            return data[end:]
    return b""


def _line_pieces(layout: Layout, rest: bytes, read: Given, size: int, line: int) -> Iterator[Piece]:
    more = True
    while more:
        data = read(max(size, min(len(rest), FURTHEST)))
        more = bool(data)
        rest += data
        end = _whole_rows(layout, rest) if more else len(rest)
        if end:
            yield Piece(line, rest[:end])
            line += rest.count(b"\n", 0, end)
            rest = rest[end:]
        elif len(rest) > LONGEST:
            rest = _after_line(read, size)
            yield Piece(line, b"")
            line += 1


def _whole_rows(layout: Layout, data: bytes) -> int:
    """How many of the bytes are whole rows; more may follow them."""
    end = data.rfind(b"\n") + 1
    if layout.shape != "csv" or data.find(QUOTE, 0, end) < 0:
        return end
    lines = data[:end].split(b"\n")[:-1]
    known = _over_lines(layout, lines)[1]
    return sum(map(len, lines[:known])) + known


def _document_pieces(document: Document, size: int) -> Iterator[Piece]:
    held: list[tuple[int, bytes]] = []
    length = 0
    for line, text in document.rows():
        held.append((line, text.encode("utf-8", "surrogateescape")))
        length += len(text)
        if length >= size:
            yield Piece(held[0][0], _pack(held))
            held, length = [], 0
    if held:
        yield Piece(held[0][0], _pack(held))


def rows(layout: Layout, piece: Piece) -> Iterator[Found]:
    """The rows of a piece with their line numbers; what cannot be read comes as the reason why."""
    if not piece.data:
        return iter([(piece.line, BadRecord(f"longer than {LONGEST // 1024**2} MB"))])
    if layout.shape == "csv":
        return _csv_rows(layout, piece)
    if layout.shape == "json":
        return ((line, decoded(raw)) for line, raw in _unpack(piece.data))
    return _rows_within(layout.within, piece) if layout.within else _line_rows(piece)


def _line_rows(piece: Piece) -> Iterator[Found]:
    for line, raw in enumerate(piece.data.split(b"\n"), piece.line):
        if raw and not raw.isspace():
            yield line, decoded(raw)


def _rows_within(key: str, piece: Piece) -> Iterator[Found]:
    for line, found in _line_rows(piece):
        inner = found.get(key) if isinstance(found, dict) else None
        for one in inner if isinstance(inner, list) else (found,):
            yield line, one if isinstance(one, dict | BadRecord) else BadRecord("no JSON object")


def decoded(raw: bytes) -> dict[str, Any] | BadRecord:
    """One JSON object, or why it is none. Read like sound JSON are NaN, a byte order mark, and halves of a surrogate
    pair, which become question marks."""
    try:
        found = _decode(raw)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        try:
            found = json.loads(raw.decode("utf-8-sig"))
            found = json.loads(json.dumps(found, ensure_ascii=False).encode(errors="replace"))
        except UnicodeDecodeError:
            return BadRecord("not UTF-8 text")
        except (ValueError, RecursionError) as error:
            return BadRecord(f"no JSON: {str(error)[:80]}")
    return found if type(found) is dict else BadRecord("no JSON object")


def _csv_rows(layout: Layout, piece: Piece) -> Iterator[Found]:
    lines = piece.data.split(b"\n")
    over_lines = _over_lines(layout, lines)[0] if QUOTE in piece.data else {}
    after = 0
    for at, raw in enumerate(lines):
        if at < after or not raw or raw.isspace():
            continue
        after, fields = over_lines.get(at) or (at, fields_of(layout, raw))
        if isinstance(fields, BadRecord):
            yield piece.line + at, fields
        else:
            yield piece.line + at, dict(zip(layout.columns, fields, strict=True))


def _over_lines(layout: Layout, lines: Sequence[bytes]) -> tuple[dict[int, tuple[int, list[str]]], int]:
    """The rows over several of these lines: index of the first -> index after the last, and the fields. And how many
    lines are decided where others follow: the last odd one may begin a row that ends in those."""
    found: dict[int, tuple[int, list[str]]] = {}
    odd = [at for at, line in enumerate(lines) if line.count(QUOTE) & 1]
    after = 0
    for first, last in pairwise(odd):
        if first < after:
            continue
        whole = b"\n".join(lines[first : last + 1])
        fields = fields_of(layout, whole) if len(whole) <= FURTHEST else None
        if isinstance(fields, list) and not any(_is_row(layout, line) for line in lines[first + 1 : last]):
            after = last + 1
            found[first] = after, fields
    is_open = odd and odd[-1] >= after and sum(map(len, lines[odd[-1] :])) + len(lines) - odd[-1] <= FURTHEST
    return found, odd[-1] if is_open else len(lines)


def _is_row(layout: Layout, line: bytes) -> bool:
    """Whether a line is plainly a row: times and numbers are where they should be. Never where no column has any."""
    if not layout.kinds.strip(OTHER) or line.count(layout.delimiter.encode()) < len(layout.columns) - 1:
        return False
    fields = fields_of(layout, line)
    if isinstance(fields, BadRecord):
        return False
    return all(kind in (OTHER, kind_of(field)) for kind, field in zip(layout.kinds, fields, strict=True))


def fields_of(layout: Layout, raw: bytes) -> list[str] | BadRecord:
    """The fields of a row of CSV, or why it is none."""
    try:
        text = raw.decode().rstrip("\r")
        if '"' not in text:
            found = text.split(layout.delimiter)
        else:
            csv.field_size_limit(max(csv.field_size_limit(), len(text)))  # Python's own: raised only where it must be
            found = next(csv.reader([text], delimiter=layout.delimiter, skipinitialspace=True, strict=True))
    except UnicodeDecodeError:
        return BadRecord("not UTF-8 text")
    except csv.Error:
        return BadRecord("a quotation mark is missing or in the wrong place")
    if len(found) == len(layout.columns):
        return found
    return BadRecord(f"{len(found)} fields where the header has {len(layout.columns)}")


def kind_of(cell: str) -> str:
    """What a cell looks like; one that goes over several lines is neither number nor time."""
    cell = cell.strip(" \t")
    if _TIME.fullmatch(cell):
        return TIME
    return NUMBER if _NUMBER.fullmatch(cell) else OTHER
