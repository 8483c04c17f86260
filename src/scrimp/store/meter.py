"""Running sums for the metrics: plain numbers in memory, added to once a call, read when somebody scrapes."""

from __future__ import annotations

from bisect import bisect_left

import msgspec

from scrimp.call import TOKEN_CLASSES, Call, Cost

BUCKETS = (0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.05, 0.1, 1.0)
"""Upper bounds in seconds of scrimp's own time before a call leaves it."""
MOST_SERIES = 500
"""Series kept apart; what comes after is counted under "(other)": a client's words never fill the memory."""


class Series(msgspec.Struct):
    """The sums of one provider and model; money in nanodollars."""

    endings: dict[str, int] = {}
    tokens: list[int] = msgspec.field(default_factory=lambda: [0] * len(TOKEN_CLASSES))
    list: int = 0
    paid: int = 0
    overhead: int = 0


class Meter:
    """Sums by (provider, model), savings by (strategy, kind), and how long calls were held before they left."""

    def __init__(self) -> None:
        self.series: dict[tuple[str, str], Series] = {}
        self.savings: dict[tuple[str, str], int] = {}
        self.unpriced = 0
        self.buckets = [0] * (len(BUCKETS) + 1)
        self.seconds = 0.0

    def add(self, call: Call) -> None:
        """Count a settled call."""
        cost = call.cost or Cost()
        # only names from the price list become labels: a client's own words stay out of the metrics
        model = cost.price_model.partition("/")[2] if cost.price_model else "(unpriced)"
        sums = self._sums(call.tries[-1].provider if call.tries else "none", model)
        ending = call.outcome.ending if call.outcome else "no-answer"
        sums.endings[ending] = sums.endings.get(ending, 0) + 1
        if cost.unpriced:
            self.unpriced += 1
        if cost.basis != "none":
            sums.list += cost.list
            sums.paid += cost.paid
            sums.overhead += cost.overhead
            for index, tokens in enumerate(msgspec.structs.astuple(cost.usage)[: len(TOKEN_CLASSES)]):
                if tokens:
                    sums.tokens[index] += tokens
        for saving in call.savings:
            row = (saving.strategy, saving.kind)
            self.savings[row] = self.savings.get(row, 0) + saving.nano
        if call.sent_at:
            took = (call.sent_at - call.mono) / 1e9
            self.seconds += took
            self.buckets[bisect_left(BUCKETS, took)] += 1

    def _sums(self, provider: str, model: str) -> Series:
        found = self.series.get((provider, model))
        if found is None:
            place = (provider, model) if len(self.series) < MOST_SERIES else (provider, "(other)")
            found = self.series.setdefault(place, Series())
        return found
