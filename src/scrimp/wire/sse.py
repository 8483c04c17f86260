"""An answer that comes in pieces becomes a list of payloads: server-sent events, JSON lines or a JSON array.

Only the data of an event is kept: every dialect repeats the event's name inside it. Everything works on bytes, so
a stream cut inside a character, a line or an event loses that event and no other.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

Piece = bytes | Mapping[str, Any]
"""One payload of a stream: JSON as it came, or already decoded."""

_BOM = b"\xef\xbb\xbf"
_FIELD = re.compile(rb"^(?:data|event|id|retry)?:", re.MULTILINE)
_SECOND_LOOK = 1024 * 1024
"""Bytes up to which refused JSON is worth the slower parser's time."""
_decode = msgspec.json.Decoder().decode


def split(stream: bytes) -> tuple[list[bytes], bytes]:
    """The data of every event that has ended, in order, and the bytes after the last one.

    Put those bytes before what comes next and split again. Line ends may be LF, CRLF or CR; several data lines of
    one event are joined with LF; comments, names, ids and events without data give nothing.
    https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
    """
    stream = stream.removeprefix(_BOM)
    held = b""
    if b"\r" in stream:
        if stream.endswith(b"\r"):  # perhaps the first half of CRLF
            stream, held = stream[:-1], b"\r"
        stream = stream.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    end = stream.rfind(b"\n\n") + 2
    if end < 2:
        return [], stream + held
    if stream.startswith(b"data: "):
        found = stream[6 : end - 2].split(b"\n\ndata: ")
        if stream.count(b"\n", 0, end) == 2 * len(found):  # nothing but one data line an event: OpenAI's streams
            return found, stream[end:] + held
    return _read_lines(stream[:end]), stream[end:] + held


def _read_lines(stream: bytes) -> list[bytes]:
    found = []
    data: bytes | None = None
    for line in stream.split(b"\n"):
        if line[:5] == b"data:":
            value = line[6:] if line[5:6] == b" " else line[5:]
            data = value if data is None else data + b"\n" + value
        elif not line and data is not None:
            if data:
                found.append(data)
            data = None
    return found


def pieces(body: bytes) -> list[Piece]:
    """The payloads of a whole stream in any of the forms it is sent or logged in; what is unreadable is left as it is.

    A last event without its blank line counts as one.
    """
    if _FIELD.search(body, 0, 4096):
        return list[Piece](split(body if body.endswith(b"\n\n") else body + b"\n\n")[0])
    text = body.removeprefix(_BOM).strip()
    if text.startswith(b"["):
        decoded = decode(text)
        if isinstance(decoded, list):
            return listed(decoded)
    if isinstance(decoded := decode(text), Mapping):
        return [decoded]
    return [line for line in text.splitlines() if line]


def listed(events: Iterable[Any]) -> list[Piece]:
    """The payloads of events given one by one: decoded, or text of JSON or of server-sent events."""
    found: list[Piece] = []
    for event in events:
        if isinstance(event, Mapping):
            found.append(event)
        elif isinstance(event, str | bytes):
            found.extend(pieces(event.encode(errors="replace") if isinstance(event, str) else event))
    return found


def decode(raw: bytes) -> Any:
    """JSON decoded; None where it is none. What msgspec refuses but is in use (NaN, lone surrogates) is read too."""
    try:
        return _decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        if len(raw) > _SECOND_LOOK:
            return None
    try:
        return json.loads(raw.decode(errors="replace"))
    except (ValueError, RecursionError):
        return None
