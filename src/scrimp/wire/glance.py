"""The commonest answer, read at a glance: a chat completion, whole or streamed, that says nothing unusual.

Strict types, unknown keys in the usage refused: whatever is not exactly this shape gives None and is read with care by
`answer`. Both must say the same of what both can read (a test holds them to it on every recorded answer).
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from scrimp.call import Usage


class _Inside(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    audio_tokens: int = 0
    text_tokens: int = 0
    image_tokens: int = 0


class _Spoken(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    reasoning_tokens: int = 0
    audio_tokens: int = 0
    text_tokens: int = 0
    image_tokens: int = 0
    accepted_prediction_tokens: int = 0
    rejected_prediction_tokens: int = 0


class _Used(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: _Inside | None = None
    completion_tokens_details: _Spoken | None = None


class _Choice(msgspec.Struct, gc=False):
    index: int = 0
    finish_reason: str | None = None


class _Chat(msgspec.Struct, gc=False):
    """A chat completion or one chunk of it; keys that `answer` would look at elsewhere must be absent."""

    id: str
    model: str
    choices: list[_Choice]
    usage: _Used | None = None
    service_tier: str | None = None
    error: None = None
    x_groq: None = None
    timings: None = None
    message: None = None
    metadata: None = None


class Glance(NamedTuple):
    """What was read."""

    usage: Usage
    model: str
    tier: str
    finish: str
    id: str


_read = msgspec.json.Decoder(_Chat).decode
_DONE = b"\n\ndata: [DONE]\n\n"
_DATA = b"data: "


def chat(body: bytes) -> Glance | None:
    """A whole chat completion of the common shape, or None."""
    try:
        found = _read(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    usage = _usage(found.usage)
    if usage is None or not found.choices or found.choices[0].index or not found.choices[0].finish_reason:
        return None
    return Glance(usage, found.model, (found.service_tier or "").lower(), found.choices[0].finish_reason, found.id)


def chat_stream(body: bytes) -> Glance | None:
    """A whole stream of the common shape: the first chunk, the last choice's, the usage's, [DONE]; or None."""
    if not body.startswith(_DATA) or not body.endswith(_DONE):
        return None
    end = len(body) - len(_DONE)
    last = body.rfind(b"\n\n", 0, end) + 2
    before = body.rfind(b"\n\n", 0, max(0, last - 2)) + 2
    first = body.find(b"\n\n")
    if last < 2 or before < 2 or first < 0 or b"\r" in body[before:] or b'"error"' in body:
        return None
    try:
        start = _read(body[len(_DATA) : first])
        close = _read(body[before + len(_DATA) : last - 2])
        counted = _read(body[last + len(_DATA) : end])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    usage = _usage(counted.usage)
    if usage is None or counted.choices or len(close.choices) != 1 or close.choices[0].index:
        return None
    if not close.choices[0].finish_reason or start.usage is not None or close.usage is not None:
        return None
    tier = counted.service_tier or close.service_tier or start.service_tier or ""
    return Glance(usage, counted.model, tier.lower(), close.choices[0].finish_reason, counted.id)


def _usage(used: _Used | None) -> Usage | None:
    """The usage in disjoint classes, where it needs no second thought."""
    if used is None:
        return None
    prompt, completion = used.prompt_tokens, used.completion_tokens
    cached = written = reasoning = rejected = 0
    if (inside := used.prompt_tokens_details) is not None:
        cached, written = inside.cached_tokens, inside.cache_write_tokens
        if inside.audio_tokens or inside.image_tokens:
            return None
    if (spoken := used.completion_tokens_details) is not None:
        reasoning, rejected = spoken.reasoning_tokens, spoken.rejected_prediction_tokens
        if spoken.audio_tokens or spoken.image_tokens:
            return None
    odd = min(prompt, completion, cached, written, reasoning, rejected) < 0 or used.total_tokens > 2**40
    if odd or used.total_tokens != prompt + completion:
        return None
    if cached + written > prompt or reasoning + rejected > completion or not prompt:
        return None
    return Usage(
        input=prompt - cached - written, cached=cached, cache_write=written, output=completion - reasoning - rejected,
        reasoning=reasoning, rejected_prediction=rejected
    )  # fmt: skip
