"""What a model wrote, gathered from an answer or from as much of a stream as came: to be counted, never shown.

Visible text, refusals, tool-call arguments, code, and thinking that passed by. A walk over the parts of an answer that
the model writes, by the names that dialects give to text; what only quotes, signs or repeats is left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from scrimp.wire.sse import Piece, decode, listed, pieces

_WRITTEN = frozenset((
    "arguments", "code", "content", "delta", "input", "partial_json", "reasoning", "reasoning_content", "refusal",
    "response", "text", "thinking", "transcript"
))  # fmt: skip
"""Keys whose text is the model's own."""
_OBJECTS = frozenset(("args", "arguments", "input"))
"""Keys whose objects are arguments a model wrote as JSON."""
_NOT_WRITTEN = frozenset((
    "annotations", "audio_data", "citationMetadata", "citations", "groundingMetadata", "logprobs", "outputs",
    "reasoning_details", "results", "safetyRatings", "source"
))  # fmt: skip
"""Keys below which nothing is the model's own, or everything stands elsewhere too."""
_ROOTS = ("choices", "output", "candidates", "message", "response", "content", "contentBlockDelta", "outputs", "steps")


def text_of_body(api: str | None, body: bytes | Mapping[str, Any]) -> str:
    """Everything the model wrote in a body, in order; what can be read of a broken one counts as a stream."""
    decoded = decode(body) if isinstance(body, bytes) else body
    if isinstance(decoded, Mapping):
        return "".join(_from_body(decoded))
    return text_of_stream(api, body) if isinstance(body, bytes) else ""


def text_of_stream(api: str | None, body: bytes | Sequence[Any]) -> str:
    """Everything the model wrote in a stream, as far as it came; the dialect is told by the shape of its events."""
    found = pieces(body) if isinstance(body, bytes) else listed(body)
    return "".join(_from_events(found))


def _from_body(body: Mapping[str, Any]) -> Iterator[str]:
    for name in _ROOTS:
        value = body.get(name)
        if isinstance(value, str) and name in _WRITTEN:
            yield value
        else:
            yield from _written(value)


def _from_events(found: Iterable[Piece]) -> Iterator[str]:
    for piece in found:
        event = decode(piece) if isinstance(piece, bytes) else piece
        if not isinstance(event, Mapping):
            continue
        kind = event.get("type") or event.get("event_type")
        if not isinstance(kind, str):
            yield from _from_body(event)
        elif _is_delta(kind):
            delta = event.get("delta")
            yield from (delta,) if isinstance(delta, str) else _written(delta)
        elif kind == "chat.completion.chunk":
            yield from _from_body(event)


def _is_delta(kind: str) -> bool:
    """Whether an event of this type brings new text: Responses, Messages, Interactions, Cohere."""
    return kind.endswith("delta") and not kind.endswith("audio.delta")


def _written(value: object) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _written(item)
    elif isinstance(value, Mapping):
        kind = value.get("type")
        if isinstance(kind, str) and kind.endswith(("_result", "_output", "signature")) and kind != "model_output":
            return
        for key, item in value.items():
            if isinstance(item, str):
                if key in _WRITTEN:
                    yield item
            elif isinstance(item, Mapping) and key in _OBJECTS:
                yield json.dumps(item, ensure_ascii=False, default=str) if item else ""
            elif key not in _NOT_WRITTEN:
                yield from _written(item)
