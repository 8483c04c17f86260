"""Langfuse's observations: exports of its UI, pages of its API, files of its blob storage export."""

from __future__ import annotations

import json
from typing import Any

import pytest
from alike import samples_of
from hypothesis import given
from hypothesis import strategies as st
from reading import SAMPLES, read
from strange import check, damaged, rows

from scrimp.audit.entry import BadRecord, Entry
from scrimp.audit.formats import langfuse
from scrimp.call import Usage

GOOD: list[dict[str, Any]] = json.loads((SAMPLES / "langfuse.json").read_text())
GOOD += [json.loads(line) for line in (SAMPLES / "langfuse.jsonl").read_text().splitlines()]
KEYS = [
    "input", "output", "total", "input_cached_tokens", "cache_read_input_tokens", "input_cache_creation_1h", "output_reasoning",
    "input_audio_tokens", "output_audio_tokens", "input_text_tokens", "accepted_prediction_tokens", "web_search_requests",
]  # fmt: skip
WORDS = [
    *{key for row in GOOD for key in row}, *KEYS, "GENERATION", "EMBEDDING", "TOOL", "ERROR", "unit", "usage", "trace",
    *("promptTokens", "completionTokens", "totalTokens", "tags", "messages", "role", "content", "tool_calls", "choices"),
    *("instructions", "prompt_tokens", "completion_tokens", "session_id", "service_tier", '"2026-10-07T10:00:00Z"'),
]  # fmt: skip


def one(**cells: Any) -> Entry:
    row = {
        "id": "o",
        "traceId": "t",
        "type": "GENERATION",
        "startTime": "2026-10-07T10:00:00Z",
        "model": "gpt-4o",
        **cells,
    }
    (entry,) = langfuse.read(row)
    return entry


def used(**details: Any) -> Usage | None:
    return one(usageDetails=details).usage


@pytest.mark.parametrize("log", ["langfuse.json", "langfuse.csv"])
def test_a_generation_gives_all_that_it_says(log):
    known, entries, bad = read(log)
    assert (known.format.name, bad, len(entries)) == ("langfuse", [], 3)
    call = entries[0]
    assert call.id == "obs-00000000000002" and call.at == 1791367201 * 10**9
    assert (call.model, call.usage) == ("gpt-4o-2024-08-06", Usage(input=76, cached=1024, output=20))
    assert (call.feature, call.user, call.team, call.session) == ("sort-mail", "u-17", "support", "trace-0000000000001")
    assert (call.environment, call.tags, call.stream) == ("prod", ("eu",), True)
    assert (call.duration, call.logged) == (2_500_000_000, 1_670_000)
    request = json.loads(call.request)
    assert (request["temperature"], request["top_p"], "max_tokens" in request) == (0, 1, False)
    assert request["messages"][0] == {"role": "system", "content": "Sort the mail."}
    assert json.loads(call.answer)["choices"][0]["message"] == {"role": "assistant", "content": "parcel"}


def test_the_csv_says_the_same_as_the_json():
    assert read("langfuse.csv")[1] == read("langfuse.json")[1]


def test_the_files_of_the_blob_storage_are_read_too():
    known, entries, bad = read("langfuse.jsonl")
    assert (known.format.name, bad, len(entries)) == ("langfuse", [], 3)
    call = entries[0]
    assert (call.id, call.at, call.duration) == ("obs-00000000000012", 1791457200_250_000_000, 4_000_000_000)
    assert (call.feature, call.session, call.team, call.tier) == ("letters", "s-5", "support", "standard")
    assert json.loads(call.request)["tools"][0]["function"]["name"] == "send"
    assert json.loads(call.answer)["choices"][0]["message"]["tool_calls"][0]["id"] == "c1"


def test_a_page_of_the_api_is_read_too():
    page = json.dumps({"data": GOOD[:2], "meta": {"page": 1, "limit": 50, "totalItems": 2, "totalPages": 1}})
    known, entries, bad = read(page.encode(), name="page.json")
    assert (known.format.name, bad, [entry.id for entry in entries]) == ("langfuse", [], ["obs-00000000000002"])


