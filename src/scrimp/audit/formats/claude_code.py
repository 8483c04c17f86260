"""Claude Code's session files: a JSON line for each event; the assistant's lines with a usage are the calls.

A message is written down again for each of its blocks and while it grows: all of its lines have one id, so the audit
counts the fullest. Prompts are not kept in the form they were sent, so loops are told by the tools that were called.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scrimp.audit.entry import BadRecord, Entry
from scrimp.audit.formats.base import Format, Row, Sample, each, mapping, text
from scrimp.audit.formats.fields import Names, acted, cell, dicts, fill, project
from scrimp.wire.answer import read_body

CALL: Names = {"at": ("timestamp",), "session": ("sessionId", "session_id"), "logged": ("costUSD",)}
SYNTHETIC = "<synthetic>"
"""The model of messages that Claude Code wrote itself."""
KINDS = (
    *("user", "assistant", "system", "progress", "attachment", "queue-operation"),
    *("summary", "file-history-snapshot", "ai-title", "custom-title", "last-prompt"),
)
IDS = ("sessionId", "session_id", "leafUuid", "messageId")
"""Every line has a kind, and names its session or the message it is about."""


def read(row: Row) -> tuple[Entry, ...]:
    """The call of a line; none where it is the user's, a tool's or Claude Code's own."""
    if row.get("type") == "progress":
        row = _within(row)
    if row.get("type") != "assistant":
        return ()
    message = row.get("message")
    if not isinstance(message, dict):
        raise BadRecord("a line of the assistant without a message")
    is_failure = row.get("isApiErrorMessage") is True
    if not is_failure and (message.get("model") == SYNTHETIC or not isinstance(message.get("usage"), dict)):
        return ()
    entry = fill(Entry(api="anthropic.messages", feature=project(text(row.get("cwd")))), row, CALL)
    branch = text(row.get("gitBranch"))
    entry.tags = (("sidechain",) if row.get("isSidechain") is True else ()) + ((f"branch={branch}",) if branch else ())
    if is_failure:
        _fail(entry, row, message)
    else:
        _answer(entry, row, message)
    return (entry,)


def _within(row: Row) -> Row:
    """The line of an agent that the line of its parent repeats, where it has the ids by which it counts once."""
    inner = mapping(mapping(row.get("data")).get("message"))
    has_ids = inner.get("requestId") and isinstance(inner.get("message"), dict)
    return {**row, "isSidechain": True, **inner} if has_ids else {}


def _answer(entry: Entry, row: Row, message: Mapping[str, Any]) -> None:
    reading = read_body("anthropic.messages", message)
    if reading.usage is None:
        raise BadRecord("its usage has no number of tokens")
    answer, request = text(message.get("id")), text(row.get("requestId"))
    # a line with neither is known by its own id, which a resumed session repeats
    entry.id = f"{answer}:{request}" if answer or request else text(row.get("uuid"))
    entry.model = entry.answered = text(message.get("model"))
    entry.provider = _seller(entry.model, answer)
    entry.usage, entry.finish, entry.tier = reading.usage, reading.finish, reading.tier
    blocks = dicts(message.get("content"))
    entry.action = acted([[one.get("name"), one.get("input")] for one in blocks if one.get("type") == "tool_use"])


def _seller(model: str, answer: str) -> str:
    """Who was paid, by the form of the names that clouds give to messages and models; "": the model's own maker."""
    if answer.startswith("msg_bdrk_") or "anthropic." in model:
        return "bedrock"
    if answer.startswith("msg_vrtx_") or "@" in model:
        return "vertex"
    return "anthropic" if model.startswith("claude") else ""


def _fail(entry: Entry, row: Row, message: Mapping[str, Any]) -> None:
    """A call that gave nothing: what the API said, by its name (`rate_limit`) where the line has one."""
    entry.id = text(row.get("uuid"))
    status = cell(row, "apiErrorStatus", "error.status")
    words = (block.get("text") for block in dicts(message.get("content")))
    said = (cell(row, "error.type", "error.message"), row.get("error"), *words)
    entry.status = status if type(status) is int and 400 <= status < 600 else 0
    entry.error = next((found for one in said if (found := text(one))), "api error")[:200]


def _fits(sample: Sample) -> bool:
    return any(row.get("type") in KINDS and not row.keys().isdisjoint(IDS) for row in sample.rows)


MISSING = ("what exact repeats cost (prompts are not kept as they were sent)",)
FORMATS = (Format("claude_code", "Claude Code sessions", _fits, each(read), missing=MISSING),)
