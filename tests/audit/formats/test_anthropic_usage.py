"""Anthropic's usage and costs: the three reports and the console's CSV, tiers, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import SAMPLES, read
from strange import check, damaged, rows

from scrimp.audit.entry import BadRecord, Entry
from scrimp.audit.formats import anthropic_usage
from scrimp.audit.formats.base import Options
from scrimp.call import Price, Usage
from scrimp.prices.book import Book

RESULT = {
    "uncached_input_tokens": 100,
    "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 5},
    "cache_read_input_tokens": 50,
    "output_tokens": 20,
    "server_tool_use": {"web_search_requests": 2},
    "model": "claude-haiku-4-5-20251001",
}
KNOWN = [
    *(name for table in (anthropic_usage.FIELDS, anthropic_usage.TOKENS) for names in table.values() for name in names),
    *("data", "results", "ending_at", "cache_creation", "ephemeral_5m_input_tokens", "server_tool_use", "usage_type"),
    *("context_window", "200k-1M", "inference_geo", "us", "speed", "fast", "batch", "currency", "USD", "amount"),
    *("token_type", "cost_type", "cost_usd", "service_tier"),
]  # fmt: skip
NAMES = ("usage", "costs")
GOOD = [row for name in NAMES for row in json.loads((SAMPLES / f"anthropic_{name}.json").read_text())["data"]]

READ = anthropic_usage.FORMATS[0].open((), Options())


def one(result: dict[str, Any]) -> Entry:
    (entry,) = READ({"starting_at": "2026-10-05T00:00:00Z", "results": [result]})
    return entry


def test_the_usage_report_is_sums_without_a_number_of_calls():
    known, entries, bad = read("anthropic_usage.json")
    assert (known.format.name, bad, len(entries)) == ("anthropic_usage", [], 3)
    first, long, batch = entries
    assert (first.at, first.team, first.key) == (1791158400 * 10**9, "wrkspc_01Support", "apikey_01Support")
    assert (first.aggregate, first.calls, first.provider, first.tier) == (True, 0, "anthropic", "standard")
    assert any("how many calls" in phrase for phrase in known.format.missing)
    assert first.usage == Usage(
        input=150_000, cached=900_000, cache_write=30_000, cache_write_1h=12_000, output=41_000, searches=7
    )
    assert (first.tags, long.tags) == ((), ("long context",))
    assert (first.size, long.size) == (0, 200_001)
    assert (batch.tier, batch.team, batch.model) == ("batch+us", "", "claude-opus-4-6")


def test_the_consoles_csv_is_read_by_its_own_names():
    known, entries, bad = read("anthropic_usage.csv")
    assert (known.format.name, bad) == ("anthropic_usage", [])
    assert [entry.tier for entry in entries] == ["standard", "batch+us", "standard"]
    assert [entry.tags for entry in entries] == [(), (), ("long context",)]
    assert (entries[0].team, entries[0].key, entries[0].at) == ("Support", "support-key", 1791158400 * 10**9)
    assert entries[0].usage == Usage(input=100_000, cached=64_000, cache_write=2_000, output=5_000, searches=10)


def test_a_flattened_report_is_read_too():
    row = {"starting_at": "2026-10-05", "cache_creation.ephemeral_1h_input_tokens": "5", "uncached_input_tokens": "7"}
    (entry,) = READ(row)
    assert entry.usage == Usage(input=7, cache_write_1h=5)


@pytest.mark.parametrize(
    ("said", "tier"),
    [
        ({"service_tier": "standard", "inference_geo": "not_available"}, "standard"),
        ({"service_tier": "batch", "speed": None}, "batch"),
        ({"service_tier": "standard", "inference_geo": "us", "speed": "standard"}, "us"),
        ({"service_tier": None, "speed": "fast", "inference_geo": "us"}, "fast+us"),
        ({"service_tier": "priority", "inference_geo": "global"}, "priority"),
        ({}, ""),
    ],
)
def test_the_tier_has_all_that_changes_the_price(said: dict[str, Any], tier: str):
    assert one({**RESULT, **said}).tier == tier


def test_half_a_batch_in_the_united_states_is_priced_as_such():
    batch = one({**RESULT, "service_tier": "batch", "inference_geo": "us"})
    book = Book.load()
    prices = [
        book.price(batch.model, Usage(input=1_000_000), provider=batch.provider, tier=tier)
        for tier in ("standard", batch.tier)
    ]
    plain, half = (price.total for price in prices if isinstance(price, Price))
    assert half * 20 == plain * 11


def test_costs_are_cents_in_the_api_and_dollars_in_the_console():
    known, entries, bad = read("anthropic_costs.json")
    assert (known.format.name, bad) == ("anthropic_costs", [])
    assert [entry.logged for entry in entries] == [450_000_000, 615_000_000, 70_000_000]
    assert all(entry.usage is None and entry.aggregate and not entry.calls for entry in entries)
    assert [entry.tags for entry in entries] == [("uncached_input_tokens",), ("output_tokens",), ("web_search",)]
    known, entries, bad = read("anthropic_costs.csv")
    assert (known.format.name, bad) == ("anthropic_costs", [])
    assert [(entry.logged, entry.model, entry.key) for entry in entries] == [
        (100_000_000, "claude-haiku-4-5", "support-key"),
        (25_000_000, "claude-haiku-4-5", "support-key"),
    ]


@given(st.decimals(0, 10**6, places=4))
def test_an_amount_in_cents_is_kept_to_the_nanodollar(cents: Any):
    found = list(READ({"starting_at": "2026-10-05", "amount": str(cents), "currency": "USD"}))
    assert sum(entry.logged or 0 for entry in found) == int(cents * 10_000_000)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"output_tokens": -1}, "output_tokens: '-1' is no whole number"),
        ({"cache_creation": {"ephemeral_5m_input_tokens": "x"}}, "ephemeral_5m_input_tokens: a text"),
        ({"starting_at": "soon"}, "a text is no time"),
    ],
)
def test_a_result_that_cannot_be_true_is_refused_with_its_reason(changed: dict[str, Any], reason: str):
    with pytest.raises(BadRecord, match=reason):
        one({**RESULT, **changed})


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"amount": "5", "currency": "EUR"}, "in EUR, not in US dollars"),
        ({"amount": "a lot"}, "'a lot' is no amount"),
        ({"colour": "red"}, "neither tokens nor an amount"),
    ],
)
def test_an_amount_that_is_none_is_refused(row: dict[str, Any], reason: str):
    with pytest.raises(BadRecord, match=reason):
        list(READ({"starting_at": "2026-10-05", **row}))


def test_a_result_of_nothing_is_no_entry():
    empty = dict.fromkeys(RESULT, 0) | {"cache_creation": None, "server_tool_use": {}, "model": None}
    assert list(READ({"starting_at": "2026-10-05", "results": [empty]})) == []
    assert list(READ({"starting_at": "2026-10-05", "amount": "0.00"})) == []


def test_only_its_own_samples_are_taken_for_it():
    for path in sorted(SAMPLES.iterdir()):
        name = path.name.partition(".")[0]
        expected = name if name in ("anthropic_usage", "anthropic_costs") else ""
        found = read(path.name)[0].format.name
        assert found == expected or (not expected and not found.startswith("anthropic_")), path.name


@given(rows(KNOWN) | damaged(GOOD, KNOWN))
def test_whatever_a_row_holds_it_gives_entries_or_a_reason(row: dict[str, Any]):
    check(READ, row)
