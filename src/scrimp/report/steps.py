"""The savings waterfall as steps from list to paid: the one geometry that terminal and page draw."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from scrimp.call import NANO
from scrimp.report.labels import clean
from scrimp.report.money import Amount, apportion, decimals, nearest
from scrimp.report.numbers import STRATEGIES, Report, savings
from scrimp.store.base import Rollup

StepKind = Literal["whole", "measured", "estimated", "untested", "overhead"]
"""`untested`: what an audit proposes and nobody has tried."""

MARKS: dict[StepKind, str] = {"whole": "█", "measured": "▒", "estimated": "░", "untested": "░", "overhead": "▓"}


class Step(NamedTuple):
    """One bar. `shown` is the amount as printed (nanodollars; a saving is below 0, what cost more above).

    `before` and `after` are where the level stood and stands, `low` and `high` the bar's ends, all as fractions of the
    widest level reached. The first and the last step are whole bars from 0.
    """

    label: str
    kind: StepKind
    shown: int
    before: float
    after: float
    first: bool = False
    last: bool = False

    @property
    def whole(self) -> bool:
        """Whether this is list or paid."""
        return self.kind == "whole"

    @property
    def known(self) -> bool:
        """Whether the label is a word of ours."""
        return self.kind in ("whole", "overhead") or self.label in STRATEGIES.values()

    @property
    def saves(self) -> int:
        """Nanodollars saved (below 0: cost more); 0 for whole bars and for our own overhead."""
        return -self.shown if self.kind in ("measured", "estimated", "untested") else 0

    @property
    def low(self) -> float:
        """The bar's left end."""
        return 0.0 if self.whole else max(0.0, min(self.before, self.after))

    @property
    def high(self) -> float:
        """The bar's right end."""
        return max(0.0, self.before, self.after)


def waterfall(sums: Rollup) -> list[Step]:
    """List, each saving in pipeline order, our own overhead (also when it is nothing), paid."""
    moves: list[tuple[str, StepKind, int]] = [
        (STRATEGIES.get(row.strategy) or clean(row.strategy), row.kind, -row.nano) for row in savings(sums)
    ]
    moves.append(("Our own overhead", "overhead", sums.overhead_nano))
    levels = [sums.list_nano]
    for _, _, change in moves:
        levels.append(levels[-1] + change)
    widest = max(*levels, sums.paid_nano, 1)
    steps = [Step("List price", "whole", sums.list_nano, 0.0, sums.list_nano / widest, first=True)]
    for (label, kind, change), before, after in zip(moves, levels, levels[1:], strict=False):
        steps.append(Step(label, kind, change, before / widest, after / widest))
    steps.append(Step("Paid", "whole", sums.paid_nano, 0.0, sums.paid_nano / widest, last=True))
    return steps


def decimals_of(report: Report, parts: Iterable[Rollup]) -> int:
    """The decimals of a report's sums. Below a dollar its parts (groups, days) have as many: they add up too."""
    shown = [step.shown for step in waterfall(report.total)]
    if max(map(abs, shown)) < NANO:
        shown.extend(nano for sums in parts for nano in (sums.list_nano, sums.paid_nano))
    return decimals(shown)


def printed(sums: Rollup, steps: Sequence[Step], places: int) -> list[str]:
    """The amount of each step of a waterfall: list, with what is saved and added, is paid, as they are printed."""
    first, *moves, last = [step.shown for step in steps]
    first, last = nearest(first, places), nearest(last, places)
    amounts = [first, *apportion(moves, last - first, places), last]
    return [Amount(sums, nano, sign=not step.whole).text(places) for step, nano in zip(steps, amounts, strict=True)]
