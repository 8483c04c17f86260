"""Messages as the GenAI conventions keep them on a span, as the bodies of a chat completion.

The same messages give the same body, which is what repeats and prompt prefixes are told by; it is not what was sent
byte for byte. https://github.com/open-telemetry/semantic-conventions-genai (gen-ai-input-messages.json)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scrimp.audit.formats.base import body, parsed, text

PARAMETERS = ("max_tokens", "temperature", "top_p", "top_k", "seed", "frequency_penalty", "presence_penalty")
"""Parameters of a request that are attributes under the same name."""


def bodies(told: Mapping[str, Any], model: str, answered: str, finish: str) -> tuple[bytes, bytes]:
    """The request and the answer that a span keeps; b"" for what it does not keep."""
    asked = [_message(one) for one in _list(told, "gen_ai.input.messages")]
    if system := _list(told, "gen_ai.system_instructions"):
        asked.insert(0, _message({"role": "system", "parts": system}))
    if not asked:
        return b"", b""
    request: dict[str, Any] = {"model": model, "messages": asked}
    if tools := _list(told, "gen_ai.tool.definitions"):
        request["tools"] = tools
    request |= {name: told[key] for name in PARAMETERS if (key := f"gen_ai.request.{name}") in told}
    said = _list(told, "gen_ai.output.messages")
    ends = [text(one.get("finish_reason")) or finish or None for one in said]
    choices = [
        {"index": at, "message": _message(one), "finish_reason": end}
        for at, (one, end) in enumerate(zip(said, ends, strict=True))
    ]
    return body(request), body({"model": answered, "choices": choices}) if choices else b""


def _list(told: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """A list of objects, or its JSON text; [] for what is neither."""
    found = parsed(told.get(name))
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _message(found: Mapping[str, Any]) -> dict[str, Any]:
    """A message with its parts put where a chat completion has them."""
    parts = found.get("parts")
    message: dict[str, Any] = {"role": text(found.get("role"))}
    if not isinstance(parts, list):
        return {**message, "content": found.get("content")}
    content: list[Any] = []
    calls = []
    for part in parts:
        kind = part.get("type") if isinstance(part, dict) else None
        if kind == "text":
            content.append({"type": "text", "text": part.get("content")})
        elif kind == "tool_call":
            function = {"name": part.get("name"), "arguments": _written(part.get("arguments"))}
            calls.append({"id": part.get("id"), "type": "function", "function": function})
        elif kind == "tool_call_response":
            message["tool_call_id"] = part.get("id")
            content.append({"type": "text", "text": _written(part.get("response", part.get("result")))})
        else:
            content.append(part)
    if calls:
        message["tool_calls"] = calls
    is_text = len(content) == 1 and isinstance(content[0], dict) and content[0].get("type") == "text"
    message["content"] = content[0].get("text") if is_text else content or None
    return message


def _written(value: Any) -> str:
    return value if isinstance(value, str) else body(value).decode()
