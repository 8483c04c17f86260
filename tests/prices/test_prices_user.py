"""Prices of one's own: flat, by the hour, and refused with the key's path where they make no sense."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrimp.call import Usage
from scrimp.config import ModelConfig
from scrimp.errors import ConfigError
from scrimp.prices.book import Book, Unpriced
from scrimp.prices.user import rows


def cost(own: ModelConfig, usage: Usage, batch: bool = False) -> dict[str, int]:
    found = Book.load({"m": own}).price("m", usage, provider="127.0.0.1:8000", batch=batch)
    assert not isinstance(found, Unpriced), found.reason
    assert found.flags == ("user",)
    return found.classes


def test_flat_prices_are_exactly_what_was_written() -> None:
    own = ModelConfig(input=0.15, output=0.6, cached_input=0.015, cache_write=0.1875)
    usage = Usage(input=1000, output=1000, cached=1000, cache_write=1000)
    assert cost(own, usage) == {"input": 150_000, "output": 600_000, "cached": 15_000, "cache_write": 187_500}


def test_batch_has_its_own_prices_or_none() -> None:
    usage = Usage(input=1000, output=1000)
    own = ModelConfig(input=0.15, output=0.6, batch_input=0.075, batch_output=0.3)
    assert cost(own, usage, batch=True) == {"input": 75_000, "output": 300_000}
    found = Book.load({"m": ModelConfig(input=1.0, output=1.0)}).price("m", usage, batch=True)
    assert found == Unpriced("tier batch is not priced for user/m")


def test_a_server_of_ones_own_costs_its_hours() -> None:
    own = ModelConfig(gpu_hour_usd=3.6, tokens_per_second=1000)
    assert cost(own, Usage(input=1000, output=500)) == {"input": 1_000_000, "output": 500_000}
    assert cost(own, Usage(input=1000), batch=True) == {"input": 1_000_000}


@given(hour=st.decimals("0", "100", places=2), speed=st.integers(1, 100_000))
def test_an_hour_of_tokens_costs_the_hour(hour: Decimal, speed: int) -> None:
    own = ModelConfig(gpu_hour_usd=float(hour), tokens_per_second=float(speed))
    paid = sum(cost(own, Usage(input=3600 * speed)).values())
    assert abs(paid - int(hour * 10**9)) <= 3600 * speed / 2 / 10**6 + 1


def test_free_is_a_price_of_zero() -> None:
    assert cost(ModelConfig(input=0.0, output=0.0), Usage(input=9, output=9)) == {"input": 0, "output": 0}


def test_a_section_without_a_price_is_no_price() -> None:
    assert rows({"gpt-4o": ModelConfig(context=1000, tier="large")}) == {}


@pytest.mark.parametrize(
    ("own", "key"),
    [
        (ModelConfig(input=-1.0), "input"),
        (ModelConfig(input=float("nan")), "input"),
        (ModelConfig(output=1.0), "input"),
        (ModelConfig(gpu_hour_usd=1.0), "tokens_per_second"),
        (ModelConfig(tokens_per_second=1.0), "gpu_hour_usd"),
        (ModelConfig(gpu_hour_usd=1.0, tokens_per_second=0.0), "tokens_per_second"),
        (ModelConfig(gpu_hour_usd=1.0, tokens_per_second=1.0, output=1.0), "output"),
    ],
)
def test_prices_that_make_no_sense_are_refused_by_their_key(own: ModelConfig, key: str) -> None:
    with pytest.raises(ConfigError) as refused:
        Book.load({"a/b": own})
    assert str(refused.value).startswith(f'models."a/b".{key}: ')
