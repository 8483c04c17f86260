"""Providers' prompt caches: how far they are used, which prompts break their own prefix, what stable ones would save.

The caches are played through over all calls (prompt_caches.py), into a table of what each could have saved. Each
workload, a feature at a model, then gets the way to cache that nets most of those that somebody can follow; what loses
money at it is no advice. All of it is estimated: nobody knows what a provider really kept.
"""

from __future__ import annotations

from collections import namedtuple

from scrimp.audit.cache_rules import MINUTE, UNDOCUMENTED, Rule
from scrimp.audit.findings.examples import MOST_EXAMPLES, examples
from scrimp.audit.prompt_caches import LEAST_BYTES, PLAYED, Caches, Row, rule_of
from scrimp.audit.reading import Wanted
from scrimp.audit.report import Advice, Break, Prefixes
from scrimp.audit.work import Work
from scrimp.world import World

MOST_LOADS = 5
"""Workloads with a row of their own."""
MOST_BREAKS = 10
NEAR, RARE = 64, 10
"""Breaks within so many bytes are one place, as a time of day differs in one digit or another; a break in fewer than
one in so many calls is no habit of a feature."""
NEAREST, FARTHER, MENDED = range(3)
"""Ways to cache, by the amounts of Outcome; `far` is one only where a cache has to be asked."""

_KEPT = "(prompt > 0 OR length(prefix) > 0)"
_IN_ORDER = """
SELECT id, at, feature, key, provider, model, price_model, tier, moved, left, paid,
  input + cached + written + written_1h, cached, written + written_1h, prefix, unit, prompt, broke, same
FROM calls
WHERE aggregate = 0 AND unpriced = '' AND at IS NOT NULL AND length(prefix) > 0 AND (paid > 0 OR left > 0)
ORDER BY at, file, line, id
"""
_WAY = f"CASE way WHEN {MENDED} THEN mended WHEN {FARTHER} THEN far ELSE near END"
_LOADS = f"""
CREATE TEMP TABLE loads AS
WITH summed AS (
  SELECT load, MIN(id) AS id, asked, {", ".join(f"SUM({name}) AS {name}" for name in PLAYED[3:])},
    SUM(sent AND more > 0) AS reading, SUM(sent * more) AS unread, SUM(fixed > 0) AS breaking
  FROM temp.played GROUP BY load
), chosen AS (
  SELECT *, CASE WHEN 2 * breaking >= sent AND 5 * mended > 6 * MAX(near, asked * far, 0) THEN {MENDED}
    WHEN asked AND far > near THEN {FARTHER} ELSE {NEAREST} END AS way
  FROM summed
)
SELECT load, MIN({MOST_LOADS}, ROW_NUMBER() OVER (ORDER BY {_WAY} DESC, load) - 1) AS place, id, way, sent, total,
  IIF(way = {MENDED}, breaking, reading) AS calls, reads + fixed * (way = {MENDED}) AS reads,
  unread + fixed * (way = {MENDED}) AS more, {_WAY} AS saves, MAX(0, {_WAY} + alone) AS alone,
  IIF(way = {MENDED}, MAX(near, 0), MIN(near, far)) AS low, IIF(way = {MENDED}, mended, MAX(near, far)) AS high
FROM chosen WHERE saves > 0
"""
"""Sums of calls -> the workloads that save, by the way that nets most; mending has to be worth a test of it."""
_CLAIMS = f"""
CREATE TEMP TABLE claims AS SELECT p.id, place, p.rowid AS nth, {_WAY} AS claim
FROM temp.played AS p JOIN temp.loads AS l ON l.load = p.load WHERE claim <> 0 ORDER BY p.id
"""
Load = namedtuple("Load", "place loads id way sent total calls reads more saves alone low high")
"""A workload that saves, or all that have no row of their own: tokens, and nanodollars (Advice). `id` is one of its
calls, `way` the way that nets most, of several the one to be most careful with."""
_BREAKS = f"""
CREATE TEMP TABLE IF NOT EXISTS breaks AS
WITH broken AS (
  SELECT id, feature, broke, same, paid, at, file, line FROM calls
  WHERE broke IS NOT NULL AND aggregate = 0 AND length(prefix) > 0 AND same >= {LEAST_BYTES * UNDOCUMENTED}
    AND input_total * same >= {UNDOCUMENTED} * prompt
), dearest AS (
  SELECT feature, place, MAX(spent) AS spent
  FROM (SELECT feature, MIN(broke) AS place, SUM(paid) AS spent FROM broken GROUP BY feature, broke / {NEAR})
  GROUP BY feature ORDER BY 3 DESC, feature LIMIT {MOST_BREAKS}
), asked AS (
  SELECT feature, COUNT(*) AS calls FROM calls
  WHERE aggregate = 0 AND prompt > 0 AND feature IN (SELECT feature FROM dearest) GROUP BY feature
), around AS (
  SELECT b.*, spent, ROW_NUMBER() OVER (PARTITION BY b.feature ORDER BY paid DESC, at, file, line) AS nth
  FROM dearest AS d JOIN broken AS b ON b.feature = d.feature AND b.broke BETWEEN place - {NEAR} AND place + {NEAR}
)
SELECT b.feature, COUNT(*), a.calls, MIN(broke), MIN(same), MAX(id * (nth = 1))
FROM around AS b JOIN asked AS a ON a.feature = b.feature
GROUP BY b.feature HAVING COUNT(*) > 1 AND COUNT(*) * {RARE} >= a.calls ORDER BY spent DESC, b.feature
"""


