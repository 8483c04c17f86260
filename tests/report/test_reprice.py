"""Calls priced anew by the book that priced them."""

from __future__ import annotations

import pytest

from scrimp.call import Usage
from scrimp.prices.book import Book, Unpriced
from scrimp.report.reprice import Repricer
from scrimp.steps.price import without_cache
from scrimp.store.base import Record, SavingRow

WHEN = 1_793_491_200_000_000_000
USAGE = Usage(input=1000, cached=300, output=70, reasoning=5)


@pytest.fixture(scope="module")
def book() -> Book:
    return Book.load()


def test_every_model_of_the_list_costs_what_it_did(book: Book) -> None:
    reprice = Repricer(lambda: book)
    priced = 0
    for rates, _ in book.models():
        paid = book.price(rates.model, USAGE, provider=rates.provider, when=WHEN)
        listed = book.price(rates.model, without_cache(USAGE), provider=rates.provider, when=WHEN)
        if isinstance(paid, Unpriced) or isinstance(listed, Unpriced):
            continue
        record = Record(
            id="x", at=WHEN, usage=USAGE, price_model=f"{paid.provider}/{paid.model}",
            list_nano=listed.total, paid_nano=paid.total,
        )  # fmt: skip
        assert reprice(record) == (listed.total, paid.total)
        priced += 1
    assert priced > 500


def test_a_model_that_left_the_book_has_no_price(book: Book) -> None:
    assert Repricer(lambda: book)(Record(id="x", at=WHEN, price_model="openai/gone-9")) is None


def test_calls_whose_list_price_has_other_reasons_are_taken_as_recorded_without_a_book() -> None:
    def no_book() -> Book:
        raise AssertionError("the book is not needed")

    reprice = Repricer(no_book)
    routed = Record(
        id="x",
        at=0,
        price_model="openai/gpt-5",
        list_nano=9,
        paid_nano=8,
        savings=(SavingRow("route", 1, "estimated"),),
    )
    assert reprice(routed) == (9, 8)
    assert reprice(Record(id="y", at=0)) == (0, 0)


def test_a_price_of_ones_own_that_is_not_configured_here_is_taken_as_recorded_and_counted(book: Book) -> None:
    reprice = Repricer(lambda: book)
    assert reprice(Record(id="x", at=WHEN, price_model="user/local/m", list_nano=3, paid_nano=3)) == (3, 3)
    assert reprice.unchecked == 1
