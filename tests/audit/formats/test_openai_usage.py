"""OpenAI's usage and costs: tokens in their classes, other endpoints, amounts, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import SAMPLES, read
from strange import check, damaged, rows

from scrimp.audit.entry import BadRecord, Entry
from scrimp.audit.formats import openai_usage
from scrimp.audit.formats.base import Options
from scrimp.call import Usage

MONDAY = 1762473600
RESULT = {
    "object": "organization.usage.completions.result",
    "input_tokens": 100,
    "output_tokens": 20,
    "num_model_requests": 3,
    "model": "gpt-5-mini-2025-08-07",
}
KNOWN = [
    *("object", "data", "results", "bucket", "page", "start_time", "end_time", "start_time_iso", "model", "project_id"),
    *("user_id", "api_key_id", "batch", "service_tier", "amount", "value", "currency", "usd", "amount_value", "line_item"),
    *("amount_currency", "num_model_requests", "input_cached_tokens", "input_cache_write_tokens", "input_audio_tokens"),
    *("input_cached_audio_tokens", "input_image_tokens", "output_audio_tokens", "output_image_tokens", "TRUE"),
    *openai_usage.FIGURES,
]  # fmt: skip
PAGES = [json.loads((SAMPLES / f"openai_{name}.json").read_text()) for name in ("usage", "costs")]
GOOD = [PAGES[0], *PAGES[0]["data"], *PAGES[1]["data"]]

READ = openai_usage.FORMATS[0].open((), Options())


def one(result: dict[str, Any]) -> Entry:
    (entry,) = READ({"start_time": MONDAY, "end_time": MONDAY + 86_400, "results": [result]})
    return entry


def test_a_page_of_the_api_is_sums_by_project_key_model_and_tier():
    known, entries, bad = read("openai_usage.json")
    assert (known.format.name, known.layout.shape) == ("openai_usage", "json")
    assert bad == [(79, "1 of 6 results: its tokens by kind are more than their total")]
    first = entries[0]
    assert (first.at, first.team, first.key, first.user) == (MONDAY * 10**9, "proj_Search", "key_Search", "")
    assert (first.aggregate, first.calls, first.provider, first.tier) == (True, 310, "openai", "default")
    assert (first.model, first.usage) == (
        "gpt-5-mini-2025-08-07",
        Usage(input=300_000, cached=512_000, output=40_500),
    )
    assert [entry.tier for entry in entries] == ["default", "batch", "default", "", "", "", "", "flex"]


def test_audio_images_and_cache_writes_lie_inside_the_totals():
    _, entries, _ = read("openai_usage.json")
    assert entries[2].user == "user-Mara"
    assert entries[2].usage == Usage(
        input=1200, cached=800, cache_write=500, audio_input=5000, audio_cached=1500, output=600, audio_output=2000
    )
    drawn = one({**RESULT, "input_image_tokens": 40, "input_cached_tokens": 9, "output_image_tokens": 15})
    assert drawn.usage == Usage(input=51, cached=9, image_input=40, output=5, image_output=15)


@given(
    st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6)
)
def test_no_token_is_lost_or_counted_twice(text: int, cached: int, written: int, audio: int, said: int):
    total = text + cached + written + audio
    parts = {"input_cached_tokens": cached, "input_cache_write_tokens": written, "input_audio_tokens": audio}
    entry = one({**RESULT, "input_tokens": total, **parts, "output_tokens": said})
    assert entry.usage == Usage(input=text, cached=cached, cache_write=written, audio_input=audio, output=said)
    assert (entry.usage.input_total, entry.usage.output_total) == (total, said)


def test_other_endpoints_are_told_as_far_as_they_have_tokens():
    _, entries, _ = read("openai_usage.json")
    embeddings, images, searches, stored = entries[3:7]
    assert (embeddings.api, embeddings.usage, embeddings.calls) == ("openai.embeddings", Usage(input=150_000), 75)
    assert (images.model, images.usage, images.calls, images.tags) == ("gpt-image-1", None, 4, ("images",))
    assert (searches.model, searches.usage) == ("gpt-5-2025-08-07", Usage(searches=40))
    assert searches.calls == 0  # they are counted where their tokens are
    assert (stored.usage, stored.calls, stored.tags) == (None, 0, ("vector_stores",))
    heard = one({"object": "organization.usage.audio_transcriptions.result", "seconds": 12, "num_model_requests": 2})
    assert (heard.usage, heard.tags) == (None, ("audio_transcriptions",))
    looked_up = one({"object": "organization.usage.file_searches.result", "num_requests": 5, "project_id": "p"})
    assert (looked_up.usage, looked_up.tags) == (None, ("file_searches",))


def test_calls_that_used_nothing_cost_nothing_and_are_counted():
    failed = one({**RESULT, "input_tokens": 0, "output_tokens": 0, "num_model_requests": 4})
    assert (failed.calls, failed.usage) == (4, Usage())


def test_the_consoles_csv_has_a_row_for_every_group_and_an_empty_one_for_an_empty_day():
    known, entries, bad = read("openai_usage.csv")
    assert (known.format.name, bad, len(entries)) == ("openai_usage", [], 3)
    assert (entries[0].usage, entries[0].calls) == (Usage(input=72_800, cached=8_192, output=27_477), 21)
    assert (entries[2].tier, entries[2].calls, entries[2].team) == ("batch", 300, "proj_Nightly")
    assert len({entry.id for entry in entries}) == 3  # two rows differ in nothing but their figures


def test_pages_buckets_and_results_are_read_one_a_line_and_in_a_list():
    page, bucket = PAGES[0], PAGES[0]["data"][0]
    whole = [entry.id for entry in read("openai_usage.json")[1]]
    for log in (f"{json.dumps(page)}\n", json.dumps([page]), "".join(f"{json.dumps(row)}\n" for row in page["data"])):
        known, entries, _ = read(log.encode())
        assert (known.format.name, [entry.id for entry in entries]) == ("openai_usage", whole)
    flat = [{"start_time": MONDAY, "end_time": MONDAY + 86_400, **result} for result in bucket["results"]]
    known, entries, _ = read("".join(f"{json.dumps(row)}\n" for row in flat).encode())
    assert (known.format.name, [entry.id for entry in entries]) == ("openai_usage", whole[:4])


def test_costs_are_what_was_billed_with_neither_tokens_nor_calls():
    known, entries, bad = read("openai_costs.json")
    assert (known.format.name, len(entries)) == ("openai_costs", 6)
    assert bad == [(77, "1 of 2 results: its amount is in eur, not in US dollars")]
    assert all(entry.usage is None and entry.aggregate and not entry.calls and not entry.error for entry in entries)
    assert [entry.logged for entry in entries] == [
        75_000_000,
        12_800_000,
        1_500_000_000,
        400_000_000,
        160_000_000,
        20_000_000,
    ]
    assert [(entry.model, entry.tier, entry.tags) for entry in entries[1:4]] == [
        ("gpt-5-mini-2025-08-07", "", ("cached input",)),
        ("gpt-5.6-terra", "priority", ("output long context",)),
        ("", "", ("web search tool calls",)),
    ]


def test_the_consoles_costs_have_their_amounts_in_columns():
    known, entries, bad = read("openai_costs.csv")
    assert (known.format.name, bad) == ("openai_costs", [])
    assert [(entry.logged, entry.model) for entry in entries] == [(561_771_250, "gpt-5-2025-08-07"), (340_900_000, "")]


@pytest.mark.parametrize(
    ("said", "item"),
    [
        ("gpt-4o-mini-2024-07-18, cached input", ("", "gpt-4o-mini-2024-07-18", "cached input")),
        ("gpt-image-1 image, output", ("", "gpt-image-1", "image output")),
        ("priority | gpt-5.6-sol, output, long context", ("priority", "gpt-5.6-sol", "output long context")),
        ("ft:gpt-4.1-mini:parcels::a1, input", ("", "ft:gpt-4.1-mini:parcels::a1", "input")),
        ("whisper-1, audio", ("", "whisper-1", "audio")),
        ("Vector storage", ("", "", "Vector storage")),
        ("", ("", "", "")),
    ],
)
def test_a_line_item_names_its_model_where_it_has_one(said: str, item: tuple[str, str, str]):
    assert openai_usage.line_item(said) == item


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"input_tokens": -5}, "input_tokens: '-5' is no whole number"),
        ({"num_model_requests": "many"}, "num_model_requests: a text is no whole number"),
        ({"output_audio_tokens": 21}, "more than their total"),
        ({"input_cached_tokens": 4, "input_cached_audio_tokens": 5}, "more than their total"),
        ({"amount": {"value": "much", "currency": "usd"}}, "'much' is no amount"),
        ({"images": "some", "input_tokens": 0, "output_tokens": 0}, "images: a text is no whole number"),
    ],
)
def test_a_result_that_cannot_be_true_is_refused_with_its_reason(changed: dict[str, Any], reason: str):
    with pytest.raises(BadRecord, match=reason):
        one({**RESULT, **changed})


def test_what_is_no_result_is_refused():
    with pytest.raises(BadRecord, match="neither tokens nor an amount"):
        list(READ({"start_time": MONDAY, "colour": "red"}))


def test_only_its_own_samples_are_taken_for_it():
    for path in sorted(SAMPLES.iterdir()):
        name = path.name.partition(".")[0]
        is_ours = name in ("openai_usage", "openai_costs")
        assert (read(path.name)[0].format.name in ("openai_usage", "openai_costs")) == is_ours, path.name
    assert (
        read(b"start_time,project_id,model,input_tokens,output_tokens\n2026-01-01,a,b,1,2\n")[0].format.name
        == "generic"
    )
    header = (SAMPLES / "openai_costs.csv").read_bytes().partition(b"\n")[0] + b"\n"
    assert read(header)[0].format.name == "openai_costs"


@given(rows(KNOWN) | damaged(GOOD, KNOWN))
def test_whatever_a_row_holds_it_gives_entries_or_a_reason(row: dict[str, Any]):
    check(READ, row)
