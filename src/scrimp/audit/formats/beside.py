"""What a team writes beside a call in its log: who called, when, how long it took, what it cost, by its usual names.

Only what is said beside the bodies: the request's own `user` and `metadata`, and its headers, are read by `attribute`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scrimp.audit.entry import Entry
from scrimp.audit.formats.base import Row, amount, moment, parsed, text

LABELS = {
    "feature": "feature", "feature_name": "feature", "use_case": "feature",
    "user": "user", "user_id": "user", "userId": "user", "end_user": "user",
    "session": "session", "session_id": "session", "conversation_id": "session", "thread_id": "session",
    "team": "team", "team_id": "team", "project": "team",
    "environment": "environment", "env": "environment",
    "key_name": "key", "api_key_id": "key",
}  # fmt: skip
"""Key -> the label of an Entry that it is."""
MEANINGS = LABELS | {
    "timestamp": "at", "time": "at", "created_at": "at", "created": "at", "start_time": "at", "startTime": "at",
    "started_at": "at", "startedDateTime": "at", "datetime": "at", "ts": "at",
    "end_time": "end", "endTime": "end", "ended_at": "end", "completed_at": "end", "finished_at": "end",
    "latency": "duration", "duration": "duration", "elapsed": "duration", "response_time": "duration",
    "latency_ms": "ms", "duration_ms": "ms", "elapsed_ms": "ms", "response_time_ms": "ms", "delay_ms": "ms",
    "latency_s": "s", "duration_s": "s", "elapsed_s": "s", "latency_seconds": "s", "duration_seconds": "s",
    "cost": "cost", "cost_usd": "cost", "total_cost": "cost", "response_cost": "cost", "spend": "cost",
    "provider": "provider", "provider_name": "provider", "vendor": "provider", "api_base": "provider",
    "base_url": "provider",
    "tags": "tags", "metadata": "metadata",
}  # fmt: skip
"""Key -> what it means."""
CREATED = ("created", "created_at", "createTime")
"""Where an answer says when it was made."""


def note(entry: Entry, row: Row, answer: Mapping[str, Any]) -> None:
    """Write on an entry what stands beside its bodies; the time else as the answer has it.

    BadRecord where a time is none. Of several keys of one meaning the first counts.
    """
    end = None
    for key, value in row.items():
        meaning = MEANINGS.get(key)
        if meaning is None or value is None or value == "":
            continue
        if key in LABELS:
            _label(entry, meaning, value)
        elif meaning == "at":
            if key == "time" and "startedDateTime" in row:  # HAR: a call's duration
                entry.duration = _lasted(value, "ms")
            elif entry.at is None:
                entry.at = moment(value)
        elif meaning == "end":
            end = value
        else:
            _other(entry, meaning, value)
    if entry.at is None:
        entry.at = moment(next((found for key in CREATED if (found := answer.get(key))), None))
    elif end is not None and not entry.duration:
        entry.duration = max(0, (moment(end) or 0) - entry.at)


def _label(entry: Entry, name: str, value: Any) -> None:
    if not getattr(entry, name):
        setattr(entry, name, text(value))


def _other(entry: Entry, meaning: str, value: Any) -> None:
    if meaning == "cost":
        if entry.logged is None:
            entry.logged = amount(value)
    elif meaning == "provider":
        entry.provider = entry.provider or text(value)
    elif meaning == "tags":
        entry.tags = (*entry.tags, *_tags(value))
    elif meaning == "metadata":
        found = parsed(value)
        for key, inner in found.items() if isinstance(found, dict) else ():
            if key in LABELS:
                _label(entry, LABELS[key], inner)
            elif key == "tags":
                entry.tags = (*entry.tags, *_tags(inner))
    elif not entry.duration:
        entry.duration = _lasted(value, meaning)


def _tags(value: Any) -> list[str]:
    found = parsed(value) if isinstance(value, str) and value[:1] == "[" else value
    if isinstance(found, str):
        found = found.split(",")
    return [tag for tag in (text(one) for one in found) if tag] if isinstance(found, list) else []


def _lasted(value: Any, unit: str) -> int:
    """A duration in ns, 0 for what is none.

    Where its name tells no unit, a fraction below 1000 is seconds, as Python's clocks give, anything else milliseconds.
    """
    try:
        number = float(text(value))
    except ValueError:
        return 0
    if not 0 <= number < 10**9:
        return 0
    if unit == "duration":
        unit = "s" if number < 1000 and (isinstance(value, float) or "." in text(value)) else "ms"
    return int(number * (1_000_000 if unit == "ms" else 1_000_000_000))
