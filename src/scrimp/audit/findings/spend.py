"""What was spent, by day, feature, model, user, key and team: the sums of a report, made by queries in flat memory.

Every label is summed; the dearest are rows of their own, the others one row together, so that each table adds up.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from scrimp.audit.work import Work
from scrimp.report.numbers import NO_LABEL, NO_MODEL, Dimension, Group, Report, Table, UnpricedModel
from scrimp.store.base import HOUR, Rollup

TABLES: tuple[Dimension, ...] = ("feature", "model", "user", "key", "team")
MOST_LABELS = 500
"""Labels with a row of their own."""
DAY = 24 * HOUR
_SUMS = """
SUM(calls), SUM(CASE WHEN error <> '' THEN calls ELSE 0 END), SUM(CASE WHEN unpriced <> '' THEN calls ELSE 0 END),
SUM(CASE WHEN basis IN ('estimated', 'assumed-full') THEN calls ELSE 0 END), SUM(input_total), SUM(cached),
SUM(output_total), SUM(list), SUM(paid), SUM(overhead), SUM(duration)
"""
_NAMES = (
    "calls", "failed", "unpriced", "estimated", "input_tokens", "cached_tokens", "output_tokens", "list_nano",
    "paid_nano", "overhead_nano", "total_ns",
)  # fmt: skip


def spend(work: Work) -> Report:
    """The sums of all calls. Calls without a time are in the total and in the tables, but in no day."""
    first, last = work.one("SELECT MIN(at), MAX(at) FROM calls")
    total = next((sums for _, sums in _sums(work, "''", "1")), Rollup(hour=0))
    days = {int(day): sums for day, sums in _sums(work, f"at / {DAY}", "at IS NOT NULL")}
    for day, sums in days.items():
        sums.hour = day * 24
    return Report(
        since=0 if first is None else first // HOUR,
        until=0 if last is None else last // HOUR + 1,
        total=total,
        days=dict(sorted(days.items())),
        tables=[_table(work, by, total, days) for by in TABLES],
        unpriced_models=[
            UnpricedModel(*row)
            for row in work.rows(
                "SELECT model, provider, SUM(calls) FROM calls WHERE unpriced <> '' GROUP BY 1, 2"
                " ORDER BY 3 DESC, 1, 2 LIMIT 50"
            )
        ],
    )


def _table(work: Work, by: Dimension, total: Rollup, days: dict[int, Rollup]) -> Table:
    """One table; `by` is a column, never a user's text."""
    if not work.one(f"SELECT EXISTS (SELECT 1 FROM calls WHERE {by} <> '')")[0]:
        spark = {day: sums.paid_nano for day, sums in days.items()}
        return Table(by, [Group("", total, spark, NO_MODEL if by == "model" else NO_LABEL)])
    work.db.execute("DROP TABLE IF EXISTS temp.kept")
    work.db.execute(
        f"CREATE TEMP TABLE kept AS SELECT {by} AS label FROM calls WHERE {by} <> '' GROUP BY 1"
        f" ORDER BY SUM(paid) DESC, SUM(list) DESC, 1 LIMIT {MOST_LABELS}"
    )
    (more,) = work.one(
        f"SELECT COUNT(DISTINCT {by}) FROM calls WHERE {by} <> '' AND {by} NOT IN (SELECT label FROM kept)"
    )
    column = f"calls.{by}"  # json_each has columns of such names too
    kept = f"{column} IN (SELECT label FROM kept)"
    label = f"CASE WHEN {column} = '' THEN '' WHEN {kept} THEN 'l' || {column} ELSE 'more' END"
    groups: dict[str, Group] = {}
    for name, sums in _sums(work, label, "1"):
        groups[name] = Group(name[1:] if name.startswith("l") else "", sums)
    daily = work.rows(f"SELECT {label}, at / {DAY}, SUM(paid) FROM calls WHERE at IS NOT NULL GROUP BY 1, 2")
    for name, day, paid in daily:
        groups[name].daily = {**groups[name].daily, day: paid}
    rest, unlabelled = groups.pop("more", None), groups.pop("", None)
    rows = sorted(groups.values(), key=lambda row: (-row.sums.paid_nano, -row.sums.list_nano, row.label))
    if rest is not None:
        rest.row = f"({more:,} more)"
        rows.append(rest)
    if unlabelled is not None:
        unlabelled.row = NO_MODEL if by == "model" else NO_LABEL
        rows.append(unlabelled)
    return Table(by, rows)


def _sums(work: Work, label: str, where: str) -> Iterator[tuple[Any, Rollup]]:
    """(label, sums) by an SQL expression of ours."""
    savings: dict[Any, dict[tuple[str, str], int]] = {}
    rows = work.rows(
        f"SELECT {label}, json_extract(s.value, '$[0]'), json_extract(s.value, '$[2]'),"
        f" SUM(json_extract(s.value, '$[1]')) FROM calls, json_each(calls.savings) AS s"
        f" WHERE savings <> '' AND {where} GROUP BY 1, 2, 3"
    )
    for name, strategy, kind, nano in rows:
        savings.setdefault(name, {})[strategy, kind] = nano
    for name, *sums in work.rows(f"SELECT {label}, {_SUMS} FROM calls WHERE {where} GROUP BY 1 ORDER BY 1"):
        found = dict(zip(_NAMES, sums, strict=True))
        if found["calls"] is not None:
            yield name, Rollup(hour=0, **found, savings=savings.get(name, {}))
