"""Helicone's requests: its API, its export tool and its UI."""

from __future__ import annotations

import json
from typing import Any

import pytest
from alike import samples_of
from hypothesis import given
from reading import SAMPLES, read
from strange import check, damaged, rows

from scrimp.audit.entry import BadRecord, Entry
from scrimp.audit.formats import helicone
from scrimp.call import Usage

LOGS = ("helicone", "helicone_ui")
GOOD = [json.loads(line) for log in LOGS for line in (SAMPLES / f"{log}.jsonl").read_text().splitlines()]
META = [key for row in GOOD for key in row.get("heliconeMetadata", ())]
WORDS = [
    *META, *{key for row in GOOD for key in row}, *helicone.PROPERTIES, *helicone.KINDS, "_type", "latency",
    *("cost_usd", "code", "request", "response", "messages", "input", "usage", "input_tokens", "prompt_tokens_details"),
    *("choices", "finish_reason", "error", "message", "helicone_message", "feature", "tags", -3, -1, 429, "stream"),
]  # fmt: skip


def one(**cells: Any) -> Entry:
    (entry,) = helicone.read({"request_id": "r", "request_created_at": "2026-10-09 12:00:00", **cells})
    return entry


def test_a_request_gives_all_that_it_says():
    known, entries, bad = read("helicone.jsonl")
    assert (known.format.name, bad, len(entries)) == ("helicone", [], 5)
    call = entries[0]
    assert call.id == "a7c1e9d4-0000-4000-8000-000000000001" and call.at == 1791547200_125_000_000
    assert (call.provider, call.model, call.answered) == ("openai", "gpt-4o-mini", "gpt-4o-mini-2024-07-18")
    assert (call.api, call.usage) == ("openai.chat", Usage(input=76, cached=1024, output=50))
    assert (call.feature, call.user, call.session, call.environment) == ("mail-routing", "u-17", "s-9", "prod")
    assert (call.tags, call.duration, call.logged) == (("plan=gold",), 1_200_000_000, 118_200)
    assert (call.request, call.answer, call.stream) == (b"", b"", False)


def test_the_csv_says_the_same_as_the_lines():
    _, lines, _ = read("helicone.jsonl")
    known, cells, bad = read("helicone.csv")
    assert (known.format.name, bad) == ("helicone", [])
    assert cells == lines[:4]


def test_the_answers_own_usage_is_believed_before_the_columns():
    _, entries, _ = read("helicone.jsonl")
    call = entries[1]
    assert call.usage == Usage(input=200, cached=2000, cache_write_1h=800, output=300)
    assert (call.api, call.finish, call.stream) == ("anthropic.messages", "max_tokens", True)
    assert json.loads(call.request)["system"] == "Write letters."
    assert json.loads(call.answer)["content"][0]["text"] == "Dear Lea"


def test_cached_tokens_of_the_columns_stand_beside_the_prompts():
    cells = {
        "prompt_tokens": "10",
        "prompt_cache_read_tokens": 90,
        "prompt_cache_write_tokens": 5,
        "completion_tokens": 3,
    }
    assert one(**cells).usage == Usage(input=10, cached=90, cache_write=5, output=3)
    assert one(prompt_tokens=1, prompt_audio_tokens=2, completion_audio_tokens=4).usage == Usage(
        input=1, audio_input=2, audio_output=4
    )
    assert one(prompt_tokens=0, completion_tokens=0).usage is None


def test_how_a_request_ended_is_told_by_its_status():
    _, entries, _ = read("helicone.jsonl")
    assert [(entry.status, entry.error, entry.cut) for entry in entries[2:]] == [
        (429, "requests: slow down", False), (200, "", False), (200, "", True),
    ]  # fmt: skip
    assert (one(response_status=-1).status, one(response_status=-1).error) == (0, "no answer")
    assert (one(response_status="500").status, one(response_status="500").error) == (500, "status 500")
    assert one(response_status="").status == 200


