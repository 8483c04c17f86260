"""A logged body, in whatever way it is written down, as bytes that `scrimp.wire` reads, with a first look at its top.

It may be an object, its JSON text, the text of a stream, a list of a stream's events, or the words alone. Its shape
tells the dialect; whoever logged it rarely does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from scrimp.audit.entry import BadRecord, Entry
from scrimp.audit.formats.base import body, mapping, parsed
from scrimp.call import Api
from scrimp.wire.answer import Reading, read_body, read_stream


class Half(NamedTuple):
    """One body. `top` is its top level, of a stream the answer inside its first event; {} where that is no object.
    `words` is a body that is neither JSON nor a stream: text that somebody took out of it, or an error page."""

    raw: bytes = b""
    top: Mapping[str, Any] = {}
    stream: bool = False
    words: str = ""


NOTHING = Half()
ASKS = ("messages", "input", "prompt", "contents")
"""Where the bodies of requests have what is asked."""
_STREAM = re.compile(r"\s*(?:data|event|id|retry)?:")
_FINISHED = re.compile(rb'"finish_reason"\s*:\s*"')
_STATUSES = {
    "invalid_request_error": 400, "authentication_error": 401, "permission_error": 403, "not_found_error": 404,
    "request_too_large": 413, "rate_limit_error": 429, "rate_limit_exceeded": 429, "insufficient_quota": 429,
    "api_error": 500, "server_error": 500, "overloaded_error": 529,
}  # fmt: skip
"""Kinds of errors -> the HTTP status that their providers send with them, for logs that keep the body alone."""
_OBJECTS: dict[str, Api] = {
    "chat.completion": "openai.chat", "chat.completion.chunk": "openai.chat", "text_completion": "openai.completions",
    "response": "openai.responses", "response.compaction": "openai.responses",
}  # fmt: skip
"""What an answer's `object` says of its dialect."""
_ANSWERS: dict[str, Api] = {
    "choices": "openai.chat", "candidates": "gemini.generate", "usageMetadata": "gemini.generate",
    "stopReason": "bedrock.converse", "messageStart": "bedrock.converse", "contentBlockStart": "bedrock.converse",
    "contentBlockDelta": "bedrock.converse",
}  # fmt: skip
"""Keys that only one dialect's answers have."""
_REQUESTS: dict[str, Api] = {
    "contents": "gemini.generate", "inferenceConfig": "bedrock.converse", "anthropic_version": "anthropic.messages",
    "system": "anthropic.messages", "messages": "openai.chat", "input": "openai.responses",
    "prompt": "openai.completions",
}  # fmt: skip
"""The same of requests, the more particular first; they are asked where the answer does not tell."""


def half(value: Any) -> Half:
    """A body in any of the ways it is logged. BadRecord for what is none."""
    if isinstance(value, dict) and value:
        return Half(body(value), value)
    if isinstance(value, str):
        return _from_text(value)
    if isinstance(value, list) and value:
        return _from_events(value)
    if value in (None, {}, []):
        return NOTHING
    raise BadRecord(f"a body is {str(value)[:40]!r}")


def _from_text(value: str) -> Half:
    start = value.lstrip()[:1]
    if start in ("{", "["):
        found = parsed(value)
        if isinstance(found, dict):
            return Half(value.encode(errors="replace"), found)
        if isinstance(found, list) and found and all(isinstance(event, dict) for event in found):
            return _from_events(found)
        if start == "{":  # events by line, or a body cut short: what can be read of it will be
            first = _first_event(value.lstrip().split("\n", 1)[:1])
            return Half(value.encode(errors="replace"), first, stream=bool(first))
    elif _STREAM.match(value):
        return Half(value.encode(errors="replace"), _first_event(value[:65_536].split("\n", 40)), stream=True)
    return Half(words=value) if start else NOTHING


