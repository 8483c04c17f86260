"""The geometry of a page's charts, from the numbers of the tables beside them; templates/charts.html.j2 draws it.

Places across are fractions of the room a chart gets, so it fits a phone and a sheet of paper; heights are pixels.
"""

from __future__ import annotations

from collections.abc import Iterator

from scrimp.report.money import dollars
from scrimp.report.numbers import Report
from scrimp.report.times import day_name
from scrimp.store.base import Rollup

SPARK_WIDTH, SPARK_HEIGHT = 96, 22
DAYS_HEIGHT = 150
MOST_BARS = 92
"""Bars in the chart of days; longer spans join several days in one."""
Piece = tuple[str, float, float, float, float]
"""Kind, left end and top of a piece of a bar, its width and height."""


def spark(daily: dict[int, int], first: int, last: int) -> tuple[str, int]:
    """What was paid over days `first` to `last` as the points of a small line, and its highest (nanodollars)."""
    size = -(-(last - first + 1) // MOST_BARS)
    sums = [0] * ((last - first) // size + 1)
    for day, paid in daily.items():
        sums[(day - first) // size] += paid
    highest = max(*sums, 1)
    step = SPARK_WIDTH / max(len(sums) - 1, 1)
    tops = [SPARK_HEIGHT - 2 - max(0, paid) / highest * (SPARK_HEIGHT - 4) for paid in sums]
    return " ".join(f"{index * step:.1f},{top:.1f}" for index, top in enumerate(tops)), highest


def days(report: Report) -> tuple[int, list[tuple[str, list[Piece]]]]:
    """A stacked bar a day, paid below what was saved, so that both are the list price; and the highest (nanodollars).

    Each bar is its sums in words and its pieces.
    """
    first, last = min(report.days), max(report.days)
    size = -(-(last - first + 1) // MOST_BARS)
    stacks: dict[int, Rollup] = {}
    for day, sums in report.days.items():
        stacks.setdefault((day - first) // size, Rollup(hour=0)).merge(sums)
    slot = 1 / ((last - first) // size + 1)
    highest = max(1, *(max(sums.list_nano, sums.paid_nano) for sums in stacks.values()))
    bars = []
    for place, sums in sorted(stacks.items()):
        amounts = f"list ${dollars(sums.list_nano)}, paid ${dollars(sums.paid_nano)}"
        told = f"{day_name(first + place * size)}: {amounts}, {sums.calls:,} calls"
        bars.append((told, list(_stack((place + 0.5) * slot, min(slot * 0.78, 0.08), sums, highest))))
    return highest, bars


def _stack(middle: float, width: float, sums: Rollup, highest: int) -> Iterator[Piece]:
    """Paid, then the savings by kind; more paid than list shows as paid alone."""
    saved = max(0, sums.list_nano - sums.paid_nano)
    estimated = min(saved, sum(nano for (_, kind), nano in sums.savings.items() if kind == "estimated" and nano > 0))
    top = float(DAYS_HEIGHT)
    for kind, nano in (("whole", sums.paid_nano), ("measured", saved - estimated), ("estimated", estimated)):
        height = max(0, nano) / highest * (DAYS_HEIGHT - 4)
        top -= height
        if height:
            yield kind, middle - width / 2, top, width, height
