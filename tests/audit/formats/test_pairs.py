"""Requests with their responses: every shape that is read, what is no call, and all recorded exchanges."""

from __future__ import annotations

import json
import runpy
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from reading import SAMPLES, read
from strange import check, damaged, rows

from scrimp.audit.entry import BadRecord, Entry
from scrimp.audit.formats import pairs
from scrimp.audit.formats.base import Sample
from scrimp.audit.formats.exchange import ANSWERED, ASKED
from scrimp.audit.formats.fields import LABELS
from scrimp.call import Price, Usage
from scrimp.prices.book import Book
from scrimp.wire.answer import Reading, read_body, read_stream

ROOT = Path(__file__).parents[3]
TRACES = ROOT.parent / "shared" / "data" / "traces"
ASKS = {"model": "gpt-5-mini", "messages": [{"role": "user", "content": "Where is it?"}]}
SAYS = {
    "id": "chatcmpl-Parcel000000000001",
    "object": "chat.completion",
    "created": 1762500000,
    "model": "gpt-5-mini-2025-08-07",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Here."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 12, "completion_tokens": 2, "total_tokens": 14},
}
KNOWN = [
    *LABELS, *(name for names in pairs.BESIDE.values() for name in names), *ASKED, *ANSWERED, *pairs.PARAMETERS,
    *("id", "request_id", "custom_id", "result", "error", "code", "model_stats", "source", "kind", "text", "choices"),
    *("uri", "url", "path", "method", "headers", "body", "status", "status_code", "content", "type", "role", "assistant"),
    *("object", "chat.completion", "response", "message", "succeeded", "usage", "usageMetadata", "cost", "api_calls"),
    *("tokens_sent", "tokens_received", "prompt_tokens", "input_tokens", "metadata", "tags", "finish_reason"),
    *("/v1/responses/resp_1", "https://api.openai.com/v1/chat/completions", "POST", 200, 429),
]  # fmt: skip

LOGS = ("pairs", "http_exchanges", "openai_batch_output", "anthropic_batch_results", "chat_finetune")
GOOD = [json.loads(line) for name in LOGS for line in (SAMPLES / f"{name}.jsonl").read_text().splitlines()]


def one(row: dict[str, Any]) -> Entry:
    (entry,) = pairs.read(row)
    return entry


def said(entry: Entry) -> Reading:
    return (read_stream if entry.stream else read_body)(entry.api, entry.answer)


def test_a_pair_gives_its_bodies_its_labels_and_its_time():
    known, entries, bad = read("pairs.jsonl")
    assert (known.format.name, bad, len(entries)) == ("pairs", [], 7)
    first = entries[0]
    assert first.id == "chatcmpl-Parcel000000000001" and first.at == 1762500000_250_000_000
    assert (first.feature, first.user, first.team, first.environment) == ("mail-routing", "u-17", "support", "prod")
    assert (first.tags, first.duration, first.logged) == (("eu", "night"), 640_000_000, 12_000)
    assert (first.api, first.model, first.provider) == ("openai.chat", "gpt-5-mini", "")
    assert json.loads(first.request)["messages"][1]["content"] == "Where is my parcel?"
    assert first.usage is None
    assert said(first).usage == Usage(input=56, cached=64, output=3)


def test_json_text_is_handed_on_as_it_was_written():
    row = {"request": json.dumps(ASKS, indent=1), "response": json.dumps(SAYS, indent=1)}
    entry = one(row)
    assert (entry.request, entry.answer) == (row["request"].encode(), row["response"].encode())
    assert entry.at == 1762500000 * 10**9


def test_streams_are_read_as_text_and_as_lists_of_events():
    _, entries, _ = read("pairs.jsonl")
    streams = [entry for entry in entries if entry.stream]
    assert [entry.id for entry in streams] == ["msg_01ParcelStream000001", "chatcmpl-ParcelChunks00000001"]
    assert [entry.api for entry in streams] == ["anthropic.messages", "openai.chat"]
    readings = [said(entry) for entry in streams]
    assert readings[0].usage == Usage(input=31, cached=1024, output=9)
    assert readings[1].usage == Usage(input=119, output=4)
    assert all(reading.whole for reading in readings)


def test_an_error_is_a_failed_call_with_the_status_its_kind_has():
    _, entries, _ = read("pairs.jsonl")
    assert [(entry.status, entry.error) for entry in entries if entry.error] == [
        (429, "rate_limit_error: Too many requests"),
        (0, "connect timeout"),
    ]


