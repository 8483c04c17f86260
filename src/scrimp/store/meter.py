"""Running sums for the metrics: plain numbers in memory, added to once a call, read when somebody scrapes."""

from __future__ import annotations

import msgspec

from scrimp.call import TOKEN_CLASSES, Call

BUCKETS = (0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.05, 0.1, 1.0)
"""Upper bounds in seconds of scrimp's own time before a call leaves it."""
MOST_SERIES = 500
"""Series kept apart; what comes after is counted under "(other)": a client's words never fill the memory."""


class Meter:
    """Sums by (provider, model): calls by ending, tokens by class, money by kind, savings by strategy."""

    def __init__(self) -> None:
        self.calls: dict[tuple[str, str, str], int] = {}
        self.tokens: dict[tuple[str, str, str], int] = {}
        self.money: dict[tuple[str, str, str], int] = {}
        self.savings: dict[tuple[str, str], int] = {}
        self.unpriced = 0
        self.buckets = [0] * (len(BUCKETS) + 1)
        self.seconds = 0.0

    def add(self, call: Call) -> None:
        """Count a settled call."""
        provider = call.tries[-1].provider if call.tries else "none"
        cost = call.cost
        # only names from the price list become labels: a client's own words stay out of the metrics
        model = cost.price_model.partition("/")[2] if cost is not None and cost.price_model else "(unpriced)"
        ending = call.outcome.ending if call.outcome else "no-answer"
        _add(self.calls, (provider, model, ending), 1)
        if cost is not None:
            self._add_cost(provider, model, call)
        if call.sent_at:
            took = (call.sent_at - call.mono) / 1e9
            self.seconds += took
            self.buckets[next((i for i, bound in enumerate(BUCKETS) if took <= bound), len(BUCKETS))] += 1

    def _add_cost(self, provider: str, model: str, call: Call) -> None:
        cost = call.cost
        assert cost is not None
        if cost.unpriced:
            self.unpriced += 1
        for name, tokens in zip(TOKEN_CLASSES, msgspec.structs.astuple(cost.usage), strict=False):
            if tokens:
                _add(self.tokens, (provider, model, name), tokens)
        for kind, nano in (("list", cost.list), ("paid", cost.paid), ("overhead", cost.overhead)):
            if nano:
                _add(self.money, (provider, model, kind), nano)
        for saving in call.savings:
            row = (saving.strategy, saving.kind)
            self.savings[row] = self.savings.get(row, 0) + saving.nano


def _add(sums: dict[tuple[str, str, str], int], row: tuple[str, str, str], value: int) -> None:
    if row not in sums and len(sums) >= MOST_SERIES:
        row = (row[0], "(other)", row[2])
    sums[row] = sums.get(row, 0) + value
