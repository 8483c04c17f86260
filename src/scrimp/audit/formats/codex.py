"""OpenAI Codex's session files: a JSON line for each event, of which those that report tokens are the calls.

Newer files have a record for each answer, with its id. Older ones repeat running totals, which change once a call.
Forked sessions and subagents begin with a copy of their parent's events: both copies of a call get the same id.
"""

from __future__ import annotations

from typing import Any

from scrimp.audit.entry import BadRecord, Entry
from scrimp.audit.formats.base import Format, Row, Sample, count, mapping, moment, text
from scrimp.audit.formats.fields import acted, cell, disjoint, project

KINDS = ("session_meta", "turn_context", "event_msg", "response_item", "token_usage_record", "compacted")
"""Kinds of lines; each has its content in `payload`."""
COUNTS = {
    "input": "input_tokens", "cached": "cached_input_tokens", "cache_write": "cache_write_input_tokens",
    "output": "output_tokens", "reasoning": "reasoning_output_tokens",
}  # fmt: skip
"""A class of tokens -> its name; cached and written ones are in the input, reasoning is in the output."""
LONG = 16
"""A turn with an id of so many characters is the only one with it; shorter ones are numbers within a session."""
MOST_ACTIONS = 64
"""Tool calls of one answer that are kept to tell loops by."""

Counts = tuple[int, ...]
"""Tokens in the order of COUNTS, and last what all of them are together."""


class _Session:
    """A session while its lines are read. `origin` is the oldest session whose events a file has: a copy's lines and
    their original's get ids from the same."""

    def __init__(self) -> None:
        self.session = self.origin = self.turn = self.provider = self.model = self.folder = ""
        self.is_agent = self.has_records = False
        self.total: Counts = (0,) * (len(COUNTS) + 1)
        self.actions: list[Any] = []

    def read(self, row: Row) -> tuple[Entry, ...]:
        """The call that a line reports; none for the others, which are remembered as far as calls need them."""
        kind, payload = row.get("type"), row.get("payload")
        if not isinstance(payload, dict):
            if kind in ("event_msg", "token_usage_record"):
                raise BadRecord("an event without its payload")
            return ()
        if kind == "session_meta":
            self._begin(payload)
        elif kind == "turn_context" or payload.get("type") == "task_started":
            self._turn(payload)
        elif kind == "response_item":
            if text(payload.get("type")).endswith("_call") and len(self.actions) < MOST_ACTIONS:
                said = cell(payload, "arguments", "input", "action")
                self.actions.append([text(cell(payload, "name", "type")), said])
        elif kind == "token_usage_record":
            return self._record(row, payload)
        elif payload.get("type") == "token_count" and cell(payload, "info.total_token_usage"):
            return self._count(row, mapping(payload["info"]))
        return ()

    def _begin(self, meta: Row) -> None:
        """The head of a file; in a copy the heads of its parents follow, oldest last."""
        thread = text(cell(meta, "id", "session_id"))
        parent = text(cell(meta, "parent_thread_id", "source.subagent.thread_spawn.parent_thread_id"))
        self.origin = text(meta.get("forked_from_id")) or parent or thread or self.origin
        if not self.session:
            self.session = thread
            self.provider = text(meta.get("model_provider"))
            self.is_agent = meta.get("thread_source") == "subagent" or bool(parent)
            self._turn(meta)

    def _turn(self, context: Row) -> None:
        """What a turn runs with; what is not said stays as it was."""
        self.turn = text(context.get("turn_id")) or self.turn
        self.model = text(context.get("model")) or self.model
        self.folder = text(context.get("cwd")) or self.folder

    def _record(self, row: Row, record: Row) -> tuple[Entry, ...]:
        """The call of a record of one answer."""
        self.has_records = True
        used = _counts(record.get("usage"), "usage")
        if not any(used):
            return ()
        thread, turn = text(record.get("thread_id")) or self.session, text(record.get("turn_id")) or self.turn
        total = _counts(record.get("thread_token_usage") or record.get("usage"), "thread_token_usage")
        return (self._entry(row, used, text(record.get("response_id")) or _name(turn or thread, total), thread),)

    def _count(self, row: Row, info: Row) -> tuple[Entry, ...]:
        """The call of a count of tokens, where the total has changed; in a file of records it only repeats one.

        A total goes back to 0 where a session was resumed. One that says what the context holds counts no call.
        """
        before, last = self.total, info.get("last_token_usage")
        self.total = total = _counts(info["total_token_usage"], "total_token_usage")
        if self.has_records or total == before:
            return ()
        grown = tuple(now - then for now, then in zip(total, before, strict=True))
        used = _counts(last, "last_token_usage") if last else grown if min(grown) >= 0 else total
        if not used[0] and not used[3]:
            return ()
        where = self.turn if len(self.turn) >= LONG else f"{self.origin}:{self.turn}"
        return (self._entry(row, used, _name(where, total), self.session),)

    def _entry(self, row: Row, used: Counts, name: str, session: str) -> Entry:
        action, self.actions = acted(self.actions), []
        return Entry(
            id=name,
            at=moment(row.get("timestamp")),
            api="openai.responses",
            provider=self.provider or "openai",
            model=self.model,
            usage=disjoint(dict(zip(COUNTS, used, strict=False)), strict=True),
            feature=project(self.folder),
            session=session,
            tags=("subagent",) if self.is_agent else (),
            action=action,
        )


def _counts(found: Any, name: str) -> Counts:
    if not isinstance(found, dict):
        raise BadRecord(f"{name}: no object")
    return tuple(count(found.get(one), one) for one in (*COUNTS.values(), "total_tokens"))


def _name(where: str, total: Counts) -> str:
    """An id for a call that was given none: the turn (or session) it is in, and the total that it made."""
    return f"{where}:{'-'.join(map(str, total))}"


def _fits(sample: Sample) -> bool:
    return any(row.get("type") in KINDS and isinstance(row.get("payload"), dict) for row in sample.rows)


MISSING = (
    "what a ChatGPT plan has paid already",
    "service tiers",
    "what exact repeats cost (prompts are not kept as they were sent)",
)
FORMATS = (Format("codex", "Codex sessions", _fits, lambda *_: _Session().read, ordered=True, missing=MISSING),)
