"""The price library itself is the oracle: same rows, same days, same tiers, to the nanodollar."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from genai_prices.data import providers
from genai_prices.data_snapshot import DataSnapshot
from genai_prices.types import Usage as LibraryUsage

from scrimp.call import Usage
from scrimp.prices.book import Book, Unpriced
from scrimp.prices.compile import CLASSES, build_table
from scrimp.prices.table import library_version

SNAPSHOT = DataSnapshot(providers, from_auto_update=False)
DAYS = [
    datetime(2025, 2, 3, 12, tzinfo=UTC),
    datetime(2026, 9, 30, 2, tzinfo=UTC),
    datetime(2026, 11, 24, 9, tzinfo=UTC),
]
USAGES = [
    Usage(input=1234, output=567),
    Usage(input=100_001, cached=33_333, output=1, reasoning=77),
    Usage(input=7, cached=250_001, cache_write=4097, cache_write_1h=1023, output=999),
    Usage(input=272_000, output=8191, rejected_prediction=3, searches=2),
]
TIERS: dict[str, dict[str, str]] = {
    "": {},
    "default": {},
    "batch": {"processing": "batch"},
    "flex": {"service_tier": "flex"},
    "priority": {"service_tier": "priority"},
}


@pytest.fixture(scope="module")
def book() -> Book:
    return Book.load()


def as_library(usage: Usage) -> LibraryUsage:
    writes = usage.cache_write + usage.cache_write_1h + usage.cache_write_12h
    return LibraryUsage(
        input_tokens=usage.input_total,
        cache_read_tokens=usage.cached + usage.audio_cached,
        cache_audio_read_tokens=usage.audio_cached,
        cache_write_tokens=writes,
        cache_write_1h_tokens=usage.cache_write_1h,
        input_audio_tokens=usage.audio_input + usage.audio_cached,
        input_image_tokens=usage.image_input,
        input_video_tokens=usage.video_input,
        output_tokens=usage.output_total,
        output_reasoning_tokens=usage.reasoning,
        output_audio_tokens=usage.audio_output,
        output_image_tokens=usage.image_output,
        web_searches=usage.searches,
    )


def nano(price: Decimal) -> int:
    return int((price * 10**9).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def is_coarse(model: Any) -> bool:
    """Whether the list has the model's price in twelfths (0.0833333333333333): ours are whole femtodollars."""
    stated = [model.prices] if not isinstance(model.prices, list) else [price.prices for price in model.prices]
    stated += [variant.prices for variant in model.price_variants or ()]
    for prices in stated:
        for key, value in vars(prices).items():
            if key in CLASSES and value is not None:
                whole = [value] if isinstance(value, Decimal) else [value.base, *(tier.price for tier in value.tiers)]
                if any((price * 10**9) % 1 for price in whole):
                    return True
    return False


def rows() -> list[tuple[str, str]]:
    return [(provider.id, model.id) for provider in providers for model in provider.models]


def compare(book: Book, provider: str, model: str, usage: Usage, day: datetime, tier: str) -> bool:
    """Whether both have a price, which is then the same; where only one has, why is asserted by the caller."""
    when = int(day.timestamp()) * 10**9
    ours = book.price(model, usage, provider=provider, when=when, tier=tier)
    try:
        theirs = SNAPSHOT.calc(as_library(usage), model, provider, None, day, TIERS[tier] or None)
    except LookupError:
        assert isinstance(ours, Unpriced), (provider, model)
        return False
    if isinstance(ours, Unpriced):
        assert "no price" in ours.reason or "not priced" in ours.reason
        return False
    if any(not flag.startswith("parent-price:") for flag in ours.flags):
        return False
    assert (ours.provider, ours.model) == (ours.provider, theirs.model.id)
    assert abs(ours.total - nano(theirs.total_price)) <= is_coarse(theirs.model), (provider, model, usage, day, tier)
    assert sum(ours.classes.values()) == ours.total
    return True


def test_every_model_costs_what_the_library_says_at_every_date(book: Book) -> None:
    compared = 0
    for provider, model in rows():
        for number, usage in enumerate(USAGES[:3]):
            compared += compare(book, provider, model, usage, DAYS[number], "")
    assert compared > 0.8 * 3 * len(rows())


def test_makers_models_cost_what_the_library_says_on_every_tier_and_size(book: Book) -> None:
    compared = dict.fromkeys(TIERS, 0)
    for provider, model in rows():
        if provider in ("openai", "anthropic", "google", "mistral", "groq", "x-ai", "deepseek"):
            for usage in USAGES:
                for tier in TIERS:
                    compared[tier] += compare(book, provider, model, usage, DAYS[2], tier)
    assert compared["batch"] > 300
    assert compared["flex"] > 60
    assert compared["priority"] > 60
    assert compared["default"] == compared[""] > 800


def test_plain_names_find_the_maker_the_library_finds(book: Book) -> None:
    names = [model for provider, model in rows() if provider in ("openai", "anthropic", "google", "deepseek", "x-ai")]
    agreed = 0
    for name in names:
        ours = book.price(name, USAGES[0], when=int(DAYS[2].timestamp()) * 10**9)
        try:
            theirs = SNAPSHOT.calc(as_library(USAGES[0]), name, None, None, DAYS[2])
        except LookupError:
            continue
        if not isinstance(ours, Unpriced):
            assert ours.total == nano(theirs.total_price), name
            agreed += 1
    assert agreed > 150


def test_audio_and_images_cost_what_the_library_says(book: Book) -> None:
    usage = Usage(input=11, audio_input=1003, audio_output=507, image_input=99, image_output=41, output=13)
    audio = 0
    for provider in providers:
        for model in provider.models:
            prices = model.prices if not isinstance(model.prices, list) else model.prices[-1].prices
            if prices.input_audio_mtok is not None or prices.output_image_mtok is not None:
                audio += compare(book, provider.id, model.id, usage, DAYS[2], "")
    assert audio > 15


def test_compiling_twice_says_nothing_and_gives_the_same_bytes(tmp_path: Path) -> None:
    env = {**os.environ, "XDG_CACHE_HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-m", "scrimp.prices.compile"]
    for _ in range(2):
        done = subprocess.run(command, env=env, capture_output=True, check=True)
        assert done.stdout == done.stderr == b""
    (path,) = tmp_path.rglob("*.msgpack")
    table = build_table(library_version(), date.today())
    assert msgspec.msgpack.encode(table) == path.read_bytes()


def test_the_tables_date_is_a_price_date_of_the_data_not_to_come() -> None:
    assert build_table("0", date(2026, 10, 14)).date == "2026-10-14"
    assert build_table("0", date(2026, 10, 14)).version == "0"
