"""Exact repeats: what serving them from store would have saved, with the calls' real times and a stated time-to-live.

The exact cache is played through over the log with the cache's own key and rules: an answer is stored when it ends, if
it is whole; it serves the same request from then on until it expires, which no hit puts off. What a hit saves is what
the call really cost.
"""

from __future__ import annotations

from collections.abc import Iterator

from scrimp.audit.findings.examples import MOST_EXAMPLES, examples
from scrimp.audit.reading import Wanted
from scrimp.audit.report import Advice, Sure
from scrimp.audit.work import Work
from scrimp.report.money import dollars
from scrimp.report.numbers import NO_LABEL
from scrimp.report.times import span
from scrimp.wire.exact import NORMAL_FINISH
from scrimp.world import World

MOST_FEATURES = 5
_IS_WHOLE = f"status < 300 AND error = '' AND lower(finish) IN {tuple(sorted(NORMAL_FINISH))}"
_KEYED = "aggregate = 0 AND exact IS NOT NULL AND unpriced = ''"
_IN_ORDER = f"""
SELECT exact, id, at, MAX(duration, 0), {_IS_WHOLE}, deterministic, paid > 0 FROM calls WHERE {_KEYED}
ORDER BY exact, at IS NULL, at, file, line, id
"""
_OF_A_KIND = "FROM temp.hits AS h CROSS JOIN calls AS c ON c.id = h.id WHERE h.kind = ?"
_SUMS = f"SELECT COUNT(*), SUM(MAX(c.left, 0)), SUM(c.paid), SUM(c.at IS NULL) {_OF_A_KIND}"
_FEATURES = f"""
SELECT c.feature, COUNT(*), SUM(MAX(c.left, 0)) {_OF_A_KIND} GROUP BY 1 ORDER BY 3 DESC, 1 LIMIT {MOST_FEATURES}
"""
_DEAREST = f"""
SELECT id FROM (
  SELECT c.id, c.paid, c.at, c.file, c.line, ROW_NUMBER() OVER alike AS nth {_OF_A_KIND}
  WINDOW alike AS (PARTITION BY h.key ORDER BY c.paid DESC, c.at, c.file, c.line, c.id)
) WHERE nth = 1 ORDER BY paid DESC, at, file, line, id LIMIT {MOST_EXAMPLES}
"""
_KINDS: tuple[tuple[int, str, Sure, str], ...] = (
    (1, "Serve exact repeats from cache", "sure", "The caller asked for one answer: temperature 0, or none to set."),
    (0, "Serve exact repeats that allow variety", "test first", "Answers may vary; a repeat would get the first one."),
)


def advise(work: Work, world: World, wanted: Wanted) -> list[Advice]:
    """What the exact cache would have saved: one row for calls that ask for one answer, one for the others.

    A call without a time is taken to be within the time-to-live of the others of its key. Calls without a price and
    sums have no part. Lowers `left` of every hit to 0.
    """
    if wanted.ttl <= 0:
        return []
    db = work.db
    db.execute("DROP TABLE IF EXISTS temp.hits")
    db.execute("CREATE TEMP TABLE hits (id INTEGER PRIMARY KEY, key INTEGER, kind INTEGER)")
    db.execute("BEGIN")
    db.executemany("INSERT INTO temp.hits VALUES (?, ?, ?)", _hits(work, wanted.ttl))
    db.execute("COMMIT")
    kinds = {kind for (kind,) in work.rows("SELECT DISTINCT kind FROM temp.hits")}
    advice = [_advice(work, span(wanted.ttl), *kind) for kind in _KINDS if kind[0] in kinds]
    db.execute("UPDATE calls SET left = 0 WHERE left > 0 AND id IN (SELECT id FROM temp.hits)")
    db.execute("DROP TABLE temp.hits")
    return advice


def missing(work: Work) -> str:
    """Why a log tells nothing of exact repeats; "" where it does."""
    sums = "SUM(exact IS NOT NULL), SUM(prompt > 0)"
    calls, keyed, kept = work.one(f"SELECT COUNT(*), {sums} FROM calls WHERE aggregate = 0")
    if keyed:
        return ""
    if kept:
        return "No exact repeat may be served: what is asked depends on files, searches or tools of the provider."
    return f"Exact repeats cannot be told: these logs {'keep no requests' if calls else 'hold sums, no single calls'}."


def _hits(work: Work, ttl: int) -> Iterator[tuple[int, int, int]]:
    """(id, key, deterministic) of every call that the cache would have answered and that cost something."""
    last = stored = None
    kept = False
    for key, ident, at, duration, is_whole, deterministic, is_paid in work.rows(_IN_ORDER):
        if key != last:
            last, stored, kept = key, None, False
        if kept if at is None else stored is not None and stored < at < stored + ttl:
            if is_paid:
                yield ident, key, deterministic
        elif is_whole:
            kept = True
            if at is not None and (stored is None or at >= stored + ttl or at + duration < stored):
                stored = at + duration


def _advice(work: Work, ttl: str, deterministic: int, title: str, sure: Sure, why: str) -> Advice:
    """One row, of the hits that ask for one answer or of the others."""
    kind = (deterministic,)
    hits, saves, alone, untimed = work.one(_SUMS, kind)
    calls, keyed = work.one(f"SELECT COUNT(*), SUM({_KEYED}) FROM calls WHERE aggregate = 0")
    details = [why]
    for feature, count, cost in work.rows(_FEATURES, kind):
        details.append(f"{feature or NO_LABEL}: {count:,} repeat{'s' if count > 1 else ''}, ${dollars(cost)}.")
    if keyed < calls:
        details.append(f"Only {keyed:,} of {calls:,} calls keep a request that may be answered from store.")
    if untimed:
        details.append(f"{untimed:,} of these repeats have no time and are taken to come within {ttl}.")
    share = f"{hits / calls:.1%}" if hits * 1000 >= calls else "<0.1%"
    shown = examples(work, [ident for (ident,) in work.rows(_DEAREST, kind)])
    return Advice("cached", title, sure, saves, alone, hits, f"{share} repeat within {ttl}", details, shown)
