"""What may be claimed for prompt caching, by call and by workload: providers' caches played through, and written down.

Each feature at a model gets the way to cache that nets most of those that somebody can follow. The tables are temporary
ones of the working file: claims (what each call saves by each way) and loads (workloads that save something).
"""

from __future__ import annotations

from collections.abc import Iterator
from operator import add
from typing import NamedTuple

import msgspec

from scrimp.audit.findings.examples import MOST_EXAMPLES
from scrimp.audit.prompt_caches import LIVE_BLOCKS, Caches, Lane, Outcome, Row
from scrimp.audit.work import Work
from scrimp.world import World

EVERYTHING, REPEATED, MENDED = range(3)
"""Ways to cache: all of each prompt; what was there before; that, with what breaks the prefix moved to its end."""

BATCH = 2_000
"""Claims that are held before they are written down."""
MOST_LOADS = 4_096
"""Workloads whose sums are held before they are written down."""

_ONE_CALL = "aggregate = 0 AND unpriced = '' AND at IS NOT NULL AND length(prefix) > 0 AND (paid > 0 OR left > 0)"
_IN_ORDER = f"""
SELECT id, at, feature, key, provider, model, price_model, tier, input_total, input, cached, written, written_1h,
  prefix, unit, prompt, broke, same, paid, left, moved
FROM calls WHERE {_ONE_CALL} ORDER BY at, file, line, id
"""
_SUMS = (
    "calls", "reading", "breaking", "total", "reads", "more", "fixed", "everything", "repeated", "best",
    "everything_long", "repeated_long", "mended", "alone_everything", "alone_repeated", "alone_mended",
)  # fmt: skip
_CLAIM = f"CASE way WHEN {MENDED} THEN c.mended WHEN {REPEATED} THEN c.repeated ELSE c.everything END"
LOADS = f"""
CREATE TEMP TABLE loads AS
WITH summed AS (
  SELECT load, MIN(call) AS call, MAX(asked) AS asked, {", ".join(f"SUM({name}) AS {name}" for name in _SUMS)}
  FROM temp.sums GROUP BY load
), chosen AS (
  SELECT *, CASE WHEN 2 * breaking >= calls AND 5 * mended > 6 * MAX(everything, repeated, 0) THEN {MENDED}
    WHEN repeated > everything THEN {REPEATED} ELSE {EVERYTHING} END AS way
  FROM summed
), saving AS (
  SELECT *, CASE way WHEN {MENDED} THEN mended ELSE MAX(everything, repeated) END AS saves,
    CASE way WHEN {MENDED} THEN alone_mended ELSE MAX(alone_everything, alone_repeated) END AS alone
  FROM chosen
)
SELECT *, CASE way WHEN {MENDED} THEN MAX(everything, repeated, 0) ELSE everything END AS low,
  MAX(best, saves) AS high
FROM saving WHERE saves > 0
"""
"""Sums of calls -> the workloads that save, each by the way that nets most; mending has to be worth a test of it."""
_ORDER = "ORDER BY saves DESC, load LIMIT ?"
_TOTALS = ", ".join(
    f"COALESCE(SUM({what}), 0)"
    for what in (
        f"CASE way WHEN {MENDED} THEN breaking ELSE reading END",
        "total", "reads", "saves", "alone", "low", "high",
    )
)  # fmt: skip
_NOTHING = Outcome(0)
Met = tuple[Lane, Outcome] | None
"""Whose call it was and what it could have saved; None where it met no cache that is known."""


class Load(msgspec.Struct):
    """A feature at a model: sums over its calls (Outcome), and the way to cache that nets most, with what it `saves`.

    `call` is one of them. `low` and `high`: with all of every prompt marked, and with only that which is read again;
    of a cache that works by itself by the short and the long life; of what is to be mended without that, and with it.
    """

    load: int
    call: int
    asked: int
    calls: int
    reading: int
    breaking: int
    total: int
    reads: int
    more: int
    fixed: int
    everything: int
    repeated: int
    best: int
    everything_long: int
    repeated_long: int
    mended: int
    alone_everything: int
    alone_repeated: int
    alone_mended: int
    way: int
    saves: int
    alone: int
    low: int
    high: int


class Rest(NamedTuple):
    """Sums over several workloads: how many, how many of them by mending, calls that read more, tokens and money."""

    workloads: int
    mended: int
    calls: int
    total: int
    reads: int
    saves: int
    alone: int
    low: int
    high: int


def play(work: Work, world: World) -> int:
    """Play the caches through: what calls may claim into temp.claims, the workloads that save into temp.loads.

    Gives the number of these. temp.readable is left behind: tokens that could have been read and were not, as it went.
    """
    db = work.db
    for table in ("claims", "sums", "loads", "claimed", "readable"):
        db.execute(f"DROP TABLE IF EXISTS temp.{table}")
    db.execute(
        "CREATE TEMP TABLE claims (id INTEGER, load INTEGER, everything INTEGER, repeated INTEGER, mended INTEGER)"
    )
    db.execute(
        f"CREATE TEMP TABLE sums (load INTEGER, call INTEGER, asked INTEGER, {' INTEGER, '.join(_SUMS)} INTEGER)"
    )
    db.execute("CREATE TEMP TABLE readable (tokens INTEGER)")
    db.execute("BEGIN")
    ledger = Ledger(work)
    for call, now, then in _played(work, world):
        ledger.enter(call, now, then)
    ledger.close()
    db.execute("COMMIT")
    db.execute(LOADS)
    (count,) = work.one("SELECT COUNT(*) FROM temp.loads")
    return int(count)


