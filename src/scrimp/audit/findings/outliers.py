"""Single calls that cost far more than is usual, and why: the first thing to look at in a bill that is too high.

Usual is the median of the call's feature, or of the whole log where the feature has few calls. Calls are looked at in
the order of what they cost above that, so the search ends with the tenth. A model far dearer than the rest of the log
is named once, by its dearest call.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from scrimp.audit.findings.answers import IS_CUT
from scrimp.audit.findings.examples import examples
from scrimp.audit.report import Outlier
from scrimp.audit.work import Work
from scrimp.report.money import dollars
from scrimp.report.numbers import NO_LABEL

MOST = 10
LEAST_CALLS = 20
"""A feature with fewer has no median of its own; a log with fewer has no outliers."""
TIMES = 10
"""Far more than usual: so many times the median cost or answer, or the rest of the log's price of a token."""
LONG_ANSWER = 1_000
TIMES_CUT = 2
"""An answer that was cut at its limit is a runaway from so many times the median on."""
LONG_PROMPT = 20_000
SHORT_ANSWER = 50
TIMES_PROMPT = 5
REMEMBERED = 10_000
"""Medians kept in memory."""
_SINGLE = "aggregate = 0 AND unpriced = '' AND paid > 0"
_SUSPECTS = f"""
SELECT c.id, c.feature, c.paid, c.input_total, c.output_total, {IS_CUT}, COALESCE(u.cost, :cost) AS usual, u.calls
FROM calls AS c LEFT JOIN temp.usual AS u ON u.feature = c.feature
WHERE {_SINGLE} AND c.paid > usual AND (
  c.paid > {TIMES} * usual OR c.output_total > {LONG_ANSWER}
  OR (c.input_total > {LONG_PROMPT} AND c.output_total < {SHORT_ANSWER})
)
ORDER BY c.paid - usual DESC, c.at, c.file, c.line, c.id
"""
_MODELS = f"""
SELECT price_model, tier, SUM(paid), SUM(input_total + output_total) FROM calls
WHERE {_SINGLE} AND output_total > 0 GROUP BY 1, 2 ORDER BY 1, 2
"""
_DEAREST = f"""
SELECT id, paid, input_total + output_total FROM calls
WHERE {_SINGLE} AND output_total > 0 AND price_model = ? AND tier = ? ORDER BY 2 DESC, at, file, line, id LIMIT 1
"""


class Found(msgspec.Struct):
    """An outlier before its call is looked up. `usual` in nanodollars; `is_plain`: only its cost is out of the way."""

    id: int
    paid: int
    usual: float
    reason: str
    is_plain: bool = False


def find(work: Work) -> list[Outlier]:
    """At most ten, by dollars over usual. Calls without a price and sums of calls have no part."""
    with _by_feature(work):
        found = {one.id: one for one in _outliers(work)}
    if work.one(f"SELECT COUNT(*) FROM calls WHERE {_SINGLE}")[0] >= LEAST_CALLS:
        for one in _dear_models(work):
            known = found.setdefault(one.id, one)
            if known.is_plain:
                known.reason = one.reason
    dearest = sorted(found.values(), key=lambda one: one.usual - one.paid)[:MOST]  # equals keep their order
    calls = examples(work, [one.id for one in dearest])
    return [
        Outlier(call, one.paid / max(one.usual, 1), round(one.paid - one.usual), one.reason)
        for call, one in zip(calls, dearest, strict=True)
    ]


@contextmanager
def _by_feature(work: Work) -> Iterator[None]:
    """An index that has each feature's calls by cost, to read medians off, for as long as it is needed."""
    work.db.execute("DROP INDEX IF EXISTS by_feature")
    work.db.execute(f"CREATE INDEX by_feature ON calls (feature, paid, input_total, output_total) WHERE {_SINGLE}")
    try:
        yield
    finally:
        work.db.execute("DROP INDEX by_feature")


