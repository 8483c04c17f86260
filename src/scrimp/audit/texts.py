"""The prompts of example calls, read from the logs once more, where somebody asked to see them.

The working file keeps no text, so whoever did not ask has none lying about.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from scrimp.audit.detect import detect
from scrimp.audit.entry import BadRecord
from scrimp.audit.formats.base import Options, Read
from scrimp.audit.framing import pieces, rows
from scrimp.audit.reading import Feed, Wanted
from scrimp.audit.report import Example
from scrimp.audit.sources import STDIN, Source
from scrimp.report.labels import clean

LONGEST = 400
"""Characters shown of a prompt."""


def fill(examples: Iterable[Example], wanted: Wanted) -> None:
    """Write the text of each example that its log keeps one of; standard input cannot be read again."""
    by_file: dict[str, dict[int, list[Example]]] = {}
    for one in examples:
        by_file.setdefault(one.file, {}).setdefault(one.line, []).append(one)
    for path, lines in by_file.items():
        if path not in (STDIN, "standard input"):
            _fill_from(path, lines, wanted)


def _fill_from(path: str, lines: dict[int, list[Example]], wanted: Wanted) -> None:
    source = Source(path)
    feed = Feed(source)
    options = Options(wanted.columns, wanted.model)
    known = detect(source.name, feed.head, wanted.format, options)
    read = known.format.open(known.layout.columns or known.sample.columns, known.options)
    last = max(lines)
    for piece in pieces(known.layout, feed.read):
        if piece.line > last:
            break
        for line, row in rows(known.layout, piece):
            for example in lines.get(line, ()):
                example.text = _text(read, row)
    source.close()


def _text(read: Read, row: dict[str, Any] | BadRecord) -> str:
    if isinstance(row, BadRecord):
        return ""
    try:
        request = next((entry.request for entry in read(row) if entry.request), b"")
        body = msgspec.json.decode(request) if request else {}
    except (BadRecord, msgspec.DecodeError, UnicodeError, RecursionError):
        return ""
    return clean(last_words(body))[:LONGEST] if isinstance(body, Mapping) else ""


def last_words(body: Mapping[str, Any]) -> str:
    """The text of what was asked last: the last message, or the whole input or prompt."""
    for name in ("messages", "input", "prompt"):
        value = body.get(name)
        if isinstance(value, list) and value:
            value = value[-1]
        if value:
            return _words(value)
    return ""


def _words(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return " ".join(filter(None, (_words(part) for part in value)))
    if isinstance(value, Mapping):
        return next((words for key in ("content", "text", "input") if (words := _words(value.get(key)))), "")
    return ""
