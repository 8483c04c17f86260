"""The beginning of a log: whether it is text, and how it is laid out.

Any line may be damaged, the first one too, so the layout is what most of the first lines say; only the header of a
CSV must be sound.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from scrimp.audit.document import CALLS, LISTS
from scrimp.audit.formats.base import Row
from scrimp.audit.framing import Layout, decoded
from scrimp.audit.table import OTHER, kind_of
from scrimp.errors import ScrimpError

FIRST = 50
"""Lines that are looked at."""
LOOKED_AT = 64 * 1024
"""Bytes that are looked at for what no text has."""
DELIMITERS = ",;\t|"
BOM = b"\xef\xbb\xbf"
OTHERS = {
    b"PK\x03\x04": "a ZIP archive (or a spreadsheet)",
    b"PAR1": "a Parquet file",
    b"BZh": "packed with bzip2",
    b"\xfd7zXZ": "packed with xz",
    b"\x1f\x8b": "packed twice",
    b"\x28\xb5\x2f\xfd": "packed twice",
    b"SQLite format 3": "a database",
}
"""First bytes of files that people have, and what they are."""
_COMMENT = re.compile(rb"\s*(?:#|//|$)")
_JSON = re.compile(rb'[\s,]*(?:[{}\[\]]|"(?:[^"\\]|\\.)*"\s*:)')


def lay_out(name: str, head: bytes) -> Layout:
    """The layout of the file of this name by its first bytes. ScrimpError where it is no text or has no header."""
    _refuse(name, head)
    every = head.removeprefix(BOM).split(b"\n", 10 * FIRST)
    skip = next((at for at, line in enumerate(every) if not _COMMENT.match(line)), len(every))
    lines = [line for line in every[skip:] if line.strip()][:FIRST]
    if not lines:
        raise ScrimpError(f"{name} is empty")
    found = [one for one in map(decoded, lines) if isinstance(one, dict)]
    is_document = sum(map(bool, map(_JSON.match, lines))) * 2 > len(lines) or lines[0][:1] in (b"{", b"[")
    if len(found) * 2 >= len(lines) or (found and not is_document):
        within = next((key for one in found if (key := _list_in(one))), "")
        return Layout("json" if within and len(lines) == 1 else "lines", skip=skip, within=within)
    if is_document:
        return Layout("json", skip=skip)
    return _csv_layout(name, skip, [line.rstrip(b"\r").decode(errors="replace") for line in lines])


def _refuse(name: str, head: bytes) -> None:
    """ScrimpError for what is no text in UTF-8."""
    if not head:
        raise ScrimpError(f"{name} is empty")
    for first, what in OTHERS.items():
        if head.startswith(first):
            raise ScrimpError(f"{name} is {what}, not a log", hint="Unpack it, or export it as JSON lines or CSV")
    looked = head[:LOOKED_AT]
    if _is_utf16(looked):
        raise ScrimpError(f"{name} is text in UTF-16", hint="Save it as UTF-8")
    strange = sum(looked.count(code) for code in range(32) if code not in b"\t\n\r\f\x1b")
    strange += looked.decode(errors="replace").count("\ufffd")
    if strange * 10 > len(looked):
        raise ScrimpError(f"{name} is no text in UTF-8, so no log", hint="Name JSON lines, JSON or CSV files")


def _is_utf16(text: bytes) -> bool:
    """Whether it says so, or every other byte is nothing, as in text whose letters are in ASCII."""
    fewer, more = sorted((text[::2].count(0), text[1::2].count(0)))
    return text[:2] in (b"\xff\xfe", b"\xfe\xff") or (more * 4 > len(text) and fewer * 10 < len(text))


def _list_in(row: Mapping[str, Any]) -> str:
    """The key of the list of rows in an object, "" where it is a row itself."""
    if not row.keys().isdisjoint(CALLS):
        return ""
    for key in LISTS:
        inner = row.get(key)
        if isinstance(inner, list) and (inner or key == "data") and all(isinstance(one, dict) for one in inner):
            return key
    return ""


def _csv_layout(name: str, skip: int, lines: Sequence[str]) -> Layout:
    """The layout of a CSV, its header first in `lines`."""
    delimiter = max(DELIMITERS, key=lambda one: _agreement(lines, one))
    columns = tuple(column.strip() for column in _cells(lines[0], delimiter))
    if len(columns) < 2:
        raise ScrimpError(f"{name} is neither JSON nor CSV with a header that names its columns")
    if any(kind_of(column) != OTHER for column in columns):
        raise ScrimpError(
            f"{name} has no header that names its columns",
            hint="Add a first line such as time,model,input_tokens,output_tokens",
        )
    twice = [column for column, times in Counter(columns).items() if times > 1 and column]
    if twice:
        raise ScrimpError(f"{name} has several columns named {twice[0][:60]!r}", hint="Rename all but one")
    spaced = any(re.search(re.escape(delimiter) + ' +"', line) for line in lines)
    return Layout("csv", columns, delimiter, skip, spaced=spaced)


def _agreement(lines: Sequence[str], delimiter: str) -> tuple[int, int]:
    """How many lines have as many fields as the first, and how many those are; nothing where it has only one."""
    fields = len(_cells(lines[0], delimiter))
    return (sum(len(_cells(line, delimiter)) == fields for line in lines), fields) if fields > 1 else (0, 0)


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])
    except csv.Error:
        return []


def kinds_of(layout: Layout, sample: Sequence[Row]) -> str:
    """What each column of a CSV holds in most of some rows; a row or two of them may be damaged."""
    kinds = ""
    for column in layout.columns:
        found = Counter(kind_of(row[column]) for row in sample if row[column])
        kind, times = next(iter(found.most_common(1)), (OTHER, 0))
        kinds += kind if times * 5 >= found.total() * 4 else OTHER
    return kinds
