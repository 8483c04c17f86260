"""A million calls priced at once cost what the price book says of each, to the nanodollar."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rows import filled, row

from scrimp.audit.findings.repricing import Offer, cost_sql, estimate, lumps, offers
from scrimp.audit.work import Work
from scrimp.call import Usage
from scrimp.config import ModelConfig
from scrimp.prices.book import Book, Unpriced
from scrimp.prices.listing import CLASSES
from scrimp.prices.table import DAY

TODAY = 20_781 * DAY
"""Midnight of 2026-11-24."""
TABLE = (
    "(SELECT id, at, tier, input, cached, written, written_1h, output, reasoning, more, input_total AS size FROM calls)"
)
OWN = {
    "odd": ModelConfig(input=0.0375123, output=1.0000007, cached_input=0.0000003),
    "server": ModelConfig(gpu_hour_usd=2.0, tokens_per_second=777.0),
}
MODELS = [
    ("claude-haiku-5-5", "anthropic", ["", "standard", "batch", "standard+us"]),
    ("gpt-5.4", "openai", ["", "default", "flex", "priority"]),
    ("gemini-2.5-flash-lite", "google", ["", "batch"]),
    ("deepseek-v4-flash", "deepseek", [""]),
    ("sonar-pro", "perplexity", [""]),
    ("odd", "user", [""]),
    ("server", "user", ["", "batch", "priority"]),
]
plain = st.builds(
    Usage,
    input=st.integers(0, 300_000),
    cached=st.integers(0, 300_000),
    cache_write=st.integers(0, 100_000),
    cache_write_1h=st.integers(0, 3),
    output=st.integers(0, 100_000),
    reasoning=st.integers(0, 100_000),
)
any_usage = plain | st.builds(Usage, **{name: st.integers(0, 200_000) for name in CLASSES if name != "searches"})
times = st.none() | st.integers(TODAY - 900 * DAY, TODAY)


@pytest.fixture(scope="module")
def book() -> Book:
    return Book.load(OWN)


def as_row(usage: Usage, **fields: object) -> object:
    """A call of a usage, with the JSON of what has no column as the replay writes it."""
    in_columns = usage.input + usage.cached + usage.cache_write + usage.cache_write_1h + usage.output + usage.reasoning
    in_columns -= usage.searches  # no tokens, but no column either
    return row(
        input=usage.input,
        cached=usage.cached,
        written=usage.cache_write,
        written_1h=usage.cache_write_1h,
        output=usage.output,
        reasoning=usage.reasoning,
        more=msgspec.json.encode(usage).decode() if usage.input_total + usage.output_total != in_columns else "",
        input_total=usage.input_total,
        output_total=usage.output_total,
        **fields,
    )


def offered(book: Book, model: str, provider: str, tiers: list[str]) -> Offer:
    (found,) = offers(book, [(provider, model)], tiers)
    return found


def found_in(work: Work, model: Offer) -> list:
    return lumps(work, TABLE, [model], TODAY)


@pytest.mark.parametrize(("model", "provider", "tiers"), MODELS)
@given(data=st.data())
def test_calls_priced_in_the_database_cost_what_the_book_says(
    book: Book, model: str, provider: str, tiers: list[str], data: st.DataObject
) -> None:
    calls = data.draw(st.lists(st.tuples(any_usage, times, st.sampled_from(tiers)), min_size=1, max_size=5))
    work = filled(as_row(usage, id=at, at=when, tier=tier) for at, (usage, when, tier) in enumerate(calls))
    it = offered(book, model, provider, tiers)
    prices = [
        book.price(
            model,
            usage,
            provider="" if provider == "user" else provider,
            tier=tier,
            when=TODAY + (when or 0) % DAY,
        )
        for usage, when, tier in calls
    ]
    lumped = found_in(work, it)
    if any(isinstance(price, Unpriced) for price in prices):
        assert estimate(it, lumped, TODAY) is None
        return
    costs = work.rows(f"SELECT {cost_sql(it, lumped, TODAY)} FROM {TABLE} ORDER BY id")
    assert [cost for (cost,) in costs] == [price.total for price in prices]


@given(st.lists(st.tuples(plain, st.sampled_from(["", "batch"])), min_size=1, max_size=8))
def test_the_estimate_differs_only_by_the_rounding_of_each_call(book: Book, calls: list[tuple[Usage, str]]) -> None:
    work = filled(as_row(usage, tier=tier) for usage, tier in calls)
    it = offered(book, "claude-haiku-5-5", "anthropic", ["", "batch"])
    lumped = found_in(work, it)
    (exact,) = work.one(f"SELECT SUM({cost_sql(it, lumped, TODAY)}) FROM {TABLE}")
    estimated = estimate(it, lumped, TODAY)
    assert estimated is not None
    assert abs(exact - estimated[0]) <= len(calls)


def test_searches_cost_their_price(book: Book) -> None:
    usage = Usage(input=1000, output=10, searches=3)
    work = filled([as_row(usage)])
    it = offered(book, "claude-sonnet-5", "anthropic", [""])
    lumped = found_in(work, it)
    price = book.price("claude-sonnet-5", usage, when=TODAY)
    assert work.one(f"SELECT {cost_sql(it, lumped, TODAY)} FROM {TABLE}") == (price.total,)  # type: ignore[union-attr]


def test_a_model_without_a_price_on_a_tier_of_the_calls_is_no_offer(book: Book) -> None:
    assert list(offers(book, [("openai", "gpt-5.4-nano")], ["", "priority"])) == []
    assert [one.model for one in offers(book, [("openai", "gpt-5.4-nano")], ["", "flex"])] == ["gpt-5.4-nano"]
    assert list(offers(book, [("anthropic", "gpt-5.4-nano")], [""])) == []
    assert list(offers(book, [("openai", "gpt-5.4-nano-2026-03-17")], [""])) == [], "not the row's own name"


def test_audio_is_never_priced_as_text(book: Book) -> None:
    work = filled([as_row(Usage(input=10, audio_input=1000, output=5))])
    text = offered(book, "gpt-5.4-nano", "openai", [""])
    assert estimate(text, found_in(work, text), TODAY) is None
    speech = offered(book, "gemini-2.5-flash-lite", "google", [""])
    assert estimate(speech, found_in(work, speech), TODAY)


def test_a_price_larger_than_the_databases_integers_is_none(book: Book) -> None:
    work = filled([row(input=10**15, output=1), row(input=10**6, output=1)])
    it = offered(book, "claude-haiku-5-5", "anthropic", [""])
    cost = cost_sql(it, found_in(work, it), TODAY)
    kinds = work.rows(f"SELECT typeof({cost}) FROM {TABLE} ORDER BY input DESC")
    assert [kind for (kind,) in kinds] == ["real", "integer"]


def test_a_price_of_the_users_own_is_flagged(book: Book) -> None:
    work = filled([row()])
    it = offered(book, "odd", "user", [""])
    estimated = estimate(it, found_in(work, it), TODAY)
    assert estimated is not None
    assert estimated[1] == ("user",)
    assert (it.provider, it.model) == ("user", "odd")
