"""What a recorded call costs by the price book of today: the other half of `scrimp report --verify`."""

from __future__ import annotations

from collections.abc import Callable

from scrimp.prices.book import Book, Unpriced
from scrimp.report.verify import Reprice
from scrimp.steps.price import without_cache
from scrimp.store.base import Record

RECOMPUTABLE = frozenset(("provider_cache", "service_tier"))
"""Strategies whose calls' list price follows from the billed tokens alone; with others it does not."""


def reprice_with(load: Callable[[], Book]) -> Reprice:
    """The check of prices; the book is loaded when the first call needs it.

    (list, paid) in nanodollars; None where the book has no price any more. A call whose list price does not follow
    from its own tokens (a strategy beyond the provider's discounts changed it) is taken as recorded.
    """
    books: list[Book] = []

    def reprice(record: Record) -> tuple[int, int] | None:
        if not record.price_model or any(row.strategy not in RECOMPUTABLE for row in record.savings):
            return record.list_nano, record.paid_nano
        if not books:
            books.append(load())
        provider, _, model = record.price_model.partition("/")
        price = books[0].price
        listed = price(model, without_cache(record.usage), provider=provider, when=record.at)
        paid = price(model, record.usage, provider=provider, when=record.at, tier=record.tier)
        if isinstance(listed, Unpriced) or isinstance(paid, Unpriced):
            return None
        return listed.total, paid.total

    return reprice
