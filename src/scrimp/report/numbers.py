"""From rollups to the numbers of a report: made once here, so that terminal, page, Markdown and JSON cannot disagree.

Everything is an exact int (nanodollars, tokens, calls); dollars appear only where they are printed. No I/O.
In every sum: list - savings + overhead = paid (DESIGN, section 8).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal, get_args

import msgspec

from scrimp.report.labels import clean
from scrimp.store.base import HOUR, Rollup, SavingRow

Dimension = Literal["feature", "user", "team", "model", "key", "tag"]
DIMENSIONS: tuple[Dimension, ...] = get_args(Dimension)
HOURS_A_DAY = 24

NO_LABEL, NO_MODEL = "(no tag)", "(no model)"
"""How calls without a label are named, whose row is there even when it is empty, and those without a model."""
UNNAMED = (NO_LABEL, NO_MODEL)
TOTAL = "Total"
MORE = re.compile(r"\(([\d,]+) more\)")
"""The row that sums up the rows there is no room for."""
RESERVED = re.compile(rf'"*(?:{"|".join(map(re.escape, (*UNNAMED, TOTAL, "overhead")))}|\([\d,]+ more\))"*')
"""Names of rows of ours. A label that reads like one is shown in quotes, so that no two rows have the same name."""

STRATEGIES = {
    "provider_cache": "Provider prompt cache", "log_cache": "Cache of another gateway", "cached": "Exact cache",
    "similar": "Semantic cache", "route": "Routing", "compress": "Prompt compression", "cap": "Output caps",
    "batch": "Batch", "service_tier": "Service tier", "watch": "Fail fast",
}  # fmt: skip
"""Strategy -> its label, in the order in which a report shows them; others follow by name."""


class Group(msgspec.Struct):
    """All calls that share a label; `daily` maps days since the epoch to nanodollars paid.

    `row` is the name of a row of ours, which has no label: those without one, the rest, the total.
    """

    label: str
    sums: Rollup = msgspec.field(default_factory=lambda: Rollup(hour=0))
    daily: dict[int, int] = {}
    row: str = ""

    @property
    def name(self) -> str:
        """What the row is called: its label, in quotes where a row of ours has that name."""
        if not self.label:
            return self.row or NO_LABEL
        return f'"{self.label}"' if RESERVED.fullmatch(clean(self.label)) else self.label

    def add(self, sums: Rollup, daily: Iterable[tuple[int, int]]) -> None:
        """Add sums and what was paid on each day."""
        self.sums.merge(sums)
        for day, paid in daily:
            self.daily[day] = self.daily.get(day, 0) + paid


class Table(msgspec.Struct):
    """The groups of one dimension: the most expensive first, those without a label last."""

    by: Dimension
    groups: list[Group]


class UnpricedModel(msgspec.Struct, frozen=True, order=True):
    """A model that some calls went to without a known price."""

    model: str
    provider: str
    calls: int


class Report(msgspec.Struct):
    """What a period cost. `since` and `until` are hours since the epoch (UTC); `days` maps days to their sums."""

    since: int
    until: int
    total: Rollup
    days: dict[int, Rollup]
    tables: list[Table]
    unpriced_models: list[UnpricedModel]

    @property
    def adds_up(self) -> bool:
        """Whether list - savings + overhead = paid holds in the total and in every group."""
        every = [self.total, *(group.sums for table in self.tables for group in table.groups)]
        return not any(gap(sums) for sums in every)


def shorten(groups: list[Group], most: int) -> list[Group]:
    """At most `most` rows: the first with a label, the rest of them added up as one, those without a label."""
    if len(groups) <= most:
        return groups
    labelled = [group for group in groups if group.label]
    summed = [(group, found) for group in groups if (found := MORE.fullmatch(group.row))]
    others = [group for group in groups if not group.label and not MORE.fullmatch(group.row)]
    kept = max(0, most - 1 - len(others))
    more = sum(int(found[1].replace(",", "")) for _, found in summed)
    rest = Group("", row=f"({len(labelled) - kept + more:,} more)")
    for group in [*labelled[kept:], *(group for group, _ in summed)]:
        rest.add(group.sums, group.daily.items())
    return [*labelled[:kept], rest, *others]


def whole_hours(since: int, until: int | None) -> tuple[int, int | None]:
    """Times in ns as the hours that hold them: `since` rounded down, `until` up, as rollups are kept by the hour."""
    return since // HOUR, None if until is None else -(-until // HOUR)


def gather(
    rollups: Iterable[Rollup], by: Sequence[Dimension] = ("feature",), since: int | None = None,
    until: int | None = None,
) -> Report:  # fmt: skip
    """The report of some rollups, in one pass and in any order of theirs.

    `since` and `until` (hours) are what was asked for; where they are None the calls' own span stands.
    """
    days: dict[int, Rollup] = {}
    groups: list[dict[str, Group]] = [{} for _ in by]
    unpriced = Counter[tuple[str, str]]()
    hours: set[int] = set()
    for cell in rollups:
        day = cell.hour // HOURS_A_DAY
        hours.add(cell.hour)
        days.setdefault(day, Rollup(hour=day * HOURS_A_DAY)).merge(cell)
        for dimension, rows in zip(by, groups, strict=True):
            for label in cell.tags.split(",") if dimension == "tag" else (getattr(cell, dimension),):
                rows.setdefault(label, Group(label)).add(cell, ((day, cell.paid_nano),))
        unpriced[cell.model, cell.provider] += cell.unpriced
    total = Rollup(hour=0)
    for sums in days.values():
        total.merge(sums)
    first = since if since is not None else min(hours, default=0)
    last = until if until is not None else max(hours, default=first - 1) + 1
    tables = [Table(dimension, _in_order(rows, dimension)) for dimension, rows in zip(by, groups, strict=True)]
    models = [UnpricedModel(model, provider, calls) for (model, provider), calls in unpriced.items() if calls]
    models.sort(key=lambda row: (-row.calls, row))
    return Report(first, last, total, dict(sorted(days.items())), tables, models)


def total_row(report: Report) -> Group:
    """The last row of a table."""
    return Group("", report.total, {day: sums.paid_nano for day, sums in report.days.items()}, TOTAL)


def _in_order(rows: dict[str, Group], by: Dimension) -> list[Group]:
    if not rows:
        return []
    unlabelled = rows.pop("", Group(""))
    unlabelled.row = NO_MODEL if by == "model" else NO_LABEL
    dearest = sorted(rows.values(), key=lambda row: (-row.sums.paid_nano, -row.sums.list_nano, row.label))
    return [*dearest, unlabelled] if unlabelled.sums.calls or by != "model" else dearest


def savings(sums: Rollup) -> list[SavingRow]:
    """The savings as rows in the order of STRATEGIES, measured and estimated ones apart."""
    order = {strategy: place for place, strategy in enumerate(STRATEGIES)}
    rows = [
        SavingRow(strategy, nano, "measured" if kind == "measured" else "estimated")
        for (strategy, kind), nano in sums.savings.items()
        if nano
    ]
    return sorted(rows, key=lambda row: (order.get(row.strategy, len(order)), row.strategy, row.kind == "estimated"))


def saved(sums: Rollup) -> int:
    """What was saved after our own overhead: list - paid, in nanodollars; negative where it cost more."""
    return sums.list_nano - sums.paid_nano


def gap(sums: Rollup) -> int:
    """By how many nanodollars list - savings + overhead differs from paid; 0 unless something is broken."""
    return sums.list_nano - sum(sums.savings.values()) + sums.overhead_nano - sums.paid_nano


def share(part: int, whole: int) -> float | None:
    """A part of the whole as a fraction; None of nothing."""
    return part / whole if whole else None
