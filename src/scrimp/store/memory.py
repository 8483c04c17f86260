"""The store that lives in this process: for the library, for tests, and for a gateway whose disk does not work.

Rollups, counters, jobs and knowledge are kept whole; of the calls only the newest, so memory stays bounded.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator
from operator import attrgetter
from typing import Any

import msgspec

from scrimp.store.base import HEALTH, Job, Record, Rollup, has_body, roll_up
from scrimp.store.counters import Counters

KEEP_CALLS = 20_000
KEEP_BODY_BYTES = 64 << 20


class MemoryStore:
    """A `Store` in memory: the newest `keep` calls, and bodies of at most `KEEP_BODY_BYTES` bytes in all.

    A method without a word of its own does what `base.Store` says of it.
    """

    def __init__(self, *, keep: int = KEEP_CALLS) -> None:
        self._keep = keep
        self._lock = threading.Lock()
        self._calls: dict[str, Record] = {}
        self._with_body: deque[str] = deque()
        self._body_bytes = 0
        self._dropped = 0
        self._dropped_bodies = 0
        self._cells: dict[tuple[int | str, ...], Rollup] = {}
        counters = Counters()
        self.count = counters.count
        self.counters = counters.snapshot
        self.drop_counters = counters.drop
        self._blobs: dict[str, tuple[bytes, int]] = {}
        self._jobs: dict[str, Job] = {}
        self._knowledge: dict[str, dict[str, tuple[int, bytes]]] = {}

    # records
    def add(self, record: Record) -> None:
        """Keep a call and add it to its cell; the oldest call, then the oldest body, makes room."""
        with self._lock:
            if record.id in self._calls:
                return
            self._calls[record.id] = record
            if has_body(record):
                self._with_body.append(record.id)
                self._body_bytes += _body_size(record)
            own = roll_up(record)
            cell = self._cells.setdefault(own.cell, own)
            if cell is not own:
                cell.merge(own)
            self._make_room()

    def _make_room(self) -> None:
        while len(self._calls) > self._keep:
            oldest = self._calls.pop(next(iter(self._calls)))
            self._body_bytes -= _body_size(oldest)
            self._dropped += 1
            if self._with_body and self._with_body[0] == oldest.id:
                self._with_body.popleft()
        while self._body_bytes > KEEP_BODY_BYTES:
            self._dropped_bodies += self._strip(self._with_body.popleft())

    def _strip(self, call_id: str) -> int:
        """Drop a call's bodies; 0 where it has none (any more)."""
        record = self._calls.get(call_id)
        if record is None or not has_body(record):
            return 0
        self._calls[call_id] = msgspec.structs.replace(record, request_body=None, answer_body=None)
        self._body_bytes -= _body_size(record)
        return 1

    def flush(self, timeout: float = 10.0) -> bool:
        """All that was added can be read at once."""
        return True

    def records(self, since: int = 0, until: int | None = None, *, limit: int | None = None) -> Iterator[Record]:
        with self._lock:
            calls = [one for one in self._calls.values() if since <= one.at and (until is None or one.at < until)]
        calls.sort(key=attrgetter("at"))
        yield from calls if limit is None else calls[max(0, len(calls) - limit) :]

    def record(self, call_id: str) -> Record | None:
        return self._calls.get(call_id)

    def rollups(self, since: int = 0, until: int | None = None) -> Iterator[Rollup]:
        with self._lock:
            cells = [
                msgspec.structs.replace(cell, savings=dict(cell.savings))
                for cell in self._cells.values()
                if since <= cell.hour and (until is None or cell.hour < until)
            ]
        yield from sorted(cells, key=attrgetter("hour"))

    def forget(self, before: int) -> int:
        with self._lock:
            for key in [key for key, (_, expires) in self._blobs.items() if 0 < expires <= before]:
                del self._blobs[key]
            old = [call_id for call_id, one in self._calls.items() if one.at < before]
            return sum(self._strip(call_id) for call_id in old)

    def health(self) -> dict[str, Any]:
        """Nothing is ever queued; calls and bodies that made room are counted as dropped."""
        return HEALTH | {"dropped": self._dropped, "dropped_bodies": self._dropped_bodies}

    # blobs
    def put(self, key: str, value: bytes, expires: int) -> None:
        with self._lock:
            self._blobs[key] = (value, expires)

    def get(self, key: str, now: int) -> bytes | None:
        value, expires = self._blobs.get(key, (None, 0))
        return None if 0 < expires <= now else value

    def delete(self, keys: Iterable[str]) -> int:
        with self._lock:
            return sum(self._blobs.pop(key, None) is not None for key in keys)

    # jobs
    def enqueue(self, job: Job) -> bool:
        with self._lock:
            if job.id in self._jobs:
                return False
            self._jobs[job.id] = msgspec.structs.replace(job)
            return True

    def lease(self, queue: str, now: int, until: int) -> Job | None:
        with self._lock:
            free = [
                job
                for job in self._jobs.values()
                if job.queue == queue and job.result is None and job.due <= now and job.leased_until <= now
            ]
            if not free:
                return None
            job = min(free, key=attrgetter("due"))
            job.attempt += 1
            job.leased_until = until
            return msgspec.structs.replace(job)

    def finish(self, job_id: str, result: bytes, attempt: int) -> bool:
        with self._lock:
            job = self._jobs.get(job_id)
            if job is None or job.attempt != attempt:
                return False
            job.result = result
            return True

    def job(self, job_id: str) -> Job | None:
        job = self._jobs.get(job_id)
        return msgspec.structs.replace(job) if job else None

    # knowledge
    def learn(self, topic: str, key: str, value: bytes, at: int) -> None:
        with self._lock:
            known = self._knowledge.setdefault(topic, {})
            if key not in known or known[key][0] <= at:
                known[key] = (at, value)

    def knowledge(self, topic: str) -> dict[str, bytes]:
        with self._lock:
            return {key: value for key, (_, value) in sorted(self._knowledge.get(topic, {}).items())}

    def close(self) -> None:
        """Nothing to write down."""


def _body_size(record: Record) -> int:
    return len(record.request_body or b"") + len(record.answer_body or b"")
