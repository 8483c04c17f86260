"""Claude Code's session files: a JSON line for each event; the assistant's lines with a usage are the calls.

A message is written down again for each of its blocks and while it grows: all of its lines have one id, so the audit
counts the fullest. Prompts are not kept in the form they were sent, so loops are told by the tools that were called.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from scrimp.audit.entry import BadRecord, Entry
from scrimp.audit.formats.base import Format, Row, Sample, amount, each, moment, text
from scrimp.wire.answer import read_body

SYNTHETIC = "<synthetic>"
"""The model of messages that Claude Code wrote itself."""
EVENTS = frozenset(("user", "assistant", "system", "progress", "attachment", "queue-operation"))
"""Kinds of lines that name their session."""
SIDE = frozenset(("summary", "file-history-snapshot", "ai-title", "custom-title", "last-prompt"))
"""Kinds of lines that need not."""
_encode = msgspec.json.Encoder(order="deterministic").encode
_SEPARATOR = re.compile(r"[/\\\\]")


def _fits(sample: Sample) -> bool:
    return sample.shape != "csv" and any(_is_event(row) for row in sample.rows)


def _is_event(row: Row) -> bool:
    kind = row.get("type")
    if not isinstance(kind, str):
        return False
    if kind in SIDE:
        return not row.keys().isdisjoint(("leafUuid", "messageId", "sessionId"))
    return kind in EVENTS and ("sessionId" in row or ("session_id" in row and "message" in row))


def read(row: Row) -> tuple[Entry, ...]:
    """The call of a line; none where it is the user's, a tool's or Claude Code's own."""
    if row.get("type") == "progress":
        row = _within(row)
    if row.get("type") != "assistant":
        return ()
    message = row.get("message")
    if not isinstance(message, dict):
        raise BadRecord("a line of the assistant without a message")
    if row.get("isApiErrorMessage") is True:
        return (_failed(row, message),)
    if message.get("model") == SYNTHETIC or not isinstance(message.get("usage"), dict):
        return ()
    reading = read_body("anthropic.messages", message)
    if reading.usage is None:
        raise BadRecord("its usage has no number of tokens")
    entry = _entry(row)
    entry.id = _id(row, message)
    entry.model = entry.answered = text(message.get("model"))
    entry.provider = _seller(entry.model, text(message.get("id")))
    entry.usage = reading.usage
    entry.finish = reading.finish
    entry.tier = reading.tier
    entry.action = _action(message.get("content"))
    return (entry,)


def _within(row: Row) -> Row:
    """The line of an agent that the line of its parent repeats, where it has the ids by which it counts once."""
    data = row.get("data")
    inner = data.get("message") if isinstance(data, dict) and data.get("type") == "agent_progress" else None
    if isinstance(inner, dict) and inner.get("requestId") and isinstance(inner.get("message"), dict):
        return {**row, "isSidechain": True, **inner}
    return {}


def _entry(row: Row) -> Entry:
    """What every line says of its surroundings."""
    tags = []
    if row.get("isSidechain") is True:
        tags.append("sidechain")
    if branch := text(row.get("gitBranch")):
        tags.append(f"branch={branch}")
    return Entry(
        at=moment(row.get("timestamp")),
        api="anthropic.messages",
        feature=_project(text(row.get("cwd"))),
        session=text(row.get("sessionId")) or text(row.get("session_id")),
        tags=tuple(tags),
        logged=amount(row.get("costUSD")),
    )


def _id(row: Row, message: Mapping[str, Any]) -> str:
    """The message's id and its request's; a line with neither is known by its own, which a resumed session repeats."""
    answer, request = text(message.get("id")), text(row.get("requestId"))
    return f"{answer}:{request}" if answer or request else text(row.get("uuid"))


def _seller(model: str, answer: str) -> str:
    """Who was paid, by the form of the names that clouds give to messages and models; "": the model's own maker."""
    if answer.startswith("msg_bdrk_") or "anthropic." in model:
        return "bedrock"
    if answer.startswith("msg_vrtx_") or "@" in model:
        return "vertex"
    return "anthropic" if model.startswith("claude") else ""


def _project(folder: str) -> str:
    """The name of a folder, of Windows too."""
    return _SEPARATOR.split(folder.rstrip("/\\"))[-1]


def _failed(row: Row, message: Mapping[str, Any]) -> Entry:
    """A call that gave nothing: what the API said, by its name (`rate_limit`) where the line has one."""
    entry = _entry(row)
    entry.id = text(row.get("uuid"))
    status, error = row.get("apiErrorStatus"), row.get("error")
    if isinstance(error, dict):
        status = error.get("status") if status is None else status
        error = error.get("type") or error.get("message")
    entry.status = status if type(status) is int and 400 <= status < 600 else 0
    entry.error = text(error)[:200] or _words(message)[:200] or "api error"
    return entry


def _blocks(content: Any) -> list[dict[str, Any]]:
    return [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []


def _words(message: Mapping[str, Any]) -> str:
    return next((text(block.get("text")) for block in _blocks(message.get("content")) if block.get("text")), "")


def _action(content: Any) -> str:
    """The tools that a message calls, with their arguments: equal actions give equal text."""
    calls = [[block.get("name"), block.get("input")] for block in _blocks(content) if block.get("type") == "tool_use"]
    try:
        return _encode(calls).decode() if calls else ""
    except (UnicodeEncodeError, RecursionError):
        return ""


FORMATS = (
    Format(
        "claude_code",
        "Claude Code sessions",
        _fits,
        each(read),
        missing=("what exact repeats cost (prompts are not kept as they were sent)",),
    ),
)
