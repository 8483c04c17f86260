"""OpenRouter's activity by day and its log export."""

from __future__ import annotations

import csv
import json
from typing import Any

import pytest
from alike import samples_of
from hypothesis import given
from reading import SAMPLES, read
from strange import check, damaged, rows

from scrimp.audit.entry import BadRecord, Entry
from scrimp.audit.formats import openrouter
from scrimp.call import Usage

DAYS: list[dict[str, Any]] = json.loads((SAMPLES / "openrouter.json").read_text())["data"]
with (SAMPLES / "openrouter_calls.csv").open() as file:
    CALLS: list[dict[str, Any]] = list(csv.DictReader(file))
GENERATION = {
    "id": "gen-1791720000-Mail00000000000009", "created_at": "2026-10-12T10:00:00Z", "model": "openai/gpt-4.1",
    "provider_name": "Azure", "streamed": True, "cancelled": None, "generation_time": 900, "tokens_prompt": 90,
    "native_tokens_prompt": 100, "native_tokens_completion": 30, "native_tokens_reasoning": 8, "native_tokens_cached": 64,
    "total_cost": 0.0001, "upstream_inference_cost": 0.002, "is_byok": True, "finish_reason": "error",
}  # fmt: skip
WORDS = [
    *DAYS[0],
    *CALLS[0],
    *GENERATION,
    "true",
    "free",
    "error",
    "m:free",
]


def call(row: dict[str, Any]) -> Entry:
    (entry,) = openrouter.read_call(row)
    return entry


def day(**cells: Any) -> Entry:
    (entry,) = openrouter.read_day({**DAYS[0], **cells})
    return entry


@pytest.mark.parametrize("log", ["openrouter.csv", "openrouter.json"])
def test_a_day_is_a_sum_of_calls(log):
    known, entries, bad = read(log)
    assert (known.format.name, bad, len(entries)) == ("openrouter", [], 3)
    first = entries[0]
    assert first.aggregate and first.calls == 5 and first.at == 1791590400 * 10**9
    assert (first.provider, first.model, first.answered) == (
        "openrouter", "openai/gpt-4.1", "openai/gpt-4.1-2025-04-14",
    )  # fmt: skip
    assert (first.usage, first.logged, first.tags) == (Usage(input=9000, output=975), 25_800_000, ("provider=OpenAI",))


def test_reasoning_is_a_part_of_the_completion():
    assert day(completion_tokens=900, reasoning_tokens=640).usage == Usage(input=9000, output=260, reasoning=640)
    assert day(completion_tokens=9, reasoning_tokens=640).usage == Usage(input=9000, reasoning=9)


def test_what_a_key_of_ones_own_cost_was_paid_too():
    assert day(usage=0.0001, byok_usage_inference=0.002).logged == 2_100_000
    assert day(usage=None, byok_usage_inference=None).logged is None


def test_a_free_model_keeps_the_name_that_makes_it_free():
    _, entries, _ = read("openrouter.csv")
    assert (entries[2].model, entries[2].answered) == ("openai/gpt-oss-120b:free", "")


def test_an_exported_generation_gives_all_that_it_says():
    known, entries, bad = read("openrouter_calls.csv")
    assert (known.format.name, bad, len(entries)) == ("openrouter-calls", [], 2)
    one = entries[0]
    assert one.id == "gen-1791720000-Mail00000000000001" and one.at == 1791799200_713_000_000
    assert (one.model, one.usage) == (
        "openai/gpt-4.1-2025-04-14", Usage(input=476, cached=1024, output=56, reasoning=64),
    )  # fmt: skip
    assert (one.feature, one.user, one.key, one.finish) == ("Mailbox", "u-17", "prod", "stop")
    assert (one.stream, one.cut, one.duration, one.logged) == (True, False, 1_830_500_000, 2_424_000)
    assert (entries[1].model, entries[1].cut) == ("openai/gpt-oss-120b:free", True)


def test_a_generation_as_the_api_has_it_is_one_too():
    log = json.dumps(GENERATION).encode() + b"\n"
    known, (entry,), _ = read(log, name="generations.jsonl")
    assert known.format.name == "openrouter-calls"
    assert entry.usage == Usage(input=36, cached=64, output=22, reasoning=8)
    assert (entry.logged, entry.error, entry.stream, entry.cut) == (2_100_000, "error", True, False)
    assert call({**GENERATION, "is_byok": False}).logged == 100_000


def test_a_day_on_which_nothing_was_asked_is_nothing():
    assert openrouter.read_day({"date": "2026-10-10", "model": "m", "requests": 0}) == ()


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        ({"requests": "few"}, "requests: a text is no whole number"),
        ({"prompt_tokens": -4}, "prompt_tokens: '-4' is no whole number"),
        ({"date": ""}, "it has no date"),
        ({"date": "10/10/2026"}, "is no time"),
    ],
)
def test_what_is_malformed_is_refused_with_the_reason(cells, why):
    with pytest.raises(BadRecord, match=why):
        day(**cells)


@given(rows(WORDS) | damaged([*DAYS, *CALLS, GENERATION], WORDS))
def test_whatever_comes_is_read_or_refused(row):
    check(openrouter.read_day, row)
    check(openrouter.read_call, row)


def test_no_other_log_is_taken_for_it():
    assert all(any(f.fits(sample) for f in openrouter.FORMATS) for sample in samples_of("openrouter"))
    others = samples_of("openrouter", of=False)
    assert others and not [sample.name for sample in others if any(f.fits(sample) for f in openrouter.FORMATS)]