def _from_events(events: list[Any]) -> Half:
    """A stream as its client logged it, put back as it was sent: the client keeps the mark of its end to itself."""
    if not all(isinstance(event, dict | str) for event in events):
        raise BadRecord("an answer is a list, and no list of events")
    sent = [event.encode(errors="replace") if isinstance(event, str) else body(event) for event in events]
    lines = [b"data: " + event.removeprefix(b"data:").strip() for event in sent]
    if any(map(_FINISHED.search, lines)):
        lines.append(b"data: [DONE]")
    return Half(b"\n\n".join(lines) + b"\n\n", _first_event(events), stream=True)


def _first_event(events: Iterable[Any]) -> Mapping[str, Any]:
    """The first of these events that is an object, or else the answer inside it; {} where there is none."""
    for event in events:
        if isinstance(event, str) and "{" not in event[:8]:
            continue  # a name, a comment, a mark
        found = parsed(event.removeprefix("data:")) if isinstance(event, str) else event
        if isinstance(found, dict):
            inner = found.get("response") or found.get("message") or found.get("interaction")
            return inner if isinstance(inner, dict) else found
    return {}


def api_of(answer: Mapping[str, Any], request: Mapping[str, Any] = {}) -> Api:
    """The dialect of an answer by its shape, else of its request; "other" where neither tells."""
    kind = str(answer.get("object"))
    if kind in _OBJECTS:
        return _OBJECTS[kind]
    if answer.get("type") == "message":
        return "anthropic.messages"
    if kind == "list" and isinstance(answer.get("data"), list):
        return "openai.embeddings"
    for top, known in ((answer, _ANSWERS), (request, _REQUESTS)):
        for key, api in known.items():
            if key in top:
                return api
    return "other"


def is_named(top: Mapping[str, Any]) -> bool:
    """Whether this is what a model's API answers with, by what it calls itself."""
    return str(top.get("object")) in _OBJECTS or (top.get("type") == "message" and "content" in top)


def is_answer(top: Mapping[str, Any]) -> bool:
    """Whether this is what a model's API answers with, by its name or by what it holds."""
    return is_named(top) or any(isinstance(top.get(key), list) for key in ("choices", "candidates")) or reports(top)


def reports(top: Mapping[str, Any]) -> bool:
    """Whether it says how many tokens were used."""
    found = top.get("usage") or top.get("usageMetadata")
    return isinstance(found, dict) and any("oken" in key for key in found)


def trouble(answer: Half, status: int) -> tuple[int, str]:
    """The HTTP status of an answer and its error as "kind: message"; (status, "") for one that succeeded. Status 0: it
    failed, and neither the log nor the kind of the error says with which."""
    error = answer.top.get("error")
    if status < 400 and not error and answer.top.get("type") != "error":
        return status or 200, ""
    said = answer.words.strip() or (read_stream if answer.stream else read_body)(None, answer.raw).error
    if status >= 400:
        return status, (said or f"status {status}")[:200]
    kinds = [error.get("code"), error.get("status"), error.get("type")] if isinstance(error, dict) else []
    known = [_STATUSES.get(kind, 0) if isinstance(kind, str) else kind for kind in kinds]
    return next((one for one in known if type(one) is int and 400 <= one < 600), 0), (said or "error")[:200]


def asking(value: Any) -> dict[str, Any]:
    """The body of a request; {} where the log has none, or has left out what was asked: such bodies are all alike, and
    would look like exact repeats."""
    found = mapping(value)
    return found if any(found.get(name) for name in ASKS) else {}


def saying(message: Mapping[str, Any], finish: str | None = None) -> Half:
    """A message as the body that brings it."""
    top = {"choices": [{"index": 0, "message": message, "finish_reason": finish}]}
    return Half(body(top), top)


def add_answer(entry: Entry, value: Any, marks: Iterable[bytes] = ()) -> Reading:
    """Put an answer's body on an entry, and its finish and tier where the log has none; what it says of itself. A body
    that holds one of `marks` is no longer what the provider sent, and is left out."""
    found = mapping(value)
    if not found:
        return Reading()
    reading = read_body(entry.api, found)
    entry.finish = entry.finish or reading.finish
    entry.tier = entry.tier or reading.tier
    raw = body(found)
    if not any(mark in raw for mark in marks):
        entry.answer = raw
    return reading
