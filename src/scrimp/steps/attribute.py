"""Who pays: labels from scrimp's headers, else the dialect's fields, else other gateways' headers, else a fingerprint.

Labels are text of strangers: cut to a length, control characters out, never a reason to fail a call. Calls that share a
system prompt and tools, or a long opening, are one feature, named by its commonest words.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from scrimp.call import Call

if TYPE_CHECKING:
    from scrimp.world import World

LONGEST = 120
"""Characters kept of a label."""
MOST_TAGS = 16
_OWN = {
    b"x-scrimp-feature": "feature", b"x-scrimp-user": "user", b"x-scrimp-team": "team", b"x-scrimp-session": "session",
    b"x-scrimp-environment": "environment", b"x-scrimp-tags": "tags"
}  # fmt: skip
_FOREIGN = {
    b"helicone-user-id": "user", b"helicone-session-id": "session", b"x-litellm-end-user-id": "user",
    b"x-litellm-tags": "tags", b"x-portkey-trace-id": "session"
}  # fmt: skip
_FOREIGN_JSON = (b"x-portkey-metadata", b"cf-aig-metadata", b"x-litellm-spend-logs-metadata")
_CREDENTIALS = (b"authorization", b"x-api-key", b"api-key", b"x-goog-api-key")
_PROPERTY = b"helicone-property-"
_NAMES = {
    "feature": "feature", "user": "user", "_user": "user", "user_id": "user", "team": "team", "session": "session",
    "session_id": "session", "environment": "environment", "env": "environment", "tags": "tags"
}  # fmt: skip
_BAD = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
_OPENING = 200
"""An opening shorter than this is a question, not a template."""
_STOP_WORDS = """
    a all also an and any are as at be but by can do each else for from give given has have how if in into is it its
    may must never no not of on one only or other our should so such than that the their them then there these they
    this to up use used user users using was we what when where which who will with you your assistant answer helpful
    please make
"""
_STOP = frozenset(_STOP_WORDS.split())


def attribute(call: Call, world: World) -> None:
    """Write `call.who`."""
    own, foreign, credential = _read_headers(call)
    body: dict[str, Any] = {}
    if call.ask.labels:
        # what else the metadata says may differ in every call (a request id): kept with the call, never a tag
        others = _merge(body, call.ask.labels, tags=False)
        if others:
            call.fact("attribute", {"metadata": others})
    who = call.who
    who.tenant = world.tenant(credential or _query_key(call.query))
    who.key = "" if who.tenant == "anonymous" else f"key-{who.tenant[:8]}"
    for field in ("user", "team", "session", "environment"):
        value = own.get(field) or body.get(field) or foreign.get(field)
        if value:
            setattr(who, field, clean(value))
    tags = [*_tags(own.get("tags")), *_tags(body.get("tags")), *_tags(foreign.get("tags"))]
    if tags:
        who.tags = tuple(dict.fromkeys(tags))[:MOST_TAGS]
    _name_feature(call, world, own.get("feature"), body.get("feature"), foreign.get("feature"))


def _read_headers(call: Call) -> tuple[dict[str, Any], dict[str, Any], bytes]:
    """Our own labels, other gateways' labels, and the credential."""
    own: dict[str, Any] = {}
    foreign: dict[str, Any] = {}
    credential = b""
    for name, value in call.headers:
        if name in _OWN:
            own[_OWN[name]] = value.decode("utf-8", "replace")
        elif name in _FOREIGN:
            _merge(foreign, {_FOREIGN[name]: value.decode("utf-8", "replace")})
        elif name in _FOREIGN_JSON:
            _merge(foreign, _json(value))
        elif name.startswith(_PROPERTY):
            _merge(foreign, {name[len(_PROPERTY) :].decode("latin-1"): value.decode("utf-8", "replace")})
        elif name in _CREDENTIALS and not credential:
            credential = value.removeprefix(b"Bearer ").strip()
    return own, foreign, credential


def clean(value: object) -> str:
    """A label as it may be shown and stored: one line, no control or direction characters, at most LONGEST long."""
    return _BAD.sub("", str(value)).strip()[:LONGEST]


