"""Calls made again: requests sent anew after they failed, and loops in which one thing is asked or done over and over.

A retry or a repeated request is told by the key of the exact cache, so only where a log keeps requests, and by times.
An agent's loop is told by what its answers do: the same tool call with the same arguments, call after call.
Not told: calls sent at once, requests that were changed before they were sent again, loops of several steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

import msgspec

from scrimp.audit.findings.examples import examples
from scrimp.audit.report import Repetition
from scrimp.audit.work import Work
from scrimp.report.numbers import NO_LABEL

WINDOW = 600 * 10**9
"""Nanoseconds after a call's end within which the next one belongs to it: the official SDKs give up waiting after 600 s
and pause seconds between tries, so what comes later is somebody who asks anew."""
MOST_REPEATS = 5
"""Times the same user or session may ask the same again after an answer before it is a loop: people do press a button
twice, and tests ask a few times to see how answers vary."""
ACTIONS_IN_A_ROW = 5
"""Answers in a row that do the same before it is a loop: polling for a result takes a few."""
STORM = 6
"""Tries after the first one that make a storm: an SDK tries twice more, so this is retries on top of retries."""
MOST_SHOWN = 20
BATCH = 10_000
_FAILED = "(status >= 400 OR error <> '')"
_SENT = f"""
SELECT exact, session, user, id, at, MAX(duration, 0), {_FAILED} FROM calls
WHERE aggregate = 0 AND exact IS NOT NULL AND at IS NOT NULL ORDER BY exact, session, user, at, file, line, id
"""
_DONE = f"""
SELECT session, CASE WHEN session = '' THEN user ELSE '' END AS person, action, id, at, MAX(duration, 0) FROM calls
WHERE aggregate = 0 AND NOT {_FAILED} AND (session <> '' OR user <> '')
ORDER BY session, person, at IS NULL, at, file, line, id
"""
_GROUPED = """
WITH again AS (
  SELECT a.id, a.kind, c.feature, c.session, c.user, c.paid, c.at, c.file, c.line, f.at AS since,
    CASE WHEN b.status >= 400 THEN 'status ' || b.status ELSE b.error END AS cause,
    CASE WHEN a.kind = 'retry' THEN 0 ELSE a.first END AS run
  FROM temp.again AS a CROSS JOIN calls AS c ON c.id = a.id CROSS JOIN calls AS b ON b.id = a.after
    CROSS JOIN calls AS f ON f.id = a.first
), counted AS (
  SELECT *, COUNT(*) OVER alike AS calls, SUM(paid) OVER alike AS cost,
    MAX(at) OVER alike - MIN(since) OVER alike AS span,
    ROW_NUMBER() OVER (alike ORDER BY paid DESC, at IS NULL, at, file, line, id) AS nth
  FROM again WINDOW alike AS (
    PARTITION BY kind, run, CASE WHEN kind = 'retry' THEN feature END, CASE WHEN kind = 'retry' THEN cause END
  )
)
SELECT kind, feature, session, user, cause, calls, cost, span, id FROM counted WHERE nth = 1
ORDER BY cost DESC, calls DESC, kind, at IS NULL, at, file, line, id LIMIT ?
"""
Again = tuple[int, str, int, int]
"""A call made again: its id, the kind, the id of the run's first call, the id of the call before it."""


class Totals(msgspec.Struct):
    """All calls made again, and what they cost in nanodollars; no call is in both."""

    retries: int = 0
    retries_paid: int = 0
    loops: int = 0
    loops_paid: int = 0


def find(work: Work) -> list[Repetition]:
    """The dearest repetitions, by what the calls after the first cost.

    Retries are summed by feature and by what had failed; a storm of retries of one request, and every loop, is one of
    its own. A retry's dollars are no waste as such: the last try is the one that was wanted.
    """
    _collect(work)
    found = list(work.rows(_GROUPED, (MOST_SHOWN,)))
    rows = []
    for kind, feature, session, user, cause, calls, paid, span, ident in found:
        where = f"session {session}" if session else f"user {user}" if user else feature or NO_LABEL
        if kind == "retry":
            where = feature or NO_LABEL
        reason = _reason(kind, cause, calls, span)
        (example,) = examples(work, [ident])
        rows.append(Repetition("retry" if kind in ("retry", "storm") else "loop", where, calls, paid, reason, example))
    return rows


