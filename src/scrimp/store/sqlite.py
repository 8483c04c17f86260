"""The store in one SQLite file: a person can open it, other processes can read it while it is written.

Records go through a journal in mapped memory (intake, journal) to one writer thread (writer); reads go through a
small pool of read-only connections. Counters live in memory and follow into the file with the next batch.
What a dead process left behind is taken in when the file is opened for writing (claim).
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from scrimp.errors import StoreError
from scrimp.store.base import HEALTH, Job, Record, Rollup
from scrimp.store.claim import Claim, abandoned, companions, new_claim
from scrimp.store.counters import TrackedCounters
from scrimp.store.intake import Intake
from scrimp.store.journal import Journal, Spill
from scrimp.store.opening import open_to_read, open_to_write, reader, unusable
from scrimp.store.rows import FOREVER, SELECT_BETWEEN, SELECT_NEWEST, SELECT_ONE, query, record_of, rollup_of
from scrimp.store.writer import Writer, recover

IDLE_READERS = 4
"""Read connections kept open; more are opened when needed and closed after use."""
FORGET_AT_ONCE = 500
"""Bodies dropped in one transaction, so that the writer never waits long."""

_JOB = "SELECT id, queue, body, due, attempt, leased_until, result FROM jobs WHERE id = ?"
_ENQUEUE = """
INSERT INTO jobs (id, queue, body, due, attempt, leased_until, result) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO NOTHING
"""
_PUT = """
INSERT INTO blobs (key, value, expires) VALUES (?, ?, ?)
ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires = excluded.expires
"""
_LEARN = """
INSERT INTO knowledge (topic, key, value, at) VALUES (?, ?, ?, ?)
ON CONFLICT (topic, key) DO UPDATE SET value = excluded.value, at = excluded.at WHERE excluded.at >= at
"""
_FORGET = "DELETE FROM bodies WHERE rowid IN (SELECT rowid FROM bodies WHERE at < ? LIMIT ?)"
T = TypeVar("T")


class SqliteStore:
    """A `Store` in the SQLite file `path`, made where it is missing (mode 0600).

    `on_trouble` is told what went wrong and what was done, once when it begins and once when it ends; it may be called
    from the writer's thread and must not call the store. With `read_only` nothing is made, written or taken over:
    `add` does nothing, and every other writing method raises StoreError.
    Counters: a kill loses what was counted since the last batch (50 ms); processes that share a file each count
    against their own view, and their changes add up in the file.
    A method without a word of its own does what `base.Store` says of it.
    """

    def __init__(self, path: str | Path, *, on_trouble: Callable[[str], object], read_only: bool = False) -> None:
        self._path = Path(path)
        self._read_only = read_only
        self._closed = False
        self._idle: list[sqlite3.Connection] = []
        if read_only:
            self._idle.append(open_to_read(self._path))
            return
        had_trouble = bool(companions(self._path, "spill"))
        connection = open_to_write(self._path, check=had_trouble, on_trouble=on_trouble)
        try:
            self._claim = new_claim(self._path)
            self._intake = Intake(_journal(self._claim, on_trouble))
            counters = dict(connection.execute("SELECT key, value FROM counters"))
            self._counters = TrackedCounters(counters, self._intake.wake)
            self._writer = Writer(connection, self._intake, self._counters, Spill(self._claim.spill), on_trouble)
            recover(self._writer, abandoned(self._path), on_trouble)
        except (OSError, sqlite3.Error) as error:
            connection.close()
            raise unusable(self._path, error) from error
        self._writer.start()

    # records
    def add(self, record: Record) -> None:
        """Take a settled call: journaled when this returns, committed within 50 ms."""
        if not self._read_only:
            self._intake.add(record)

    def flush(self, timeout: float = 10.0) -> bool:
        return self._read_only or self._writer.flush(timeout)

    def records(self, since: int = 0, until: int | None = None, *, limit: int | None = None) -> Iterator[Record]:
        """Calls with since <= at < until, oldest first, all as they were when the first was read."""
        span = (since, FOREVER if until is None else until)
        rows = self._read(SELECT_BETWEEN, span) if limit is None else self._read(SELECT_NEWEST, (*span, limit))
        return map(record_of, rows)

    def record(self, call_id: str) -> Record | None:
        return next(map(record_of, self._read(SELECT_ONE, (call_id,))), None)

    def rollups(self, since: int = 0, until: int | None = None) -> Iterator[Rollup]:
        """Cells with since <= hour < until, by hour, all as they were when the first was read."""
        hours = {"since": since, "until": FOREVER if until is None else until}
        return map(rollup_of, self._read(query("rollups"), hours))

    def forget(self, before: int) -> int:
        """Drop bodies of calls, and blobs, older than `before`; what was deleted is overwritten with zeros."""
        self._write(lambda db: db.execute("DELETE FROM blobs WHERE expires > 0 AND expires <= ?", (before,)))
        forgotten = 0
        while count := self._write(lambda db: db.execute(_FORGET, (before, FORGET_AT_ONCE)).rowcount):
            forgotten += count
        return forgotten

    def health(self) -> dict[str, Any]:
        """How the writer is doing (`base.HEALTH` names the keys)."""
        if self._read_only:
            return dict(HEALTH)
        queued, age = self._intake.waiting()
        return {
            "queued": queued, "spilled": self._writer.spill.count, "unjournaled": self._intake.unjournaled,
            "dropped": self._intake.dropped, "dropped_bodies": self._intake.dropped_bodies, "oldest_uncommitted_s": age,
            "last_error": self._writer.trouble or self._intake.last_drop
        }  # fmt: skip

    # counters
    def count(self, changes: Mapping[str, int], limits: Mapping[str, int] | None = None) -> str | None:
        """Add to all counters or to none, in memory; written with the next batch."""
        self._refuse_read_only()
        return self._counters.count(changes, limits)

    def counters(self, prefix: str = "") -> dict[str, int]:
        if not self._read_only:
            return self._counters.snapshot(prefix)
        rows = self._read("SELECT key, value FROM counters ORDER BY key", ())
        return {key: value for key, value in rows if key.startswith(prefix)}

    def drop_counters(self, keys: Iterable[str]) -> None:
        self._refuse_read_only()
        self._counters.drop(keys)

    # blobs
    def put(self, key: str, value: bytes, expires: int) -> None:
        self._write(lambda db: db.execute(_PUT, (key, value, expires)))

    def get(self, key: str, now: int) -> bytes | None:
        rows = self._read("SELECT value FROM blobs WHERE key = ? AND (expires <= 0 OR expires > ?)", (key, now))
        return next((value for (value,) in rows), None)

    def delete(self, keys: Iterable[str]) -> int:
        names = [(key,) for key in keys]
        return self._write(lambda db: db.executemany("DELETE FROM blobs WHERE key = ?", names).rowcount)

    # jobs: these survive a loss of power
    def enqueue(self, job: Job) -> bool:
        values = (job.id, job.queue, job.body, job.due, job.attempt, job.leased_until, job.result)
        return self._write(lambda db: db.execute(_ENQUEUE, values).rowcount, durable=True) == 1

    def lease(self, queue: str, now: int, until: int) -> Job | None:
        """Take the oldest due job that is free; of several processes one gets it."""

        def take(db: sqlite3.Connection) -> Job | None:
            found = db.execute(query("lease"), {"queue": queue, "now": now}).fetchone()
            if found is None:
                return None
            job = Job(*found)
            job.attempt += 1
            job.leased_until = until
            db.execute("UPDATE jobs SET attempt = ?, leased_until = ? WHERE id = ?", (job.attempt, until, job.id))
            return job

        return self._write(take, durable=True)

    def finish(self, job_id: str, result: bytes, attempt: int) -> bool:
        change = "UPDATE jobs SET result = ? WHERE id = ? AND attempt = ?"
        return self._write(lambda db: db.execute(change, (result, job_id, attempt)).rowcount, durable=True) == 1

    def job(self, job_id: str) -> Job | None:
        return next((Job(*row) for row in self._read(_JOB, (job_id,))), None)

    # knowledge
    def learn(self, topic: str, key: str, value: bytes, at: int) -> None:
        self._write(lambda db: db.execute(_LEARN, (topic, key, value, at)))

    def knowledge(self, topic: str) -> dict[str, bytes]:
        return dict(self._read("SELECT key, value FROM knowledge WHERE topic = ? ORDER BY key", (topic,)))

    def close(self) -> None:
        """Write everything down; what cannot be written stays in the journal for the next start."""
        if self._closed:
            return
        self._closed = True
        while self._idle:
            self._idle.pop().close()
        if self._read_only:
            return
        self._writer.stop()
        left = self._intake.close() or self._writer.spill.count > 0
        if not left:
            self._writer.spill.clear()
        self._claim.release(remove=not left)

    def _refuse_read_only(self) -> None:
        if self._read_only:
            raise StoreError(f"the store {self._path} is open for reading only")

    def _write(self, work: Callable[[sqlite3.Connection], T], *, durable: bool = False) -> T:
        self._refuse_read_only()
        try:
            return self._writer.run(work, durable=durable)
        except sqlite3.Error as error:
            raise StoreError(f"the store {self._path} cannot be written: {error}") from error

    def _read(self, sql: str, values: Any) -> Iterator[tuple[Any, ...]]:
        """The rows of one statement, on a connection of its own while they are read: one consistent view."""
        try:
            connection = self._reader()
            try:
                with contextlib.closing(connection.execute(sql, values)) as cursor:
                    yield from cursor
            finally:
                if len(self._idle) < IDLE_READERS and not self._closed:
                    self._idle.append(connection)
                else:
                    connection.close()
        except sqlite3.Error as error:
            raise StoreError(f"the store {self._path} cannot be read: {error}") from error

    def _reader(self) -> sqlite3.Connection:
        try:
            return self._idle.pop()
        except IndexError:
            return reader(self._path)


def _journal(claim: Claim, on_trouble: Callable[[str], object]) -> Journal | None:
    try:
        return Journal(claim.journal)
    except OSError as error:
        on_trouble(f"no journal at {claim.journal} ({error}): a kill would lose the last 50 ms of records")
        return None
