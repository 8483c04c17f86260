"""Records as rows: the columns of `calls`, and a batch written with its rollups in one transaction."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from operator import attrgetter
from pathlib import Path
from typing import Any

import msgspec

from scrimp.call import Usage
from scrimp.store.base import Record, Rollup, SavingRow, has_body

FOREVER = (1 << 63) - 1
"""The latest time SQLite can hold."""

_LISTS = ("tags", "flags")
_APART = (*_LISTS, "usage", "savings", "request_body", "answer_body")
_PLAIN = tuple(name for name in Record.__struct_fields__ if name not in _APART)
_USAGE = Usage.__struct_fields__
COLUMNS = (*_PLAIN, *(name if name == "searches" else f"tokens_{name}" for name in _USAGE), *_LISTS)
"""The columns of `calls` as they are written and read, `seq` left out."""

_json = msgspec.json.Encoder().encode
_list = msgspec.json.Decoder().decode
_plain = attrgetter(*_PLAIN)
_usage = attrgetter(*_USAGE)

AT_ONCE = 32
"""Rows of one INSERT. Each step of a statement gives up the GIL and has to win it back from a busy event loop."""


def _insert(rows: int) -> str:
    places = f"({', '.join('?' * len(COLUMNS))})"
    return f"INSERT INTO calls ({', '.join(COLUMNS)}) VALUES {', '.join([places] * rows)} ON CONFLICT (id) DO NOTHING"


_INSERT = _insert(1)
_INSERT_MANY = _insert(AT_ONCE)
_INSERT_SAVING = "INSERT INTO savings (call_id, place, strategy, nano, kind) VALUES (?, ?, ?, ?, ?)"
_INSERT_BODY = "INSERT INTO bodies (call_id, at, request, answer) VALUES (?, ?, ?, ?)"
_CALLS = f"""
SELECT {", ".join(f"calls.{name}" for name in COLUMNS)},
  (SELECT json_group_array(json_array(strategy, nano, kind))
   FROM (SELECT strategy, nano, kind FROM savings WHERE call_id = calls.id ORDER BY place)),
  request, answer
FROM calls LEFT JOIN bodies ON bodies.call_id = calls.id
"""
SELECT_ONE = f"{_CALLS} WHERE id = ?"
SELECT_BETWEEN = f"{_CALLS} WHERE calls.at >= ? AND calls.at < ? ORDER BY calls.at, seq"
SELECT_NEWEST = f"""
{_CALLS}
WHERE seq IN (SELECT seq FROM calls WHERE at >= ? AND at < ? ORDER BY at DESC, seq DESC LIMIT ?)
ORDER BY calls.at, seq
"""


def query(name: str) -> str:
    """The text of queries/NAME.sql."""
    return (Path(__file__).parent / "queries" / f"{name}.sql").read_text(encoding="utf-8")


def row(record: Record) -> tuple[Any, ...]:
    """The values of `COLUMNS`; lists are JSON arrays."""
    values: tuple[Any, ...] = _plain(record) + _usage(record.usage)
    return (*values, _json(record.tags).decode(), _json(record.flags).decode())


def record_of(values: Sequence[Any]) -> Record:
    """The record of a row read by one of the SELECTs above."""
    plain = dict(zip(_PLAIN, values, strict=False))
    plain["stream"] = bool(plain["stream"])
    usage = Usage(*values[len(_PLAIN) : len(_PLAIN) + len(_USAGE)])
    tags, flags, savings, request, answer = values[len(_PLAIN) + len(_USAGE) :]
    return Record(
        **plain, usage=usage, tags=tuple(_list(tags)), flags=tuple(_list(flags)),
        savings=tuple(SavingRow(*saving) for saving in _list(savings)),
        request_body=None if request is None else zlib.decompress(request),
        answer_body=None if answer is None else zlib.decompress(answer)
    )  # fmt: skip


def rollup_of(values: Sequence[Any]) -> Rollup:
    """The rollup of a row of queries/rollups.sql, whose columns are Rollup's fields in order."""
    savings = {(strategy, kind): nano for strategy, kind, nano in _list(values[-1])}
    sums = dict(zip(Rollup.__struct_fields__, values[:-1], strict=False))
    return Rollup(**sums, savings=savings)


class RecordWriter:
    """Writes batches of records inside the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._roll_up = query("roll_up")
        self._roll_up_savings = query("roll_up_savings")

    def write(self, records: Sequence[Record]) -> None:
        """Insert the calls that are new, and add exactly these to their cells: known ids change nothing."""
        connection = self._connection
        (before,) = connection.execute("SELECT coalesce(max(seq), 0) FROM calls").fetchone()
        many = len(records) - len(records) % AT_ONCE
        inserted = 0
        for start in range(0, many, AT_ONCE):
            values = [value for record in records[start : start + AT_ONCE] for value in row(record)]
            inserted += connection.execute(_INSERT_MANY, values).rowcount
        if many < len(records):
            inserted += connection.executemany(_INSERT, map(row, records[many:])).rowcount
        if inserted < len(records):
            records = self._new_ones(records, before)
        savings = list(_savings(records))
        if savings:
            connection.executemany(_INSERT_SAVING, savings)
        bodies = [one for one in records if has_body(one)]
        if bodies:
            connection.executemany(_INSERT_BODY, map(_body, bodies))
        connection.execute(self._roll_up, {"seq": before})
        if savings:
            connection.execute(self._roll_up_savings, {"seq": before})

    def _new_ones(self, records: Sequence[Record], before: int) -> list[Record]:
        """The records that were just inserted; of two with the same id the first."""
        new = {call_id for (call_id,) in self._connection.execute("SELECT id FROM calls WHERE seq > ?", (before,))}
        first: dict[str, Record] = {}
        for record in records:
            first.setdefault(record.id, record)
        return [record for call_id, record in first.items() if call_id in new]


def _savings(records: Sequence[Record]) -> Iterator[tuple[str, int, str, int, str]]:
    for record in records:
        for place, saving in enumerate(record.savings):
            yield record.id, place, saving.strategy, saving.nano, saving.kind


def _body(record: Record) -> tuple[str, int, bytes | None, bytes | None]:
    return record.id, record.at, _packed(record.request_body), _packed(record.answer_body)


def _packed(body: bytes | None) -> bytes | None:
    return None if body is None else zlib.compress(body, 1)