def totals(work: Work) -> Totals:
    """The sums over all repetitions, shown or not; quick where `find` has looked for them."""
    if not work.one("SELECT EXISTS (SELECT 1 FROM temp.sqlite_master WHERE name = 'again')")[0]:
        _collect(work)
    retries, retries_paid, loops, loops_paid = work.one(
        "SELECT SUM(is_retry), SUM(paid * is_retry), SUM(NOT is_retry), SUM(paid * NOT is_retry) FROM"
        " (SELECT a.kind IN ('retry', 'storm') AS is_retry, c.paid FROM temp.again AS a JOIN calls AS c ON c.id = a.id)"
    )
    return Totals(retries or 0, retries_paid or 0, loops or 0, loops_paid or 0)


def _reason(kind: str, cause: str, calls: int, span: int | None) -> str:
    within = f" within {_time(span)}" if span is not None else ""
    if kind == "retry":
        return f"sent again after failing: {cause}"
    if kind == "storm":
        return f"one request tried {calls + 1:,} times{within}, each try after a failure: {cause}"
    if kind == "asked":
        return f"the same request {calls:,} more times{within}, though it had been answered"
    return f"the same tool call {calls:,} more times in a row{within}"


def _time(nanoseconds: int) -> str:
    """A time in one unit: "12 s", "3 min", "2 h"."""
    seconds = nanoseconds / 10**9
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:.0f} h"


def _collect(work: Work) -> None:
    """Every call made again, into temp.again: what is a retry or a repeated request is not an act of a loop as well."""
    db = work.db
    db.execute("DROP TABLE IF EXISTS temp.again")
    db.execute("CREATE TEMP TABLE again (id INTEGER PRIMARY KEY, kind TEXT, first INTEGER, after INTEGER)")
    db.execute("BEGIN")
    _write(work, _sent_again(work))
    few = "DELETE FROM temp.again WHERE kind = ? AND first IN (SELECT first FROM temp.again WHERE kind = ? GROUP BY 1"
    db.execute(f"{few} HAVING COUNT(*) <= ?)", ("asked", "asked", MOST_REPEATS))
    db.execute(
        "UPDATE temp.again SET kind = 'storm' WHERE first IN"
        " (SELECT first FROM temp.again WHERE kind = 'retry' GROUP BY 1 HAVING COUNT(*) >= ?) AND kind = 'retry'",
        (STORM,),
    )
    if work.one("SELECT EXISTS (SELECT 1 FROM calls WHERE action IS NOT NULL)")[0]:
        _write(work, _done_again(work))
        db.execute(f"{few} HAVING COUNT(*) < ?)", ("done", "done", ACTIONS_IN_A_ROW - 1))
    db.execute("COMMIT")


def _write(work: Work, again: Iterable[Again]) -> None:
    rows = iter(again)
    while batch := list(islice(rows, BATCH)):
        work.db.executemany("INSERT OR IGNORE INTO temp.again VALUES (?, ?, ?, ?)", batch)


def _sent_again(work: Work) -> Iterator[Again]:
    """Calls of the same request by the same session and user, begun soon after the one before had ended."""
    last: tuple[int, str, str] | None = None
    began = ended = before = first = failing = 0
    had_failed = False
    for exact, session, user, ident, at, duration, failed in work.rows(_SENT):
        sender = (exact, session, user)
        if sender != last or not (began < at and ended <= at <= ended + WINDOW):
            last, first, failing = sender, ident, ident
        elif had_failed:
            yield ident, "retry", failing, before
        else:
            if session or user:
                yield ident, "asked", first, before
            failing = ident
        began, ended, before, had_failed = at, at + duration, ident, failed


def _done_again(work: Work) -> Iterator[Again]:
    """Calls of one session (of one user, where no session is known) that do what the call before them did.

    Calls without a time follow each other as they do in the log, which is only told of a session.
    """
    last: tuple[str, str, int] | None = None
    ended: int | None = None
    before = first = 0
    for session, person, action, ident, at, duration in work.rows(_DONE):
        is_near = at <= ended + WINDOW if at is not None and ended is not None else bool(session)
        act = (session, person, action)
        if action is None or act != last or not is_near:
            last, first = (None if action is None else act), ident
        else:
            yield ident, "done", first, before
        ended, before = (None if at is None else at + duration), ident
