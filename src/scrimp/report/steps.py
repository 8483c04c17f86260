"""The savings waterfall as steps from list to paid: the one geometry that terminal and page draw."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from scrimp.call import NANO
from scrimp.report.labels import clean
from scrimp.report.money import adding_up, decimals, dollars, known, nearest
from scrimp.report.numbers import STRATEGIES, Report, savings
from scrimp.store.base import Rollup

StepKind = Literal["whole", "measured", "estimated", "untested", "overhead"]
"""`untested`: what an audit proposes and nobody has tried."""

MARKS: dict[StepKind, str] = {"whole": "█", "measured": "▒", "estimated": "░", "untested": "░", "overhead": "▓"}


class Step(NamedTuple):
    """One bar. `shown` is the amount as printed (nanodollars; a saving is below 0, what cost more above).

    `before` and `after` are where the level stood and stands, `low` and `high` the bar's ends, all as fractions of the
    widest level reached. Whole bars begin at 0.
    """

    label: str
    kind: StepKind
    shown: int
    before: float
    after: float

    @property
    def whole(self) -> bool:
        """Whether this is list or paid."""
        return self.kind == "whole"

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
    moves = [(STRATEGIES.get(row.strategy) or clean(row.strategy), row.kind, -row.nano) for row in savings(sums)]
    return staircase([
        ("List price", "whole", sums.list_nano), *moves, ("Our own overhead", "overhead", sums.overhead_nano),
        ("Paid", "whole", sums.paid_nano),
    ])  # fmt: skip


def staircase(moves: Sequence[tuple[str, StepKind, int]]) -> list[Step]:
    """Steps of label, kind and amount (nanodollars), each from where the one before it ended; whole ones from 0."""
    levels = [0]
    for _, kind, change in moves:
        levels.append(change if kind == "whole" else levels[-1] + change)
    widest = max(*levels, 1)
    return [
        Step(label, kind, change, 0.0 if kind == "whole" else before / widest, after / widest)
        for (label, kind, change), before, after in zip(moves, levels, levels[1:], strict=False)
    ]


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
    texts = [dollars(first, places=places), *adding_up(moves, last - first, places, sign=True)]
    return [known(sums, text) for text in (*texts, dollars(last, places=places))]
