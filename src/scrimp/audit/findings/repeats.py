"""Exact repeats: what serving them from store would have saved, with the calls' real times and a stated time-to-live.

The exact cache is played through over the log with the cache's own key and rules: an answer is stored when it ends, if
it is whole; it serves the same request from then on until it expires, which no hit puts off. What a hit saves is what
the call really cost.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from scrimp.audit.findings.examples import MOST_EXAMPLES, examples
from scrimp.audit.reading import Wanted
from scrimp.audit.report import Advice, Sure
from scrimp.audit.work import Work
from scrimp.report.money import dollars
from scrimp.report.numbers import NO_LABEL
from scrimp.wire.exact import NORMAL_FINISH
from scrimp.world import World

MOST_FEATURES = 5
"""Features told apart in an advice's details."""
BATCH = 10_000
"""Hits that are held before they are written down."""
_FINISHES = ", ".join(f"'{finish}'" for finish in sorted(NORMAL_FINISH))
_KEYED = "aggregate = 0 AND exact IS NOT NULL AND unpriced = ''"
_IN_ORDER = f"""
SELECT exact, id, at, MAX(duration, 0), status < 300 AND error = '' AND lower(finish) IN ({_FINISHES}),
  deterministic, left, paid
FROM calls WHERE {_KEYED} ORDER BY exact, at IS NULL, at, file, line, id
"""
_OF_A_KIND = "FROM temp.hits AS h CROSS JOIN calls AS c ON c.id = h.id WHERE c.deterministic = ?"
_KINDS: tuple[tuple[int, str, Sure, str], ...] = (
    (1, "Serve exact repeats from cache", "sure", "The caller asked for one answer: temperature 0, or none to set."),
    (
        0,
        "Serve exact repeats that allow variety",
        "test first",
        "The caller left the answer to chance (a temperature above 0, or the provider's own): a repeat would get the"
        " first answer again.",
    ),
)
_HOUR = 3_600 * 10**9
_SPANS = ((24 * _HOUR, "days"), (_HOUR, "h"), (_HOUR // 60, "min"), (10**9, "s"))


class Repeated(msgspec.Struct):
    """A request that was repeated: what its hits cost and how many there were, and the dearest of them."""

    paid: int = 0
    hits: int = 0
    key: int = 0
    dearest: int = 0
    most: int = -1


def advise(work: Work, world: World, wanted: Wanted) -> list[Advice]:
    """What the exact cache would have saved: one row for calls that ask for one answer, one for the others.

    A call without a time is taken to be within the time-to-live of the others of its key. Calls without a price and
    sums have no part. Lowers `left` of every hit to 0.
    """
    if wanted.ttl <= 0 or not _any(work, _KEYED):
        return []
    best = _play(work, wanted.ttl)
    of = work.one(f"SELECT COUNT(*), SUM({_KEYED}) FROM calls WHERE aggregate = 0")
    advice = [_advice(work, wanted, of, best[kind[0]], *kind) for kind in _KINDS if best[kind[0]]]
    work.db.execute("UPDATE calls SET left = 0 WHERE left > 0 AND id IN (SELECT id FROM temp.hits)")
    work.db.execute("DROP TABLE temp.hits")
    return advice


def missing(work: Work) -> str:
    """Why a log tells nothing of exact repeats; "" where it does."""
    if _any(work, "aggregate = 0 AND exact IS NOT NULL"):
        return ""
    if not _any(work, "aggregate = 0"):
        return "Exact repeats cannot be told: these logs hold sums, no single calls."
    if _any(work, "aggregate = 0 AND prompt > 0"):
        return (
            "No exact repeat may be served from cache: every request that is kept depends on files, searches or tools"
            " of the provider."
        )
    return "Exact repeats cannot be told: these logs keep no requests."


def _any(work: Work, where: str) -> bool:
    """Whether there are such calls."""
    return bool(work.one(f"SELECT EXISTS (SELECT 1 FROM calls WHERE {where})")[0])


def _play(work: Work, ttl: int) -> dict[int, list[Repeated]]:
    """Play the cache: its hits into temp.hits, and the dearest repeated requests by whether they ask for one answer."""
    db = work.db
    db.execute("DROP TABLE IF EXISTS temp.hits")
    db.execute("CREATE TEMP TABLE hits (id INTEGER PRIMARY KEY)")
    best: dict[int, list[Repeated]] = {0: [], 1: []}
    batch: list[tuple[int]] = []
    repeated, kind = Repeated(), 0
    db.execute("BEGIN")
    for key, ident, kind_of, cost in _hits(work, ttl):
        if key != repeated.key:
            _keep(best[kind], repeated)
            repeated, kind = Repeated(key=key), kind_of
        repeated.hits += 1
        repeated.paid += cost
        if cost > repeated.most:
            repeated.most, repeated.dearest = cost, ident
        batch.append((ident,))
        if len(batch) == BATCH:
            db.executemany("INSERT INTO temp.hits VALUES (?)", batch)
            batch.clear()
    _keep(best[kind], repeated)
    db.executemany("INSERT INTO temp.hits VALUES (?)", batch)
    db.execute("COMMIT")
    return best


def _hits(work: Work, ttl: int) -> Iterator[tuple[int, int, int, int]]:
    """(key, id, deterministic, paid) of every call that the cache would have answered and that cost something."""
    last = stored = None
    kept = False
    for key, ident, at, duration, is_whole, deterministic, left, paid in work.rows(_IN_ORDER):
        if key != last:
            last, stored, kept = key, None, False
        if kept if at is None else stored is not None and stored < at < stored + ttl:
            if left > 0 or paid > 0:
                yield key, ident, deterministic, paid
        elif is_whole:
            kept = True
            if at is not None and (stored is None or at >= stored + ttl or at + duration < stored):
                stored = at + duration


def _keep(best: list[Repeated], repeated: Repeated) -> None:
    """Keep a repeated request if it is one of the dearest; of equals the one with the lower key."""
    if repeated.hits:
        best.append(repeated)
        best.sort(key=lambda one: (-one.paid, one.key))
        del best[MOST_EXAMPLES:]


def _advice(
    work: Work,
    wanted: Wanted,
    of: tuple[int, ...],
    best: list[Repeated],
    deterministic: int,
    title: str,
    sure: Sure,
    why: str,
) -> Advice:
    """One row: `of` are all single calls, and those with a key; `best` the dearest repeated requests."""
    hits, saves, alone, untimed = work.one(
        f"SELECT COUNT(*), SUM(MAX(c.left, 0)), SUM(MAX(c.paid, 0)), SUM(c.at IS NULL) {_OF_A_KIND}", (deterministic,)
    )
    calls, keyed = of
    shown = examples(work, [one.dearest for one in best])
    details = [why, *_features(work, deterministic)]
    details += [
        f"{one.file}:{one.line} was asked again {_times(repeated.hits)}: ${dollars(repeated.paid)}."
        for one, repeated in zip(shown, best, strict=True)
    ]
    if keyed < calls:
        details.append(f"Only {keyed:,} of {calls:,} calls keep a request that may be answered from store.")
    if untimed:
        details.append(f"{untimed:,} of these repeats have no time and are taken to come within {_span(wanted.ttl)}.")
    return Advice(
        strategy="cached",
        title=title,
        sure=sure,
        saves=saves,
        alone=alone,
        calls=hits,
        evidence=f"{_share(hits, calls)} repeat within {_span(wanted.ttl)}",
        details=details,
        examples=shown,
    )


def _features(work: Work, deterministic: int) -> Iterator[str]:
    """A line for each of the features whose repeats cost most: their share of its calls, and dollars."""
    found = work.db.execute(
        f"SELECT c.feature, COUNT(*), SUM(MAX(c.left, 0)) {_OF_A_KIND} GROUP BY 1 ORDER BY 3 DESC, 1 LIMIT ?",
        (deterministic, MOST_FEATURES),
    ).fetchall()
    names = ", ".join("?" * len(found))
    of_all = dict(
        work.rows(
            f"SELECT feature, COUNT(*) FROM calls WHERE aggregate = 0 AND feature IN ({names}) GROUP BY 1",
            [feature for feature, _, _ in found],
        )
    )
    for feature, hits, saves in found:
        calls = of_all[feature]
        yield f"{feature or NO_LABEL}: {_share(hits, calls)} of {calls:,} calls repeat, ${dollars(saves)}."


def _share(part: int, whole: int) -> str:
    """A share with one decimal, never 0.0 of something."""
    text = f"{part / whole:.1%}"
    return "<0.1%" if text == "0.0%" else text


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"


def _span(nanoseconds: int) -> str:
    """A time-to-live in the largest unit that it is whole in: "24 h", "30 days", "90 min"."""
    for unit, name in _SPANS:
        if nanoseconds % unit == 0 and (nanoseconds > unit or name != "days"):
            return f"{nanoseconds // unit:,} {name}"
    return f"{nanoseconds / 10**9:g} s"
