"""Claude Code's sessions: which lines are calls, that repeats share an id, and what a line tells beside its tokens."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from reading import SAMPLES, read
from strange import check, damaged, rows

from scrimp.audit.entry import BadRecord, Entry
from scrimp.audit.formats import claude_code
from scrimp.audit.formats.base import Sample
from scrimp.call import Price, Usage
from scrimp.prices.book import Book

GOOD = [json.loads(line) for line in (SAMPLES / "claude_code.jsonl").read_text().splitlines()]
LINE = GOOD[3]
KNOWN = [
    *LINE, *LINE["message"], *LINE["message"]["usage"], "assistant", "progress", "agent_progress", "data", "tool_use",
    "isApiErrorMessage", "apiErrorStatus", "error", "session_id", "costUSD", "name", "text", "<synthetic>", 429,
]  # fmt: skip


def one(row: dict[str, Any]) -> Entry:
    (entry,) = claude_code.read(row)
    return entry


def test_the_assistant_s_lines_with_a_usage_are_the_calls():
    known, entries, bad = read("claude_code.jsonl")
    assert (known.format.name, bad) == ("claude_code", [])
    assert [entry.model for entry in entries[:3]] == [
        "claude-sonnet-4-5-20250929",
        "claude-sonnet-4-5-20250929",
        "claude-haiku-4-5-20251001",
    ]
    assert entries[1].usage == Usage(input=4, cached=15_800, cache_write=100, cache_write_1h=2_000, output=118)
    assert (entries[1].at, entries[1].finish, entries[1].tier) == (1762506005_120_000_000, "tool_use", "standard")


def test_a_message_that_is_written_down_again_keeps_its_id():
    _, entries, _ = read("claude_code.jsonl")
    assert entries[0].id == entries[1].id == "msg_01Parcel00000000000001:req_011Parcel0001"
    assert entries[2].id != entries[1].id


@pytest.mark.parametrize(
    ("message_id", "request_id", "expected"),
    [("msg_1", None, "msg_1:"), (None, "req_1", ":req_1"), (None, None, LINE["uuid"])],
)
def test_either_half_of_the_id_may_be_missing(message_id: Any, request_id: Any, expected: str):
    assert one(LINE | {"requestId": request_id, "message": LINE["message"] | {"id": message_id}}).id == expected


def test_a_line_tells_project_session_branch_and_side_chain():
    _, entries, _ = read("claude_code.jsonl")
    assert {(entry.feature, entry.user, entry.session) for entry in entries} == {("parcel-api", "", LINE["sessionId"])}
    assert entries[1].tags == ("branch=returns",)
    assert entries[2].tags == ("sidechain", "branch=returns")
    assert (entries[1].logged, entries[2].logged) == (None, 2_100_000)
    assert one(LINE | {"cwd": "C:\\code\\shop\\"}).feature == "shop"


def test_a_failed_call_is_one_and_what_claude_code_says_itself_is_none():
    _, entries, _ = read("claude_code.jsonl")
    assert [(entry.status, entry.error) for entry in entries if entry.error] == [(429, "rate_limit")]
    bare = {"type": "assistant", "isApiErrorMessage": True, "error": {"status": 529, "message": "Overloaded"}}
    assert (one(bare | {"message": {}}).status, one(bare | {"message": {}}).error) == (529, "Overloaded")
    said = {"content": [{"type": "text", "text": "API Error: Connection error."}]}
    assert (
        one({"type": "assistant", "isApiErrorMessage": True, "message": said}).error == "API Error: Connection error."
    )


def test_equal_tool_calls_are_equal_actions():
    def calls(**given: Any) -> str:
        block = {"type": "tool_use", "id": "toolu_2", "name": "Read", "input": given}
        return one(LINE | {"message": LINE["message"] | {"content": [block]}}).action

    assert calls(file_path="orders.py", limit=40) == calls(limit=40, file_path="orders.py") == one(LINE).action
    assert calls(file_path="orders.py") != calls(file_path="users.py")
    assert one(LINE | {"message": LINE["message"] | {"content": "Done."}}).action == ""


def test_an_agent_s_line_within_its_parent_s_counts_once_with_its_own_file():
    inner = {key: LINE[key] for key in ("type", "message", "requestId", "timestamp")}
    outer = {**GOOD[1], "type": "progress", "data": {"type": "agent_progress", "message": inner}}
    assert one(outer).id == one(LINE).id
    assert "sidechain" in one(outer).tags
    del inner["requestId"]
    assert claude_code.read(outer) == ()


@pytest.mark.parametrize(
    ("model", "answer", "seller", "is_priced_by"),
    [
        ("claude-sonnet-4-5-20250929", "msg_01", "anthropic", "anthropic"),
        ("claude-sonnet-4-5-20250929", "msg_bdrk_01", "bedrock", "aws"),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "msg_01", "bedrock", "aws"),
        ("claude-sonnet-4-5@20250929", "msg_vrtx_01", "vertex", "google"),
        ("deepseek-chat", "a1", "", "deepseek"),
    ],
)
def test_the_price_is_that_of_the_cloud_that_answered(model: str, answer: str, seller: str, is_priced_by: str):
    entry = one(LINE | {"message": LINE["message"] | {"model": model, "id": answer}})
    cost = Book.load().price(model, Usage(input=9), provider=entry.provider, tier=entry.tier)
    assert entry.provider == seller
    assert isinstance(cost, Price) and cost.provider == is_priced_by


def test_a_line_without_numbers_or_message_says_so():
    for message in (None, LINE["message"] | {"usage": {"service_tier": "standard"}}):
        with pytest.raises(BadRecord):
            claude_code.read(LINE | {"message": message})


@pytest.mark.parametrize(
    "row",
    [
        GOOD[0],
        {"type": "file-history-snapshot", "messageId": "m", "snapshot": {}},
        {"type": "queue-operation", "operation": "enqueue", "sessionId": "s"},
        GOOD[1],
        {"type": "assistant", "session_id": "s", "message": {}},
    ],
)
def test_a_session_is_told_by_any_of_its_lines(row: dict[str, Any]):
    assert claude_code.FORMATS[0].fits(Sample("log", "lines", tuple(row), (row,)))


@pytest.mark.parametrize(
    "row",
    [
        {"type": "message", "role": "assistant", "content": [], "usage": {"input_tokens": 1}},
        {"type": "response_item", "payload": {}, "timestamp": "2025-11-07T07:20:00Z"},
        {"type": "GENERATION", "sessionId": "s"},
        {"type": ["assistant"], "sessionId": "s"},
    ],
)
def test_other_logs_with_a_type_are_left_alone(row: dict[str, Any]):
    assert not claude_code.FORMATS[0].fits(Sample("log", "lines", tuple(row), (row,)))


@given(rows(KNOWN))
def test_whatever_a_line_holds_it_gives_a_call_or_a_reason(row: dict[str, Any]):
    check(claude_code.read, row)


@given(damaged(GOOD, KNOWN))
def test_a_line_that_is_damaged_gives_a_call_or_a_reason(row: dict[str, Any]):
    check(claude_code.read, row)
