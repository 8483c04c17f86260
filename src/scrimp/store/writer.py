"""The writer: one thread that takes what came in, commits it in batches, and spills what cannot be committed.

It waits until there is something, gathers for 50 ms or until a batch is full, and writes all of it in one
transaction. Whoever else writes (jobs, blobs, knowledge) uses the same connection under the same lock.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

from scrimp.store.base import Record
from scrimp.store.claim import Claim
from scrimp.store.counters import TrackedCounters
from scrimp.store.intake import BATCH, Intake
from scrimp.store.journal import Spill, decoded, journal_frames, spill_frames
from scrimp.store.rows import RecordWriter

GATHER_SECONDS = 0.05
RETRY_SECONDS = 1.0
_ROW_FAULTS = (
    ArithmeticError, AttributeError, TypeError, ValueError, sqlite3.IntegrityError, sqlite3.DataError,
    sqlite3.ProgrammingError, sqlite3.InterfaceError
)  # fmt: skip
"""What a value that no column takes raises; everything else is trouble with the database."""

_SUM = "INSERT INTO counters (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = value + excluded.value"
T = TypeVar("T")


class Writer:
    """Moves records from `intake` and changes of `counters` into the database, for as long as the store lives."""

    def __init__(
        self, connection: sqlite3.Connection, intake: Intake, counters: TrackedCounters, spill: Spill,
        on_trouble: Callable[[str], object]
    ) -> None:  # fmt: skip
        self._connection = connection
        self._intake = intake
        self._counters = counters
        self.spill = spill
        self._on_trouble = on_trouble
        self._rows = RecordWriter(connection)
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="scrimp-store", daemon=True)
        self.trouble = ""

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def _run(self) -> None:
        while not self._stopping.is_set():
            if self.trouble:
                self._stopping.wait(RETRY_SECONDS)
            else:
                self._intake.wake.wait()
                self._intake.urgent.wait(GATHER_SECONDS)
            self._intake.wake.clear()
            self._intake.urgent.clear()
            with self._lock:
                self._turn()

    def _turn(self) -> None:
        """Write everything that waits; under the lock."""
        records = self._intake.take()
        drops, sums = self._counters.take()
        try:
            self._write_counters(drops, sums)
            drops, sums = set(), {}
            if self.spill.count:
                self.replay(decoded(spill_frames(self.spill.path), self._intake.drop))
                self.spill.clear()
            self._write_records(records)
            self._intake.done()
            self._recovered()
        except Exception as error:  # noqa: BLE001 - the worker loop goes on whatever happened in one turn
            self._counters.give_back(drops, sums)
            self._failed(error)
            if records and self.spill.append(records):
                self._intake.done()

    def _drain(self) -> None:
        """Write what was held since a failure, and then what has come in meanwhile."""
        self._turn()
        self._turn()

    def _write_counters(self, drops: Iterable[str], sums: dict[str, int]) -> None:
        if not drops and not sums:
            return
        with self.transaction() as connection:
            connection.executemany("DELETE FROM counters WHERE key = ?", [(key,) for key in drops])
            connection.executemany(_SUM, list(sums.items()))

    def _write_records(self, records: Sequence[Record]) -> None:
        """Commit records; where one of them fits no column, one by one without it."""
        if not records:
            return
        try:
            with self.transaction():
                self._rows.write(records)
        except (sqlite3.OperationalError, *_ROW_FAULTS) as error:
            if isinstance(error, sqlite3.OperationalError) and str(error) != "integer overflow":
                raise
            if len(records) == 1:
                self._intake.drop(f"a record cannot be stored: {error}")
                return
            for record in records:
                self._write_records([record])

    def replay(self, records: Iterator[Record]) -> None:
        """Commit records from a journal or a spill; those that are known already change nothing."""
        while batch := list(islice(records, BATCH)):
            self._write_records(batch)

    def _failed(self, error: Exception) -> None:
        if not self.trouble:
            self._on_trouble(f"the store cannot be written ({error}): records wait in memory and {self.spill.path}")
        self.trouble = str(error)

    def _recovered(self) -> None:
        if self.trouble:
            self._on_trouble("the store is written again")
            self._intake.wake.set()  # for what came in behind the records that were held
        self.trouble = ""

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """The write connection in a transaction that is committed at the end; the caller has the lock."""
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def run(self, work: Callable[[sqlite3.Connection], T], *, durable: bool = False) -> T:
        """Do `work` in a transaction of its own; `durable` waits until it would survive a loss of power."""
        with self._lock:
            if durable:
                self._connection.execute("PRAGMA synchronous = FULL")
            try:
                with self.transaction() as connection:
                    return work(connection)
            finally:
                if durable:
                    self._connection.execute("PRAGMA synchronous = NORMAL")

    def flush(self, timeout: float) -> bool:
        """Write what waits; False where that did not work within `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while self._lock.acquire(timeout=max(0.0, deadline - time.monotonic())):
            try:
                self._drain()
                if not self.trouble:
                    return True
            finally:
                self._lock.release()
            if time.monotonic() + GATHER_SECONDS > deadline:
                return False
            time.sleep(GATHER_SECONDS)
        return False

    def stop(self) -> None:
        """Stop the thread, write what waits, and give the database back in one file."""
        self._stopping.set()
        self._intake.wake.set()
        self._intake.urgent.set()
        self._thread.join()
        with self._lock:
            self._drain()
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._connection.close()


def recover(writer: Writer, claims: Iterable[Claim], on_trouble: Callable[[str], object]) -> None:
    """Commit what dead processes left in their journals and spill files, and remove these."""
    for claim in claims:
        try:
            for path, frames in ((claim.journal, journal_frames), (claim.spill, spill_frames)):
                if path.exists():
                    writer.replay(decoded(frames(path), on_trouble))
                    path.unlink()
            claim.release(remove=True)
        except (OSError, sqlite3.Error) as error:
            claim.release(remove=False)
            on_trouble(f"what another process left in {claim.journal} waits for the next start: {error}")
