"""Which format a log is, told by its beginning; how it is laid out; and its reader.

Formats are asked in order, the most particular first; the generic one takes whatever has columns of tokens.
"""

from __future__ import annotations

import csv
import importlib
from collections.abc import Sequence
from functools import cache
from typing import Any

import msgspec

from scrimp.audit.entry import BadRecord
from scrimp.audit.formats.base import Format, Options, Sample
from scrimp.audit.framing import LISTS, Layout, Piece, decoded, pieces, rows
from scrimp.errors import ScrimpError

HOMES = (
    "scrimp_records",
    "litellm",
    "langfuse",
    "helicone",
    "openai_usage",
    "anthropic_usage",
    "openrouter",
    "claude_code",
    "codex",
    "otel",
    "mooncake",
    "pairs",
    "generic",
)
"""The modules of the readers; each has FORMATS, a tuple of Format."""
HEAD = 256 * 1024
"""Bytes of a file that its format is told by."""
SAMPLED = 50
"""Rows of them that are decoded."""
DELIMITERS = ",;\t|"


class Known(msgspec.Struct, frozen=True):
    """What a log turned out to be."""

    format: Format
    layout: Layout
    sample: Sample


@cache
def formats() -> tuple[Format, ...]:
    """Every format, in the order in which they are asked."""
    homes = (importlib.import_module(f"scrimp.audit.formats.{home}") for home in HOMES)
    return tuple(one for home in homes for one in home.FORMATS)


def named(name: str) -> Format:
    """The format of a name. ScrimpError lists the names there are."""
    for one in formats():
        if one.name == name:
            return one
    raise ScrimpError(f"--format: there is no format {name!r}", hint=f"Formats: {', '.join(f.name for f in formats())}")


def detect(name: str, head: bytes, forced: str = "", options: Options = Options()) -> Known:
    """What a log is by its first bytes. ScrimpError where it is nothing we know, with what was seen in it."""
    layout, around = lay_out(name, head)
    sample = _sample(name, head, layout, around)
    if forced:
        return Known(named(forced), layout, sample)
    if options.columns:
        return Known(named("generic"), layout, sample)
    for one in formats():
        if one.fits(sample):
            return Known(one, layout, sample)
    seen = ", ".join(sample.columns[:12]) or "nothing that can be read"
    raise ScrimpError(
        f"{name}: no log format that scrimp knows; it has {seen}",
        hint="Name the columns, such as --map input=PromptTokens --map output=AnswerTokens, or a format with --format",
    )


def lay_out(name: str, head: bytes) -> tuple[Layout, tuple[str, ...]]:
    """The layout of a file by its beginning, and the keys of the document around its rows."""
    head = head.removeprefix(b"\xef\xbb\xbf")
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise ScrimpError(f"{name}: is UTF-16 text", hint="Save it as UTF-8")
    start = head.lstrip()[:1]
    if start == b"[":
        return Layout("json"), ()
    if start == b"{":
        return _json_layout(head.lstrip())
    return _csv_layout(name, head), ()


def _json_layout(head: bytes) -> tuple[Layout, tuple[str, ...]]:
    line, newline, _ = head.partition(b"\n")
    first = decoded(line)
    if isinstance(first, BadRecord):
        others = [decoded(one) for one in head.split(b"\n")[1:20] if one.strip()]
        if any(isinstance(one, dict) and len(one) > 1 for one in others):
            return Layout("lines"), ()  # its first line alone is damaged
        return Layout("json"), _keys_around(head)
    if any(isinstance(first.get(key), list) and all(isinstance(x, dict) for x in first[key]) for key in LISTS):
        return Layout("json"), tuple(first)
    return Layout("lines"), ()


def _keys_around(head: bytes) -> tuple[str, ...]:
    import re

    return tuple(dict.fromkeys(key.decode("utf-8", "replace") for key in re.findall(rb'"(\w+)"\s*:', head[:2_000])))


def _csv_layout(name: str, head: bytes) -> Layout:
    line = head.partition(b"\n")[0].rstrip(b"\r")
    try:
        text = line.decode()
    except UnicodeDecodeError:
        raise ScrimpError(f"{name}: is neither JSON nor text in UTF-8") from None
    delimiter = max(DELIMITERS, key=text.count)
    columns = next(csv.reader([text], delimiter=delimiter), [])
    if len(columns) < 2:
        raise ScrimpError(f"{name}: is neither JSON nor CSV with a header; it begins {text[:60]!r}")
    return Layout("csv", tuple(column.strip() for column in columns), delimiter)


def _sample(name: str, head: bytes, layout: Layout, around: tuple[str, ...]) -> Sample:
    parts: Sequence[bytes] = (head, b"")
    read = iter(parts)
    found: list[dict[str, Any]] = []
    for piece in pieces(layout, lambda size: next(read, b"")):
        found.extend(_decoded_rows(layout, piece))
        if len(found) >= SAMPLED:
            break
    found = found[:SAMPLED]
    columns = layout.columns or tuple(dict.fromkeys(key for row in found[:5] for key in row))
    return Sample(name, layout.shape, columns, tuple(found), around)


def _decoded_rows(layout: Layout, piece: Piece) -> list[dict[str, Any]]:
    return [row for _, row in rows(layout, piece) if isinstance(row, dict)]
