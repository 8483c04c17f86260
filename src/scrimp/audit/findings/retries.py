"""Calls made again: requests sent anew after they failed, and loops in which one thing is asked or done over and over.

A retry or a repeated request is told by the key of the exact cache, so only where a log keeps requests, and by times.
An agent's loop is told by what its answers do: the same tool call with the same arguments, call after call.
Not told: calls sent at once, requests that were changed before they were sent again, loops of several steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from scrimp.audit.findings.examples import examples
from scrimp.audit.report import Repetition
from scrimp.audit.work import Work
from scrimp.report.numbers import NO_LABEL

WINDOW = 600 * 10**9
"""Nanoseconds after a call's end within which the next one belongs to it: as long as the official SDKs wait at most."""
LEAST_ASKED, LEAST_DONE = 6, 4
"""Times that a loop asks, or does, the same again: people press a button twice, tests ask a few times to see how
answers vary, polling for a result takes a few."""
MOST_SHOWN = 20
_FAILURE = "CASE WHEN status >= 400 THEN 'status ' || status ELSE error END"
_SENT = f"""
SELECT exact, session, user, feature, id, at, MAX(duration, 0), {_FAILURE} FROM calls
WHERE aggregate = 0 AND exact IS NOT NULL AND at IS NOT NULL ORDER BY exact, session, user, at, file, line, id
"""
_DONE = f"""
SELECT action, session, user, feature, id, COALESCE(at, line), IIF(at IS NULL, 0, MAX(duration, 0)), '' FROM calls
WHERE aggregate = 0 AND {_FAILURE} = '' AND (session <> '' OR (user <> '' AND at IS NOT NULL))
  AND EXISTS (SELECT 1 FROM calls WHERE action IS NOT NULL)
ORDER BY session, user, at IS NULL, at, file, line, id
"""
_GROUPED = f"""
SELECT kind, feature, session, user, cause, made, cost, id FROM (
  SELECT a.kind, a.cause, c.feature, c.session, c.user, c.at, c.file, c.line, c.id,
    COUNT(*) OVER alike AS made, SUM(c.paid) OVER alike AS cost,
    ROW_NUMBER() OVER (alike ORDER BY c.paid DESC, c.at, c.file, c.line, c.id) AS nth
  FROM temp.again AS a CROSS JOIN calls AS c ON c.id = a.id WINDOW alike AS (PARTITION BY a.kind, a.alike, a.cause)
) WHERE nth = 1 ORDER BY cost DESC, made DESC, kind, at, file, line, id LIMIT {MOST_SHOWN}
"""


def find(work: Work) -> list[Repetition]:
    """The dearest repetitions, by what the calls after the first cost.

    Retries are summed by feature and by what had failed; every loop is one of its own. A retry's dollars are no waste
    as such: the last try is the one that was wanted. What is a retry or a repeated request is no act of a loop as well.
    """
    db = work.db
    db.execute("DROP TABLE IF EXISTS temp.again")
    db.execute("CREATE TEMP TABLE again (id INTEGER PRIMARY KEY, kind, alike, cause)")
    db.execute("BEGIN")
    for kind, query, least in (("asked", _SENT, LEAST_ASKED), ("done", _DONE, LEAST_DONE)):
        db.executemany("INSERT OR IGNORE INTO temp.again VALUES (?, ?, ?, ?)", _again(work.rows(query), kind))
        db.execute(
            "DELETE FROM temp.again WHERE kind = ?1 AND alike IN"
            " (SELECT alike FROM temp.again WHERE kind = ?1 GROUP BY 1 HAVING COUNT(*) < ?2)",
            (kind, least),
        )
    db.execute("COMMIT")
    return [_told(work, row) for row in work.rows(_GROUPED)]


def _told(work: Work, found: Sequence[Any]) -> Repetition:
    """One, from a row of `_GROUPED`."""
    kind, feature, session, user, cause, calls, paid, ident = found
    (example,) = examples(work, [ident])
    if kind == "retry":
        return Repetition("retry", feature or NO_LABEL, calls, paid, f"sent again after failing: {cause}", example)
    where = f"session {session}" if session else f"user {user}"
    reason = f"the same tool call {calls:,} more times in a row"
    if kind == "asked":
        reason = f"the same request {calls:,} more times, though it had been answered"
    return Repetition("loop", where, calls, paid, reason, example)


def _again(rows: Iterable[tuple[Any, ...]], kind: str) -> Iterator[tuple[int, str, str | int, str]]:
    """(id, kind, alike, cause) of each call that is the one before it once more, begun soon after that had ended.

    `alike`: the feature of a retry, the first call of a loop.
    """
    last: tuple[Any, ...] = ()
    began = ended = first = 0
    failure = ""
    for what, session, user, feature, ident, at, duration, failed in rows:  # without times, `at` is the line in the log
        same = (what, session, user)
        if what is None or same != last or not (began < at and ended <= at <= ended + WINDOW):
            first = ident
        elif failure:
            yield ident, "retry", feature, failure
        elif session or user:
            yield ident, kind, first, ""
        last, began, ended, failure = same, at, at + duration, failed
