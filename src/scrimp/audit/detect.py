"""Which format a log is, told by its first rows, and the reader it is read with.

Formats are asked in order, the most particular first; the generic one takes whatever has columns of tokens.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator
from functools import cache
from io import BytesIO
from itertools import islice

import msgspec

from scrimp.audit.beginning import kinds_of, lay_out
from scrimp.audit.document import Document
from scrimp.audit.entry import BadRecord
from scrimp.audit.formats.base import NO_OPTIONS, Format, Options, Row, Sample
from scrimp.audit.framing import Layout, decoded, pieces, rows
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
HEAD = 4 * 1024 * 1024
"""Bytes of a file that its format is told by: a few of the longest rows."""
SAMPLED = 50
"""Rows of them that are decoded."""
STEP = 64 * 1024
"""Bytes of the beginning that are cut into rows at a time, until there are enough."""


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
    for one in formats():
        if one.name == name:
            return one
    raise ScrimpError(f"--format: there is no format {name!r}", hint=f"Formats: {', '.join(f.name for f in formats())}")


def detect(name: str, head: bytes, forced: str = "", options: Options = NO_OPTIONS) -> Known:
    """What a log is by its first bytes. ScrimpError where it is nothing we know, with what was seen in it."""
    layout = lay_out(name, head)
    sample = _sample(name, head, layout)
    if layout.shape == "csv":
        layout = msgspec.structs.replace(layout, kinds=kinds_of(layout, sample.rows))
    if forced or options.columns:
        form = named(forced or "generic")
    else:
        form = next((one for one in formats() if one.fits(sample)), None) or _unknown(sample)
    if form.settle is None:
        return Known(form, layout, sample, options)
    try:
        return Known(form, layout, sample, form.settle(sample, options))
    except ScrimpError as error:
        raise ScrimpError(f"{name}: {error.message}", hint=error.hint) from None


def _unknown(sample: Sample) -> Format:
    """Says what was seen of a log that no format fits."""
    if not sample.columns:
        raise ScrimpError(
            f"{sample.name}: none of its first rows can be read", hint="Is it JSON lines, CSV with a header, or JSON?"
        )
    seen = ", ".join(sample.columns[:12])
    reason = f"it has {seen}"
    try:
        (named("generic").settle or (lambda *_: None))(sample, NO_OPTIONS)
    except ScrimpError as error:
        reason = error.message
    raise ScrimpError(
        f"{sample.name}: no log format that scrimp knows; {reason}",
        hint="Name the columns, such as --map input=PromptTokens --map output=AnswerTokens, or a format with --format",
    )


def _sample(name: str, head: bytes, layout: Layout) -> Sample:
    """The first rows that can be read, and the keys of what they lie in."""
    read = BytesIO(head).read
    if layout.shape == "json":
        document = Document(read, STEP)
        found = tuple(
            islice(_objects(decoded(text.encode("utf-8", "replace")) for _, text in document.rows()), SAMPLED)
        )
        return Sample(name, "json", _keys(found), found, document.around)
    every = (row for piece in pieces(layout, read, STEP) for _, row in rows(layout, piece))
    found = tuple(islice(_objects(every), SAMPLED))
    around: tuple[str, ...] = ()
    if layout.within:
        bare = msgspec.structs.replace(layout, within="")
        lines = (row for piece in pieces(bare, BytesIO(head).read, STEP) for _, row in rows(bare, piece))
        around = tuple(next(_objects(lines), ()))
    return Sample(name, layout.shape, layout.columns or _keys(found), found, around)


def _objects(found: Iterable[Row | BadRecord]) -> Iterator[Row]:
    return (row for row in found if not isinstance(row, BadRecord))


def _keys(found: Iterable[Row]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(key for row in found for key in row))
