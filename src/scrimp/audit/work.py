"""The audit's working file: a SQLite database with a row a call, so that memory stays flat whatever the logs hold.

Adding a piece is one transaction, and adding a call twice changes nothing but to keep its fuller row: partial results
merge in any order and any grouping, and an audit that was killed goes on where it stood.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from scrimp.audit.piece import Result
from scrimp.audit.replay import CallRow

COLUMNS = CallRow.__struct_fields__
_TEXTS = frozenset(name for name, kind in CallRow.__annotations__.items() if kind == "str")
_KINDS = {"id": "INTEGER PRIMARY KEY", "prefix": "BLOB", **dict.fromkeys(_TEXTS, "TEXT")}
_TABLE = ", ".join(f"{name} {_KINDS.get(name, 'INTEGER')}" for name in COLUMNS)
_SCHEMA = f"""
CREATE TABLE calls ({_TABLE}, overlap INTEGER NOT NULL DEFAULT 0, left INTEGER,
  moved TEXT NOT NULL DEFAULT '');
CREATE TABLE files (number INTEGER PRIMARY KEY, path TEXT, format TEXT, digest TEXT);
CREATE TABLE pieces (
  file INTEGER, number INTEGER, digest BLOB, calls INTEGER, left INTEGER, others INTEGER, skipped INTEGER,
  PRIMARY KEY (file, number)
);
CREATE TABLE skipped (file INTEGER, line INTEGER, reason TEXT);
CREATE TABLE reasons (file INTEGER, piece INTEGER, reason TEXT, rows INTEGER);
"""
_FULLER = """
(excluded.output_total, excluded.input_total, excluded.paid, -excluded.file, -excluded.line)
> (output_total, input_total, paid, -file, -line)
"""
_FULLEST = (f"{name} = CASE WHEN {_FULLER} THEN excluded.{name} ELSE {name} END" for name in COLUMNS if name != "id")
_ADD = f"""
INSERT INTO calls ({", ".join(COLUMNS)}) VALUES ({", ".join("?" * len(COLUMNS))})
ON CONFLICT (id) DO UPDATE SET overlap = overlap OR file <> excluded.file, {", ".join(_FULLEST)}
"""
CACHE_KB = 32 * 1024


class Work:
    """A working file at `path` ("" for one that goes with the process), new or to be gone on with."""

    def __init__(self, path: str | Path = "") -> None:
        self.path = str(path)
        self.db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        self.db.execute(f"PRAGMA cache_size = -{CACHE_KB}")
        self.db.execute("PRAGMA temp_store = FILE")
        if self.path:
            self.db.execute("PRAGMA journal_mode = WAL")
            self.db.execute("PRAGMA synchronous = OFF")  # a kill of the process loses nothing; the machine's may
        if not self.db.execute("SELECT 1 FROM sqlite_master WHERE name = 'calls'").fetchone():
            self.db.executescript(f"BEGIN; {_SCHEMA} COMMIT;")

    def is_done(self, file: int, number: int, digest: bytes) -> bool:
        """Whether a piece of these bytes is in already."""
        found = self.db.execute("SELECT digest FROM pieces WHERE file = ? AND number = ?", (file, number)).fetchone()
        return found is not None and found[0] == digest

    def forget(self, file: int, number: int, line: int) -> None:
        """Drop what came of a file's pieces from this one on, which begins at a line: the file is another one now."""
        for what, since in (("calls", "line"), ("skipped", "line"), ("pieces", "number"), ("reasons", "piece")):
            bound = line if since == "line" else number
            self.db.execute(f"DELETE FROM {what} WHERE file = ? AND {since} >= ?", (file, bound))

    def add(self, file: int, number: int, digest: bytes, result: Result) -> None:
        """Take in a piece, whole or not at all."""
        db = self.db
        db.execute("BEGIN")
        try:
            db.executemany(_ADD, map(msgspec.structs.astuple, result.rows))
            db.execute(
                "INSERT INTO pieces VALUES (?, ?, ?, ?, ?, ?, ?)",
                (file, number, digest, result.calls, result.left, result.others, result.skipped),
            )
            db.executemany("INSERT INTO skipped VALUES (?, ?, ?)", ((file, *one) for one in result.shown))
            db.executemany(
                "INSERT INTO reasons VALUES (?, ?, ?, ?)", ((file, number, *one) for one in result.reasons.items())
            )
        except BaseException:
            db.execute("ROLLBACK")
            raise
        db.execute("COMMIT")

    def note_file(self, number: int, path: str, form: str, digest: str) -> None:
        """Keep what a file was called, and the digest of its content."""
        self.db.execute("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?)", (number, path, form, digest))

    def drop_calls(self, file: int) -> None:
        """Drop the calls of a file that is left out."""
        self.db.execute("DELETE FROM calls WHERE file = ?", (file,))

    def keep_sample(self, most: int) -> int:
        """Keep only the `most` calls with the lowest hashes, a random sample; below which hash others may still come.

        0 while there are not more than that many. It is the same sample in whatever order the calls came.
        """
        found = self.db.execute("SELECT id FROM calls ORDER BY id LIMIT 1 OFFSET ?", (most,)).fetchone()
        if found is None:
            return 0
        self.db.execute("DELETE FROM calls WHERE id >= ?", found)
        return int(found[0])

    def begin_advice(self) -> None:
        """Before the first advice: everything that was paid is left to be saved, and every call is where it was."""
        self.db.execute("UPDATE calls SET left = paid, moved = ''")

    def rows(self, query: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """The rows of a query, as they are read."""
        return iter(self.db.execute(query, values))

    def one(self, query: str, values: Sequence[Any] = ()) -> tuple[Any, ...]:
        """The only row of a query."""
        found: tuple[Any, ...] = self.db.execute(query, values).fetchone()
        return found

    def close(self) -> None:
        """Let go of the file."""
        self.db.close()
