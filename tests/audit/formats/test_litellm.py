"""LiteLLM's spend logs, its standard logging payloads and its daily tables."""

from __future__ import annotations

import json
from typing import Any

import pytest
from alike import samples_of
from hypothesis import given
from reading import SAMPLES, read
from strange import check, damaged, rows

from scrimp.audit.entry import BadRecord, Entry
from scrimp.audit.formats import litellm
from scrimp.call import Usage

TABLE = [json.loads(line) for line in (SAMPLES / "litellm.jsonl").read_text().splitlines()]
TABLE += json.loads((SAMPLES / "litellm.json").read_text())
DAY = {
    "date": "2026-10-05", "api_requests": 4, "model": "gpt-4o", "custom_llm_provider": "openai", "spend": "0.5",
    "prompt_tokens": 90, "completion_tokens": 8, "cache_read_input_tokens": 40, "cache_creation_input_tokens": 20,
}  # fmt: skip
WORDS = [
    *{key for row in TABLE for key in row}, *DAY, "usage_object", "additional_usage_values", "prompt_tokens_details",
    *("cache_creation_token_details", "ephemeral_1h_input_tokens", "cached_tokens", "error_information", "error_code"),
    *("completion_tokens_details", "reasoning_tokens", "service_tier", "model_map_information", "user_id", "tag"),
    *("failure", "anthropic_messages", "aresponses", "aembedding", "acreate_batch", "azure", "choices", "content", 429),
]  # fmt: skip


def one(**cells: Any) -> Entry:
    row = {
        "request_id": "r",
        "call_type": "acompletion",
        "model": "gpt-4o",
        "startTime": "2026-10-05 08:00:00",
        **cells,
    }
    (entry,) = litellm.read(row)
    return entry


def test_a_row_of_the_table_gives_all_that_it_says():
    known, entries, bad = read("litellm.csv")
    assert (known.format.name, bad, len(entries)) == ("litellm", [], 5)
    call = entries[0]
    assert call.id == "chatcmpl-Llm0000000000000000000001" and call.at == 1791187200_125_000_000
    assert (call.provider, call.model, call.answered, call.api) == ("openai", "small", "gpt-4o-mini", "openai.chat")
    assert call.usage == Usage(input=76, cached=1024, output=50)
    assert (call.feature, call.user, call.team, call.key, call.session) == (
        "mail-routing", "u-17", "support", "mail-prod", "sess-1",
    )  # fmt: skip
    assert (call.tags, call.stream, call.duration, call.logged) == (("eu",), True, 1_500_000_000, 118_200)
    assert (call.request, call.answer, call.from_cache, call.status) == (b"", b"", False, 200)


def test_cached_and_written_tokens_are_inside_the_prompt_whoever_the_provider_is():
    _, entries, _ = read("litellm.csv")
    call = entries[1]
    assert call.api == "anthropic.messages" and not call.stream
    assert call.usage == Usage(input=200, cached=2000, cache_write=500, cache_write_1h=300, output=300)


def test_an_answer_from_litellms_own_cache_was_not_paid():
    _, entries, _ = read("litellm.csv")
    assert [entry.from_cache for entry in entries] == [False, False, True, False, False]
    assert entries[2].logged == 0 and entries[2].usage == Usage(input=1100, output=50)
    assert one(cache_hit=True).from_cache and not one(cache_hit=None).from_cache


def test_a_failed_call_has_its_status_and_kind_and_no_usage():
    _, entries, _ = read("litellm.csv")
    failed = entries[3]
    assert (failed.status, failed.error, failed.usage) == (429, "RateLimitError", None)
    assert (one(status="failure").status, one(status="failure").error) == (500, "failure")
    assert one(status="failure", metadata={"error_information": {"error_code": "oops"}}).status == 500


def test_a_tool_call_is_no_call_of_a_model():
    _, entries, _ = read("litellm.csv")
    assert all(entry.model for entry in entries)
    assert litellm.read({"call_type": "call_mcp_tool", "startTime": "2026-10-05"}) == ()
    (image,) = litellm.read({"call_type": "aimage_generation", "spend": 0.04, "startTime": "2026-10-05"})
    assert (image.usage, image.logged, image.api) == (None, 40_000_000, "other")


def test_bodies_are_taken_as_they_were_sent():
    known, entries, bad = read("litellm.json")
    assert (known.format.name, bad) == ("litellm", [])
    call = entries[0]
    assert (call.api, call.finish, call.tier) == ("openai.responses", "completed", "flex")
    assert call.usage == Usage(input=400, output=48, reasoning=192)
    assert json.loads(call.request)["input"] == "Which parcel is late?"
    assert json.loads(call.answer)["output"][0]["content"][0]["text"] == "The second one."
    assert (call.feature, call.environment, call.tags) == ("answers", "prod", ("release=12",))