def test_spans_and_events_are_no_calls_and_others_only_where_they_count_tokens():
    for kind in ("SPAN", "EVENT", "TOOL", "CHAIN", "span"):
        assert langfuse.read({"id": "o", "traceId": "t", "type": kind, "startTime": "2026-10-07T10:00:00Z"}) == ()
    assert one(type="AGENT", usageDetails={"input": 1}).usage == Usage(input=1)
    assert one(type=None).model == "gpt-4o"


def test_a_failed_generation_says_why():
    _, entries, _ = read("langfuse.json")
    assert (entries[1].status, entries[1].error, entries[1].usage) == (500, "429 slow down", None)


def test_an_embedding_asks_for_its_input():
    _, entries, _ = read("langfuse.json")
    assert (entries[2].api, entries[2].usage, entries[2].answer) == ("openai.embeddings", Usage(input=6), b"")
    assert json.loads(entries[2].request) == {"model": "text-embedding-3-small", "input": ["a parcel", "a letter"]}


@pytest.mark.parametrize(
    ("details", "usage"),
    [
        ({"input": 76, "output": 20, "input_cached_tokens": 1024}, Usage(input=76, cached=1024, output=20)),
        ({"input": 100, "output": 20, "input_cached_tokens": 80, "total": 120}, Usage(input=20, cached=80, output=20)),
        ({"input": 9, "output": 2, "cache_read_input_tokens": 80, "total": 91}, Usage(input=9, cached=80, output=2)),
        ({"input": 9, "cache_creation_input_tokens": 4, "output": 1}, Usage(input=9, cache_write=4, output=1)),
        (
            {"input": 9, "input_cache_creation_5m": 4, "input_cache_creation_1h": 3, "input_cache_write": 2},
            Usage(input=9, cache_write=6, cache_write_1h=3),
        ),
        ({"input": 1, "output": 2, "output_reasoning_tokens": 8}, Usage(input=1, output=2, reasoning=8)),
        ({"input": 1, "output": 10, "output_reasoning": 8, "total": 11}, Usage(input=1, output=2, reasoning=8)),
        (
            {"input": 1, "input_audio_tokens": 2, "output_audio_tokens": 3},
            Usage(input=1, audio_input=2, audio_output=3),
        ),
        (
            {"input": 0, "input_text_tokens": 5, "input_image_tokens": 7, "output": 1},
            Usage(input=5, image_input=7, output=1),
        ),
        (
            {"output": 3, "output_accepted_prediction_tokens": 2, "output_rejected_prediction_tokens": 5},
            Usage(output=5, rejected_prediction=5),
        ),
        ({"output": 5, "accepted_prediction_tokens": 2}, Usage(output=5)),
        ({"input": 5, "web_search_requests": 2, "units": 9}, Usage(input=5, searches=2)),
        ({"prompt_tokens": 100, "completion_tokens": 5, "total_tokens": 105}, Usage(input=100, output=5)),
        ({"input_tokens": 3, "output_tokens": 4, "cache_read_input_tokens": 80}, Usage(input=3, cached=80, output=4)),
        ({"total": 12}, Usage(input=12)),
    ],
)
def test_each_key_of_the_usage_details_counts_in_its_class(details, usage):
    assert used(**details) == usage
    assert used(**{name: str(number) for name, number in details.items()}) == usage


@given(
    st.dictionaries(
        st.sampled_from([key for key in KEYS if key not in ("total", "accepted_prediction_tokens")]),
        st.integers(0, 10**6),
    )
)
def test_disjoint_details_lose_no_token(details):
    counts = {name: number for name, number in details.items() if name != "web_search_requests"}
    usage = used(**details, total=sum(counts.values())) or Usage()
    assert usage.input_total + usage.output_total == sum(counts.values())


def test_older_rows_have_their_tokens_elsewhere():
    assert one(usage={"input": 5, "output": 2, "unit": "TOKENS"}).usage == Usage(input=5, output=2)
    assert one(usage={"promptTokens": 5, "completionTokens": 2}).usage == Usage(input=5, output=2)
    assert one(promptTokens="5", completionTokens="2").usage == Usage(input=5, output=2)
    assert one(inputUsage=5, outputUsage=2).usage == Usage(input=5, output=2)
    assert one(usage={"input": 500, "output": 2, "unit": "CHARACTERS"}).usage is None
    assert one(usageDetails={}, inputUsage=0, outputUsage=0).usage is None