def advise(work: Work, world: World, wanted: Wanted) -> list[Advice]:
    """What stable prefixes would have saved, by workload; lowers `left` of each call by what is claimed of it."""
    db = work.db
    for table in ("played", "loads", "claims", "breaks"):
        db.execute(f"DROP TABLE IF EXISTS temp.{table}")
    db.execute(f"CREATE TEMP TABLE played ({', '.join(PLAYED)})")
    db.execute("BEGIN")
    calls = map(Row._make, work.rows(_IN_ORDER))
    slots = ", ".join("?" * len(PLAYED))
    db.executemany(f"INSERT INTO temp.played VALUES ({slots})", filter(None, map(Caches(world.book).send, calls)))
    db.execute("COMMIT")
    db.execute(_LOADS)
    db.execute(_CLAIMS)  # in the order of the calls, so that each page of the working file is written once
    db.execute("UPDATE calls SET left = left - claim FROM temp.claims AS c WHERE c.id = calls.id")
    broken = {found.feature: found for found in breaks(work)}
    sums = ", ".join(f"SUM({name})" for name in Load._fields[4:])
    loads = work.rows(f"SELECT place, COUNT(*), MIN(id), MAX(way), {sums} FROM temp.loads GROUP BY place")
    return [_advice(work, world, Load(*load), broken) for load in loads]


def find(work: Work) -> Prefixes:
    """How far prompt caches are used, and prompts that break their own prefix. After `advise`."""
    total, cached, written, known, more = work.one(
        "SELECT COALESCE(SUM(input_total), 0), COALESCE(SUM(cached), 0), COALESCE(SUM(written + written_1h), 0),"
        f" COALESCE(SUM(aggregate = 0 AND {_KEPT}), 0), (SELECT COALESCE(SUM(more), 0) FROM temp.played) FROM calls"
    )
    return Prefixes(total, cached, written, known, cached + more if known else 0, breaks(work))


def breaks(work: Work) -> list[Break]:
    """The break of each feature that often has one, the dearest first: where the first of those around it is."""
    work.db.execute(_BREAKS)
    found = work.rows("SELECT * FROM temp.breaks")
    return [Break(name, calls, of, at, same, examples(work, [call])[0]) for name, calls, of, at, same, call in found]


def missing(work: Work) -> str:
    """What the logs do not tell of prompt caches; "" where every call keeps its prompt and its time."""
    calls, known = work.one(
        f"SELECT COUNT(*), COALESCE(SUM({_KEPT} AND at IS NOT NULL), 0) FROM calls WHERE aggregate = 0"
    )
    if calls and known == calls:
        return ""
    return f"Prompt caching is told from the {known:,} of {calls:,} single calls that keep their prompt and their time."


def _advice(work: Work, world: World, load: Load, broken: dict[str, Break]) -> Advice:
    """The row of a workload, or of all that have none of their own."""
    of_call = "SELECT feature, IIF(moved = '', price_model, moved), moved FROM calls WHERE id = ?"
    feature, model, moved = work.one(of_call, (load.id,))
    evidence = f"{load.reads / max(1, load.total):.0%} of input: stable prefix"
    if load.place == MOST_LOADS:
        feature = model = ""
        title = f"Reuse prefixes of {load.loads:,} other workload{'s' if load.loads > 1 else ''}"
        bounds = "as of each workload"
        details = ["Features at models that save less each, counted as the ones above."]
    else:
        rule = rule_of(world.book, model)
        assert rule is not None  # it was played by one
        what, bounds, details = _told(load, rule)
        title = f"{what} of {feature or 'untagged calls'} on {model}"
        if moved:
            details.append(f"Counted on {moved}, where the advice before this one moves these calls.")
        if load.way == MENDED and (found := broken.get(feature)):
            evidence = f"breaks at byte {found.at:,} in {found.calls / found.of:.0%}"
            details.append(f"{found.same:,} bytes after the break are the same: move what changes to the end.")
    shown = "SELECT id FROM temp.claims WHERE place = ? ORDER BY claim DESC, nth LIMIT ?"
    return Advice(
        strategy="prompt_cache",
        title=title,
        sure="test first" if load.way == MENDED else "likely",
        saves=load.saves,
        alone=load.alone,
        calls=load.calls,
        evidence=evidence,
        details=details,
        examples=examples(work, [call for (call,) in work.rows(shown, (load.place, MOST_EXAMPLES))]),
        low=load.low,
        high=load.high,
        bounds=bounds,
        feature=feature,
        model=model,
    )


def _told(load: Load, rule: Rule) -> tuple[str, str, list[str]]:
    """What to do about a workload, what bounds its saving, and how that is counted."""
    short, long = f"{rule.short // MINUTE} min", f"{rule.long // MINUTE:,} min"
    counted = (
        f"{load.calls:,} of {load.sent:,} calls could have read {load.more:,} tokens more from {rule.maker}'s cache"
        f" than they did, of {load.total:,} in all"
    )
    if load.way == MENDED:
        what, bounds = "Stop breaking the prefix", "left as it is; what changes moved to the end"
        counted += ", if what changes stood at the end of the prompt."
    elif rule.asked:
        what, bounds = "Mark stable prefixes", "the worse of two ways to mark; the better one"
        marked = "all of every prompt" if load.way == FARTHER else f"what came before within {short}"
        counted += f". The saving is counted with marks on {marked}, writes included."
    else:
        what, bounds = "Reuse stable prefixes", f"kept {short} after the last use; kept {long}"
        unread = " No token was read from a cache: check that the log keeps that count before acting on this."
        counted += "." + unread * (load.reads == load.more)
    return what, bounds, [counted, rule.how]
