"""What a recorded call costs by the price book of today: the other half of `scrimp report --verify`."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from scrimp.prices.book import Book, Unpriced
from scrimp.steps.price import without_cache
from scrimp.store.base import Record

RECOMPUTABLE = frozenset(("provider_cache", "service_tier"))
"""Strategies whose calls' list price follows from the billed tokens alone; with others it does not."""


class Repricer:
    """The check of prices; the book is loaded when the first call needs it.

    Gives (list, paid) in nanodollars; None where the book has no price any more. Taken as recorded are calls whose list
    price does not follow from their own tokens (a strategy beyond the provider's discounts changed it), and those
    priced by a `[models]` section that the configuration at hand does not have: `unchecked` counts the latter.
    """

    def __init__(self, load: Callable[[], Book]) -> None:
        self._book = cache(load)
        self.unchecked = 0

    def __call__(self, record: Record) -> tuple[int, int] | None:
        if not record.price_model or any(row.strategy not in RECOMPUTABLE for row in record.savings):
            return record.list_nano, record.paid_nano
        provider, _, model = record.price_model.partition("/")
        price = self._book().price
        listed = price(model, without_cache(record.usage), provider=provider, when=record.at)
        paid = price(model, record.usage, provider=provider, when=record.at, tier=record.tier)
        if isinstance(listed, Unpriced) or isinstance(paid, Unpriced):
            if provider != "user":
                return None
            self.unchecked += 1
            return record.list_nano, record.paid_nano
        return listed.total, paid.total