def test_a_cost_of_nothing_without_details_is_not_known():
    assert one(totalCost=0).logged is None
    assert one(totalCost=0, costDetails={"total": 0}).logged == 0
    assert one(calculatedTotalCost="0.5").logged == 500_000_000


def test_a_name_that_an_integration_gave_is_passed_over():
    assert one(name="ChatOpenAI", promptName="letters", traceName="mail").feature == "letters"
    assert one(name="ChatOpenAI", traceName="mail").feature == "mail"
    assert one(name="ChatOpenAI").feature == "ChatOpenAI"
    assert one(name="sort", promptName="letters").feature == "sort"


def test_labels_may_lie_in_the_trace():
    trace = {"name": "mail", "userId": "u-1", "sessionId": "s-1", "tags": ["eu", "feature:x"]}
    entry = one(trace=trace, environment="default")
    assert (entry.feature, entry.user, entry.session, entry.tags, entry.environment) == (
        "mail",
        "u-1",
        "s-1",
        ("eu",),
        "",
    )


@pytest.mark.parametrize(
    ("given_", "asked"),
    [
        ("Once", {"messages": [{"role": "user", "content": "Once"}]}),
        ('"Once"', {"messages": [{"role": "user", "content": "Once"}]}),
        ({"role": "user", "content": "Once"}, {"messages": [{"role": "user", "content": "Once"}]}),
        ({"messages": ["x"], "tools": ["y"]}, {"messages": ["x"], "tools": ["y"]}),
        ({"question": 1}, {"messages": [{"role": "user", "content": '{"question":1}'}]}),
        (["a", "b"], {"messages": [{"role": "user", "content": '["a","b"]'}]}),
        ({"instructions": "Be brief.", "input": "Once"}, {"instructions": "Be brief.", "input": "Once"}),
        (None, None),
    ],
)
def test_an_input_may_be_a_request_its_messages_or_anything(given_, asked):
    entry = one(input=given_)
    assert (json.loads(entry.request) if entry.request else None) == (asked and {"model": "gpt-4o", **asked})


@pytest.mark.parametrize(
    ("made", "message"),
    [
        ("Yes.", {"role": "assistant", "content": "Yes."}),
        ({"content": "Yes."}, {"role": "assistant", "content": "Yes."}),
        (
            [{"role": "user", "content": "x"}, {"role": "assistant", "content": "Yes."}],
            {"role": "assistant", "content": "Yes."},
        ),
        ({"label": "parcel"}, {"role": "assistant", "content": '{"label":"parcel"}'}),
        (
            {"choices": [{"message": {"role": "assistant", "content": "Yes."}}]},
            {"role": "assistant", "content": "Yes."},
        ),
    ],
)
def test_an_output_may_be_an_answer_its_message_or_anything(made, message):
    assert json.loads(one(output=made).answer)["choices"][0]["message"] == message


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        ({"usageDetails": {"input": -1}}, "input: '-1' is no whole number"),
        ({"usageDetails": '{"output": "many"}'}, "output: a text is no whole number"),
        ({"promptTokens": "x"}, "promptTokens: a text is no whole number"),
        ({"startTime": '"2026-13-01"'}, "is no time"),
    ],
)
def test_what_is_malformed_is_refused_with_the_reason(cells, why):
    with pytest.raises(BadRecord, match=why):
        one(**cells)


@given(rows(WORDS) | damaged(GOOD, WORDS))
def test_whatever_comes_is_read_or_refused(row):
    check(langfuse.read, row)


def test_no_other_log_is_taken_for_it():
    assert all(langfuse.FORMATS[0].fits(sample) for sample in samples_of("langfuse"))
    others = samples_of("langfuse", of=False)
    assert others and not [sample.name for sample in others if langfuse.FORMATS[0].fits(sample)]
