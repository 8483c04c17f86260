"""A logged HTTP exchange: where the request went, what was sent and what came back, by whatever keys a log has for it.

A path tells what it is for: asking a model, fetching an answer given before, or something that no model does.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Literal, NamedTuple
from urllib.parse import unquote

from scrimp.audit.formats.base import Row, text
from scrimp.audit.formats.fields import cell
from scrimp.call import Api


class Address(NamedTuple):
    """Where a request went: to ask a model, to fetch an answer, to do what no model does, or nobody knows. `model` is
    the one that the path names, for APIs that have it there."""

    host: str = ""
    purpose: Literal["call", "look-up", "unknown", "free"] = "unknown"
    api: Api = "other"
    model: str = ""


class Exchange(NamedTuple):
    """What a row has of both sides: `uri` "" and `status` 0 where it has bodies alone, `method` in capitals. `failed`
    is its word for a failure ("error", "timeout"); a body is None where there is none."""

    uri: str = ""
    method: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    request: Any = None
    status: int = 0
    answer: Any = None
    failed: str = ""


ASKED = ("request", "request_body")
ANSWERED = ("response", "response_body", "answer", "output", "completion")
_CALLS: tuple[tuple[str, Api], ...] = (
    ("/chat/completions", "openai.chat"), ("/completions", "openai.completions"), ("/embeddings", "openai.embeddings"),
    ("/responses", "openai.responses"), ("/responses/compact", "openai.responses"), ("/messages", "anthropic.messages"),
    ("/converse", "bedrock.converse"), ("/converse-stream", "bedrock.converse"),
    (":generateContent", "gemini.generate"), (":streamGenerateContent", "gemini.generate"),
    (":rawPredict", "other"), (":streamRawPredict", "other"),
)  # fmt: skip
_FREE = re.compile(r"[/:](count_?tokens|countTokens|count-tokens|input_tokens|threads/.*|batches(/.*)?)$")
_INVOKE = re.compile(r"/model/.+/invoke(-with-response-stream)?$")
_LOOK_UP = re.compile(r"/responses/[\w-]+$")
_MODEL = re.compile(r"/model/(.+)/[\w-]+$|/models/([^/:]+)|/deployments/([^/]+)")
_PLACES = ("uri", "url", "path", "endpoint")
_AROUND = frozenset(("url", "uri", "path", "method", "headers", "body"))
"""Keys of a request that lies in an object of its own with what HTTP says around it; no model's request has them."""
_BESIDE = frozenset(("body", "status_code", "statusCode"))
_CODES = ("status_code", "statusCode", "response_status", "status")
_FAILURES = frozenset(("error", "failed", "failure", "timeout", "exception"))


@lru_cache(1024)
def address(uri: str) -> Address:
    """What a URL, or a path alone, says of a request."""
    _, scheme, rest = uri.partition("://")
    host, slash, path = rest.partition("/") if scheme else ("", "/", uri.removeprefix("/"))
    host = host.rpartition("@")[2]
    path = unquote(slash + re.split(r"[?#]", path, maxsplit=1)[0].rstrip("/"))
    if _FREE.search(path):
        return Address(host, "free")
    found = _MODEL.search(path)
    model = next(filter(None, found.groups()), "") if found else ""
    for ending, api in _CALLS:
        if path.endswith(ending):
            return Address(host, "call", api, model)
    if _LOOK_UP.search(path):
        return Address(host, "look-up", "openai.responses")
    return Address(host, "call" if _INVOKE.search(path) else "unknown", "other", model)


def exchange(row: Row) -> Exchange:
    """Both sides of a row: bodies alone, or in objects with what HTTP says around them."""
    sent, around = cell(row, *ASKED), row
    if isinstance(sent, dict) and not _AROUND.isdisjoint(sent):
        sent, around = cell(sent, "body", "json", "data"), sent
    uri = cell(around, *_PLACES) or (cell(row, *_PLACES) if around is not row else None)
    headers = around.get("headers") or row.get("request_headers")
    came = cell(row, *ANSWERED)
    status, failed = _status(row)
    # an answer in an object of its own; those of the Responses API have a status that is a word
    if isinstance(came, dict) and (type(came.get("status")) is int or not _BESIDE.isdisjoint(came)):
        inner, word = _status(came)
        status, failed = inner or status, word or failed
        came = cell(came, "body", "content", "data", "text")
    method = text(around.get("method") or row.get("method")).upper()
    return Exchange(text(uri), method, _headers(headers) if headers else (), sent, status, came, failed)


def _status(row: Row) -> tuple[int, str]:
    """A status as a number, or the word for a failure."""
    for key in _CODES:
        said = text(row[key]) if key in row else ""
        if len(said) == 3 and said.isdecimal() and said < "600":
            return int(said), ""
        if said.lower() in _FAILURES:
            return 0, said
    return 0, ""


def _headers(found: Any) -> tuple[tuple[str, str], ...]:
    """Names in lower case with their values, from an object (of texts or lists of them) or from a list of pairs."""
    pairs = found.items() if isinstance(found, dict) else found if isinstance(found, list) else ()
    kept = []
    for pair in pairs:
        name, value = pair if isinstance(pair, list | tuple) and len(pair) == 2 else ("", None)
        value = value[0] if isinstance(value, list) and value else value
        if isinstance(name, str) and isinstance(value, str):
            kept.append((name.lower(), value))
    return tuple(kept)