def _played(work: Work, world: World) -> Iterator[tuple[Row, Met, Met]]:
    """Each call in its order and what it met: after all advice before this one, and as if there were none.

    What a cache of ours answers is not sent, and keeps nothing alive at a provider.
    """
    rows = map(Row._make, work.rows(_IN_ORDER))
    (is_changed,) = work.one("SELECT EXISTS (SELECT 1 FROM calls WHERE moved <> '' OR left <> paid)")
    if not is_changed:
        caches = Caches(world.book)
        for call in rows:
            met = caches.send(call)
            yield call, met, met
        return
    caches, alone = Caches(world.book, LIVE_BLOCKS // 2), Caches(world.book, LIVE_BLOCKS // 2)
    for call in rows:
        now = caches.send(call, call.moved) if call.left > 0 else None
        then = alone.send(call) if call.paid > 0 else None
        yield call, now, then


class Ledger:
    """Writes down what calls met: what may be claimed of each, and sums of workloads, in batches of a bounded size."""

    def __init__(self, work: Work) -> None:
        self._db = work.db
        self._claims: list[tuple[int, ...]] = []
        self._sums: dict[int, list[int]] = {}
        self._first: dict[int, tuple[int, int | None, bool]] = {}
        self._readable = 0

    def enter(self, call: Row, now: Met, then: Met) -> None:
        """Enter a call. No more is saved of it than is left of it, or was paid."""
        left, paid = call.left, call.paid
        met = now or then
        if met is None:
            return
        lane = met[0]
        gain = now[1] if now else _NOTHING
        if max(gain[3:]) > left:
            gain = Outcome(*gain[:3], *(min(amount, left) for amount in gain[3:]))
        if now is then:
            alone = gain
        else:
            alone = then[1] if then else _NOTHING
            alone = Outcome(*alone[:3], *(min(amount, paid) for amount in alone[3:]))
        self._readable += alone.more
        sent = now is not None
        self._add(
            lane,
            call.id if sent else None,
            (sent, gain.more > 0, gain.fixed > 0, call.total * sent, *gain, alone[3], alone[4], alone[8]),
        )
        if gain.everything or gain.repeated or gain.mended:
            self._claims.append((call.id, lane.load, gain.everything, gain.repeated, gain.mended))
            if len(self._claims) >= BATCH:
                self._write_claims()

    def close(self) -> None:
        """Write down what is held."""
        self._write_claims()
        self._write_sums()
        self._db.execute("INSERT INTO temp.readable VALUES (?)", (self._readable,))

    def _add(self, lane: Lane, call: int | None, parts: tuple[int, ...]) -> None:
        load = lane.load
        sums = self._sums.get(load)
        if sums is None:
            if len(self._sums) >= MOST_LOADS:
                self._write_sums()
            self._sums[load] = list(parts)
            self._first[load] = load, call, lane.rule.asked
        else:
            self._sums[load] = list(map(add, sums, parts))
            if call is not None and self._first[load][1] is None:
                self._first[load] = load, call, lane.rule.asked

    def _write_claims(self) -> None:
        self._db.executemany("INSERT INTO temp.claims VALUES (?, ?, ?, ?, ?)", self._claims)
        self._claims.clear()

    def _write_sums(self) -> None:
        slots = ", ".join("?" * (3 + len(_SUMS)))
        rows = ((*self._first[load], *sums) for load, sums in self._sums.items())
        self._db.executemany(f"INSERT INTO temp.sums VALUES ({slots})", rows)
        self._sums.clear()
        self._first.clear()


def top(work: Work, most: int) -> list[Load]:
    """The workloads that save most, dearest first; of equals in an order that is always the same."""
    return [Load(*row) for row in work.rows(f"SELECT * FROM temp.loads {_ORDER}", (most,))]


def rest(work: Work, most: int) -> Rest:
    """The sums of all workloads but those."""
    return Rest(
        *work.one(
            f"SELECT COUNT(*), COALESCE(SUM(way = {MENDED}), 0), {_TOTALS} FROM temp.loads"
            f" WHERE load NOT IN (SELECT load FROM temp.loads {_ORDER})",
            (most,),
        )
    )


def dearest(work: Work, load: int) -> list[int]:
    """The ids of calls of a workload of which most is claimed; of equals the earlier ones."""
    return _dearest(work, "c.load = ?", load)


def dearest_of_rest(work: Work, most: int) -> list[int]:
    """The same of all workloads but the top ones."""
    return _dearest(work, f"c.load NOT IN (SELECT load FROM temp.loads {_ORDER})", most)


def _dearest(work: Work, where: str, value: int) -> list[int]:
    found = work.rows(
        f"SELECT c.id FROM temp.claims AS c JOIN temp.loads AS l ON l.load = c.load WHERE {where}"
        f" ORDER BY {_CLAIM} DESC, c.rowid LIMIT {MOST_EXAMPLES}",
        (value,),
    )
    return [ident for (ident,) in found]


def claim(work: Work) -> None:
    """Lower `left` of every call by what its workload's way saves of it, and drop the tables."""
    db = work.db
    db.execute("CREATE TEMP TABLE claimed (id INTEGER PRIMARY KEY, claim INTEGER)")
    db.execute(  # in the order of the calls, so that each page of the working file is written once
        f"INSERT INTO temp.claimed SELECT c.id, {_CLAIM} AS claim FROM temp.claims AS c"
        " JOIN temp.loads AS l ON l.load = c.load WHERE claim <> 0 ORDER BY c.id"
    )
    db.execute(
        "UPDATE calls SET left = left - (SELECT claim FROM temp.claimed AS c WHERE c.id = calls.id)"
        " WHERE id IN (SELECT id FROM temp.claimed)"
    )
    for table in ("claims", "sums", "loads", "claimed"):
        db.execute(f"DROP TABLE temp.{table}")
