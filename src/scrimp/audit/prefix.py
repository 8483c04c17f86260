"""Prompts as a provider's prompt cache sees them: hashes of growing prefixes, and where a prompt left the one before.

A provider renders tools, then system, then messages, and reuses the longest beginning that it has read before. So one
hash stands for all bytes up to the end of a block: two prompts share as many blocks as they have hashes in common.
"""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from scrimp.call import Api

KIB = 1024
ENDS = (
    *range(KIB, 32 * KIB + 1, KIB),
    *range(40 * KIB, 256 * KIB + 1, 8 * KIB),
    *range(320 * KIB, 4096 * KIB + 1, 64 * KIB),
)
"""Where blocks end, in bytes of the prompt: close where most prompts differ; 960 bytes of hashes at most."""
HASH = 8
"""Bytes of a block's hash."""
MOST_FEATURES = 256
KEPT = 64 * KIB
"""Features whose last prompt is kept, and bytes of each that are."""
SOLID = 4 * KIB
"""Characters from which on encoded data stands for itself by a digest of this many bytes.

A picture or a recording is billed by its size on a screen or in seconds, not by its bytes; about a thousand tokens.
"""

_ORDER: dict[Api, tuple[str, ...]] = {
    "openai.chat": ("tools", "functions", "response_format", "messages"),
    "openai.responses": ("tools", "text", "instructions", "input"),
    "openai.completions": ("prompt",),
    "anthropic.messages": ("tools", "system", "tool_choice", "thinking", "messages"),
    "gemini.generate": ("tools", "toolConfig", "systemInstruction", "system_instruction", "contents"),
    "bedrock.converse": ("toolConfig", "system", "messages"),
    "other": ("tools", "system", "instructions", "messages", "input", "prompt", "contents"),
}
"""The parts of a body that the model reads, in the order in which a provider renders them.

Of Anthropic's settings, `tool_choice` and `thinking` end what may be reused of the messages, not of what is before.
"""
_GROWING = frozenset(("messages", "input", "contents"))
_ELSEWHERE = ("previous_response_id", "conversation", "cachedContent", "cached_content")
"""Fields by which a part of the prompt is at the provider: what the body shows is not what is read."""
_MARKS = ("cache_control", "cachePoint", "prompt_cache_breakpoint")
_MARKED = tuple(f'"{mark}"'.encode() for mark in _MARKS)
_ENCODED = (b"base64", b'"input_audio"', b'"inline', b'"bytes"')
"""What stands in a part that holds a picture, a recording or a file ("inlineData", "inline_data")."""

_encode = msgspec.json.Encoder().encode


class Memory:
    """The prompts of a piece: the last one of each of its features, the first `KEPT` bytes of it."""

    def __init__(self) -> None:
        self._last: OrderedDict[str, list[bytes]] = OrderedDict()

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
        broke, same = self._compare(feature, parts)
        return hashes(prompt), len(prompt), broke, same

    def _compare(self, feature: str, parts: list[bytes]) -> tuple[int | None, int]:
        kept = _beginning(parts)
        before = self._last.get(feature)
        self._last[feature] = kept
        self._last.move_to_end(feature)
        if before is None:
            if len(self._last) > MOST_FEATURES:
                self._last.popitem(last=False)
            return None, 0
        return divergence(before, kept)


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
    at = 0
    for place, (old, new) in enumerate(zip(before, parts, strict=False)):
        if old == new:
            at += len(new)
            continue
        shared = _alike(old, new)
        ended = (place == len(before) - 1 and shared == len(old)) or (place == len(parts) - 1 and shared == len(new))
        if ended:
            return None, 0
        same = _alike_at_end(old[shared:], new[shared:])
        for after, now in zip(before[place + 1 :], parts[place + 1 :], strict=False):
            if after != now:
                same += _alike(after, now)
                break
            same += len(now)
        return at + shared, same
    return None, 0


def _parts(api: Api, body: Mapping[str, Any]) -> Iterator[bytes]:
    """What the model reads of a body, part by part; nothing where the body does not show it all."""
    if any(body.get(name) for name in _ELSEWHERE):
        return
    if api == "openai.responses" and isinstance(body.get("prompt"), Mapping):
        return  # a template that is kept at the provider
    for name in _ORDER.get(api, ()):
        value = body.get(name)
        if value is None:
            continue
        if name in _GROWING and isinstance(value, list):
            for item in value:
                yield _plain(_written(item))
        else:
            yield _plain(_written(value))


def _written(value: Any) -> bytes:
    """A part as bytes: text as it is, so that a text that grows keeps its beginning, anything else as JSON."""
    try:
        return value.encode() if isinstance(value, str) else _encode(value)
    except UnicodeEncodeError:  # half a surrogate pair
        return json.dumps(value).encode()


def _plain(part: bytes) -> bytes:
    """A part without the marks of what is to be cached, which are not read, and with digests for encoded data."""
    if any(mark in part for mark in _MARKED):
        part = _unmarked(part)
    if len(part) >= SOLID and any(sign in part for sign in _ENCODED):
        part = b'"'.join(
            hashlib.blake2b(one).digest() * (SOLID // 64) if len(one) >= SOLID and b" " not in one[:256] else one
            for one in part.split(b'"')
        )
    return part


def _unmarked(part: bytes) -> bytes:
    try:
        return _encode(_without_marks(msgspec.json.decode(part)))
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return part  # a text that speaks of marks


def _without_marks(value: Any) -> Any:
    if isinstance(value, list):
        kept = (_without_marks(item) for item in value)
        return [item for item in kept if item != {}]
    if isinstance(value, dict):
        return {name: _without_marks(item) for name, item in value.items() if name not in _MARKS}
    return value


def _beginning(parts: list[bytes]) -> list[bytes]:
    """The first KEPT bytes."""
    left = KEPT
    kept = []
    for part in parts:
        kept.append(part if len(part) <= left else part[:left])
        left -= len(part)
        if left <= 0:
            break
    return kept


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


def _alike_at_end(one: bytes, other: bytes) -> int:
    """The length of the common end."""
    low, high = 0, min(len(one), len(other))
    end, stop = len(one), len(other)
    while low < high:
        middle = (low + high + 1) // 2
        if one[end - middle : end - low] == other[stop - middle : stop - low]:
            low = middle
        else:
            high = middle - 1
    return low