def test_tokens_beside_an_answer_without_any_are_taken_from_there():
    _, entries, _ = read("pairs.jsonl")
    last = entries[-1]
    assert last.usage == Usage(input=40, output=2)
    assert json.loads(last.request)["messages"] == [{"role": "user", "content": "Is it insured?"}]
    assert json.loads(last.answer)["choices"][0]["message"]["content"] == "other"
    assert one({"request": ASKS, "response": SAYS, "usage": {"prompt_tokens": 1}}).usage is None


def test_http_exchanges_are_read_with_address_headers_and_status():
    known, entries, bad = read("http_exchanges.jsonl")
    assert (known.format.name, bad) == ("pairs", [])
    whole, failed, converse = entries
    assert (whole.provider, whole.duration, whole.id) == ("api.openai.com", 812_500_000, "chatcmpl-Parcel000000000011")
    assert dict(whole.headers)["x-scrimp-feature"] == "returns"
    assert (failed.provider, failed.status, failed.api) == ("api.anthropic.com", 529, "anthropic.messages")
    assert failed.error == "overloaded_error: Overloaded"
    assert (converse.model, converse.api) == ("us.amazon.nova-lite-v1:0", "bedrock.converse")
    assert said(converse).usage == Usage(input=14, output=3)


@pytest.mark.parametrize(
    ("method", "path", "answer"),
    [
        ("GET", "/v1/files", {"object": "list", "data": []}),
        ("POST", "/v1/files", {"id": "file-1", "object": "file"}),
        ("POST", "/v1/messages/count_tokens", {"input_tokens": 12}),
        ("POST", "/v1beta/models/gemini-2.5-flash:countTokens", {"totalTokens": 12}),
        ("POST", "/v1/batches", {"id": "batch_1", "object": "batch", "usage": {"input_tokens": 5}}),
        ("OPTIONS", "/v1/chat/completions", None),
        ("POST", "/v1/chat/completions", None),
        ("GET", "/v1/responses/resp_1", None),
    ],
)
def test_what_asks_no_model_is_no_call(method: str, path: str, answer: Any):
    row = {"method": method, "uri": f"https://api.example.com{path}", "request": {}, "response": answer, "status": 200}
    assert list(pairs.read(row)) == []


def test_a_response_that_was_waited_for_is_the_call_that_began_it():
    body = {"id": "resp_1", "object": "response", "created_at": 1762500000, "model": "gpt-5", "status": "completed"}
    row = {"method": "GET", "uri": "https://api.openai.com/v1/responses/resp_1", "request": "", "status": 200}
    entry = one(row | {"response": body | {"usage": {"input_tokens": 4, "output_tokens": 2, "total_tokens": 6}}})
    assert (entry.id, entry.api, entry.request) == ("resp_1", "openai.responses", b"")


def test_an_own_path_is_a_call_where_a_model_answers():
    row = {"method": "POST", "url": "https://llm.example.com/ask", "status": 200}
    assert one(row | {"request": ASKS, "response": SAYS}).provider == "llm.example.com"
    assert one(row | {"request": ASKS, "response": "<html>", "status": 502}).error == "<html>"
    assert list(pairs.read(row | {"request": {"q": 1}, "response": {"a": 2}})) == []


def test_batch_results_have_batch_prices_and_what_never_ran_is_no_call():
    known, (ran, refused), bad = read("openai_batch_output.jsonl")
    assert (known.format.name, bad) == ("pairs", [])
    assert (ran.tier, ran.id, said(ran).usage) == ("batch", "batch_req_Parcel0000000001", Usage(input=300, output=6))
    assert (refused.status, refused.error) == (400, "invalid_request_error: Unknown parameter")
    known, (ran, refused), bad = read("anthropic_batch_results.jsonl")
    assert (known.format.name, bad) == ("pairs", [])
    assert (ran.tier, ran.api, ran.id) == ("batch", "anthropic.messages", "msg_01ParcelBatch00000001")
    assert (refused.status, refused.tier) == (400, "batch")


