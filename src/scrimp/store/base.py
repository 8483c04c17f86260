"""What the rest of scrimp may ask of a store, and the rows it keeps.

A store keeps five things: records (a row a call, rolled up by the hour), counters (added to atomically over several
keys, or not at all), blobs with expiry, jobs by lease, and learned knowledge. One contract suite
(tests/store/test_contract.py) runs on every store; memory and SQLite stand here, others come later.
The gateway calls `add` and `count` from its event loop: in the embedded stores they never wait and do no I/O there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Iterator, Mapping
from typing import Any, Protocol

import msgspec

from scrimp.call import Basis, Ending, Kind, Usage


class SavingRow(msgspec.Struct, frozen=True, gc=False):
    """What one strategy saved: nanodollars, and whether it was measured or estimated."""

    strategy: str
    nano: int
    kind: Kind


class Record(msgspec.Struct, omit_defaults=True):
    """One call as it is written down. Times are ns since the epoch (UTC), durations ns, money nanodollars.

    `model_asked` is the client's word, `model` the provider's answer (or the asked one where it said nothing).
    `tags` hold no control characters (attribute cleans them). `facts` is a JSON object of what the steps left.
    Bodies are kept only where `record.bodies` is on.
    """

    id: str
    at: int
    provider: str = ""
    api: str = "other"
    method: str = "POST"
    path: str = ""
    model_asked: str = ""
    model: str = ""
    stream: bool = False
    status: int = 0
    ending: Ending = "ok"
    error: str = ""
    finish: str = ""
    tier: str = ""
    tenant: str = "anonymous"
    key: str = ""
    feature: str = ""
    feature_from: str = "none"
    user: str = ""
    team: str = ""
    session: str = ""
    environment: str = ""
    tags: tuple[str, ...] = ()
    usage: Usage = Usage()
    basis: Basis = "none"
    unpriced: str = ""
    price_model: str = ""
    flags: tuple[str, ...] = ()
    list_nano: int = 0
    paid_nano: int = 0
    overhead_nano: int = 0
    savings: tuple[SavingRow, ...] = ()
    first_byte_ns: int = 0
    total_ns: int = 0
    overhead_ns: int = 0
    tries: int = 0
    facts: str = "{}"
    request_id: str = ""
    request_body: bytes | None = None
    answer_body: bytes | None = None


def has_body(record: Record) -> bool:
    """Whether a body is kept with the call."""
    return record.request_body is not None or record.answer_body is not None


HOUR = 3_600_000_000_000
"""Nanoseconds in an hour: a rollup's `hour` is `at // HOUR`."""


class Rollup(msgspec.Struct, omit_defaults=True):
    """The sums of all calls of one hour that share every label below: what pages and reports read.

    `tags` is the sorted tags joined by ",". Money is in nanodollars; `savings` maps (strategy, kind) to nanodollars.
    Two rollups of the same cell merge by adding (`merge`): associative and commutative.
    """

    hour: int
    feature: str = ""
    user: str = ""
    team: str = ""
    key: str = ""
    model: str = ""
    provider: str = ""
    tags: str = ""
    calls: int = 0
    failed: int = 0
    unpriced: int = 0
    estimated: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    list_nano: int = 0
    paid_nano: int = 0
    overhead_nano: int = 0
    total_ns: int = 0
    savings: dict[tuple[str, str], int] = {}

    @property
    def cell(self) -> tuple[int, str, str, str, str, str, str, str]:
        """What makes two rollups the same cell."""
        return (
            self.hour, self.feature, self.user, self.team, self.key, self.model, self.provider, self.tags
        )  # fmt: skip

    def merge(self, other: Rollup) -> None:
        """Add the other's sums to this one's."""
        for name in SUMS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for row, nano in other.savings.items():
            self.savings[row] = self.savings.get(row, 0) + nano


SUMS = (
    "calls", "failed", "unpriced", "estimated", "input_tokens", "cached_tokens", "output_tokens",
    "list_nano", "paid_nano", "overhead_nano", "total_ns",
)  # fmt: skip


