"""What providers state and the price library lacks."""

from __future__ import annotations

from price_samples import MTOK, NOVEMBER

from scrimp.call import Usage
from scrimp.prices.book import Book, Unpriced


def test_what_providers_state_and_the_list_lacks_is_derived_and_flagged(book: Book) -> None:
    flex = book.price("gemini-2.5-pro", Usage(input=MTOK), tier="ON_DEMAND_FLEX", when=NOVEMBER)
    azure = book.price("gpt-4o", Usage(input=MTOK), provider="azure", batch=True, when=NOVEMBER)
    local = book.price("claude-opus-4-6", Usage(input=MTOK), tier="standard+us", when=NOVEMBER)
    long = book.price("gpt-5.6-sol", Usage(cache_write_12h=1000, input=1000), when=NOVEMBER)
    for found in (flex, azure, local, long):
        assert not isinstance(found, Unpriced)
        assert found.flags[0].startswith("derived:")
    assert not isinstance(long, Unpriced)
    assert 2 * long.classes["cache_write_12h"] == 5 * long.classes["input"]
    assert not isinstance(local, Unpriced)
    assert local.usd == "5.50"
