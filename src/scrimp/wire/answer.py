"""An answer's bytes become a Reading: what was used, by which model, and how the answer ended.

One small typed look at the top of a body or event, its content skipped; in a stream, at the start and at the end.
The shape of what came decides how it is read: a provider may speak any dialect, and logs rarely say which.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from scrimp.call import Usage
from scrimp.wire import glance
from scrimp.wire.counts import usage_of
from scrimp.wire.sse import Piece, decode, listed, pieces
from scrimp.wire.text import text_of_body as text_of_body
from scrimp.wire.text import text_of_stream as text_of_stream

Body = bytes | str | Mapping[str, Any] | Sequence[Any]


class Reading(msgspec.Struct, gc=False):
    """What an answer says of itself.

    `usage` None: it reports none. `tier` is the tier it was served in ("" where not said), lower-case; `finish` the
    reason of the first choice in the provider's word. `whole`: a body that could be read, or a stream that was ended
    by its provider. `error` is an error body's or an error event's, as "kind: message".
    """

    usage: Usage | None = None
    model: str = ""
    tier: str = ""
    finish: str = ""
    request_id: str = ""
    whole: bool = False
    error: str = ""


class _Choice(msgspec.Struct, gc=False):
    index: Any = 0
    finish_reason: Any = None
    finishReason: Any = None


class _Top(msgspec.Struct, gc=False):
    """The fields read at the top level of any dialect's body or event; everything else is skipped, not kept."""

    id: Any = None
    type: Any = None
    model: Any = None
    choices: list[_Choice] | None = None
    usage: Any = None
    service_tier: Any = None
    error: Any = None
    response: _Top | str | None = None
    status: Any = None
    incomplete_details: Any = None
    tool_usage: Any = None
    message: Any = None
    stop_reason: Any = None
    delta: Any = None
    request_id: Any = None
    candidates: list[_Choice] | None = None
    usageMetadata: Any = None
    usage_metadata: Any = None
    modelVersion: Any = None
    model_version: Any = None
    responseId: Any = None
    promptFeedback: Any = None
    interaction: _Top | None = None
    event_type: Any = None
    stopReason: Any = None
    messageStop: Any = None
    metadata: Any = None
    serviceTier: Any = None
    finish_reason: Any = None
    meta: Any = None
    x_groq: Any = None
    timings: Any = None
    done: Any = None
    done_reason: Any = None
    prompt_eval_count: Any = None
    eval_count: Any = None
    invocation: Any = msgspec.field(default=None, name="amazon-bedrock-invocationMetrics")


_read_top = msgspec.json.Decoder(_Top).decode
_NAMES = {field.encode_name: field.name for field in msgspec.structs.fields(_Top)}
_ENDS = (
    "message_stop", "message-end", "response.completed", "response.incomplete", "response.failed", "response.done",
    "interaction.completed", "interaction.complete"
)  # fmt: skip
_TRAFFIC = {"on_demand": "", "on_demand_flex": "flex", "on_demand_priority": "priority"}
_ANYWHERE = ("", "global", "not_available")
_LAST = 4
"""Events at the end of a stream that are always looked at; further back only those that may say what is missing."""
_DONE = b"[DONE]"
_USAGE = re.compile(rb'"usage\w*"\s*:\s*\{')
_FINISH = re.compile(rb'inish_?[rR]eason"\s*:\s*"')
_MODEL = re.compile(rb'"model(?:Version)?"\s*:\s*"([^"\\]{1,200})"')


def usage(body: Body, api: str | None = None) -> Usage | None:
    """What an answer used, as its provider bills it; None where it reports nothing.

    `body` is an answer's body (bytes, text or decoded) or its stream: one text of server-sent events or JSON lines,
    or a list of events, each decoded or text; the objects of the official SDKs will do for both. `api` (such as
    "anthropic.messages") is a hint that is rarely needed.
    """
    plain = _plain(body)
    if plain is None:
        return None
    if isinstance(plain, bytes | Mapping):
        return read_body(api, plain).usage
    return read_stream(api, [_plain(event) for event in plain]).usage


def _plain(body: Any) -> Any:
    """An SDK's object as what it was made of, any text or buffer as bytes."""
    if hasattr(body, "model_dump"):
        return body.model_dump()
    if isinstance(body, str):
        return body.encode(errors="replace")
    return bytes(body) if isinstance(body, bytearray | memoryview) else body


