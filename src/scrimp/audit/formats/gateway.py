"""What the logs of gateways have in common: labels among free properties and tags, and bodies that may not be whole.

A property that names a feature, a user, a session, a team or an environment is that label; others can become tags.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from scrimp.audit.entry import Entry
from scrimp.audit.formats.base import Row, body, mapping, parsed, text
from scrimp.wire.answer import Reading, read_body

LABELS = {
    "feature": "feature",
    "feature_name": "feature",
    "use_case": "feature",
    "task": "feature",
    "task_name": "feature",
    "user": "user",
    "user_id": "user",
    "end_user": "user",
    "session": "session",
    "session_id": "session",
    "conversation_id": "session",
    "thread_id": "session",
    "team": "team",
    "team_id": "team",
    "environment": "environment",
    "env": "environment",
}
"""A property's name, in lower case with words joined by "_" -> the label of an Entry that it is."""
ASKS = ("messages", "input", "prompt", "contents")
"""Where the bodies of requests have what is asked."""
_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[\s-]+")
_SET = re.compile(r"[:=]")


def first(row: Row, *names: str) -> Any:
    """The first of these cells that holds something; None where none does."""
    for name in names:
        value = row.get(name)
        if value is not None and value != "":
            return value
    return None


def label(entry: Entry, properties: Mapping[str, Any], tags: bool = False) -> None:
    """Take the labels of a call from its properties, those it has already left alone; with `tags` the rest as tags."""
    others = []
    for name, value in properties.items():
        said = text(value)
        if said and not _label(entry, name, said) and tags:
            others.append(f"{name}={said}")
    entry.tags = (*entry.tags, *others)


def tag(entry: Entry, found: Any) -> None:
    """Take a list of tags (or its JSON text); one such as "feature:search" is the label that it names."""
    found = parsed(found)
    said = [text(one) for one in found] if isinstance(found, list) else []
    entry.tags = (*entry.tags, *(one for one in said if one and not _label(entry, *_halves(one))))


def _halves(said: str) -> tuple[str, str]:
    name, *value = _SET.split(said, maxsplit=1)
    return name, "".join(value).strip()


def _label(entry: Entry, name: str, said: str) -> bool:
    """Whether this is a label; the first of a kind counts."""
    field = LABELS.get(_WORDS.sub("_", name.strip()).lower())
    if field is None or not said:
        return False
    if not getattr(entry, field):
        setattr(entry, field, said)
    return True


def asked(value: Any) -> dict[str, Any]:
    """The body of a request; {} where the log has none, or has left out what was asked.

    (Bodies without their texts are all alike: they would look like exact repeats.)
    """
    found = mapping(value)
    return found if any(found.get(name) for name in ASKS) else {}


def add_answer(entry: Entry, value: Any, marks: Iterable[bytes] = ()) -> Reading:
    """Put an answer's body on an entry, and its finish and tier where the log has none; what it says of itself.

    A body that holds one of `marks` is no longer what the provider sent, and is left out.
    """
    found = mapping(value)
    if not found:
        return Reading()
    reading = read_body(entry.api, found)
    entry.finish = entry.finish or reading.finish
    entry.tier = entry.tier or reading.tier
    raw = body(found)
    if not any(mark in raw for mark in marks):
        entry.answer = raw
    return reading


def lasted(value: Any, unit: int) -> int:
    """A duration in `unit` ns as ns; 0 for nothing and for what is none."""
    try:
        number = float(text(value) or 0)
    except ValueError:
        return 0
    return int(number * unit) if 0 <= number * unit < 2**62 else 0
