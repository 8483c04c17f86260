"""Messages of a span as bodies: what each part becomes, and that equal messages give equal bodies."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from strange import values

from scrimp.audit.formats.conversation import bodies
from scrimp.wire.answer import read_body
from scrimp.wire.request import read_request

ASKED = [
    {"role": "user", "parts": [{"type": "text", "content": "Where is parcel 7?"}]},
    {"role": "assistant", "parts": [{"type": "tool_call", "id": "c1", "name": "track", "arguments": {"parcel": 7}}]},
    {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": {"at": "Lyon"}}]},
]
SAID = [{"role": "assistant", "parts": [{"type": "text", "content": "In Lyon."}], "finish_reason": "stop"}]
SYSTEM = [{"type": "text", "content": "You track parcels."}]
KNOWN = [
    "role",
    "parts",
    "type",
    "text",
    "content",
    "tool_call",
    "tool_call_response",
    "id",
    "name",
    "arguments",
    "result",
]


def made(**told: Any) -> tuple[Any, Any]:
    names = {"asked": "gen_ai.input.messages", "said": "gen_ai.output.messages", "system": "gen_ai.system_instructions"}
    request, answer = bodies({names.get(key, key): value for key, value in told.items()}, "gpt-5", "gpt-5-2025", "")
    return request and json.loads(request), answer and json.loads(answer)


def test_parts_become_a_chat_completions_messages():
    request, answer = made(asked=ASKED, said=SAID, system=SYSTEM)
    assert request["messages"] == [
        {"role": "system", "content": "You track parcels."},
        {"role": "user", "content": "Where is parcel 7?"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "track", "arguments": '{"parcel":7}'}}
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": '{"at":"Lyon"}'},
    ]
    assert answer["choices"] == [
        {"index": 0, "message": {"role": "assistant", "content": "In Lyon."}, "finish_reason": "stop"}
    ]


def test_the_bodies_are_read_as_a_chat_completions_are():
    parameters = {"gen_ai.request.max_tokens": 300, "gen_ai.tool.definitions": [{"type": "function", "name": "track"}]}
    request, answer = bodies(
        {"gen_ai.input.messages": ASKED, "gen_ai.output.messages": SAID, **parameters}, "gpt-5", "gpt-5", ""
    )
    ask = read_request("openai.chat", request)
    assert (ask.model, ask.cap, bool(ask.tools)) == ("gpt-5", 300, True)
    assert read_body("openai.chat", answer).finish == "stop"


def test_json_text_gives_the_same_bodies_as_objects():
    assert made(asked=json.dumps(ASKED), said=json.dumps(SAID)) == made(asked=ASKED, said=SAID)


def test_a_part_that_is_not_known_stays_as_it_is():
    image = {"type": "uri", "modality": "image", "uri": "https://parcels.example/7.png"}
    request, _ = made(asked=[{"role": "user", "parts": [{"type": "text", "content": "What is it?"}, image]}])
    assert request["messages"][0]["content"] == [{"type": "text", "text": "What is it?"}, image]


def test_a_span_without_messages_keeps_no_bodies():
    assert made() == made(said=SAID) == made(asked="not JSON") == (b"", b"")
    assert made(asked=ASKED)[1] == b""


@given(values(KNOWN), values(KNOWN))
def test_whatever_messages_hold_they_give_bodies_or_none(asked: Any, said: Any):
    request, answer = bodies({"gen_ai.input.messages": asked, "gen_ai.output.messages": said}, "gpt-5", "", "stop")
    assert all(isinstance(one, bytes) for one in (request, answer))
    assert not request or json.loads(request)["model"] == "gpt-5"