def read_body(api: str | None, body: bytes | Mapping[str, Any]) -> Reading:
    """What the body of an answer says. Never raises: a body that cannot be read gives an empty Reading."""
    if isinstance(body, bytes):
        if api == "openai.chat" and (seen := glance.chat(body)) is not None:
            return Reading(seen.usage, seen.model, seen.tier, seen.finish, seen.id, whole=True)
        try:
            top = _read_top(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return _read_odd(api, body, cut="truncated" in str(error))
    else:
        top = _top_of(body)
    reading = Reading(whole=True)
    _note(reading, top, {}, _is_anthropic(api))
    if isinstance(top.message, str) and reading.usage is None and not reading.finish:
        reading.error = reading.error or top.message  # Amazon's errors
    return reading


def _read_odd(api: str | None, body: bytes, cut: bool) -> Reading:
    """A body that is no JSON object of the known kind: a stream after all, or one that lacks its end or its middle."""
    if not cut:
        decoded = decode(body)
        reading = read_body(api, decoded) if isinstance(decoded, Mapping) else read_stream(api, body)
        if reading.usage is not None or reading.model or reading.error:
            return reading
    found = _MODEL.search(body)
    reading = Reading(model=found.group(1).decode(errors="replace") if found else "")
    reading.usage = usage_of(_last_usage(body), _is_anthropic(api))
    if reading.usage is not None and not cut:
        reading.whole = body.lstrip().startswith(b"{") and body.rstrip().endswith(b"}")
    return reading


def _last_usage(body: bytes) -> Mapping[str, Any]:
    """The last usage object in bytes that cannot be read as a whole. (Inside a string its quotes would be escaped.)"""
    at = len(body)
    while (at := body.rfind(b'"usage', 0, at)) >= 0:
        start = body.find(b"{", at, at + 40)
        if start < 0:
            continue
        try:
            value, _ = json.JSONDecoder().raw_decode(body[start : start + 16_384].decode(errors="replace"))
        except (ValueError, RecursionError):
            continue
        if usage_of(value) is not None:
            return dict(value)
    return {}


def read_stream(api: str | None, body: bytes | Sequence[Any]) -> Reading:
    """What a stream says. Never raises: what cannot be read is passed over.

    The last usage counts; Anthropic's later counts are laid over those of its first event.
    """
    if api == "openai.chat" and isinstance(body, bytes) and (seen := glance.chat_stream(body)) is not None:
        return Reading(seen.usage, seen.model, seen.tier, seen.finish, seen.id, whole=True)
    found = pieces(body) if isinstance(body, bytes) else listed(body)
    reading = Reading()
    reported: Mapping[str, Any] = {}
    for top in _telling(found):
        reported = _note(reading, top, reported, _is_anthropic(api))
    if _DONE in found[-2:]:
        reading.whole = True
    elif not isinstance(body, bytes):  # the client that decoded these events kept the [DONE] to itself
        reading.whole = reading.whole or bool(reading.finish and reading.usage is not None)
    return reading


def _telling(found: Sequence[Piece]) -> list[_Top]:
    """The events worth reading, in order: the first, any message_start, and from the end back what is still missing."""
    tops: list[_Top] = []
    usage = finish = False
    at = len(found) - 1
    while at > 0 and (at >= len(found) - _LAST or not (usage and finish)):
        piece = found[at]
        if at >= len(found) - _LAST or _may_tell(piece, usage, finish):
            top = _top(piece)
            if top is not None:
                tops.append(top)
                usage = usage or _counts(top)
                finish = finish or bool(_finish(top))
        at -= 1
    starts = [piece for piece in found[at:0:-1] if _is_start(piece)] if found and _is_start(found[0]) else []
    for piece in (*starts, *found[:1]):
        if (top := _top(piece)) is not None:
            tops.append(top)
    tops.reverse()
    return tops


def _counts(top: _Top) -> bool:
    inner = _inner(top)
    return any(type(value) is int for value in _reported(top if inner is None else inner).values())


def _may_tell(piece: Piece, usage: bool, finish: bool) -> bool:
    """Whether an event may hold what is still missing: a usage that is not null, a finish reason, an error."""
    if not isinstance(piece, bytes):
        return True
    if not usage and b'"usage' in piece and _USAGE.search(piece):
        return True
    if not finish and b"inish" in piece and _FINISH.search(piece):
        return True
    return b'"error"' in piece or b'"timings"' in piece


def _is_start(piece: Piece) -> bool:
    return b'"message_start"' in piece if isinstance(piece, bytes) else piece.get("type") == "message_start"


def _is_anthropic(api: str | None) -> bool:
    return api is not None and api.startswith("anthropic")


def _note(reading: Reading, top: _Top, before: Mapping[str, Any], anthropic: bool) -> Mapping[str, Any]:
    """Write down what one body or event says; give the last usage object, for the next event to be laid over."""
    inner = _inner(top)
    if inner is not None:
        before = _note(reading, inner, before, anthropic)
    found = _reported(top)
    if found and top.type == "message_delta":
        found = {**before, **{name: value for name, value in found.items() if value}}
    if found and (counted := usage_of(found, anthropic)) is not None:
        reading.usage = counted
        before = found
    reading.model = _text(top.model, top.modelVersion, top.model_version) or reading.model
    reading.tier = _tier(top, found) or reading.tier
    reading.finish = _finish(top) or reading.finish
    reading.request_id = _text(top.request_id, top.id, top.responseId) or reading.request_id
    reading.error = _error(top) or reading.error
    reading.whole = reading.whole or _ends(top)
    return before


def _inner(top: _Top) -> _Top | None:
    """The answer inside an event that carries one."""
    if isinstance(top.response, _Top):
        return top.response
    if top.interaction is not None:
        return top.interaction
    return _top_of(top.message) if isinstance(top.message, dict) and top.type == "message_start" else None


def _reported(top: _Top) -> Mapping[str, Any]:
    """The usage object of a body or event, wherever its dialect puts it; empty where there is none."""
    for holder, name in ((top.x_groq, "usage"), (top.metadata, "usage"), (top.delta, "usage")):
        if isinstance(holder, dict) and isinstance(holder.get(name), dict) and not isinstance(top.usage, dict):
            return dict(holder[name])
    for found in (top.usage, top.usageMetadata, top.usage_metadata, top.invocation, top.meta):
        if isinstance(found, dict):
            if isinstance(top.tool_usage, dict) or isinstance(top.timings, dict):
                return {**found, "tool_usage": top.tool_usage, "timings": top.timings}
            return found
    if isinstance(top.timings, dict):
        return {"timings": top.timings}
    if top.eval_count is not None or top.prompt_eval_count is not None:
        return {"prompt_eval_count": top.prompt_eval_count, "eval_count": top.eval_count}
    return {}


def _tier(top: _Top, reported: Mapping[str, Any]) -> str:
    """The tier it was served in, with "+us" where Anthropic says that it was processed there (and so costs more)."""
    said = top.serviceTier
    if isinstance(said, dict):  # Bedrock
        said = said.get("type")
    tier = _text(top.service_tier, said, reported.get("service_tier"), reported.get("serviceTier")).lower()
    if reported.get("speed") == "fast":
        tier = "fast"
    if not tier:
        traffic = _text(reported.get("trafficType"), reported.get("traffic_type")).lower()
        tier = _TRAFFIC.get(traffic, traffic)
    region = _text(reported.get("inference_geo"))
    return tier if region in _ANYWHERE else f"{tier or 'standard'}+{region}"


def _finish(top: _Top) -> str:
    """Why the first choice ended, in the provider's own word; "" while it has not."""
    if top.choices is not None or top.candidates is not None:
        for choice in (*(top.choices or ()), *(top.candidates or ())):
            if not choice.index and (said := _text(choice.finish_reason, choice.finishReason)):
                return said
        return ""
    for holder, name in (
        (top.delta, "stop_reason"),
        (top.delta, "finish_reason"),
        (top.messageStop, "stopReason"),
        (top.incomplete_details, "reason"),
        (top.promptFeedback, "blockReason"),
    ):
        if isinstance(holder, dict) and (said := _text(holder.get(name))):
            return said
    if isinstance(top.response, _Top):
        return _finish(top.response) if top.type in _ENDS else ""
    if top.interaction is not None:
        return _finish(top.interaction) if top.event_type in _ENDS else ""
    return _text(top.stop_reason, top.stopReason, top.finish_reason, top.done_reason, top.status)


def _error(top: _Top) -> str:
    found = top.error
    if isinstance(found, dict):
        kind = _text(found.get("type"), found.get("status"), found.get("code"))
        message = _text(found.get("message"))
        return f"{kind}: {message}" if kind and message else kind or message or "error"
    if isinstance(found, str):
        return found
    return _text(top.message, "error") if top.type == "error" else ""


def _ends(top: _Top) -> bool:
    """Whether this is the event with which a provider ends a stream in order."""
    if top.type in _ENDS or top.event_type in _ENDS or top.done is True:
        return True
    if isinstance(top.metadata, dict) and "usage" in top.metadata:  # Bedrock
        return True
    return (top.candidates is not None or top.promptFeedback is not None) and bool(_finish(top))


def _top(piece: Piece) -> _Top | None:
    """The top level of an event, None where it is no JSON object."""
    if isinstance(piece, bytes):
        if piece == _DONE:
            return None
        try:
            return _read_top(piece)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            piece = decode(piece)
    return _top_of(piece) if isinstance(piece, Mapping) else None


def _top_of(body: Mapping[str, Any]) -> _Top:
    top = _Top(**{name: body[key] for key, name in _NAMES.items() if key in body})
    top.choices = _choices(top.choices)
    top.candidates = _choices(top.candidates)
    top.response = _top_of(top.response) if isinstance(top.response, dict) else None
    top.interaction = _top_of(top.interaction) if isinstance(top.interaction, dict) else None
    return top


def _choices(rows: object) -> list[_Choice] | None:
    if not isinstance(rows, list):
        return None
    return [
        _Choice(row.get("index"), row.get("finish_reason"), row.get("finishReason"))
        for row in rows
        if isinstance(row, Mapping)
    ]


def _text(*values: object) -> str:
    """The first of these that is text and not empty."""
    for value in values:
        if value and isinstance(value, str):
            return value
    return ""
