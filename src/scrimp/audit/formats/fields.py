"""Columns of a log become the fields of an Entry by tables of names: what a reader consists of, beside its own rules.

A name such as "metadata.team" leads into an object, or into the JSON text of one. What people write freely (labels,
properties, tags) is known by its usual names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeVar

import msgspec

from scrimp.audit.entry import BadRecord, Entry
from scrimp.audit.formats.base import Row, amount, count, mapping, moment, parsed, text
from scrimp.call import NANO, Usage

Part = TypeVar("Part")
Names = Mapping[str, tuple[str, ...]]
"""A field -> the columns that tell it; the first that holds something counts."""
_LABELS = {
    "feature": "feature feature_name use_case task task_name",
    "user": "user user_id end_user",
    "session": "session session_id conversation_id thread_id",
    "team": "team team_id project",
    "environment": "environment env",
    "key": "key_name api_key_id",
}
LABELS = {name: field for field, names in _LABELS.items() for name in names.split()}
"""A property's name, in lower case with words joined by "_" -> the label of an Entry that it is."""
PARTS = {
    "input": ("cached", "cache_write", "audio_cached", "audio_input", "image_input", "video_input"),
    "output": ("reasoning", "audio_output", "image_output"),
}
"""A total -> the classes of tokens inside it."""
_UNITS = {"ms": 1_000_000, "s": NANO, "duration": 0}
_SET = re.compile(r"[:=]")
_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[\s-]+")
_encode = msgspec.json.Encoder(order="deterministic").encode


def cell(row: Row, *columns: str) -> Any:
    """The first of these cells that holds something; None where none does."""
    for column in columns:
        value = row.get(column)
        if value is None:
            if "." not in column:
                continue
            outer, _, inner = column.partition(".")
            value = cell(mapping(row[outer]), inner) if outer in row else None
        if value is not None and value != "":
            return value
    return None


def opened(row: Row, *columns: str) -> dict[str, Any]:
    """A row with these cells decoded to the objects they should be."""
    return {**row, **{name: mapping(row.get(name)) for name in columns}}


def fill(entry: Entry, row: Row, names: Names) -> Entry:
    """The entry with what the columns tell of it; fields it already has stay. BadRecord where a time is none. Beside
    the fields of an Entry, names may tell its `end` (a time), and how long it took in `ms` or `s`."""
    end = None
    for field, columns in names.items():
        value = cell(row, *columns)
        if value is None:
            continue
        if field == "end":
            end = moment(value)
        elif field in _UNITS:
            entry.duration = entry.duration or lasted(value, _UNITS[field])
        elif not getattr(entry, field):
            read: Callable[[Any], Any] = _READ.get(field, text)
            setattr(entry, field, read(value))
    if end is not None and entry.at is not None and not entry.duration:
        entry.duration = max(0, end - entry.at)
    return entry


def is_true(value: Any) -> bool:
    """Whether a cell says true, in JSON or in words."""
    return str(value).lower() == "true"


_READ: dict[str, Callable[[Any], Any]] = {"at": moment, "logged": amount, "tier": lambda value: text(value).lower()}
_READ |= dict.fromkeys(("stream", "cut", "from_cache"), is_true)


def lasted(value: Any, unit: int) -> int:
    """A duration in units of so many ns, as ns; 0 for what is none. Unit 0: not known; then a fraction below 1000 is
    seconds, as Python's clocks give, anything else milliseconds."""
    try:
        number = float(value if type(value) is int else text(value) or 0)
    except (ValueError, OverflowError):
        return 0
    if not unit:
        unit = NANO if number < 1000 and (isinstance(value, float) or "." in text(value)) else 1_000_000
    return round(number * unit) if 0 <= number * unit < 2**62 else 0


def tokens(row: Row, names: Names) -> dict[str, int]:
    """Numbers by name, 0 where no column tells one. BadRecord names the column that holds none."""
    found = dict.fromkeys(names, 0)
    for name, columns in names.items():
        for column in columns:
            value = cell(row, column)
            if value is not None:
                found[name] = count(value, column)
                break
    return found


def disjoint(told: Mapping[str, int], strict: bool = False) -> Usage:
    """Tokens of two totals and of parts inside them, in disjoint classes. Parts are cut to their totals; `strict`:
    BadRecord where they are more."""
    found = {"input": 0, "output": 0, **told}
    for total, parts in PARTS.items():
        for part in parts:
            inside = found.get(part, 0)
            if strict and not 0 <= inside <= found[total]:
                raise BadRecord("its tokens by kind are more than their total")
            found[part] = min(inside, found[total])
            found[total] -= found[part]
    return Usage(**found)


@lru_cache(4096)
def _label(name: str) -> str:
    """The label that a property of this name is; "" for none."""
    return LABELS.get(_WORDS.sub("_", name.strip()).lower(), "")


def label(entry: Entry, properties: Mapping[str, Any], tags: bool = False) -> None:
    """Take the labels of a call from its properties, the first of a kind; with `tags` the rest as tags."""
    for name, value in properties.items():
        field = _label(name)
        said = text(value) if field or tags else ""
        if said and not field:
            entry.tags = (*entry.tags, f"{name}={said}")
        elif said and not getattr(entry, field):
            setattr(entry, field, said)


def tag(entry: Entry, found: Any) -> None:
    """Take a list of tags, its JSON text, or tags between commas; one such as "team:web" is the label it names."""
    if isinstance(found, str):
        found = parsed(found) if found[:1] == "[" else found.split(",")
    for one in found if isinstance(found, list) else ():
        said = text(one)
        set_apart = _SET.search(said)
        if set_apart and _label(said[: set_apart.start()]):
            label(entry, {said[: set_apart.start()]: said[set_apart.end() :]})
        elif said:
            entry.tags = (*entry.tags, said)


def objects(found: Any, name: str) -> list[dict[str, Any]]:
    """A list of objects as one; BadRecord for anything else."""
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise BadRecord(f"{name}: no list of objects")
    return found


def dicts(found: Any) -> list[dict[str, Any]]:
    """The objects in a list, or in its JSON text; [] for anything else."""
    found = parsed(found)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def entries_of(parts: Sequence[Part], read: Callable[[Part], Iterable[Entry]], name: str) -> Iterator[Entry]:
    """The entries of a row's parts. One that cannot be read costs only itself: BadRecord says at the end how many."""
    reasons: list[str] = []
    for part in parts:
        try:
            yield from read(part)
        except BadRecord as error:
            reasons.append(str(error))
    if reasons:
        raise BadRecord(reasons[0] if len(parts) == 1 else f"{len(reasons)} of {len(parts)} {name}: {reasons[0]}")


def acted(calls: Sequence[Any]) -> str:
    """Tool calls with their arguments as text: equal actions give equal text."""
    try:
        return _encode(calls).decode() if calls else ""
    except (UnicodeEncodeError, RecursionError):
        return ""


def project(folder: str) -> str:
    """The name of a folder, of Windows too: what a coding agent's calls are for."""
    return re.split(r"[/\\]", folder.rstrip("/\\"))[-1]
