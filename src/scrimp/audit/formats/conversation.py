"""Messages as the GenAI conventions keep them on a span, as the bodies of a chat completion.

The same messages give the same body, which is what repeats and prompt prefixes are told by; it is not what was sent
byte for byte. https://github.com/open-telemetry/semantic-conventions-genai (gen-ai-input-messages.json)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from scrimp.audit.formats.base import body, parsed, text

PARAMETERS = {
    "gen_ai.request.max_tokens": "max_tokens",
    "gen_ai.request.temperature": "temperature",
    "gen_ai.request.top_p": "top_p",
    "gen_ai.request.top_k": "top_k",
    "gen_ai.request.seed": "seed",
    "gen_ai.request.stop_sequences": "stop",
    "gen_ai.request.choice.count": "n",
    "gen_ai.request.frequency_penalty": "frequency_penalty",
    "gen_ai.request.presence_penalty": "presence_penalty",
}
"""An attribute -> the parameter of a request that it is."""


def bodies(told: Mapping[str, Any], model: str, answered: str, finish: str) -> tuple[bytes, bytes]:
    """The request and the answer that a span keeps; b"" for what it does not keep."""
    asked, said = _list(told, "gen_ai.input.messages"), _list(told, "gen_ai.output.messages")
    system = _list(told, "gen_ai.system_instructions")
    if not asked and not system:
        return b"", b""
    request: dict[str, Any] = {"model": model, "messages": [_message(one) for one in asked]}
    if system:
        request["messages"].insert(0, _message({"role": "system", "parts": system}))
    if tools := _list(told, "gen_ai.tool.definitions"):
        request["tools"] = tools
    request |= {name: told[key] for key, name in PARAMETERS.items() if told.get(key) is not None}
    choices = [
        {"index": at, "message": _message(one), "finish_reason": text(one.get("finish_reason")) or finish or None}
        for at, one in enumerate(said)
    ]
    try:
        return body(request), body({"model": answered, "choices": choices}) if choices else b""
    except (msgspec.EncodeError, UnicodeEncodeError, OverflowError, RecursionError):
        return b"", b""


def _list(told: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """A list of objects, or its JSON text; [] for what is neither."""
    found = parsed(told.get(name))
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _message(found: Mapping[str, Any]) -> dict[str, Any]:
    """A message with its parts put where a chat completion has them."""
    parts = found.get("parts")
    if not isinstance(parts, list):
        return {"role": text(found.get("role")), "content": found.get("content")}
    message: dict[str, Any] = {"role": text(found.get("role"))}
    content: list[Any] = []
    calls = []
    for part in parts:
        kind = part.get("type") if isinstance(part, dict) else None
        if kind == "text":
            content.append({"type": "text", "text": part.get("content")})
        elif kind == "tool_call":
            calls.append(_tool_call(part))
        elif kind == "tool_call_response":
            message["tool_call_id"] = part.get("id")
            result = part.get("response") if "response" in part else part.get("result")
            content.append({"type": "text", "text": result if isinstance(result, str) else _json(result)})
        else:
            content.append(part)
    if calls:
        message["tool_calls"] = calls
    plain = len(content) == 1 and isinstance(content[0], dict) and content[0].get("type") == "text"
    message["content"] = content[0].get("text") if plain else content or None
    return message


def _tool_call(part: Mapping[str, Any]) -> dict[str, Any]:
    arguments = part.get("arguments")
    written = arguments if isinstance(arguments, str) else _json(arguments)
    return {"id": part.get("id"), "type": "function", "function": {"name": part.get("name"), "arguments": written}}


def _json(value: Any) -> str:
    try:
        return msgspec.json.encode(value).decode()
    except (msgspec.EncodeError, UnicodeEncodeError, OverflowError, RecursionError):
        return ""
