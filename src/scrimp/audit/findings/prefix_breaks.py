"""Prompts that break their own prefix: where a feature's prompts part although what follows is the same again.

A time of day or a user's name near the beginning is enough: a provider's cache holds nothing of what comes after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from scrimp.audit.cache_rules import UNDOCUMENTED, rule_for
from scrimp.audit.findings.examples import examples
from scrimp.audit.prompt_caches import LEAST_BYTES
from scrimp.audit.report import Break
from scrimp.audit.work import Work

MOST_BREAKS = 10
NEAR = 64
"""Bytes within which breaks are one place: a time of day differs in one digit or another."""
RARE = 10
"""A break in fewer than one in so many of a feature's calls is none of its habits."""
REMEMBERED = 1024
"""Models whose least is kept at hand."""


def breaks(work: Work, features: Sequence[str] | None = None) -> list[Break]:
    """The break of each feature that often has one, or of these features; those that touch the most money first.

    Counted are breaks after which more is the same again than the least that the provider caches. At most MOST_BREAKS.
    """
    db = work.db
    db.create_function("least_cached", 1, lru_cache(REMEMBERED)(least_cached), deterministic=True)
    db.execute("DROP TABLE IF EXISTS temp.breaks")
    among = "" if features is None else f"AND feature IN ({', '.join('?' * len(features))})"
    db.execute(
        "CREATE TEMP TABLE breaks AS SELECT feature, broke, same, id, paid, at, file, line FROM calls"
        f" WHERE broke IS NOT NULL AND same > 0 AND length(prefix) > 0 AND prompt > 0 AND aggregate = 0 {among}"
        f" AND MIN(1.0 * input_total / prompt, 1.0 / {LEAST_BYTES}) * same >= least_cached(price_model)",
        features or (),
    )
    dearest = db.execute(
        "SELECT feature, MIN(place) FROM (SELECT feature, MIN(broke) AS place, COUNT(*) AS calls, SUM(paid) AS paid,"
        " RANK() OVER (PARTITION BY feature ORDER BY SUM(paid) DESC, COUNT(*) DESC, MIN(broke)) AS nth"
        f" FROM temp.breaks GROUP BY feature, broke / {NEAR}) WHERE nth = 1 AND calls > 1"
        " GROUP BY feature ORDER BY SUM(paid) DESC, feature LIMIT ?",
        (MOST_BREAKS,),
    ).fetchall()
    of = _calls_of(work, [feature for feature, _ in dearest])
    found = [_break(work, feature, place, of[feature]) for feature, place in dearest]
    db.execute("DROP TABLE temp.breaks")
    return [one for one in found if one.calls * RARE >= one.of]


def told(found: Break) -> str:
    """A break as a sentence with what to do about it."""
    return (
        f"The prefix breaks at byte {found.at:,} in {found.calls / found.of:.0%} of its calls; {found.same:,} bytes"
        " after it are the same: move what changes to the end."
    )


def least_cached(price_model: str) -> int:
    """The fewest tokens that the provider of a model ("provider/model" of the price book) caches."""
    rule = rule_for(*price_model.partition("/")[::2])
    return rule.minimum if rule else UNDOCUMENTED


def _calls_of(work: Work, features: Sequence[str]) -> dict[str, int]:
    """How many calls of each of these features keep a prompt."""
    names = ", ".join("?" * len(features))
    return dict(
        work.rows(
            "SELECT feature, COUNT(*) FROM calls WHERE aggregate = 0 AND prompt > 0"
            f" AND feature IN ({names}) GROUP BY 1",
            features,
        )
    )


def _break(work: Work, feature: str, place: int, of: int) -> Break:
    """The breaks of a feature around a place, as one: it begins where the first of them does."""
    around = f"feature = ? AND broke BETWEEN {place - NEAR} AND {place + NEAR}"
    calls, at, same = work.one(f"SELECT COUNT(*), MIN(broke), MIN(same) FROM temp.breaks WHERE {around}", (feature,))
    (dearest,) = work.one(
        f"SELECT id FROM temp.breaks WHERE {around} ORDER BY paid DESC, at, file, line LIMIT 1", (feature,)
    )
    return Break(feature, calls, of, at, same, examples(work, [dearest])[0])