def roll_up(record: Record) -> Rollup:
    """The rollup of one call alone; a store merges it into its cell."""
    savings: dict[tuple[str, str], int] = {}
    for row in record.savings:
        place = (row.strategy, row.kind)
        savings[place] = savings.get(place, 0) + row.nano
    return Rollup(
        hour=record.at // HOUR, feature=record.feature, user=record.user, team=record.team, key=record.key,
        model=record.model, provider=record.provider, tags=",".join(sorted(set(record.tags))), calls=1,
        failed=int(record.ending not in ("ok", "client-left", "stopped")), unpriced=int(bool(record.unpriced)),
        estimated=int(record.basis in ("estimated", "assumed-full")), input_tokens=record.usage.input_total,
        cached_tokens=record.usage.cached + record.usage.audio_cached, output_tokens=record.usage.output_total,
        list_nano=record.list_nano, paid_nano=record.paid_nano, overhead_nano=record.overhead_nano,
        total_ns=record.total_ns, savings=savings
    )  # fmt: skip


class Job(msgspec.Struct):
    """A unit of work that somebody leases, works on and finishes; `attempt` counts the leases so far."""

    id: str
    queue: str
    body: bytes
    due: int
    attempt: int = 0
    leased_until: int = 0
    result: bytes | None = None


HEALTH: dict[str, Any] = {
    "queued": 0, "spilled": 0, "unjournaled": 0, "dropped": 0, "dropped_bodies": 0, "oldest_uncommitted_s": 0.0,
    "last_error": ""
}  # fmt: skip
"""What `health` tells, with its values when all is well: records in memory that are not committed; records in the
spill file; records that a kill would have lost, records dropped and bodies dropped since the store was opened; the
age of the oldest uncommitted record in seconds; the trouble that lasts, else "" (a drop's reason stays)."""


class Store(Protocol):
    """The one interface of every store. Times are ns since the epoch and always given by the caller."""

    # records
    def add(self, record: Record) -> None:
        """Take a settled call; never blocks, never raises. It survives a kill of the process from here on.

        A call whose id is known already changes nothing: it is neither stored nor rolled up again.
        """

    def flush(self, timeout: float = 10.0) -> bool:
        """Wait until everything added so far can be read back; False after `timeout` seconds."""

    def records(self, since: int = 0, until: int | None = None, *, limit: int | None = None) -> Iterator[Record]:
        """Calls with since <= at < until, oldest first (ties as they came); the newest `limit` of them when given."""

    def record(self, call_id: str) -> Record | None:
        """One call by its id."""

    def rollups(self, since: int = 0, until: int | None = None) -> Iterator[Rollup]:
        """Cells with since <= hour < until (hours since the epoch), by hour."""

    def forget(self, before: int) -> int:
        """Drop stored bodies (not rows) of calls before `before`; of how many calls. Blobs expired by then go too."""

    def health(self) -> dict[str, Any]:
        """How the store is doing, for /readyz and metrics; the keys stand in `HEALTH`."""

    # counters
    def count(
        self, changes: Mapping[str, int], limits: Mapping[str, int] | None = None
    ) -> str | Awaitable[str | None] | None:
        """Add to all counters or to none. None when done; else the first key whose limit would be passed.

        Only a key that grows can pass its limit: giving back is never refused.
        """

    def counters(self, prefix: str = "") -> dict[str, int]:
        """Counters whose key starts with `prefix`."""

    def drop_counters(self, keys: Iterable[str]) -> None:
        """Forget counters."""

    # blobs with expiry
    def put(self, key: str, value: bytes, expires: int) -> None:
        """Keep a value until `expires` (0: for ever)."""

    def get(self, key: str, now: int) -> bytes | None:
        """The value, or None where there is none or it has expired by `now`."""

    def delete(self, keys: Iterable[str]) -> int:
        """Drop values; how many there were."""

    # jobs by lease
    def enqueue(self, job: Job) -> bool:
        """Add a job; False where its id is known already (nothing changes then)."""

    def lease(self, queue: str, now: int, until: int) -> Job | None:
        """Take the oldest due job that is neither finished nor leased past `now`; at most one taker gets it."""

    def finish(self, job_id: str, result: bytes, attempt: int) -> bool:
        """Keep the result; False where the lease was lost to a later attempt."""

    def job(self, job_id: str) -> Job | None:
        """A job as it stands."""

    # learned knowledge
    def learn(self, topic: str, key: str, value: bytes, at: int) -> None:
        """Keep what was learned under (topic, key); the newest wins, the last of equals."""

    def knowledge(self, topic: str) -> dict[str, bytes]:
        """Everything learned of a topic, by key."""

    def close(self) -> None:
        """Write everything down and let go."""