def test_an_answer_from_helicones_own_cache_was_not_paid():
    _, entries, _ = read("helicone.jsonl")
    assert [entry.from_cache for entry in entries] == [False, False, False, True, False]
    assert not one(cache_reference_id="r").from_cache


def test_a_managed_prompt_names_the_feature_where_nothing_else_does():
    assert one(prompt_id="mail-prompt").feature == "mail-prompt"
    named = {"Helicone-Session-Name": "letters", "Helicone-Auth": "x"}
    assert (one(prompt_id="p", request_properties=named).feature, one(request_properties=named).tags) == ("letters", ())


def test_a_tool_or_a_database_is_no_model():
    _, entries, _ = read("helicone.jsonl")
    assert all(entry.model == "gpt-4o" or "gpt-4o-mini" in entry.model or "claude" in entry.model for entry in entries)
    assert helicone.read({"request_created_at": "2026-10-09", "request_body": {"_type": "vector_db"}}) == ()


def test_the_export_tools_doubled_quotation_marks_are_undone():
    known, (call,), bad = read("helicone_tool.csv")
    assert (known.format.name, bad) == ("helicone", [])
    assert json.loads(call.request)["messages"][0]["content"] == 'Is it "insured"?'
    assert (call.model, call.api, call.feature, call.user) == ("gpt-4o-mini", "openai.chat", "insurance", "u-18")
    assert (call.duration, call.logged, call.usage) == (800_000_000, 3_300, Usage(input=14, output=2))


def test_the_export_of_the_ui_is_read_by_its_metadata():
    known, entries, bad = read("helicone_ui.jsonl")
    assert (known.format.name, bad, len(entries)) == ("helicone", [], 1)
    call = entries[0]
    assert (call.id, call.at) == ("a7c1e9d4-0000-4000-8000-000000000021", 1791554400 * 10**9)
    assert (call.usage, call.logged, call.duration) == (Usage(input=76, cached=1024, output=2), 89_400, 640_000_000)
    assert (call.feature, call.team, call.user, call.api) == ("insurance", "support", "u-17", "openai.chat")
    assert json.loads(call.request)["messages"][0]["content"] == "Is it insured?"


@pytest.mark.parametrize(
    ("cells", "api"),
    [
        ({"request_path": "/v1/responses"}, "openai.responses"),
        ({"request_path": "https://api.anthropic.com/v1/messages?beta=true"}, "anthropic.messages"),
        ({"target_url": "https://gateway.example/openai/embeddings"}, "openai.embeddings"),
        ({"request_body": {"contents": ["x"]}}, "gemini.generate"),
        ({"request_body": {"system": "s", "messages": ["x"]}}, "anthropic.messages"),
        ({"request_body": {"messages": ["x"]}}, "openai.chat"),
        ({"request_body": {"model": "m"}}, "other"),
    ],
)
def test_the_dialect_is_told_by_the_path_or_else_by_the_body(cells, api):
    assert one(**cells).api == api


def test_a_custom_provider_is_where_the_request_went():
    assert one(provider="CUSTOM", target_url="https://llm.example/v1").provider == "https://llm.example/v1"
    assert one(provider="X").provider == "xai"


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        ({"prompt_tokens": -1}, "prompt_tokens: '-1' is no whole number"),
        ({"completion_tokens": "lots"}, "completion_tokens: a text is no whole number"),
        ({"request_created_at": "soon"}, "a text is no time"),
    ],
)
def test_what_is_malformed_is_refused_with_the_reason(cells, why):
    with pytest.raises(BadRecord, match=why):
        one(**cells)


@given(rows(WORDS) | damaged(GOOD, WORDS))
def test_whatever_comes_is_read_or_refused(row):
    check(helicone.read, row)


def test_no_other_log_is_taken_for_it():
    assert all(helicone.FORMATS[0].fits(sample) for sample in samples_of("helicone"))
    others = samples_of("helicone", of=False)
    assert others and not [sample.name for sample in others if helicone.FORMATS[0].fits(sample)]