def test_a_batch_input_asks_nothing_yet():
    line = {"custom_id": "row-1", "method": "POST", "url": "/v1/chat/completions", "body": ASKS}
    assert list(pairs.read(line)) == []
    assert list(pairs.read({"custom_id": "row-1", "params": ASKS})) == []
    known, entries, bad = read(json.dumps(line).encode())
    assert (known.format.name, entries, bad) == ("pairs", [], [])


def test_answers_alone_are_calls():
    entry = one(SAYS | {"feature": "mail"})
    assert (entry.answered, entry.model, entry.request, entry.feature) == ("gpt-5-mini-2025-08-07", "", b"", "mail")
    assert said(entry).usage == Usage(input=12, output=2)
    message = {"id": "msg_1", "type": "message", "role": "assistant", "content": [], "model": "claude-haiku-4-5"}
    entry = one(message | {"usage": {"input_tokens": 3, "output_tokens": 1}})
    assert (entry.api, said(entry).usage) == ("anthropic.messages", Usage(input=3, output=1))
    failed = one({"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "quota"}})
    assert (failed.status, failed.error) == (429, "RESOURCE_EXHAUSTED: quota")


def test_a_conversation_ends_with_its_answer():
    known, (whole, beside), bad = read("chat_finetune.jsonl")
    assert (known.format.name, bad) == ("pairs", [])
    assert [message["role"] for message in json.loads(whole.request)["messages"]] == ["system", "user"]
    assert json.loads(whole.answer)["choices"][0]["message"]["content"] == "tracking"
    assert (whole.usage, whole.model, beside.model) == (None, "", "gpt-5-mini")
    assert json.loads(beside.answer)["choices"][0]["message"]["content"] == "refund"


def test_a_conversation_beside_a_whole_answer_keeps_its_parameters():
    entry = one(ASKS | {"temperature": 0, "response": SAYS, "note": "not asked"})
    assert json.loads(entry.request) == ASKS | {"temperature": 0}
    assert said(entry).usage == Usage(input=12, output=2)
    assert said(one(ASKS | SAYS)).usage == Usage(input=12, output=2)


def test_a_run_of_an_agent_is_its_sums_or_else_its_messages():
    messages = [{"role": role, "content": str(n)} for n, role in enumerate(["system", "user", "assistant"] * 2)]
    stats = {"total_cost": 9.0, "instance_cost": 0.5, "tokens_sent": 700, "tokens_received": 30, "api_calls": 2}
    entry = one({"source": "run-1", "model_stats": stats, "messages": messages})
    assert (entry.aggregate, entry.calls, entry.usage) == (True, 2, Usage(input=700, output=30))
    assert (entry.logged, entry.session) == (500_000_000, "run-1")
    entries = list(pairs.read({"source": "run-1", "model_stats": {"api_calls": 2}, "messages": messages}))
    assert [len(json.loads(entry.request)["messages"]) for entry in entries] == [2, 5]
    assert {(entry.session, entry.aggregate, entry.usage) for entry in entries} == {("run-1", False, None)}


@pytest.mark.parametrize(
    ("beside", "answer", "at"),
    [
        ({"timestamp": "2025-11-07T07:20:00Z", "created": 5}, {"created": 9}, 1_762_500_000),
        ({"timestamp": None, "created_at": "2025-11-07T07:20:00Z"}, {}, 1_762_500_000),
        ({}, {"created_at": 9}, 9),
        ({}, {"created": 0}, None),
    ],
)
def test_the_time_is_the_log_s_and_else_the_answer_s(beside: dict[str, Any], answer: dict[str, Any], at: int | None):
    entry = one({"request": ASKS, "response": {"choices": [], **answer}, **beside})
    assert entry.at == (None if at is None else at * 10**9)


@pytest.mark.parametrize(
    ("beside", "milliseconds"),
    [
        ({"latency_ms": 250}, 250),
        ({"duration_s": 2}, 2000),
        ({"latency": 0.25}, 250),
        ({"start_time": "2025-11-07T07:20:00Z", "end_time": "2025-11-07T07:20:01.5Z"}, 1500),
        ({"latency": "fast"}, 0),
    ],
)
def test_durations_are_read_in_the_unit_they_are_meant_in(beside: dict[str, Any], milliseconds: float):
    assert one({"request": ASKS, "response": SAYS, **beside}).duration == milliseconds * 1_000_000


def test_labels_are_found_by_their_usual_names_and_in_the_metadata():
    metadata = '{"session_id":"s","env":"prod","tags":["a"],"trace":"t"}'
    row = {"use_case": "mail", "userId": 7, "metadata": metadata, "project": "web", "api_key_id": "key-1"}
    entry = one({"request": ASKS, "response": SAYS, "tags": "x, y", "provider": "azure", **row})
    assert (entry.feature, entry.user, entry.session, entry.environment) == ("mail", "7", "s", "prod")
    assert (entry.team, entry.key, entry.tags, entry.provider) == ("web", "key-1", ("x", "y", "a"), "azure")


def test_what_a_gateway_charged_is_kept_for_comparison():
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2, "cost": 0.00042}
    assert one({"request": ASKS, "response": SAYS | {"usage": usage}}).logged == 420_000


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"a": 1},
        {"custom_id": "x"},
        {"messages": "none"},
        {"messages": [1], "response": "x"},
        {"request": 1},
        {"request": ASKS, "response": [1, 2]},
        {"request": ASKS, "response": SAYS, "timestamp": "yesterday"},
    ],
)
def test_what_cannot_be_read_says_why(row: dict[str, Any]):
    with pytest.raises(BadRecord):
        list(pairs.read(row))


