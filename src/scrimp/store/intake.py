"""The bounded queue between the event loop, which adds records, and the writer, which commits them in batches.

Policy: a record is journaled and queued. When the queue holds half of `QUEUE_BYTES`, new records come in without
bodies; when it is full, new records are dropped. Everything left out is counted. (The writer empties a queue that
cannot be committed into the spill file, so this takes a database and a spill file that both fail.)
"""

from __future__ import annotations

import threading
import time

import msgspec

from scrimp.store.base import Record, has_body
from scrimp.store.journal import Journal, encode

BATCH = 250
"""So many waiting records make the writer start at once."""
QUEUE_BYTES = 32 << 20
"""Encoded bytes of the records that may wait in memory."""

_UNENCODABLE = (UnicodeEncodeError, OverflowError, TypeError, AttributeError)


class Intake:
    """Records that are not committed: `fresh` ones, still coming in, and `held` ones, which the writer works on.

    `wake` is set when there is something to write, `urgent` when it should not be put off. Without a journal a kill
    loses what is not committed.
    """

    def __init__(self, journal: Journal | None) -> None:
        self.wake = threading.Event()
        self.urgent = threading.Event()
        self._journal = journal
        self._lock = threading.Lock()
        self._closed = False
        self._segment = 0
        self._fresh: list[Record] = []
        self._fresh_bytes = 0
        self._fresh_since = 0.0
        self._held: list[Record] = []
        self._held_bytes = 0
        self._held_since = 0.0
        self.unjournaled = 0
        self.dropped = 0
        self.dropped_bodies = 0
        self.last_drop = ""

    def add(self, record: Record) -> None:
        """Journal and queue a record. No system call but waking the writer; nothing is raised."""
        try:
            frame = encode(record)
        except _UNENCODABLE as error:
            mended = _mended(record)
            if mended is None:
                self.drop(f"a record cannot be encoded: {error}")
                return
            record, frame = mended
        with self._lock:
            self._add(record, frame)
            waiting = len(self._fresh)
        if waiting == 1:
            self.wake.set()
        elif waiting == BATCH:
            self.urgent.set()

    def _add(self, record: Record, frame: bytes) -> None:
        waiting = self._fresh_bytes + self._held_bytes
        if waiting + len(frame) > QUEUE_BYTES // 2 and has_body(record):
            record = msgspec.structs.replace(record, request_body=None, answer_body=None)
            frame = encode(record)
            self.dropped_bodies += 1
        if self._closed or waiting + len(frame) > QUEUE_BYTES:
            self.dropped += 1
            self.last_drop = "the store is closed" if self._closed else "the queue is full"
            return
        if self._journal is None or not self._journal.append(frame):
            self.unjournaled += 1
            self.urgent.set()
        if not self._fresh:
            self._fresh_since = time.monotonic()
        self._fresh.append(record)
        self._fresh_bytes += len(frame)

    def take(self) -> list[Record]:
        """The records to commit now: those held since a failure, else all that came in."""
        with self._lock:
            if not self._held and self._fresh:
                self._held, self._held_bytes, self._held_since = self._fresh, self._fresh_bytes, self._fresh_since
                self._fresh, self._fresh_bytes = [], 0
                if self._journal is not None:
                    self._segment = self._journal.swap()
            return self._held

    def done(self) -> None:
        """The held records are committed or spilled: forget them and their journal segment."""
        with self._lock:
            if self._held and self._journal is not None:
                self._journal.clear(self._segment)
            self._held, self._held_bytes = [], 0

    def drop(self, why: str, count: int = 1) -> None:
        """Count records that cannot be kept."""
        with self._lock:
            self.dropped += count
            self.last_drop = why

    def waiting(self) -> tuple[int, float]:
        """How many records are not committed, and for how many seconds the oldest has waited."""
        with self._lock:
            count = len(self._held) + len(self._fresh)
            since = self._held_since if self._held else self._fresh_since
            return count, time.monotonic() - since if count else 0.0

    def close(self) -> bool:
        """Take no more records and let go of the journal; whether it is kept because something in it is needed."""
        with self._lock:
            self._closed = True
            journal, self._journal = self._journal, None
        needed = bool(self._held or self._fresh)
        if journal is not None:
            journal.close(remove=not needed)
        return needed


def _mended(record: Record) -> tuple[Record, bytes] | None:
    """The record with what UTF-8 cannot carry (lone surrogates) replaced; None where that is not its fault."""
    fields = msgspec.structs.asdict(record).items()
    try:
        texts = {name: _valid(value) for name, value in fields if isinstance(value, str)}
        mended = msgspec.structs.replace(record, **texts, tags=tuple(map(_valid, record.tags)))
        return mended, encode(mended)
    except _UNENCODABLE:
        return None


def _valid(text: str) -> str:
    return text.encode(errors="replace").decode()
