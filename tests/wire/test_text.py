"""What a model wrote is gathered whole from bodies and streams of every dialect, and nothing else with it."""

import json

import pytest

from scrimp.wire.text import text_of_body, text_of_stream

CHAT_BODY = {
    "id": "x",
    "model": "m",
    "choices": [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": "Hello",
                "reasoning_content": "Hm. ",
                "reasoning_details": [{"type": "reasoning.text", "text": "Hm. "}],
                "refusal": None,
                "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}],
                "annotations": [{"type": "url_citation", "url_citation": {"content": "quoted"}}],
                "audio": {"id": "a", "data": "QUJD", "transcript": "spoken"},
            },
            "logprobs": {"content": [{"token": "Hello", "logprob": -0.1}]},
            "finish_reason": "stop",
        }
    ],
}
MESSAGES = [
    {"type": "message_start", "message": {"id": "m", "content": [], "usage": {"input_tokens": 1}}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": "", "signature": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Hm. "}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "c2lnbmVk"}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "Hello"}},
    {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": '{"a":'}},
    {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": "1}"}},
    {
        "type": "content_block_start",
        "index": 3,
        "content_block": {"type": "web_search_tool_result", "content": "found"},
    },
    {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 9}},
]
RESPONSES = [
    {"type": "response.created", "response": {"instructions": "Be brief.", "output": []}},
    {"type": "response.reasoning_summary_text.delta", "delta": "Hm. "},
    {"type": "response.output_text.delta", "delta": "Hel", "logprobs": []},
    {"type": "response.output_text.delta", "delta": "lo"},
    {"type": "response.output_text.done", "text": "Hello"},
    {"type": "response.audio.delta", "delta": "QUJD"},
    {"type": "response.audio_transcript.delta", "delta": "spoken"},
    {"type": "response.function_call_arguments.delta", "delta": '{"a":1}'},
    {"type": "response.completed", "response": {"output": [{"type": "message", "content": [{"text": "Hello"}]}]}},
]


def sse(events):
    return b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)


def chat_chunk(delta):
    return {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}


@pytest.mark.parametrize(
    ("body", "written"),
    [
        (CHAT_BODY, 'HelloHm. {"a":1}spoken'),
        ({"choices": [{"index": 0, "text": "Hello", "finish_reason": "stop"}]}, "Hello"),
        ({"choices": [{"message": {"content": [{"type": "thinking", "thinking": [{"text": "Hm. "}]}]}}]}, "Hm. "),
        (
            {
                "instructions": "Be brief.",
                "output": [
                    {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm. "}]},
                    {
                        "type": "message",
                        "content": [{"type": "output_text", "text": "Hello", "annotations": [{"text": 1}]}],
                    },
                    {"type": "function_call", "name": "f", "arguments": '{"a":1}'},
                    {"type": "file_search_call", "results": [{"text": "found"}]},
                ],
            },
            'Hm. Hello{"a":1}',
        ),
        (
            {
                "type": "message",
                "content": [
                    {"type": "thinking", "thinking": "Hm. ", "signature": "c2ln"},
                    {"type": "text", "text": "Hello", "citations": [{"cited_text": "quoted", "text": "quoted"}]},
                    {"type": "tool_use", "name": "f", "input": {"a": 1}},
                    {"type": "web_search_tool_result", "content": [{"text": "found"}]},
                ],
            },
            'Hm. Hello{"a": 1}',
        ),
        (
            {"candidates": [{"content": {"parts": [{"text": "Hello"}, {"functionCall": {"args": {"a": 1}}}]}}]},
            'Hello{"a": 1}',
        ),
        (
            {"output": {"message": {"content": [{"text": "Hello"}, {"toolUse": {"name": "f", "input": {"a": 1}}}]}}},
            'Hello{"a": 1}',
        ),
        ({"model": "llama3", "response": "Hello", "done": True}, "Hello"),
        ({"error": {"message": "no"}}, ""),
    ],
)
def test_a_body_gives_what_the_model_wrote_and_nothing_else(body, written):
    assert text_of_body(None, body) == text_of_body(None, json.dumps(body).encode()) == written


@pytest.mark.parametrize(
    ("events", "written"),
    [
        ([chat_chunk({"content": "Hel"}), chat_chunk({"content": "lo"}), chat_chunk({"refusal": "No."})], "HelloNo."),
        ([chat_chunk({"tool_calls": [{"index": 0, "function": {"arguments": '{"a":1}'}}]})], '{"a":1}'),
        ([chat_chunk({"reasoning": "Hm. ", "reasoning_details": [{"text": "Hm. "}]})], "Hm. "),
        (MESSAGES, 'Hm. Hello{"a":1}'),
        (RESPONSES, 'Hm. Hellospoken{"a":1}'),
        ([{"candidates": [{"content": {"parts": [{"text": "Hel", "thought": True}]}}]}] * 2, "HelHel"),
        ([{"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"toolUse": {"input": "{}"}}}}], "{}"),
    ],
)
def test_a_stream_gives_what_the_model_wrote_as_far_as_it_came(events, written):
    raw = sse(events)
    assert text_of_stream(None, raw) == text_of_stream(None, events) == text_of_body(None, raw) == written
    assert written.startswith(text_of_stream(None, raw[: len(raw) - 12]))


def test_what_is_no_answer_has_no_text():
    for raw in (b"", b"\xff", b"{", b"data: [DONE]\n\n", b"[1, 2]"):
        assert text_of_body(None, raw) == text_of_stream(None, raw) == ""