def _name_feature(call: Call, world: World, own: Any, body: Any, foreign: Any) -> None:
    who = call.who
    if own:
        who.feature, who.feature_from = clean(own), "header"
    elif body:
        who.feature, who.feature_from = clean(body), "body"
    elif foreign:
        who.feature, who.feature_from = clean(foreign), "other-gateway"
    elif world.config.attribute.fingerprint != "off":
        who.feature = fingerprint(call, world)
        who.feature_from = "fingerprint" if who.feature else "none"


def fingerprint(call: Call, world: World) -> str:
    """The feature's name by what its calls share, "" where they share nothing; the same in every process."""
    ask = call.ask
    shared = ask.system + b"\0" + ask.tools
    if len(shared) == 1:
        if len(ask.opening) < _OPENING:
            return ""
        shared = ask.opening[:400]
    known = world.fingerprints.get(shared)
    if known is None:
        # named from just what the memo goes by, so that every process gives the same name
        plain = world.config.attribute.fingerprint == "hash"
        known = _name(ask.system, ask.tools, ask.opening[:400], plain)
        world.fingerprints.put(shared, known)
    return known


def _name(system: bytes, tools: bytes, opening: bytes, plain: bool) -> str:
    text = _text(system)[:300]
    names = " ".join(re.findall(r'"name"\s*:\s*"([\w.-]{1,64})"', tools[:20_000].decode("utf-8", "replace"))[:32])
    if not text and not names:
        text = _text(opening)[:60]
    shape = re.sub(r"\d+", "0", f"{text}\0{names}".lower())
    digest = hashlib.blake2b(shape.encode(), digest_size=3).hexdigest()
    words = [w for w in re.findall(r"[^\W\d_]{3,20}", f"{text} {names}".lower()) if w not in _STOP]
    if plain or not words:
        return f"f-{digest}"
    first = {word: index for index, word in reversed(list(enumerate(words)))}
    common = sorted(Counter(words).items(), key=lambda item: (-item[1], first[item[0]]))[:3]
    return f"{'-'.join(word for word, _ in common)}-{digest[:4]}"


def _text(raw: bytes) -> str:
    """The words of a raw JSON content, which may be cut short: a string, or a list of blocks with text."""
    try:
        value = msgspec.json.decode(raw) if raw else ""
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return re.sub(r'\\[nrt"]|[\[\]{}"]|type|text|cache_control|ephemeral', " ", raw.decode("utf-8", "replace"))
    if isinstance(value, str):
        return value
    parts = value if isinstance(value, list) else []
    texts = [part.get("text") or part.get("content") for part in parts if isinstance(part, dict)]
    return " ".join(text for text in texts if isinstance(text, str))


def _merge(into: dict[str, Any], labels: Mapping[str, Any], tags: bool = True) -> dict[str, str]:
    """Labels under the names they go by here; what else is said becomes a tag `name=value`, or is given back."""
    others: dict[str, str] = {}
    for key, value in list(labels.items())[:MOST_TAGS]:
        name = _NAMES.get(str(key).lower())
        if name == "tags":
            into["tags"] = [*_tags(into.get("tags")), *_tags(value)]
        elif name is not None and isinstance(value, str | int):
            into.setdefault(name, str(value))
        elif isinstance(value, str | int | float | bool) and tags:
            into["tags"] = [*_tags(into.get("tags")), clean(f"{key}={value}".replace(",", " "))]
        elif isinstance(value, str | int | float | bool):
            others[clean(key)] = clean(value)
    return others


def _tags(value: Any) -> list[str]:
    if isinstance(value, str):
        parts = _json(value.encode()).get("tags", []) if value[:1] == "[" else value.split(",")
        value = parts
    if not isinstance(value, list):
        return []
    return [tag for tag in (clean(str(part).replace(",", " ")) for part in value[:MOST_TAGS]) if tag]


def _json(value: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    if isinstance(found, list):
        return {"tags": found}
    return found if isinstance(found, dict) else {}


def _query_key(query: bytes) -> bytes:
    for part in query.split(b"&"):
        name, _, value = part.partition(b"=")
        if name in (b"key", b"api_key", b"api-key"):
            return value
    return b""
