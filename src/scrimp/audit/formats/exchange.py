"""A logged HTTP exchange: where the request went, what was sent and what came back, by whatever keys a log has for it.

A path tells what it is for: asking a model, fetching an answer given before, or something that no model does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal, NamedTuple
from urllib.parse import unquote

from scrimp.audit.formats.base import Row, text
from scrimp.audit.formats.fields import cell
from scrimp.call import Api

Purpose = Literal["call", "look-up", "unknown", "free"]
"""What a path is for: asking a model, fetching an answer given before, nobody knows, or nothing that a model does."""


class Address(NamedTuple):
    """Where a request went. `model` is the one that the path names, for APIs that have it there."""

    host: str = ""
    purpose: Purpose = "unknown"
    api: Api = "other"
    model: str = ""


class Asked(NamedTuple):
    """The request's side: `uri` "" where the log has bodies alone; `method` in capitals, "" where not said."""

    uri: str = ""
    method: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: Any = None


class Answered(NamedTuple):
    """The answer's side: `status` 0 where the log has none; `failed` is its word for a failure ("error", "timeout")."""

    status: int = 0
    body: Any = None
    failed: str = ""


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
    if _INVOKE.search(path):
        return Address(host, "call", "other", model)
    if _LOOK_UP.search(path):
        return Address(host, "look-up", "openai.responses")
    return Address(host, "unknown", "other", model)


def asked(row: Row, keys: tuple[str, ...]) -> Asked:
    """What was sent: the body is under one of `keys`, alone or with its method, headers and address around it."""
    found = cell(row, *keys)
    around: Mapping[str, Any] = row
    if isinstance(found, dict) and not _AROUND.isdisjoint(found):
        around = found
        found = cell(found, "body", "json", "data")
    uri = cell(around, *_PLACES) or (cell(row, *_PLACES) if around is not row else None)
    method = text(around.get("method") or row.get("method"))
    headers = around.get("headers") or row.get("request_headers")
    return Asked(text(uri), method.upper(), _headers(headers) if headers else (), found)


def answered(row: Row, keys: tuple[str, ...]) -> Answered:
    """What came back: the body is under one of `keys`, alone or with its status around it."""
    found = cell(row, *keys)
    status, failed = _status(row)
    if isinstance(found, dict) and _is_around(found):
        inner, word = _status(found)
        status, failed = inner or status, word or failed
        found = cell(found, "body", "content", "data", "text")
    return Answered(status, found, failed)


def _is_around(found: Mapping[str, Any]) -> bool:
    if "body" in found or "status_code" in found or "statusCode" in found:
        return True
    return type(found.get("status")) is int


def _status(row: Mapping[str, Any]) -> tuple[int, str]:
    """A status as a number, or the word for a failure."""
    for key in _CODES:
        value = row.get(key)
        if value is None:
            continue
        if isinstance(value, str) and value.lower() in _FAILURES:
            return 0, value
        said = text(value)
        if len(said) == 3 and said.isdecimal() and said < "600":
            return int(said), ""
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
