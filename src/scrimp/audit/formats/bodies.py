"""A logged body, in whatever way it is written down, as bytes that `scrimp.wire` reads, with a first look at its top.

It may be an object, its JSON text, the text of a stream, a list of a stream's events, or the words alone. Its shape
tells the dialect; whoever logged it rarely does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from scrimp.audit.entry import BadRecord
from scrimp.audit.formats.base import body, parsed
from scrimp.call import Api
from scrimp.wire.answer import read_body, read_stream


class Half(NamedTuple):
    """One body. `top` is its top level, of a stream the answer inside its first event; {} where that is no object.

    `words` is a body that is neither JSON nor a stream: text that somebody took out of it, or an error page.
    """

    raw: bytes = b""
    top: Mapping[str, Any] = {}
    stream: bool = False
    words: str = ""


NOTHING = Half()
_STREAM = re.compile(r"\s*(?:data|event|id|retry)?:")
_STATUSES = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "insufficient_quota": 429,
    "api_error": 500,
    "server_error": 500,
    "overloaded_error": 529,
}
"""Kinds of errors -> the HTTP status that their providers send with them, for logs that keep the body alone."""
_OBJECTS: dict[str, Api] = {
    "chat.completion": "openai.chat",
    "chat.completion.chunk": "openai.chat",
    "response": "openai.responses",
    "response.compaction": "openai.responses",
    "text_completion": "openai.completions",
}
"""What an answer's `object` says of its dialect."""
_ANSWERS: tuple[tuple[str, Api], ...] = (
    ("choices", "openai.chat"),
    ("candidates", "gemini.generate"),
    ("usageMetadata", "gemini.generate"),
    ("stopReason", "bedrock.converse"),
    ("messageStart", "bedrock.converse"),
    ("contentBlockStart", "bedrock.converse"),
    ("contentBlockDelta", "bedrock.converse"),
)
"""Keys that only one dialect's answers have."""
_REQUESTS: tuple[tuple[str, Api], ...] = (
    ("contents", "gemini.generate"),
    ("inferenceConfig", "bedrock.converse"),
    ("anthropic_version", "anthropic.messages"),
    ("system", "anthropic.messages"),
    ("messages", "openai.chat"),
    ("input", "openai.responses"),
    ("prompt", "openai.completions"),
)
"""The same of requests, the more particular first; they are asked where the answer does not tell."""


def half(value: Any) -> Half:
    """A body in any of the ways it is logged. BadRecord for what is none."""
    if isinstance(value, dict):
        return Half(body(value), value) if value else NOTHING
    if isinstance(value, str):
        return _from_text(value)
    if isinstance(value, list):
        return _from_events(value) if value else NOTHING
    if value is None:
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
        first = parsed(value.lstrip().partition("\n")[0]) if found is None else None
        if isinstance(first, dict):
            return Half(value.encode(errors="replace"), _answer_in(first), stream=True)
        if found is None and start == "{":
            return Half(value.encode(errors="replace"))  # cut short: what can be read of it will be
    elif _STREAM.match(value):
        return Half(value.encode(errors="replace"), _answer_in(_first_event(value)), stream=True)
    return Half(words=value) if start else NOTHING


def _first_event(stream: str) -> Mapping[str, Any]:
    """The first event of a stream that is an object; {} where there is none near its start."""
    for line in stream[:65_536].split("\n", 40)[:40]:
        if line.startswith("data:") and isinstance(found := parsed(line[5:]), dict):
            return found
    return {}


def _answer_in(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """The answer that an event begins, else the event."""
    for name in ("response", "message", "interaction"):
        if isinstance(inner := event.get(name), dict):
            return inner
    return event


def _from_events(events: list[Any]) -> Half:
    """A stream as its client logged it, put back as it was sent: the client keeps the mark of its end to itself."""
    sent = []
    first: Mapping[str, Any] = {}
    ends = False
    for event in events:
        found = event
        if isinstance(event, str):
            found = parsed(event.removeprefix("data:"))
            ends = ends or "[DONE]" in event
            if found is None:
                sent.append(event.encode(errors="replace"))
                continue
        if not isinstance(found, dict):
            raise BadRecord(f"an answer is a list of {type(event).__name__}, which is no list of events")
        first = first or found
        sent.append(b"data: " + body(found))
        ends = ends or _ends(found)
    return Half(b"\n\n".join([*sent, b"data: [DONE]"] if ends else sent) + b"\n\n", _answer_in(first), stream=True)


def _ends(event: Mapping[str, Any]) -> bool:
    choices = event.get("choices")
    if not isinstance(choices, list):
        return False
    return any(isinstance(choice, dict) and choice.get("finish_reason") for choice in choices)


def api_of(answer: Mapping[str, Any], request: Mapping[str, Any] = {}) -> Api:
    """The dialect of an answer by its shape, else of its request; "other" where neither tells."""
    kind = answer.get("object")
    if isinstance(kind, str) and (api := _OBJECTS.get(kind)) is not None:
        return api
    if answer.get("type") == "message":
        return "anthropic.messages"
    for key, api in _ANSWERS:
        if key in answer:
            return api
    if kind == "list" and isinstance(answer.get("data"), list):
        return "openai.embeddings"
    for key, api in _REQUESTS:
        if key in request:
            return api
    return "other"


def is_named(top: Mapping[str, Any]) -> bool:
    """Whether this is what a model's API answers with, by what it calls itself."""
    kind = top.get("object")
    return (isinstance(kind, str) and kind in _OBJECTS) or (top.get("type") == "message" and "content" in top)


def is_answer(top: Mapping[str, Any]) -> bool:
    """Whether this is what a model's API answers with, by its name or by what it holds."""
    if is_named(top):
        return True
    return any(isinstance(top.get(key), list) for key in ("choices", "candidates")) or reports(top)


def reports(top: Mapping[str, Any]) -> bool:
    """Whether it says how many tokens were used."""
    for name in ("usage", "usageMetadata"):
        found = top.get(name)
        if isinstance(found, dict) and any("oken" in key for key in found):
            return True
    return False


def trouble(answer: Half, status: int) -> tuple[int, str]:
    """The HTTP status of an answer and its error as "kind: message"; (status, "") for one that succeeded.

    Status 0: it failed, and neither the log nor the kind of the error says with which status.
    """
    error = answer.top.get("error")
    if status < 400 and not error and answer.top.get("type") != "error":
        return status or 200, ""
    said = answer.words.strip() or (read_stream if answer.stream else read_body)(None, answer.raw).error
    if status >= 400:
        return status, (said or f"status {status}")[:200]
    kinds = [error.get("code"), error.get("status"), error.get("type")] if isinstance(error, dict) else []
    known = [_STATUSES.get(kind, 0) if isinstance(kind, str) else kind for kind in kinds]
    return next((one for one in known if type(one) is int and 400 <= one < 600), 0), (said or "error")[:200]
