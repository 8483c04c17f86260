"""Prompts as a provider's prompt cache sees them: hashes of growing prefixes, and where a prompt left the one before.

A provider renders tools, then system, then messages, and reuses the longest beginning that it has read before. So one
hash stands for all bytes up to the end of a block: two prompts share as many blocks as they have hashes in common.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any

import msgspec

from scrimp.call import Api

KIB = 1024
ENDS = tuple(KIB * end for end in (*range(1, 33), *range(40, 257, 8), *range(320, 4097, 64)))
HASH = 8
"""Where blocks end, in bytes of the prompt, close where most prompts differ; and the bytes of a block's hash."""
MOST_FEATURES = 256
KEPT = 64 * KIB
"""Features whose last prompt is kept, and bytes of each that are."""
SOLID = 4 * KIB
"""Characters from which on encoded data stands for itself by a digest of this many bytes: a picture or a recording is
billed by its size on a screen or in seconds, at about a thousand tokens."""

_ORDER: dict[Api, tuple[str, ...]] = {
    "openai.chat": ("tools", "functions", "response_format", "messages"),
    "openai.responses": ("tools", "text", "instructions", "input"),
    "openai.completions": ("prompt",),
    "anthropic.messages": ("tools", "system", "tool_choice", "thinking", "messages"),
    "gemini.generate": ("tools", "toolConfig", "systemInstruction", "system_instruction", "contents"),
    "bedrock.converse": ("toolConfig", "system", "messages"),
    "other": ("tools", "system", "instructions", "messages", "input", "prompt", "contents"),
}
"""The parts of a body that the model reads, in the order in which a provider renders them. Anthropic's `tool_choice`
and `thinking` end what may be reused of the messages, not of what is before."""
_ELSEWHERE = ("previous_response_id", "conversation", "cachedContent", "cached_content")
"""Fields by which a part of the prompt is at the provider: what the body shows is not what is read."""
_MARKS = ("cache_control", "cachePoint", "prompt_cache_breakpoint")
"""What asks for a cache; the model does not read it."""
_ENCODED = (b"base64", b'"input_audio"', b'"inline', b'"bytes"')
_DATA = re.compile(rb"(?<![\w+/=-])[\w+/=-]{%d,}" % SOLID)
"""What stands in a part that holds a picture, a recording or a file ("inlineData", "inline_data"), and its data."""

_encode = msgspec.json.Encoder().encode


class Memory:
    """The prompts of a piece: the last one of each of its features, the first `KEPT` bytes of it."""

    def __init__(self) -> None:
        self._last: dict[str, list[bytes]] = {}

    def seen(self, feature: str, api: Api, body: Mapping[str, Any]) -> tuple[bytes, int, int | None, int]:
        """Prefix hashes, bytes of the prompt, where it left the feature's last one, and bytes alike after that.

        (b"", 0, None, 0) where the body does not show the prompt. The third is None where there was none to compare
        with, or one of the two only goes on where the other ends, as a conversation does.
        """
        try:
            parts = list(_parts(api, body))
        except RecursionError:
            parts = []
        prompt = b"".join(parts)
        if not prompt:
            return b"", 0, None, 0
        starts = accumulate(map(len, parts), initial=0)
        kept = [part[: KEPT - start] for start, part in zip(starts, parts, strict=False) if start < KEPT]
        before = self._last.pop(feature, [])
        self._last[feature] = kept
        if len(self._last) > MOST_FEATURES:
            del self._last[next(iter(self._last))]
        return hashes(prompt), len(prompt), *divergence(before, kept)


def hashes(prompt: bytes) -> bytes:
    """The hash of each prefix of a prompt that ends where a block ends, one after the other."""
    size = len(prompt)
    view = memoryview(prompt)
    running = hashlib.blake2b(digest_size=HASH)
    found = []
    start = 0
    for end in ENDS:
        if end > size:
            break
        running.update(view[start:end])
        found.append(running.copy().digest())
        start = end
    return b"".join(found)


def divergence(before: Sequence[bytes], parts: Sequence[bytes]) -> tuple[int | None, int]:
    """Where a prompt leaves the one before it, and how many bytes are alike again after the part that changed.

    Both as parts in their order. Alike again: the common end of the part that differs, and what follows it. (None, 0)
    where one of the two is the beginning of the other.
    """
    pairs = list(zip(before, parts, strict=False))
    place = next((place for place, (old, new) in enumerate(pairs) if old != new), None)
    if place is None:
        return None, 0
    old, new = pairs[place]
    shared = _alike(old, new)
    if (shared == len(old) and place == len(before) - 1) or (shared == len(new) and place == len(parts) - 1):
        return None, 0
    same = _alike(old[shared:][::-1], new[shared:][::-1])
    for old, new in pairs[place + 1 :]:
        same += _alike(old, new)
        if old != new:
            break
    return sum(map(len, parts[:place])) + shared, same


def _parts(api: Api, body: Mapping[str, Any]) -> Iterator[bytes]:
    """What the model reads of a body, part by part; nothing where the body does not show it all."""
    if any(body.get(name) for name in _ELSEWHERE):
        return
    if api == "openai.responses" and isinstance(body.get("prompt"), Mapping):
        return  # a template that is kept at the provider
    for name in _ORDER.get(api, ()):
        value = body.get(name)
        if isinstance(value, list):
            yield from map(_written, value)
        elif value is not None:
            yield _written(value)


def _written(value: Any) -> bytes:
    """A part as bytes: text as it is, so that one that grows keeps its beginning, else JSON; without marks and data."""
    try:
        part = value.encode() if isinstance(value, str) else _encode(value)
        if (b'"cache' in part or b'"prompt_cache' in part) and not isinstance(value, str):
            kept = _unmarked(value)
            part = _encode(kept) if kept else b""
    except UnicodeEncodeError:  # half a surrogate pair
        part = json.dumps(value).encode()
    if len(part) >= SOLID and any(sign in part for sign in _ENCODED):
        part = _DATA.sub(lambda data: hashlib.blake2b(data[0]).digest() * (SOLID // 64), part)
    return part


def _unmarked(value: Any) -> Any:
    if isinstance(value, list):
        return [item for item in map(_unmarked, value) if item != {}]
    if isinstance(value, dict):
        return {name: _unmarked(item) for name, item in value.items() if name not in _MARKS}
    return value


def _alike(one: bytes, other: bytes) -> int:
    """The length of the common beginning, by halving: comparing slices is what Python does fast."""
    low, high = 0, min(len(one), len(other))
    if one[:high] == other[:high]:
        return high
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
