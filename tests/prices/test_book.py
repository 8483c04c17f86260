"""Look-ups, tiers, dates, cliffs: what has a price, what has none, and that every answer adds up."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from price_samples import MAY, MTOK, NOVEMBER, cost, models, usages, why

import scrimp
from scrimp.call import Usage
from scrimp.config import ModelConfig
from scrimp.prices.book import Book, Rates, Unpriced


def test_an_answers_dated_name_is_found(book: Book) -> None:
    found = book.price("gpt-4o-mini-2024-07-18", Usage(input=MTOK, output=MTOK), when=NOVEMBER)
    assert not isinstance(found, Unpriced)
    assert (found.usd, found.provider, found.model) == ("0.75", "openai", "gpt-4o-mini")


@pytest.mark.parametrize(
    "provider",
    ["openai", "OpenAI", "api.openai.com", "https://api.openai.com/v1", "example.openai.azure.com", None, "litellm"],
)
def test_a_provider_is_known_by_name_host_or_address(book: Book, provider: str | None) -> None:
    assert cost(book, "gpt-4o", Usage(input=MTOK), provider=provider, when=NOVEMBER) == 2_500_000_000


@pytest.mark.parametrize("provider", ["127.0.0.1:18101/v1", "localhost", "http://llm.example.org/v1", "somebody"])
def test_an_unknown_host_gets_nobodys_price_list(book: Book, provider: str) -> None:
    assert "no price for gpt-4o" in why(book, "gpt-4o", provider=provider)


def test_a_name_of_the_users_own_stands_for_its_host() -> None:
    book = Book.load(hosts={"openai-like": "http://127.0.0.1:8000/v1", "fast": "https://api.groq.com/openai/v1"})
    usage = Usage(input=1000)
    assert why(book, "gpt-4o", usage, provider="openai-like")
    assert why(book, "openai-like/gpt-4o", usage)
    assert cost(book, "llama-3.3-70b-versatile", usage, provider="fast") == 590_000
    assert cost(book, "fast/llama-3.3-70b-versatile", usage) == 590_000


def test_a_provider_before_the_name_is_taken_at_its_word(book: Book) -> None:
    usage = Usage(input=MTOK)
    assert cost(book, "openai/gpt-4o", usage) == cost(book, "gpt-4o", usage)
    assert cost(book, "openai/gpt-4o", usage, provider="openai") == cost(book, "gpt-4o", usage)
    assert book.price("openrouter/openai/gpt-4o", usage) == book.price("openai/gpt-4o", usage, provider="openrouter")


@pytest.mark.parametrize("model", ["", "no-such-model", "meta-llama/llama-3.3-70b-instruct", "gpt-4o\x00", "x" * 5000])
def test_an_unknown_model_has_no_price(book: Book, model: str) -> None:
    assert why(book, model)
    assert scrimp.price(model, Usage(input=1)) is None


def test_the_responses_tier_sets_the_price(book: Book) -> None:
    usage = Usage(input=MTOK)
    standard = cost(book, "gpt-5", usage, provider="openai", when=NOVEMBER)
    for tier in ("", "default", "standard", "auto", "DEFAULT"):
        assert cost(book, "gpt-5", usage, provider="openai", when=NOVEMBER, tier=tier) == standard
    assert cost(book, "gpt-5", usage, when=NOVEMBER, tier="flex") * 2 == standard
    assert cost(book, "gpt-5", usage, when=NOVEMBER, tier="batch") * 2 == standard
    assert cost(book, "gpt-5", usage, when=NOVEMBER, batch=True) * 2 == standard
    assert cost(book, "gpt-5", usage, when=NOVEMBER, tier="priority") == standard * 2
    assert cost(book, "gpt-5", usage, when=NOVEMBER, tier="fast") == standard * 2
    assert cost(book, "claude-opus-5", usage, when=NOVEMBER, tier="fast") == 10_000_000_000


@pytest.mark.parametrize(
    ("model", "provider", "tier"),
    [
        ("gpt-5", "openai", "scale"),
        ("gpt-4o", "openai", "flex"),
        ("claude-opus-4-6", "anthropic", "priority"),
        ("gpt-4o", "azure", "priority"),
    ],
)
def test_an_unlisted_tier_has_no_price(book: Book, model: str, provider: str, tier: str) -> None:
    assert why(book, model, provider=provider, tier=tier).startswith(f"tier {tier} is not priced")


def test_batch_and_cached_reads_stack_at_anthropic(book: Book) -> None:
    usage = Usage(cached=MTOK, cache_write=MTOK, cache_write_1h=MTOK)
    standard = book.price("claude-sonnet-4-6", usage, when=NOVEMBER)
    batch = book.price("claude-sonnet-4-6", usage, when=NOVEMBER, batch=True)
    assert not isinstance(standard, Unpriced) and not isinstance(batch, Unpriced)
    assert standard.classes == {"cached": 300_000_000, "cache_write": 3_750_000_000, "cache_write_1h": 6_000_000_000}
    assert {name: 2 * nano for name, nano in batch.classes.items()} == standard.classes


def test_free_is_known_and_is_not_unknown(book: Book) -> None:
    free = [rates.model for rates, _ in book.models(":free", "openrouter")]
    assert any(cost(book, name, Usage(input=5, output=5), provider="openrouter") == 0 for name in free)
    assert "no price" in why(book, "gemma-3", provider="google")


def test_rates_are_femtodollars_of_the_size_asked(book: Book) -> None:
    small = book.rates("claude-haiku-5-5", when=NOVEMBER)
    large = book.rates("claude-haiku-5-5", when=NOVEMBER, input_total=100_001)
    assert isinstance(small, Rates) and isinstance(large, Rates)
    assert small.femto["input"] == 10**8
    assert large.femto["input"] == 5 * 10**8
    assert small.cliffs == (100_000,)
    assert "batch" in small.tiers
    assert isinstance(book.rates("nope"), Unpriced)


@given(asked=st.lists(st.tuples(models, usages), max_size=5), model=models, usage=usages)
def test_a_price_does_not_depend_on_what_was_asked_before(
    asked: list[tuple[str, Usage]], model: str, usage: Usage
) -> None:
    book = Book.load()
    for name, other in asked:
        book.price(name, other, when=MAY)
        book.price(name, other, when=NOVEMBER, tier="flex")
    assert book.price(model, usage, when=NOVEMBER) == Book.load().price(model, usage, when=NOVEMBER)


def test_made_up_names_do_not_fill_memory(book: Book) -> None:
    for number in range(9000):
        book.price(f"made-up-{number}", Usage(input=1))
    assert len(book._memo) <= 4096
    assert why(book, "x" * 10**6) == why(book, "gpt-4o", tier="x" * 10**6)
    assert max(len(model) for model, *_ in book._memo) <= 256


@pytest.mark.parametrize(
    "when",
    [
        NOVEMBER,
        NOVEMBER / 10**9,
        date(2026, 11, 24),
        datetime(2026, 11, 24),
        "2026-11-24",
        "2026-11-24T01:00:00+01:00",
        None,
    ],
)
def test_the_library_takes_a_time_in_any_form(when: int | float | date | str | None) -> None:
    found = scrimp.price("claude-haiku-4-5", Usage(input=MTOK), when=when)
    assert found is not None
    assert found.total == 1_000_000_000


def test_a_time_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="yesterday"):
        scrimp.price("gpt-4o", Usage(), when="yesterday")


def test_own_prices_win_whatever_the_date_of_the_name() -> None:
    book = Book.load({"gpt-4o": ModelConfig(input=1.0, output=2.0), "local/Tiny": ModelConfig(input=0.15)})
    for name in ("gpt-4o", "GPT-4o", "gpt-4o-2024-08-06"):
        found = book.price(name, Usage(input=10, output=10), provider="openai")
        assert not isinstance(found, Unpriced)
        assert (found.total, found.flags) == (30_000, ("user",))
    assert cost(book, "tiny", Usage(input=100), provider="local") == 15_000
    assert cost(book, "local/tiny", Usage(input=100)) == 15_000
    assert why(book, "tiny", provider="elsewhere")
    assert why(book, "gpt-4o", tier="priority") == "tier priority is not priced for user/gpt-4o"


@given(models, usages, st.sampled_from(["", "batch", "priority"]))
def test_a_listing_prices_as_the_book_does(book: Book, model: str, usage: Usage, tier: str) -> None:
    listing = book.listing(model, tier=tier)
    found = book.price(model, usage, when=NOVEMBER, tier=tier)
    assert (listing if isinstance(listing, Unpriced) else listing.price(usage, NOVEMBER)) == found