@pytest.mark.parametrize(
    "row",
    [
        {"request_id": "r", "call_type": "acompletion", "spend": 0.1, "messages": [], "response": SAYS},
        {"id": "o", "traceId": "t", "input": ASKS, "output": SAYS, "usage": {"input": 1, "output": 2}},
        {"request_id": "r", "request_created_at": "2025-11-07", "request_body": ASKS, "response_body": SAYS},
        {"type": "assistant", "sessionId": "s", "message": SAYS},
        {"timestamp": 0, "input_length": 1, "output_length": 1, "hash_ids": []},
        {"timestamp": "2025-11-07T07:20:00Z", "type": "response_item", "payload": {"type": "message"}},
        {"time": "2025-11-07", "model": "m", "input_tokens": "1", "output_tokens": "2"},
        {"prompt": "Why?", "response": "Because."},
    ],
)
def test_rows_of_other_formats_are_left_to_them(row: dict[str, Any]):
    assert not pairs.FORMATS[0].fits(Sample("log", "lines", tuple(row), (row,)))


@given(rows(KNOWN))
def test_whatever_a_row_holds_it_gives_calls_or_a_reason(row: dict[str, Any]):
    check(pairs.read, row)


@given(damaged(GOOD, KNOWN))
def test_a_row_that_is_damaged_gives_calls_or_a_reason(row: dict[str, Any]):
    check(pairs.read, row)


@pytest.mark.shared
def test_every_recorded_exchange_is_read_and_priced_as_the_benchmark_does():
    if not TRACES.is_dir():
        pytest.skip("needs shared/data/traces beside the clone")
    bench = runpy.run_path(str(ROOT / "tests" / "bench" / "recorded.py"), run_name="recorded")
    logs = [TRACES / "recorded_exchanges.jsonl", TRACES / "provider_fixtures.jsonl"]
    found = [json.loads(line) for log in logs for line in log.read_text().splitlines()]
    book = Book.load()
    counted: Counter[str] = Counter()
    for expected, row in zip(bench["rows"](TRACES), found, strict=True):
        entries = list(pairs.read(row))
        no_call = expected.reason.startswith("no call of a model")
        assert len(entries) == (0 if no_call else 1), expected
        for entry in entries:
            reading = said(entry)
            model = reading.model or entry.answered or entry.model
            assert (reading.usage, model) == (expected.reading.usage, expected.model)
            counted["calls"] += 1
            counted["usage"] += reading.usage is not None
            if reading.usage is not None:
                cost = book.price(model, reading.usage, provider=entry.provider, tier=reading.tier)
                assert cost == bench["price"](expected, reading.usage, book)
                counted["priced"] += isinstance(cost, Price)
    assert counted == {"calls": 539, "usage": 512, "priced": 477}


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "calls"),
    [("recorded_exchanges", 392), ("provider_fixtures", 147), ("agent_trajectories", 143)],
)
def test_the_shared_traces_are_told_and_read_whole(name: str, calls: int):
    if not TRACES.is_dir():
        pytest.skip("needs shared/data/traces beside the clone")
    known, entries, bad = read((TRACES / f"{name}.jsonl").read_bytes())
    assert (known.format.name, len(entries), bad) == ("pairs", calls, [])
