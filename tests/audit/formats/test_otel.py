"""OpenTelemetry spans: which are calls, tokens in their classes under every convention's names, labels and failures."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import SAMPLES, read
from strange import check, damaged, rows, values

from scrimp.audit.entry import BadRecord, Entry
from scrimp.audit.formats import otel
from scrimp.audit.formats.base import Options
from scrimp.audit.formats.otel import Span, within
from scrimp.call import Usage
from scrimp.prices.book import Book
from scrimp.wire.answer import read_body
from scrimp.wire.request import read_request

CHAT = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-5-mini",
    "gen_ai.usage.input_tokens": 100,
    "gen_ai.usage.output_tokens": 20,
}
NAMES = [name for names in (*otel.TOKENS.values(), *otel.CALL.values()) for name in names]
KNOWN = [
    *NAMES, *otel.CALLS, *otel.AROUND, *CHAT, "resourceSpans", "scopeSpans", "spans",
    *("resource", "attributes", "key", "value", "stringValue", "intValue", "arrayValue", "values", "traceId", "spanId"),
    *("parentSpanId", "startTimeUnixNano", "endTimeUnixNano", "status", "code", "error.type", "context", "server.address"),
    *("gen_ai.response.finish_reasons", "gen_ai.input.messages", "gen_ai.output.messages", "start_time", "end_time", "kvlistValue"),
    *("scopeSpans", "context.span_id", "span_id", "trace_id", "parent_id", "status_code", "message"),
]  # fmt: skip
GOOD = [json.loads(line) for line in (SAMPLES / "otel.jsonl").read_text().splitlines()]


def flat(
    attributes: dict[str, Any], name: str = "01", parent: str = "", trace: str = "t", **more: Any
) -> dict[str, Any]:
    """A span of its own."""
    context = {"trace_id": trace, "span_id": name}
    times = {"start_time": "2026-10-05T08:00:00Z", "end_time": "2026-10-05T08:00:01.5Z"}
    return {"context": context, "parent_id": parent, "attributes": attributes, **times, **more}


def all_of(*spans: dict[str, Any]) -> list[Entry]:
    reader = otel.FORMATS[0].open((), Options())
    return [entry for span in spans for entry in reader(span)]


def one(attributes: dict[str, Any], **more: Any) -> Entry:
    (entry,) = all_of(flat(attributes, **more))
    return entry


def test_otlp_documents_give_their_calls_and_nothing_that_lies_around_them():
    known, entries, bad = read("otel.jsonl")
    assert (known.format.name, bad) == ("otel", [])
    assert [entry.model for entry in entries] == [
        "gpt-5-mini",
        "claude-haiku-4-5",
        "gpt-5-mini",
        "text-embedding-3-small",
    ]
    first = entries[0]
    assert first.usage == Usage(input=176, cached=1024, output=52, reasoning=128)
    assert (first.id, first.answered, first.tier) == ("chatcmpl-Parcel000000000101", "gpt-5-mini-2025-08-07", "default")
    assert (first.at, first.duration, first.finish) == (1790000000_100_000_000, 1_900_000_000, "tool_calls")
    assert (first.feature, first.environment, first.user) == ("parcel-desk", "production", "mara")
    assert first.session == entries[1].session == "conv_Parcel1"
    assert (first.api, json.loads(first.request)["max_tokens"]) == ("openai.chat", 512)
    assert json.loads(first.answer)["choices"][0]["message"]["content"][0]["name"] == "track"
    assert entries[1].usage == Usage(input=300, cache_write=600, output=40)
    assert entries[3].api == "openai.embeddings"


def test_spans_of_older_and_other_conventions_are_read_one_after_the_other():
    known, entries, bad = read("otel_spans.json")
    assert (known.format.name, bad, len(entries)) == ("otel", [], 2)
    older, other = entries
    assert (older.usage, older.stream, older.finish) == (Usage(input=300, output=25), True, "stop")
    assert (older.provider, older.feature, older.user, older.duration) == ("openai", "triage", "lev", 1_500_000_000)
    assert older.id == "9a1efff798038103d269b633813fc60e:00000000000000c2"
    assert other.usage == Usage(input=200, cached=500, cache_write=100, output=60)
    assert (other.provider, other.session, other.logged) == ("anthropic", "s-9", 750_000)


def test_a_failed_call_is_told_with_its_status():
    failed = read("otel.jsonl")[1][2]
    assert (failed.status, failed.error, failed.usage) == (429, "RateLimitError: Too many tokens a minute", None)
    for told, status in (("503", 503), ("timeout", 0), ("openai.RATE_LIMIT_ERROR", 429)):
        entry = one({"gen_ai.operation.name": "chat", "error.type": told})
        assert (entry.status, entry.error) == (status, told)
    unnamed = one({"gen_ai.operation.name": "chat"}, status={"status_code": "ERROR"})
    assert (unnamed.status, unnamed.error) == (0, "error")


@pytest.mark.parametrize("kind", ["invoke_agent", "execute_tool", "invoke_workflow"])
def test_what_an_agent_sums_up_is_not_counted_again(kind: str):
    assert all_of(flat({**CHAT, "gen_ai.operation.name": kind})) == []
    assert all_of(flat({"llm.token_count.prompt": 5, "openinference.span.kind": "AGENT"})) == []
    assert all_of(flat({"gen_ai.usage.input_tokens": 5, "traceloop.span.kind": "task"})) == []


def test_a_span_that_repeats_the_tokens_of_the_call_below_it_is_not_counted_again():
    inner, step, outer = (
        flat(CHAT, "03", "02"),
        flat({"name": "retry"}, "02", "01"),
        flat({**CHAT, "gen_ai.request.model": "gpt-5"}, "01"),
    )
    assert [entry.model for entry in all_of(inner, step, outer)] == ["gpt-5-mini"]
    assert len(all_of(inner, flat(CHAT, "04", "02"), step)) == 2
    assert len(all_of(inner, flat(CHAT, "01", trace="another"))) == 2


def test_two_spans_of_one_answer_have_one_id():
    answer = {**CHAT, "gen_ai.response.id": "chatcmpl-Parcel000000000555"}
    assert {entry.id for entry in all_of(flat(answer, "01"), flat(answer, "02"))} == {"chatcmpl-Parcel000000000555"}
    assert one(CHAT).id == "t:01"


def test_a_call_whose_tokens_nobody_reported_is_still_a_call():
    assert one({"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-5"}).usage is None
    assert all_of(flat({"gen_ai.operation.name": "transcribe"})) == []
    assert one({"gen_ai.operation.name": "responses", "gen_ai.usage.output_tokens": 3}).usage == Usage(output=3)


@given(
    st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6)
)
def test_no_token_is_lost_or_counted_twice(text: int, cached: int, written: int, said: int, thought: int):
    told = {
        **CHAT,
        "gen_ai.usage.input_tokens": text + cached + written,
        "gen_ai.usage.cache_read.input_tokens": cached,
        "gen_ai.usage.cache_creation.input_tokens": written,
        "gen_ai.usage.output_tokens": said + thought,
        "gen_ai.usage.reasoning.output_tokens": thought,
    }
    expected = Usage(input=text, cached=cached, cache_write=written, output=said, reasoning=thought)
    assert one(told).usage == expected


def test_audio_lies_inside_the_totals_and_cached_tokens_may_stand_beside_them():
    audio = {"gen_ai.usage.audio.input_tokens": 60, "gen_ai.usage.audio.output_tokens": 15}
    assert one({**CHAT, **audio}).usage == Usage(input=40, audio_input=60, output=5, audio_output=15)
    beside = one({**CHAT, "gen_ai.usage.cache_read_input_tokens": 4000})
    assert beside.usage == Usage(input=100, cached=4000, output=20)


ASKED = [
    {"role": "user", "parts": [{"type": "text", "content": "Where is parcel 7?"}]},
    {"role": "assistant", "parts": [{"type": "tool_call", "id": "c1", "name": "track", "arguments": {"parcel": 7}}]},
]
SAID = [{"role": "assistant", "parts": [{"type": "text", "content": "In Lyon."}], "finish_reason": "stop"}]
SYSTEM = [{"type": "text", "content": "You track parcels."}]


def kept(asked: Any, said: Any = None, **told: Any) -> Entry:
    return one({**CHAT, "gen_ai.input.messages": asked, "gen_ai.output.messages": said, **told})


def test_messages_become_the_bodies_of_a_chat_completion():
    told = {"gen_ai.request.max_tokens": 300, "gen_ai.tool.definitions": [{"type": "function", "name": "track"}]}
    finish = {"gen_ai.response.finish_reasons": ["stop"]}
    entry = kept(ASKED, SAID, **told, **finish, **{"gen_ai.system_instructions": SYSTEM})
    ask = read_request("openai.chat", entry.request)
    assert (ask.model, ask.cap, bool(ask.tools)) == ("gpt-5-mini", 300, True)
    assert json.loads(entry.request)["messages"] == [
        {"role": "system", "content": [{"type": "text", "text": "You track parcels."}]},
        {"role": "user", "content": [{"type": "text", "text": "Where is parcel 7?"}]},
        {"role": "assistant", "content": ASKED[1]["parts"]},
    ]
    assert read_body("openai.chat", entry.answer).finish == "stop"
    assert json.loads(entry.answer)["choices"][0]["message"]["content"][0]["text"] == "In Lyon."


def test_json_text_gives_the_same_bodies_as_objects_and_what_is_not_known_stays_as_it_is():
    image = {"type": "uri", "modality": "image", "uri": "https://parcels.example/7.png"}
    asked = [{"role": "user", "parts": [{"type": "text", "content": "What is it?"}, image]}]
    objects, texts = kept(asked, SAID), kept(json.dumps(asked), json.dumps(SAID))
    assert (objects.request, objects.answer) == (texts.request, texts.answer)
    assert json.loads(objects.request)["messages"][0]["content"] == [{"type": "text", "text": "What is it?"}, image]


def test_a_span_without_messages_keeps_no_bodies():
    for entry in (kept(None), kept(None, SAID), kept("not JSON")):
        assert (entry.request, entry.answer, entry.api) == (b"", b"", "other")
    assert kept(ASKED).answer == b""


WORDS = ["role", "parts", "type", "text", "content", "tool_call", "id", "name", "arguments"]


@given(values(WORDS), values(WORDS))
def test_whatever_messages_hold_they_give_bodies_or_none(asked: Any, said: Any):
    entry = kept(asked, said)
    assert not entry.request or json.loads(entry.request)["model"] == "gpt-5-mini"
    assert not entry.answer or entry.request


@pytest.mark.parametrize(
    ("told", "provider"),
    [
        ({"gen_ai.provider.name": "azure.ai.openai"}, "azure"),
        ({"gen_ai.system": "aws.bedrock", "server.address": "bedrock-runtime.us-east-1.amazonaws.com"}, "bedrock"),
        ({"gen_ai.provider.name": "gcp.vertex_ai"}, "google"),
        ({"gen_ai.provider.name": "openai", "server.address": "api.deepseek.com"}, "api.deepseek.com"),
        ({"gen_ai.provider.name": "openai", "server.address": "10.0.0.7"}, "openai"),
        ({"gen_ai.provider.name": "openai", "server.address": "llm.parcels.internal"}, "openai"),
        ({"gen_ai.provider.name": "openai", "server.address": "localhost"}, "openai"),
        ({}, ""),
    ],
)
def test_who_answered_is_told_by_the_host_where_the_name_cannot_tell(told: dict[str, Any], provider: str):
    assert one({"gen_ai.operation.name": "chat", **told}).provider == provider


def test_every_provider_of_the_conventions_has_prices():
    book = Book.load()
    offered = {rates.provider for rates, _ in book.models()}
    named = {"azure": "azure", "bedrock": "aws", "google": "google", "xai": "x-ai", "mistral": "mistral"}
    assert {named[name] for name in otel.PROVIDERS.values()} <= offered


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"gen_ai.usage.input_tokens": -3}, "gen_ai.usage.input_tokens: '-3' is no whole number"),
        ({"gen_ai.usage.output_tokens": "many"}, "gen_ai.usage.output_tokens: a text is no whole number"),
    ],
)
def test_a_span_that_cannot_be_true_is_refused_and_leaves_the_others(changed: dict[str, Any], reason: str):
    good, bad = flat(CHAT, "01"), flat({**CHAT, **changed}, "02")
    _, entries, reasons = read("".join(f"{json.dumps(row)}\n" for row in (bad, good)).encode())
    assert (len(entries), [line for line, _ in reasons]) == (1, [1])
    assert reason in reasons[0][1]
    resource = {"scopeSpans": [{"spans": [{**row, "traceId": "t"} for row in (bad, good)]}]}
    _, entries, reasons = read(json.dumps({"resourceSpans": [resource]}).encode())
    assert (len(entries), reasons) == (1, [(1, f"1 of 2 spans: {reasons[0][1].partition(': ')[2]}")])


def otlp(name: str, end: int, **more: Any) -> dict[str, Any]:
    return {"traceId": "t", "spanId": name, "startTimeUnixNano": "1", "endTimeUnixNano": str(end), **more}


def test_otlp_values_are_what_they_hold():
    values = {
        "text": {"stringValue": "a"},
        "whole": {"intValue": "-7"},
        "number": {"intValue": 7},
        "part": {"doubleValue": 0.5},
        "is": {"boolValue": False},
        "list": {"arrayValue": {"values": [{"stringValue": "a"}, {"intValue": "1"}]}},
        "map": {"kvlistValue": {"values": [{"key": "in", "value": {"stringValue": "b"}}]}},
        "bytes": {"bytesValue": "aGk="},
    }
    (found,) = within({"attributes": [{"key": key, "value": value} for key, value in values.items()], "traceId": "t"})
    assert found.attributes == {
        "text": "a", "whole": -7, "number": 7, "part": 0.5, "is": False, "list": ["a", 1], "map": {"in": "b"},
        "bytes": None,
    }  # fmt: skip


def test_a_document_gives_the_spans_of_all_its_scopes_in_the_order_they_ended():
    scopes = [{"spans": [otlp("outer", 9), otlp("late", 12)]}, {"spans": [otlp("inner", 5)]}]
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "desk"}}]}
    document = {"resourceSpans": [{"resource": resource, "scopeSpans": scopes}]}
    found = within(document)
    assert [one.id for one in found] == ["inner", "outer", "late"]
    assert found[0].resource == {"service.name": "desk"}
    assert within(document["resourceSpans"][0]) == found


def test_a_span_of_an_exporter_has_its_context_in_an_object():
    row = {"context": {"trace_id": "0xab", "span_id": "0x01"}, "parent_id": "0x02", "attributes": {"a": 1}}
    (found,) = within(row)
    assert found == Span(row, "ab", "01", "02", {"a": 1}, {})


@pytest.mark.parametrize(
    ("status", "failed"),
    [({"code": 2}, True), ({"code": "STATUS_CODE_ERROR"}, True), ({"code": 1}, False), ({}, False)],
)
def test_a_status_tells_a_failure(status: dict[str, Any], failed: bool):
    entry = one({"gen_ai.operation.name": "chat"}, status={**status, "description": "Overloaded"})
    assert entry.error == ("error: Overloaded" if failed else "")


@pytest.mark.parametrize("row", [{"resourceSpans": 1}, {"scopeSpans": ["a"]}, {"scopeSpans": [{"spans": {}}]}])
def test_what_is_not_nested_as_it_should_be_is_a_bad_row(row: dict[str, Any]):
    with pytest.raises(BadRecord, match="no list of objects"):
        within(row)


def test_every_span_above_a_call_is_told_and_no_other():
    tool, outer = flat({"name": "tool"}, "03", "02"), flat(CHAT, "01")
    assert len(all_of(flat(CHAT, "04", "02"), tool, flat(CHAT, "02", "01"), outer)) == 1
    assert len(all_of(tool, flat(CHAT, "02", "01"))) == 1
    assert len(all_of(flat(CHAT, "02", "01"), outer, outer)) == 2  # told once: it is forgotten


def test_parents_that_never_come_are_forgotten(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(otel, "REMEMBERED", 2)
    calls = [flat(CHAT, f"call{number}", f"parent{number}") for number in range(3)]
    assert len(all_of(*calls, flat(CHAT, "parent0"))) == 4
    assert len(all_of(*calls, flat(CHAT, "parent1"))) == 3


def test_only_its_own_samples_are_taken_for_it():
    for path in sorted(SAMPLES.iterdir()):
        assert (read(path.name)[0].format.name == "otel") == path.name.startswith("otel"), path.name


@given(rows(KNOWN) | damaged(GOOD, KNOWN))
def test_whatever_a_row_holds_it_gives_entries_or_a_reason(row: dict[str, Any]):
    check(otel.FORMATS[0].open((), Options()), row)
