"""Single calls that cost far more than is usual, and why: the first thing to look at in a bill that is too high.

Usual is the median (by nearest rank) of the call's feature, or of the whole log where the feature has few calls. Those
ten are told that cost most above it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scrimp.audit.findings.answers import IS_CUT
from scrimp.audit.findings.examples import examples
from scrimp.audit.report import Outlier
from scrimp.audit.work import Work
from scrimp.report.money import dollars
from scrimp.report.numbers import NO_LABEL

MOST = 10
LEAST_CALLS = 20
"""A feature with fewer has no median of its own; a log with fewer has no outliers."""
TIMES, TIMES_CUT, TIMES_PROMPT = 10, 2, 5
"""Far more than usual: so many times the median cost or answer; an answer that was cut at its limit; a prompt."""
LONG_ANSWER, SHORT_ANSWER, LONG_PROMPT = 1_000, 50, 20_000
_SINGLE = "aggregate = 0 AND unpriced = '' AND paid > 0"
_COLUMNS = ("paid", "input_total", "output_total")
_OUTLIERS = f"""
SELECT id, feature, paid, input_total, output_total, cut, of_all, usual, usual_in, usual_out, CASE
  WHEN output_total > MAX({LONG_ANSWER}, usual_out * IIF(cut, {TIMES_CUT}, {TIMES}))
    AND output_total * usual_in >= input_total * usual_out THEN 'a runaway answer'
  WHEN output_total < {SHORT_ANSWER} AND input_total > MAX({LONG_PROMPT}, usual_in * {TIMES_PROMPT})
    THEN 'a long prompt for a short answer'
  WHEN paid > usual * {TIMES} THEN 'far dearer than usual' END AS what
FROM (
  SELECT c.*, {IS_CUT} AS cut, u.cost IS NULL AS of_all, COALESCE(u.cost, ?) AS usual,
    COALESCE(u.put_in, ?) AS usual_in, COALESCE(u.answer, ?) AS usual_out
  FROM calls AS c LEFT JOIN temp.usual AS u ON u.feature = c.feature WHERE {_SINGLE}
) WHERE paid > usual AND what IS NOT NULL ORDER BY paid - usual DESC, at, file, line, id LIMIT {MOST}
"""


def find(work: Work) -> list[Outlier]:
    """At most ten, by dollars over usual. Calls without a price and sums of calls have no part."""
    db = work.db
    db.execute("DROP TABLE IF EXISTS temp.usual")
    db.execute("DROP INDEX IF EXISTS by_feature")
    db.execute("CREATE TEMP TABLE usual (feature TEXT PRIMARY KEY, cost, put_in, answer)")
    db.execute(f"CREATE INDEX by_feature ON calls (feature, {', '.join(_COLUMNS)}) WHERE {_SINGLE}")
    total = few = 0
    for feature, calls in work.rows(f"SELECT feature, COUNT(*) FROM calls WHERE {_SINGLE} GROUP BY 1"):
        total += calls
        if calls >= LEAST_CALLS:
            db.execute("INSERT INTO temp.usual VALUES (?, ?, ?, ?)", (feature, *_medians(work, calls, feature)))
        else:
            few += calls
    of_all = _medians(work, total) if few else [0, 0, 0]
    db.execute("DROP INDEX by_feature")  # or the query below would read calls in its order
    return [_outlier(work, row) for row in work.rows(_OUTLIERS, of_all)] if total >= LEAST_CALLS else []


def _medians(work: Work, calls: int, *feature: str) -> list[int]:
    """The median cost, input and output tokens of a feature's calls, or of all; `calls` is how many there are."""
    where = f"{_SINGLE} AND feature = ?" if feature else _SINGLE
    middle = f"ORDER BY 1 LIMIT 1 OFFSET {(calls - 1) // 2}"
    return [work.one(f"SELECT {column} FROM calls WHERE {where} {middle}", feature)[0] for column in _COLUMNS]


def _outlier(work: Work, found: Sequence[Any]) -> Outlier:
    """One, from a row of `_OUTLIERS`."""
    ident, feature, paid, put_in, answer, is_cut, of_all, cost, usual_in, usual_out, what = found
    whose = "all calls" if of_all else feature or NO_LABEL
    end = ", cut at its limit" if is_cut else ""
    reason = (
        f"{what}: {put_in:,} tokens in, {answer:,} out{end}; the median of {whose} is {usual_in:,} in,"
        f" {usual_out:,} out, ${dollars(cost)}"
    )
    return Outlier(examples(work, [ident])[0], paid / cost, paid - cost, reason)
