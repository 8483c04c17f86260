"""A request's bytes become an Ask: one parse, typed, unknown fields skipped; the bytes themselves stay as they came.

JSON that msgspec refuses but that is legal (lone surrogates, deep nesting) is looked at by the token scanner of
`splice`, which knows only the top level: such a call still passes. Only what is no JSON at all is refused.
"""

from __future__ import annotations

from typing import Any

import msgspec

from scrimp.call import Api, Ask
from scrimp.errors import Refused
from scrimp.wire.splice import NotJson, top_level


class _Message(msgspec.Struct, gc=False):
    role: str = ""
    content: msgspec.Raw = msgspec.Raw()


class _Body(msgspec.Struct):
    """The fields scrimp reads of any dialect's request; everything else is skipped, not kept."""

    model: Any = ""
    stream: Any = False
    stream_options: Any = None
    max_tokens: Any = None
    max_completion_tokens: Any = None
    max_output_tokens: Any = None
    n: Any = 1
    service_tier: Any = ""
    user: Any = None
    safety_identifier: Any = None
    metadata: Any = None
    system: msgspec.Raw = msgspec.Raw()
    instructions: msgspec.Raw = msgspec.Raw()
    tools: msgspec.Raw = msgspec.Raw()
    messages: list[_Message] = []
    input: msgspec.Raw = msgspec.Raw()
    prompt: msgspec.Raw = msgspec.Raw()


MOST_LOOKED_AT = 2000
"""Bytes of a system prompt, of tools or of an opening that name a feature."""
MOST_WALKED = 256 * 1024
"""Bytes that the token scanner may take on the event loop (about 0.1 s at worst)."""
_decode = msgspec.json.Decoder(_Body).decode


def read_request(api: Api, raw: bytes) -> Ask:
    """What the body asks for. Raises Refused (400) where the body is not JSON, naming the place."""
    if not raw:
        raise Refused("the request has no body", hint="Send the JSON body that the provider's own API takes")
    try:
        body = _decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _read_by_tokens(api, raw)
    options = body.stream_options
    ask = Ask(
        api=api, model=body.model if isinstance(body.model, str) else "", stream=body.stream is True,
        has_stream_options=isinstance(options, dict), cap=_cap(body), n=body.n if type(body.n) is int else 1,
        tier=body.service_tier if isinstance(body.service_tier, str) else "", labels=_labels(body),
        tools=_start(body.tools), parsed=True
    )  # fmt: skip
    if isinstance(options, dict) and isinstance(options.get("include_usage"), bool):
        ask.asked_usage = options["include_usage"]
    ask.system, ask.opening = _first_texts(body)
    return ask


def _cap(body: _Body) -> int | None:
    for value in (body.max_completion_tokens, body.max_output_tokens, body.max_tokens):
        if type(value) is int:
            return value
    return None


def _labels(body: _Body) -> dict[str, Any]:
    """The dialect's own fields that say who calls: metadata first, then the fields made for the end user."""
    metadata = body.metadata
    labels: dict[str, Any] = metadata if isinstance(metadata, dict) else {}
    for value in (body.user, body.safety_identifier):
        if isinstance(value, str) and value and "user" not in labels:
            labels = {**labels, "user": value}
    return labels


def _first_texts(body: _Body) -> tuple[bytes, bytes]:
    """Raw JSON of the system prompt and of the first user message."""
    system = _start(body.system) or _start(body.instructions)
    for message in body.messages:
        if message.role in ("system", "developer"):
            system = system or _start(message.content)
        elif message.role == "user":
            return system, _start(message.content)
    return system, _start(body.input) or _start(body.prompt)


def _start(raw: msgspec.Raw) -> bytes:
    """As much of a piece as the fingerprint goes by; the rest of a large one is never copied."""
    view = memoryview(raw)
    return bytes(view[:MOST_LOOKED_AT])


def _read_by_tokens(api: Api, raw: bytes) -> Ask:
    """Legal JSON that the fast parser refuses: only the top-level strings and booleans that routing needs.

    A very large one is not walked, which would hold every other call: it passes unread, as a compressed body does.
    """
    if len(raw) > MOST_WALKED:
        return Ask(api=api)
    try:
        found = top_level(raw)
    except NotJson as error:
        raise Refused(
            f"the request body is not valid JSON: {error}", hint="Nothing was sent to the provider", code="invalid_json"
        ) from None
    model = found.get("model", [])
    stream = found.get("stream", [])
    return Ask(
        api=api, model=_string(raw[slice(*model[-1])]) if model else "",
        stream=bool(stream) and raw[slice(*stream[-1])] == b"true", has_stream_options="stream_options" in found
    )  # fmt: skip


def _string(raw: bytes) -> str:
    try:
        value = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    return value if isinstance(value, str) else ""
