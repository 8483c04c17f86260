"""A small, fixed set of calls: a negative saving, an estimate, no price, a failure, wide and hostile labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from scrimp.call import Usage
from scrimp.report.numbers import Dimension, Report, gather
from scrimp.store import open_store
from scrimp.store.base import HOUR, Record, SavingRow

FIRST_OF_NOVEMBER = 1_793_491_200_000_000_000
HOSTILE = "\x1b[31mred\x1b[0m\u202e<script>|`@team"
Tell = Callable[..., Report]


def call(number: int, hours: int, **fields: Any) -> Record:
    """A call so many hours after the first of November 2026."""
    return Record(id=f"c{number}", at=FIRST_OF_NOVEMBER + hours * HOUR, **fields)


@pytest.fixture
def records() -> list[Record]:
    """The calls."""
    cache, tier = "provider_cache", "service_tier"
    return [
        call(1, 0, feature="chat", user="u1", model="gpt-5", provider="openai", basis="exact", tags=("a", "b"),
             list_nano=151_300_000_000, paid_nano=100_000_000_000, usage=Usage(input=1000, cached=200, output=50),
             savings=(SavingRow(cache, 41_300_000_000, "measured"), SavingRow("route", 10_000_000_000, "estimated"))),
        call(2, 26, feature="docs", model="claude", provider="anthropic", basis="estimated",
             list_nano=1_000_000_000, paid_nano=1_250_000_000, savings=(SavingRow(cache, -250_000_000, "measured"),)),
        call(3, 50, feature="東京の検索", model="llama|9", provider="groq", unpriced="no price"),
        call(4, 50, feature=HOSTILE, model="gpt-5-mini", provider="openai", ending="broken",
             list_nano=3_100_000, paid_nano=4_100_000, overhead_nano=1_000_000),
        call(5, 75, model="gpt-5", provider="openai", list_nano=12_000_000_000, paid_nano=9_000_000_000,
             savings=(SavingRow(tier, 2_000_000_000, "measured"), SavingRow("zippy", 1_000_000_000, "estimated"))),
    ]  # fmt: skip


@pytest.fixture
def tell(records: list[Record]) -> Tell:
    """The report of some calls (default: all of them), through a store."""

    def told(by: Sequence[Dimension] = ("feature",), calls: list[Record] | None = None) -> Report:
        store = open_store(":memory:")
        for record in records if calls is None else calls:
            store.add(record)
        store.flush()
        try:
            return gather(store.rollups(), by)
        finally:
            store.close()

    return told
