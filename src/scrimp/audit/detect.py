"""What a log is, told by its first rows: how it is laid out, which format it has, and the reader it is read with.

Any line may be damaged, so the layout is what most of the first lines say; only the header of a CSV must be sound.
Formats are asked in order, the most particular first; the generic one takes whatever has columns of tokens.
"""

from __future__ import annotations

import csv
import importlib
import re
from collections.abc import Mapping, Sequence
from functools import cache
from io import BytesIO
from itertools import islice
from typing import Any

import msgspec

from scrimp.audit.document import CALLS, LISTS
from scrimp.audit.entry import BadRecord
from scrimp.audit.formats.base import NO_OPTIONS, Format, Options, Row, Sample
from scrimp.audit.framing import OTHER, Layout, decoded, kind_of, pieces, rows
from scrimp.errors import ScrimpError

HOMES = (
    "scrimp_records", "litellm", "langfuse", "helicone", "openai_usage", "anthropic_usage", "openrouter", "claude_code",
    "codex", "otel", "mooncake", "pairs", "generic",
)  # fmt: skip
"""The modules of the readers; each has FORMATS, a tuple of Format."""
HEAD = 4 * 1024 * 1024
"""Bytes of a file that its format is told by: a few of the longest rows."""
FIRST = 50
"""Lines that tell the layout, and rows that tell the format."""
STEP = 64 * 1024
"""Bytes of the beginning that are cut into rows at a time, until there are enough."""
DELIMITERS = ",;\t|"
OTHERS = {
    b"PK\x03\x04": "a ZIP archive (or a spreadsheet)", b"PAR1": "a Parquet file", b"BZh": "packed with bzip2",
    b"\xfd7zXZ": "packed with xz", b"\x1f\x8b": "packed twice", b"\xff\xfe": "text in UTF-16",
    b"\xfe\xff": "text in UTF-16",
}  # fmt: skip
"""First bytes of files that people have, and what they are."""
_JSON = re.compile(rb'[\s,]*(?:[{}\[\]]|"(?:[^"\\]|\\.)*"\s*:)')


class Known(msgspec.Struct, frozen=True):
    """What a log turned out to be. `options` are the ones to read it with: the caller's, settled for this file."""

    format: Format
    layout: Layout
    sample: Sample
    options: Options = NO_OPTIONS


@cache
def formats() -> tuple[Format, ...]:
    """Every format, in the order in which they are asked."""
    homes = (importlib.import_module(f"scrimp.audit.formats.{home}") for home in HOMES)
    return tuple(one for home in homes for one in home.FORMATS)


def named(name: str) -> Format:
    """The format of a name. ScrimpError lists the names there are."""
    known = {one.name: one for one in formats()}
    if name not in known:
        raise ScrimpError(f"--format: there is no format {name!r}", hint=f"Formats: {', '.join(known)}")
    return known[name]


def detect(name: str, head: bytes, forced: str = "", options: Options = NO_OPTIONS) -> Known:
    """What a log is by its first bytes. ScrimpError where it is nothing we know, with what was seen in it."""
    layout = lay_out(name, head)
    every = (row for piece in pieces(layout, BytesIO(head).read, STEP) for _, row in rows(layout, piece))
    found = tuple(islice((row for row in every if not isinstance(row, BadRecord)), FIRST))
    columns = layout.columns or tuple(dict.fromkeys(key for row in found for key in row))
    sample = Sample(name, layout.shape, columns, found)
    layout = msgspec.structs.replace(layout, kinds=kinds_of(layout.columns, found))
    fitting = (one for one in formats() if one.fits(sample))
    form = named(forced or "generic") if forced or options.columns else next(fitting, None) or _unknown(sample)
    try:
        return Known(form, layout, sample, form.settle(sample, options) if form.settle else options)
    except ScrimpError as error:
        raise ScrimpError(f"{name}: {error.message}", hint=error.hint) from None


def _unknown(sample: Sample) -> Format:
    """Says what was seen of a log that no format fits."""
    if not sample.rows:
        raise ScrimpError(f"{sample.name}: none of its first rows can be read", hint="Is it JSON lines, JSON or CSV?")
    raise ScrimpError(
        f"{sample.name}: no log format that scrimp knows; it has {', '.join(sample.columns[:12])}",
        hint="Name the columns, such as --map input=PromptTokens --map output=AnswerTokens, or a format with --format",
    )


def lay_out(name: str, head: bytes) -> Layout:
    """The layout of the file of this name by its first bytes. ScrimpError where it is no text or has no header."""
    for first, what in OTHERS.items():
        if head.startswith(first):
            raise ScrimpError(f"{name} is {what}, not a log", hint="Export it as JSON lines or CSV, in UTF-8")
    looked_at = head[:STEP]
    strange = looked_at.count(0) + looked_at.decode(errors="replace").count("\ufffd")
    if strange * 10 > len(looked_at):
        raise ScrimpError(f"{name} is no text in UTF-8, so no log", hint="Name JSON lines, JSON or CSV files")
    lines = [line for line in head.removeprefix(b"\xef\xbb\xbf").split(b"\n", 10 * FIRST) if line.strip()][:FIRST]
    if not lines:
        raise ScrimpError(f"{name} is empty")
    found = [one for one in map(decoded, lines) if isinstance(one, dict)]
    is_document = sum(map(bool, map(_JSON.match, lines))) * 2 > len(lines) or lines[0][:1] in (b"{", b"[")
    if len(found) * 2 >= len(lines) or (found and not is_document):
        within = next((key for one in found if (key := _list_in(one))), "")
        return Layout("json" if within and len(lines) == 1 else "lines", within=within)
    if is_document:
        return Layout("json")
    return _csv_layout(name, [line.rstrip(b"\r").decode(errors="replace") for line in lines])


def _list_in(row: Mapping[str, Any]) -> str:
    """The key of the list of rows in an object, "" where it is a row itself."""
    for key in LISTS if row.keys().isdisjoint(CALLS) else ():
        inner = row.get(key)
        if isinstance(inner, list) and (inner or key == "data") and all(isinstance(one, dict) for one in inner):
            return key
    return ""


def _csv_layout(name: str, lines: Sequence[str]) -> Layout:
    """The layout of a CSV, its header first in `lines`."""
    widths = {one: [len(_cells(line, one)) for line in lines] for one in DELIMITERS}
    delimiter = max(DELIMITERS, key=lambda one: (widths[one][0] > 1, widths[one].count(widths[one][0]), widths[one][0]))
    columns = tuple(column.strip() for column in _cells(lines[0], delimiter))
    if len(columns) < 2:
        raise ScrimpError(f"{name} is neither JSON nor CSV with a header that names its columns")
    if any(kind_of(column) != OTHER for column in columns):
        hint = "Add a first line such as time,model,input_tokens,output_tokens"
        raise ScrimpError(f"{name} has no header that names its columns", hint=hint)
    if twice := next((one for one in columns if one and columns.count(one) > 1), ""):
        raise ScrimpError(f"{name} has several columns named {twice[:60]!r}", hint="Rename all but one")
    return Layout("csv", columns, delimiter)


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])
    except csv.Error:
        return []


def kinds_of(columns: Sequence[str], sample: Sequence[Row]) -> str:
    """What each column of a CSV holds in most of some rows; a row or two of them may be damaged."""
    kinds = ""
    for column in columns:
        found = [kind_of(row[column]) for row in sample if row[column]]
        kind = max(found, key=found.count, default=OTHER)
        kinds += kind if found.count(kind) * 5 >= len(found) * 4 else OTHER
    return kinds