def _outliers(work: Work) -> Iterator[Found]:
    """The first ten, dearest over usual first."""
    medians = Medians(work)
    total = few = 0
    work.db.execute("DROP TABLE IF EXISTS temp.usual")
    work.db.execute("CREATE TEMP TABLE usual (feature TEXT PRIMARY KEY, cost INTEGER, calls INTEGER) WITHOUT ROWID")
    for feature, calls in work.rows(f"SELECT feature, COUNT(*) FROM calls WHERE {_SINGLE} GROUP BY 1"):
        total += calls
        if calls < LEAST_CALLS:
            few += calls
        else:
            cost = medians.find("paid", feature, calls)
            work.db.execute("INSERT INTO temp.usual VALUES (?, ?, ?)", (feature, cost, calls))
    if total < LEAST_CALLS:
        return
    overall = medians.find("paid", None, total) if few else 0
    found = 0
    for ident, feature, paid, put_in, answer, is_cut, cost, calls in work.db.execute(_SUSPECTS, {"cost": overall}):
        of = feature if calls else None
        usual_in, usual_out = (medians.find(column, of, calls or total) for column in ("input_total", "output_total"))
        what = "the median of all calls" if of is None else f"the median of {of or NO_LABEL}"
        one = _judged(Found(ident, paid, cost, ""), put_in, answer, is_cut, usual_in, usual_out, what)
        if one.reason:
            yield one
            found += 1
        if found == MOST:
            return


class Medians:
    """Medians by nearest rank, of a feature's calls or of all; those asked for again are remembered."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._known: dict[tuple[str, str | None], int] = {}

    def find(self, column: str, feature: str | None, calls: int) -> int:
        """The median of a column over these `calls` calls (feature None: all)."""
        known = self._known.get((column, feature))
        if known is not None:
            return known
        where, values = (f"{_SINGLE} AND feature = ?", [feature]) if feature is not None else (_SINGLE, [])
        query = f"SELECT {column} FROM calls WHERE {where} ORDER BY {column} LIMIT 1 OFFSET ?"
        median = int(self._work.one(query, [*values, (calls - 1) // 2])[0])
        if len(self._known) == REMEMBERED:
            self._known.clear()
        self._known[column, feature] = median
        return median


def _judged(one: Found, put_in: int, answer: int, is_cut: int, usual_in: int, usual_out: int, median: str) -> Found:
    """With the strongest reason for which it is an outlier, "" for none."""
    is_dear = one.paid > TIMES * one.usual
    is_longer = answer * max(usual_in, 1) >= put_in * max(usual_out, 1)  # the answer is more out of the way
    if answer > LONG_ANSWER and answer > usual_out * (TIMES_CUT if is_cut else TIMES) and (is_longer or not is_dear):
        what = f"answer cut at its limit after {answer:,}" if is_cut else f"answer of {answer:,}"
        one.reason = f"{what} tokens, {_times(answer, usual_out)} {median}, {usual_out:,}"
    elif put_in > max(LONG_PROMPT, TIMES_PROMPT * usual_in) and answer < SHORT_ANSWER:
        one.reason = f"{put_in:,} tokens in for {answer:,} out; {median} is {usual_in:,} in"
    elif is_dear:
        one.is_plain = True
        one.reason = (
            f"{_times(one.paid, one.usual)} {median}, ${dollars(round(one.usual))}:"
            f" {put_in:,} tokens in (usually {usual_in:,}), {answer:,} out ({usual_out:,})"
        )
    return one


def _times(of: float, usual: float) -> str:
    times = of / max(usual, 1)
    return f"{times:,.0f} times" if times >= TIMES else f"{times:.1f} times"


def _dear_models(work: Work) -> Iterator[Found]:
    """The dearest call of each model and tier whose tokens cost far more than those of the rest of the log."""
    paid_in_all, tokens_in_all = work.one(
        f"SELECT SUM(paid), SUM(input_total + output_total) FROM calls WHERE {_SINGLE} AND output_total > 0"
    )
    for model, tier, paid, tokens in work.rows(_MODELS):
        rest = tokens_in_all - tokens
        if not rest or paid * rest <= TIMES * (paid_in_all - paid) * tokens:
            continue
        rate, usual_rate = paid / tokens, (paid_in_all - paid) / rest
        ident, cost, size = work.one(_DEAREST, (model, tier))
        name = f"{model} ({tier})" if tier else model
        yield Found(
            ident,
            cost,
            usual_rate * size,
            f"{name} costs ${dollars(round(rate * 10**6))} a million tokens, the rest of the log"
            f" ${dollars(round(usual_rate * 10**6))}",
        )
