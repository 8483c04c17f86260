"""OpenAI Codex's session files: a JSON line for each event, of which those that report tokens are the calls.

Newer files have a record for each answer, with its id. Older ones repeat running totals, which change once a call.
Forked sessions and subagents begin with a copy of their parent's events: both copies of a call get the same id.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from scrimp.audit.entry import BadRecord, Entry
from scrimp.audit.formats.base import Format, Options, Read, Row, Sample, count, mapping, moment, text
from scrimp.call import Usage

KINDS = frozenset(
    ("session_meta", "turn_context", "event_msg", "response_item", "token_usage_record", "compacted", "world_state")
)
"""Kinds of lines; each has its content in `payload`."""
COUNTS = (
    "input_tokens",
    "cached_input_tokens",
    "cache_write_input_tokens",
    "output_tokens",
    "reasoning_output_tokens",
    "total_tokens",
)
LONG = 16
"""A turn with an id of so many characters is the only one with it; shorter ones are numbers within a session."""
MOST_ACTIONS = 64
"""Tool calls of one answer that are kept to tell loops by."""
_encode = msgspec.json.Encoder(order="deterministic").encode
_SEPARATOR = re.compile(r"[/\\]")

Counts = tuple[int, ...]
"""Tokens in the order of COUNTS."""


def _fits(sample: Sample) -> bool:
    return sample.shape != "csv" and any(
        isinstance(kind := row.get("type"), str) and kind in KINDS and isinstance(row.get("payload"), dict)
        for row in sample.rows
    )


def _open(columns: tuple[str, ...], options: Options) -> Read:
    return _Session().read


class _Session:
    """A session while its lines are read.

    `origin` is the oldest session whose events a file has: a copy's lines and their original's get ids from the same.
    """

    def __init__(self) -> None:
        self.session = self.origin = self.turn = ""
        self.provider = self.model = self.folder = ""
        self.is_agent = False
        self.has_records = False
        self.total: Counts = ()
        self.actions: list[Any] = []

    def read(self, row: Row) -> tuple[Entry, ...]:
        """The call that a line reports; none for the others, which are remembered as far as calls need them."""
        payload = row.get("payload")
        if not isinstance(payload, dict):
            if row.get("type") in ("event_msg", "token_usage_record"):
                raise BadRecord("an event without its payload")
            return ()
        match row.get("type"):
            case "session_meta":
                self._begin(payload)
            case "turn_context":
                self._turn(payload)
            case "response_item":
                self._act(payload)
            case "event_msg":
                return self._event(row, payload)
            case "token_usage_record":
                return self._record(row, payload)
        return ()

    def _begin(self, meta: Row) -> None:
        """The head of a file; in a copy the heads of its parents follow, oldest last."""
        thread = text(meta.get("id")) or text(meta.get("session_id"))
        spawn = mapping(mapping(mapping(meta.get("source")).get("subagent")).get("thread_spawn"))
        parents = (meta.get("forked_from_id"), meta.get("parent_thread_id"), spawn.get("parent_thread_id"))
        self.origin = next((found for one in parents if (found := text(one))), "") or thread or self.origin
        if self.session:
            return
        self.session = thread
        self.provider = text(meta.get("model_provider"))
        self.is_agent = text(meta.get("thread_source")) == "subagent" or any(map(text, parents[1:]))
        self._turn(meta)

    def _turn(self, context: Row) -> None:
        """What a turn runs with; what is not said stays as it was."""
        self.turn = text(context.get("turn_id")) or self.turn
        self.model = text(context.get("model")) or self.model
        self.folder = text(context.get("cwd")) or self.folder

    def _act(self, item: Row) -> None:
        """Remember a tool call of the answer that is being given."""
        if text(item.get("type")).endswith("_call") and len(self.actions) < MOST_ACTIONS:
            said = next((item[name] for name in ("arguments", "input", "action") if item.get(name)), None)
            self.actions.append([text(item.get("name")) or text(item.get("type")), said])

    def _event(self, row: Row, event: Row) -> tuple[Entry, ...]:
        kind = event.get("type")
        if kind == "task_started":
            self.turn = text(event.get("turn_id")) or self.turn
        elif kind == "thread_settings_applied":
            self._turn(mapping(event.get("thread_settings")))
        elif kind == "token_count" and isinstance(info := event.get("info"), dict):
            return self._count(row, info)
        return ()

    def _record(self, row: Row, record: Row) -> tuple[Entry, ...]:
        """The call of a record of one answer."""
        self.has_records = True
        used = _counts(record.get("usage"), "usage")
        if not any(used):
            return ()
        answer = text(record.get("response_id"))
        thread, turn = text(record.get("thread_id")) or self.session, text(record.get("turn_id")) or self.turn
        total = _counts(record.get("thread_token_usage") or record.get("usage"), "thread_token_usage")
        return (self._entry(row, used, answer or _name(turn or thread, total), thread),)

    def _count(self, row: Row, info: Row) -> tuple[Entry, ...]:
        """The call of a count of tokens, where the total has changed; in a file of records it only repeats one.

        A total goes back to 0 where a session was resumed. One that says what the context holds counts no call.
        """
        before, last = self.total, info.get("last_token_usage")
        total = _counts(info.get("total_token_usage"), "total_token_usage") if info.get("total_token_usage") else ()
        if self.has_records or (total and total == before):
            self.total = total or before
            return ()
        if isinstance(last, dict):
            used = _counts(last, "last_token_usage")
        elif len(before) == len(total) and all(now >= then for now, then in zip(total, before, strict=True)):
            used = tuple(now - then for now, then in zip(total, before, strict=True))
        else:
            used = total
        self.total = total or before
        if not used or not (used[0] or used[3]):
            return ()
        where = self.turn if len(self.turn) >= LONG else f"{self.origin}:{self.turn}"
        if not total:
            where += f":{text(row.get('timestamp'))}"
        return (self._entry(row, used, _name(where, total or used), self.session),)

    def _entry(self, row: Row, used: Counts, name: str, session: str) -> Entry:
        action, self.actions = _written(self.actions), []
        return Entry(
            id=name,
            at=moment(row.get("timestamp")),
            api="openai.responses",
            provider=self.provider or "openai",
            model=self.model,
            usage=_usage(used),
            feature=_SEPARATOR.split(self.folder.rstrip("/\\"))[-1],
            session=session,
            tags=("subagent",) if self.is_agent else (),
            action=action,
        )


def _counts(found: Any, name: str) -> Counts:
    if not isinstance(found, dict):
        raise BadRecord(f"{name}: no object")
    return tuple(count(found.get(one), one) for one in COUNTS)


def _usage(used: Counts) -> Usage:
    """Tokens in disjoint classes: Codex has cached and cache-written ones in its input, reasoning in its output."""
    asked, cached, written, said, thought, _ = used
    if cached + written > asked or thought > said:
        raise BadRecord("its cached or reasoning tokens are more than it has")
    return Usage(
        input=asked - cached - written, cached=cached, cache_write=written, output=said - thought, reasoning=thought
    )


def _name(where: str, total: Counts) -> str:
    """An id for a call that was given none: the turn (or session) it is in, and the total that it made."""
    return f"{where}:{'-'.join(map(str, total))}"


def _written(actions: list[Any]) -> str:
    """The tool calls of an answer as text: equal actions give equal text."""
    try:
        return _encode(actions).decode() if actions else ""
    except (UnicodeEncodeError, RecursionError):
        return ""


FORMATS = (
    Format(
        "codex",
        "Codex sessions",
        _fits,
        _open,
        ordered=True,
        missing=(
            "what a ChatGPT plan has paid already",
            "service tiers",
            "what exact repeats cost (prompts are not kept as they were sent)",
        ),
    ),
)
