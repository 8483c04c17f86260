"""A logged HTTP exchange: where the request went, what was sent and what came back, by whatever keys a log has for it.

A path tells what it is for: asking a model, fetching an answer given before, or something that no model does.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Literal, NamedTuple
from urllib.parse import unquote

from scrimp.audit.formats.base import Row, text
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
    ("/chat/completions", "openai.chat"),
    ("/completions", "openai.completions"),
    ("/responses", "openai.responses"),
    ("/responses/compact", "openai.responses"),
    ("/embeddings", "openai.embeddings"),
    ("/messages", "anthropic.messages"),
    ("/converse", "bedrock.converse"),
    ("/converse-stream", "bedrock.converse"),
    (":generateContent", "gemini.generate"),
    (":streamGenerateContent", "gemini.generate"),
    (":rawPredict", "other"),
    (":streamRawPredict", "other"),
)
_FREE = re.compile(r"[/:](count_?tokens|countTokens|count-tokens|input_tokens|threads/.*|batches(/.*)?)$")
_INVOKE = re.compile(r"/model/.+/invoke(-with-response-stream)?$")
_LOOK_UP = re.compile(r"/responses/[\w-]+$")
_MODEL = re.compile(r"/model/(.+)/[\w-]+$|/models/([^/:]+)|/deployments/([^/]+)")
_PLACES = ("uri", "url", "path", "endpoint")
_AROUND = frozenset(("url", "uri", "path", "method", "headers", "body", "postData"))
"""Keys of a request that lies in an object of its own with what HTTP says around it; no model's request has them."""
_CODES = ("status_code", "statusCode", "response_status", "status")
_FAILURES = frozenset(("error", "failed", "failure", "timeout", "exception"))


@lru_cache(1024)
def address(uri: str) -> Address:
    """What a URL, or a path alone, says of a request."""
    _, scheme, rest = uri.partition("://")
    host, slash, path = rest.partition("/") if scheme else ("", "/", uri.removeprefix("/"))
    path = slash + re.split(r"[?#]", path, maxsplit=1)[0].rstrip("/")
    path = unquote(path)
    host = host.rpartition("@")[2]
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


def asked(row: Row, keys: Iterable[str]) -> Asked:
    """What was sent: the body is under one of `keys`, alone or with its method, headers and address around it."""
    found = _first(row, keys)
    around: Mapping[str, Any] = row
    if isinstance(found, dict) and not _AROUND.isdisjoint(found):
        around = found
        found = _first(found, ("body", "json", "data", "postData"))
        if isinstance(found, dict) and "mimeType" in found:  # HAR
            found = found.get("text")
    uri = text(_first(around, _PLACES)) or text(_first(row, _PLACES))
    method = text(around.get("method")) or text(row.get("method"))
    headers = around.get("request_headers") or around.get("headers") or row.get("request_headers")
    return Asked(uri, method.upper(), _headers(headers) if headers else (), found)


def answered(row: Row, keys: Iterable[str]) -> Answered:
    """What came back: the body is under one of `keys`, alone or with its status around it."""
    found = _first(row, keys)
    status, failed = _status(row)
    if isinstance(found, dict) and _is_around(found):
        inner, word = _status(found)
        status, failed = inner or status, word or failed
        found = _first(found, ("body", "content", "data", "text"))
        if isinstance(found, dict) and ("mimeType" in found or "encoding" in found):  # HAR
            found = _decoded(found)
    return Answered(status, found, failed)


def _first(row: Mapping[str, Any], keys: Iterable[str]) -> Any:
    for key in keys:
        value = row.get(key)
        if value is not None and value != "":
            return value
    return None


def _is_around(found: Mapping[str, Any]) -> bool:
    if "body" in found or "status_code" in found or "statusCode" in found:
        return True
    return isinstance(found.get("content"), dict) or type(found.get("status")) is int


def _status(row: Mapping[str, Any]) -> tuple[int, str]:
    """A status as a number, or the word for a failure."""
    for key in _CODES:
        value = row.get(key)
        if type(value) is int and 100 <= value < 600:
            return value, ""
        if isinstance(value, str):
            if value.isdecimal() and len(value) == 3:
                return int(value), ""
            if value.lower() in _FAILURES:
                return 0, value
    return 0, ""


def _decoded(content: Mapping[str, Any]) -> str:
    found = text(content.get("text"))
    if content.get("encoding") == "base64":
        try:
            return base64.b64decode(found).decode(errors="replace")
        except ValueError:
            return ""
    return found


def _headers(found: Any) -> tuple[tuple[str, str], ...]:
    """Names in lower case with their values, from an object or from a list of pairs."""
    pairs: list[tuple[Any, Any]] = []
    if isinstance(found, dict):
        pairs = list(found.items())
    elif isinstance(found, list):
        for one in found:
            if isinstance(one, dict):
                pairs.append((one.get("name"), one.get("value")))
            elif isinstance(one, list) and len(one) == 2:
                pairs.append((one[0], one[1]))
    kept = ((name, value[0] if isinstance(value, list) and value else value) for name, value in pairs)
    return tuple((name.lower(), value) for name, value in kept if isinstance(name, str) and isinstance(value, str))