def test_a_request_is_made_from_messages_and_an_azure_deployment_gets_its_models_name():
    _, entries, _ = read("litellm.json")
    call = entries[1]
    assert (call.model, call.answered, call.provider) == ("mail", "gpt-4o-2024-08-06", "azure")
    assert json.loads(call.request)["messages"][1] == {"role": "user", "content": "Where is my parcel?"}
    known = {"model_map_information": {"model_map_key": "gpt-4o"}}
    assert one(model="azure/x", custom_llm_provider="azure", metadata=known).answered == "gpt-4o"


def test_bodies_that_litellm_has_shortened_or_emptied_are_left_out():
    _, entries, _ = read("litellm.json")
    assert entries[2].request == b"" and entries[2].stream
    _, entries, _ = read("litellm.jsonl")
    assert (entries[1].request, entries[1].answer) == (b"", b"")


@pytest.mark.parametrize(
    ("call_type", "messages", "asked"),
    [
        ("completion", '[{"role": "user"}]', {"model": "gpt-4o", "messages": [{"role": "user"}]}),
        ("aresponses", [{"role": "user"}], {"model": "gpt-4o", "input": [{"role": "user"}]}),
        ("aembedding", '["a", "b"]', None),
        ("anthropic_messages", {"messages": ["x"], "system": "s"}, {"messages": ["x"], "system": "s"}),
        ("aspeech", "Once", None),
        ("acompletion", "{}", None),
        ("acompletion", "5", None),
    ],
)
def test_messages_stand_where_the_dialect_has_them(call_type, messages, asked):
    entry = one(call_type=call_type, messages=messages)
    assert (json.loads(entry.request) if entry.request else None) == asked


def test_a_standard_logging_payload_is_read_too():
    known, entries, bad = read("litellm.jsonl")
    assert (known.format.name, bad, len(entries)) == ("litellm", [], 2)
    call = entries[0]
    assert (call.id, call.session, call.user) == ("chatcmpl-Llm0000000000000000000021", "trace-9", "lea")
    assert (call.at, call.duration, call.logged) == (1791280800_250_000_000, 1_500_000_000, 33_000)
    assert (call.finish, call.tags, call.key[:4]) == ("length", ("night",), "5f2a")


def test_a_batch_is_the_sum_of_its_calls_at_the_price_of_batches():
    entry = one(call_type="aretrieve_batch", prompt_tokens=9, completion_tokens=1)
    assert (entry.tier, entry.aggregate) == ("batch", True)


def test_the_usage_object_counts_only_where_it_counts():
    empty = {"usage_object": {"prompt_tokens": 0, "completion_tokens": 0}}
    assert one(prompt_tokens=5, completion_tokens=2, metadata=empty).usage == Usage(input=5, output=2)
    assert one(metadata=json.dumps(empty)).usage is None
    assert one(total_tokens=7).usage == Usage(input=7)


def test_the_masters_calls_have_no_user_and_a_proxy_behind_is_no_provider():
    assert one(user="default_user_id").user == ""
    assert one(user="lea").user == "lea"
    assert one(custom_llm_provider="litellm_proxy").provider == "litellm"
    assert one(api_base="https://x.openai.azure.com").provider == "https://x.openai.azure.com"


def test_days_are_sums():
    known, entries, bad = read("litellm_daily.csv")
    assert (known.format.name, bad, len(entries)) == ("litellm-daily", [], 2)
    day = entries[1]
    assert day.aggregate and day.calls == 3 and day.at == 1791244800 * 10**9
    assert day.usage == Usage(input=2000, cached=6000, cache_write=1000, output=700)
    assert (day.user, day.model, day.answered, day.logged) == (
        "lea",
        "claude",
        "claude-sonnet-4-5-20250929",
        22_050_000,
    )


def test_more_cached_tokens_than_tokens_lose_none():
    (day,) = litellm.read_day({**DAY, "cache_read_input_tokens": 1000})
    assert day.usage == Usage(cached=90, output=8)


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        ({"prompt_tokens": -1}, "prompt_tokens: '-1' is no whole number"),
        ({"completion_tokens": "many"}, "completion_tokens: a text is no whole number"),
        ({"startTime": "yesterday"}, "a text is no time"),
        ({"endTime": "9999-12-31"}, "its time is out of range"),
    ],
)
def test_what_is_malformed_is_refused_with_the_reason(cells, why):
    with pytest.raises(BadRecord, match=why):
        one(**cells)


def test_a_day_without_a_date_is_refused():
    with pytest.raises(BadRecord, match="no date"):
        litellm.read_day({"api_requests": 1, "model": "gpt-4o"})


@given(rows(WORDS) | damaged([*TABLE, DAY], WORDS))
def test_whatever_comes_is_read_or_refused(row):
    check(litellm.read, row)
    check(litellm.read_day, row)


def test_no_other_log_is_taken_for_it():
    assert all(any(f.fits(sample) for f in litellm.FORMATS) for sample in samples_of("litellm"))
    others = samples_of("litellm", of=False)
    assert others and not [sample.name for sample in others if any(f.fits(sample) for f in litellm.FORMATS)]
