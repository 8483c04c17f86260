"""Logged bodies: the ways they are written down, the dialect by their shape, and what makes an error."""

from __future__ import annotations

import json
from typing import Any

import pytest

from scrimp.audit.entry import BadRecord, Entry
from scrimp.audit.formats.bodies import (
    NOTHING,
    Half,
    add_answer,
    api_of,
    asking,
    half,
    is_answer,
    reports,
    saying,
    trouble,
)
from scrimp.wire.answer import read_body, read_stream

CHUNKS = [
    {"id": "c1", "object": "chat.completion.chunk", "model": "m", "choices": [{"index": 0, "delta": {"content": "a"}}]},
    {"id": "c1", "object": "chat.completion.chunk", "model": "m", "choices": [{"index": 0, "finish_reason": "stop"}]},
    {"id": "c1", "object": "chat.completion.chunk", "model": "m", "choices": [], "usage": {"prompt_tokens": 5}},
]


def test_an_object_and_its_text_are_one_body():
    found = {"id": "a", "usage": {"prompt_tokens": 1}}
    assert half(found) == Half(b'{"id":"a","usage":{"prompt_tokens":1}}', found)
    assert half('{"id": "a"}') == Half(b'{"id": "a"}', {"id": "a"})


@pytest.mark.parametrize("value", [None, "", "  ", {}, []])
def test_nothing_is_nothing(value: Any):
    assert half(value) == NOTHING


@pytest.mark.parametrize("value", [1, True, [1], [["a"]], [{"a": 1}, 2]])
def test_what_is_no_body_is_refused(value: Any):
    with pytest.raises(BadRecord):
        half(value)


@pytest.mark.parametrize(
    "value",
    [
        CHUNKS,
        json.dumps(CHUNKS),
        "\n".join(map(json.dumps, CHUNKS)),
        "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in CHUNKS) + "data: [DONE]\n\n",
        [f"data: {json.dumps(chunk)}" for chunk in CHUNKS],
        [json.dumps(chunk) for chunk in CHUNKS],
        ": keep-alive\n\n" + "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in CHUNKS),
    ],
)
def test_a_stream_is_read_in_any_form_it_is_logged_in(value: Any):
    found = half(value)
    assert found.stream and found.top["id"] == "c1"
    reading = read_stream("openai.chat", found.raw)
    assert reading.usage is not None and (reading.usage.input, reading.finish) == (5, "stop")


def test_a_list_of_events_that_came_to_its_end_is_whole():
    assert read_stream("openai.chat", half(CHUNKS).raw).whole
    assert not read_stream("openai.chat", half(CHUNKS[:1]).raw).whole


def test_the_answer_in_a_stream_s_first_event_is_what_tells():
    text = 'event: response.created\ndata: {"type":"response.created","response":{"id":"r","object":"response"}}\n\n'
    assert half(text).top == {"id": "r", "object": "response"}


def test_words_alone_are_no_json_and_a_body_that_was_cut_is_no_words():
    assert half("It is late.") == Half(words="It is late.")
    assert half("[sic]").words == "[sic]"
    cut = '{"model":"gpt-5","usage":{"prompt_tokens":7,"completion_tokens":1,"total_tokens":8},"choi'
    assert half(cut) == Half(cut.encode())
    assert read_body("openai.chat", half(cut).raw).usage is not None


@pytest.mark.parametrize(
    ("answer", "request_", "api"),
    [
        ({"object": "chat.completion"}, {}, "openai.chat"),
        ({"object": "text_completion", "choices": []}, {}, "openai.completions"),
        ({"object": "response"}, {}, "openai.responses"),
        ({"object": "list", "data": []}, {}, "openai.embeddings"),
        ({"type": "message"}, {}, "anthropic.messages"),
        ({"candidates": []}, {}, "gemini.generate"),
        ({"output": {}, "stopReason": "end_turn"}, {}, "bedrock.converse"),
        ({}, {"messages": [], "system": "x"}, "anthropic.messages"),
        ({}, {"messages": []}, "openai.chat"),
        ({}, {"contents": []}, "gemini.generate"),
        ({"object": ["odd"]}, {}, "other"),
    ],
)
def test_the_dialect_is_told_by_the_answer_before_the_request(answer: Any, request_: Any, api: str):
    assert api_of(answer, request_) == api


def test_an_answer_is_told_from_other_objects():
    assert is_answer({"object": "response"}) and is_answer({"usage": {"inputTokens": 1}}) and is_answer({"choices": []})
    assert not is_answer({"object": "file", "usage_bytes": 4}) and not is_answer({"usage": {"seconds": 3}})
    assert reports({"usageMetadata": {"totalTokenCount": 1}}) and not reports({"usage": None})


@pytest.mark.parametrize(
    ("body", "status", "expected"),
    [
        ({"choices": []}, 0, (200, "")),
        ({"choices": [], "error": None}, 201, (201, "")),
        ({"error": {"type": "overloaded_error", "message": "busy"}}, 0, (529, "overloaded_error: busy")),
        ({"error": {"code": 503, "message": "down"}}, 0, (503, "down")),
        ({"error": {"message": "odd"}}, 0, (0, "odd")),
        ({"message": "The model is unknown."}, 400, (400, "The model is unknown.")),
        ({"error": {"type": "api_error", "message": "x"}}, 502, (502, "api_error: x")),
        ("bad gateway", 502, (502, "bad gateway")),
        (None, 504, (504, "status 504")),
        ('data: {"type":"error","error":{"type":"api_error","message":"x"}}\n\n', 0, (500, "api_error: x")),
    ],
)
def test_an_error_has_the_status_of_the_log_or_of_its_kind(body: Any, status: int, expected: tuple[int, str]):
    assert trouble(half(body), status) == expected


def test_a_request_without_what_was_asked_is_none():
    assert asking('{"model": "m", "messages": [{"role": "user"}]}') == {"model": "m", "messages": [{"role": "user"}]}
    for left_out in ({"model": "m"}, {"model": "m", "messages": []}, "{}", "", None, "text", '["a"]'):
        assert asking(left_out) == {}


def test_an_answer_gives_its_finish_and_tier_where_the_log_has_none():
    said = {"choices": [{"finish_reason": "length", "message": {"content": "x"}}], "service_tier": "flex"}
    entry = Entry(api="openai.chat", tier="batch")
    add_answer(entry, json.dumps(said))
    assert (entry.finish, entry.tier, json.loads(entry.answer)) == ("length", "batch", said)


def test_an_answer_with_a_mark_is_left_out_but_still_read():
    entry = Entry(api="openai.chat")
    reading = add_answer(entry, {"model": "m-1", "choices": [{"message": {"content": "gone away"}}]}, (b"gone",))
    assert (entry.answer, reading.model) == (b"", "m-1")


def test_a_message_is_said_by_the_body_that_brings_it():
    reading = read_body("openai.chat", saying({"role": "assistant", "content": "Yes."}, "stop").raw)
    assert (reading.finish, reading.whole) == ("stop", True)
