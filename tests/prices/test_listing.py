"""Cards of prices: cliffs, dates, parents, and the one rounding rule."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from price_samples import JULY, MAY, NOVEMBER, cost, models, usages, why

from scrimp.call import INPUT_CLASSES, Usage
from scrimp.prices.book import Book, Unpriced
from scrimp.prices.listing import CLASSES, INPUTS
from scrimp.prices.table import Clause, Cliff, Dated, Listed, Row, Table, Term, Variant


def small_book(*prices: Dated, variants: tuple[Variant, ...] = ()) -> Book:
    row = Row("m", Clause("equals", "m"), prices, variants)
    rows = msgspec.Raw(msgspec.msgpack.encode((row,)))
    return Book(Table("0", "2026-01-01", (Listed("p", "https://p", None, None, (), rows),)))


def test_input_classes_stand_first_in_a_usage() -> None:
    assert CLASSES[:INPUTS] == INPUT_CLASSES


def test_a_cliff_reprices_the_whole_request(book: Book) -> None:
    below = cost(book, "claude-haiku-5-5", Usage(input=60_000, cached=40_000, output=1000), when=NOVEMBER)
    above = cost(book, "claude-haiku-5-5", Usage(input=60_001, cached=40_000, output=1000), when=NOVEMBER)
    assert below == 60_000 * 100 + 40_000 * 10 + 1000 * 500
    assert above == 5 * (60_001 * 100 + 40_000 * 10 + 1000 * 500)


def test_a_call_costs_what_its_day_cost() -> None:
    book = small_book(Dated(None, {"input": 10**9}), Dated(Term(JULY), {"input": 2 * 10**9}))
    assert cost(book, "m", Usage(input=1), provider="p", when=JULY - 1) == 1000
    assert cost(book, "m", Usage(input=1), provider="p", when=JULY) == 2000


def test_a_call_before_the_first_price_gets_the_earliest_known_flagged() -> None:
    late = Variant({"processing": "batch"}, Term(JULY), {"input": 10**8})
    book = small_book(Dated(Term(JULY), {"input": 10**9}), variants=(late,))
    early = book.price("m", Usage(input=1), provider="p", when=MAY)
    batch = book.price("m", Usage(input=1), provider="p", when=MAY, batch=True)
    known = book.price("m", Usage(input=1), provider="p", when=JULY, batch=True)
    assert not isinstance(early, Unpriced) and not isinstance(batch, Unpriced) and not isinstance(known, Unpriced)
    assert (early.total, early.flags) == (1000, ("earliest-known",))
    assert (batch.total, batch.flags) == (100, ("earliest-known",))
    assert (known.total, known.flags) == (100, ())


def test_a_price_by_the_hour_may_pass_midnight() -> None:
    hour = 3_600 * 10**9
    book = small_book(Dated(None, {"input": 10**9}), Dated(Term(None, 23 * hour, hour), {"input": 5 * 10**8}))
    prices = [cost(book, "m", Usage(input=1), provider="p", when=JULY + at * hour) for at in (0, 1, 22, 23)]
    assert prices == [500, 1000, 1000, 500]


def test_a_parents_price_that_may_be_too_low_is_flagged(book: Book) -> None:
    found = book.price("anthropic.claude-3-5-haiku-20241022-v1:0", Usage(cache_write_1h=1), provider="bedrock")
    assert not isinstance(found, Unpriced)
    assert found.flags == ("parent-price:cache_write_1h",)


def test_a_class_without_any_price_makes_the_usage_unpriced(book: Book) -> None:
    assert "no price for output" in why(book, "text-embedding-3-small", Usage(input=1, output=1))
    assert "no price for searches" in why(
        book, "openai/gpt-4.1-mini", Usage(input=1, searches=1), provider="openrouter"
    )


@given(rate=st.integers(0, 10**11), counts=st.lists(st.integers(0, 10**7), min_size=3, max_size=3))
def test_the_total_is_the_exact_sum_rounded_once(rate: int, counts: list[int]) -> None:
    book = small_book(Dated(None, {"input": rate, "cached": rate // 3, "output": Cliff(7 * rate, ((100, rate),))}))
    usage = Usage(input=counts[0], cached=counts[1], output=counts[2])
    output = rate if counts[0] + counts[1] > 100 else 7 * rate
    exact = counts[0] * rate + counts[1] * (rate // 3) + counts[2] * output
    assert cost(book, "m", usage, provider="p", when=0) == (exact + 500_000) // 1_000_000


@given(model=models, usage=usages, batch=st.booleans())
def test_classes_add_up_to_the_total(model: str, usage: Usage, batch: bool) -> None:
    found = Book.load().price(model, usage, when=NOVEMBER, batch=batch)
    if not isinstance(found, Unpriced):
        assert sum(found.classes.values()) == found.total
        assert set(found.classes) - {"requests"} == {name for name in CLASSES if getattr(usage, name)}
        assert min(found.classes.values(), default=0) >= 0


@given(model=models, usage=usages, name=st.sampled_from(CLASSES), more=st.integers(1, 10**6))
def test_more_tokens_never_cost_less(model: str, usage: Usage, name: str, more: int) -> None:
    book = Book.load()
    less = book.price(model, usage, when=NOVEMBER)
    grown = book.price(model, msgspec.structs.replace(usage, **{name: getattr(usage, name) + more}), when=NOVEMBER)
    if not isinstance(less, Unpriced) and not isinstance(grown, Unpriced):
        assert grown.total >= less.total
