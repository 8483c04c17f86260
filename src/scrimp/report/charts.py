"""The charts of a page as SVG: waterfall bars, spark lines, days; drawn from the numbers of the tables beside them.

Sizes are percentages of the place a chart gets, so it fits a phone and a sheet of paper; colours come from classes of
the style sheet, and hatching tells estimated from measured where colours do not.
"""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup, escape

from scrimp.report.money import dollars
from scrimp.report.numbers import Report
from scrimp.report.steps import Step
from scrimp.report.times import day_name
from scrimp.store.base import Rollup

ROW, PAD = 30, 5
"""Height of a waterfall row and the air above and below its bar, in pixels."""
SPARK_WIDTH, SPARK_HEIGHT = 96, 22
DAYS_HEIGHT = 150
MOST_BARS = 92
"""Bars in the chart of days; longer spans join several days in one."""

PATTERNS = Markup(
    '<svg class="defs" width="0" height="0" aria-hidden="true" focusable="false"><defs>'
    '<pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect class="hatch-ground" width="6" height="6"/><rect class="hatch-line" width="2.5" height="6"/>'
    "</pattern></defs></svg>"
)
"""Put once on a page, before any chart."""


def bar(step: Step) -> Markup:
    """One row of the waterfall: its bar, and thin lines that tie it to the rows above and below.

    Hidden from screen readers: the row's own cells say the same in words.
    """
    kind = "worse" if step.saves < 0 else step.kind
    width = max(step.high - step.low, 0.004 if step.shown else 0.0)
    low = min(step.low, 1.0 - width)
    parts = [f'<rect class="bar {kind}" x="{low:.3%}" y="{PAD}" width="{width:.3%}" height="{ROW - 2 * PAD}" rx="2"/>']
    if not step.first:
        level = step.after if step.whole else step.before
        parts.insert(0, _tie(level, 0, PAD))
    if not step.last:
        parts.insert(0, _tie(step.after, ROW - PAD, ROW))
    return Markup('<svg class="fall" height="{}" aria-hidden="true">{}</svg>').format(ROW, Markup("".join(parts)))


def _tie(level: float, top: int, bottom: int) -> str:
    at = f"{min(level, 0.999):.3%}"
    return f'<line class="tie" x1="{at}" x2="{at}" y1="{top}" y2="{bottom}"/>'


def spark(daily: dict[int, int], first: int, last: int, what: str) -> Markup:
    """What was paid over days `first` to `last` as a small line with its area; `what` names it for screen readers."""
    sums = _series(daily.items(), first, last)
    highest = max(max(sums), 1)
    step = SPARK_WIDTH / max(len(sums) - 1, 1)
    points = " ".join(
        f"{index * step:.1f},{SPARK_HEIGHT - 2 - max(0, paid) / highest * (SPARK_HEIGHT - 4):.1f}"
        for index, paid in enumerate(sums)
    )
    return Markup(
        '<svg class="spark" width="{w}" height="{h}" viewBox="0 0 {w} {h}" role="img"><title>{title}</title>'
        '<polygon points="0,{h} {points} {w},{h}"/><polyline points="{points}"/></svg>'
    ).format(w=SPARK_WIDTH, h=SPARK_HEIGHT, points=points, title=f"{what}: paid by day, highest {_usd(highest)}")


def days(report: Report) -> Markup:
    """A stacked bar a day: paid at the bottom, what was saved above it, so that both together are the list price."""
    first, last = min(report.days), max(report.days)
    size = -(-(last - first + 1) // MOST_BARS)
    stacks: dict[int, Rollup] = {}
    for day, sums in report.days.items():
        place = (day - first) // size
        stacks.setdefault(place, Rollup(hour=0)).merge(sums)
    bars = (last - first) // size + 1
    highest = max(1, *(max(sums.list_nano, sums.paid_nano) for sums in stacks.values()))
    parts = [
        _stack(place, bars, sums, highest, day_name(first + place * size)) for place, sums in sorted(stacks.items())
    ]
    title = f"Paid and saved by day, {day_name(first)} to {day_name(last)}"
    told = f"Highest: {_usd(highest)} at list price. The table below has every figure."
    return Markup(
        '<svg class="days" height="{}" role="img" aria-labelledby="days-title days-desc">'
        '<title id="days-title">{}</title><desc id="days-desc">{}</desc>{}</svg>'
    ).format(DAYS_HEIGHT, title, told, Markup("".join(parts)))


def _stack(place: int, bars: int, sums: Rollup, highest: int, day: str) -> str:
    """One day: paid, then the savings by kind; more paid than list shows as paid alone."""
    widest = 0.08  # a single day is a bar, not a wall
    slot = 1 / bars
    width = min(slot * 0.78, widest)
    left = (place + 0.5) * slot - width / 2
    estimated = sum(nano for (_, kind), nano in sums.savings.items() if kind == "estimated" and nano > 0)
    saved = max(0, sums.list_nano - sums.paid_nano)
    estimated = min(saved, estimated)
    pieces: list[tuple[str, int]] = [
        ("whole", sums.paid_nano),
        ("measured", saved - estimated),
        ("estimated", estimated),
    ]
    told = f"{day}: list {_usd(sums.list_nano)}, paid {_usd(sums.paid_nano)}, {sums.calls:,} calls"
    drawn = [f"<g><title>{escape(told)}</title>"]
    level = float(DAYS_HEIGHT)
    for kind, nano in pieces:
        height = max(0, nano) / highest * (DAYS_HEIGHT - 4)
        if height:
            level -= height
            drawn.append(
                f'<rect class="bar {kind}" x="{left:.3%}" y="{level:.2f}" width="{width:.3%}" height="{height:.2f}"/>'
            )
    return "".join([*drawn, "</g>"])


def _series(daily: Iterable[tuple[int, int]], first: int, last: int) -> list[int]:
    size = -(-(last - first + 1) // MOST_BARS)
    sums = [0] * ((last - first) // size + 1)
    for day, paid in daily:
        sums[(day - first) // size] += paid
    return sums


def _usd(nano: int) -> str:
    return f"${dollars(nano)}"
