"""Answers of every dialect are read the same whole, in a stream, decoded, as text, or cut."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrimp.call import Usage
from scrimp.wire.answer import Reading, read_body, read_stream, usage

OPENAI_USAGE = {
    "prompt_tokens": 20,
    "completion_tokens": 9,
    "total_tokens": 29,
    "prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 3},
}
OPENAI = Usage(input=16, cached=4, output=6, reasoning=3)
ANTHROPIC_START = {
    "input_tokens": 20,
    "cache_read_input_tokens": 100,
    "cache_creation_input_tokens": 8,
    "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 8},
    "output_tokens": 1,
    "service_tier": "standard",
    "inference_geo": "global",
}
ANTHROPIC = Usage(input=20, cached=100, cache_write_1h=8, output=9)
GEMINI_USAGE = {"promptTokenCount": 8, "candidatesTokenCount": 3, "thoughtsTokenCount": 5, "totalTokenCount": 16}


def chat_chunk(finish=None, content="", **fields):
    delta = {"content": content} if content else {}
    choices = [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o-2024-08-06"}
    return {**head, "service_tier": "default", "choices": choices, "usage": None, **fields}


CHAT = [
    *(chat_chunk(content="word ") for _ in range(20)),
    chat_chunk("stop"),
    chat_chunk(choices=[], usage=OPENAI_USAGE),
]
CHAT_BODY = {
    "id": "chatcmpl-1",
    "model": "gpt-4o-2024-08-06",
    "service_tier": "default",
    "choices": [{"index": 0, "message": {"content": "word " * 20}, "finish_reason": "stop"}],
    "usage": OPENAI_USAGE,
}
MESSAGE = {"id": "msg_1", "type": "message", "model": "claude-opus-4-8", "content": [], "stop_reason": None}
MESSAGES = [
    {"type": "message_start", "message": {**MESSAGE, "usage": ANTHROPIC_START}},
    {"type": "ping"},
    *({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "w"}} for _ in range(20)),
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9, "input_tokens": 0}},
    {"type": "message_stop"},
]
MESSAGES_BODY = {**MESSAGE, "stop_reason": "end_turn", "usage": {**ANTHROPIC_START, "output_tokens": 9}}
RESPONSE = {"id": "resp_1", "model": "gpt-5", "service_tier": "auto", "status": "in_progress", "usage": None}
RESPONSES_USAGE = {"input_tokens": 20, "input_tokens_details": {"cached_tokens": 4}, "output_tokens": 9}
RESPONSES_BODY = {
    **RESPONSE,
    "status": "completed",
    "service_tier": "flex",
    "output": [{"type": "message", "content": [{"type": "output_text", "text": "hi"}]}],
    "usage": {**RESPONSES_USAGE, "output_tokens_details": {"reasoning_tokens": 3}, "total_tokens": 29},
}
RESPONSES = [
    {"type": "response.created", "sequence_number": 0, "response": RESPONSE},
    *({"type": "response.output_text.delta", "sequence_number": n, "delta": "w"} for n in range(1, 20)),
    {"type": "response.completed", "sequence_number": 20, "response": RESPONSES_BODY},
]
GEMINI_BODY = {
    "candidates": [{"content": {"parts": [{"text": "hi"}]}, "finishReason": "STOP", "index": 0}],
    "usageMetadata": {**GEMINI_USAGE, "serviceTier": "FLEX"},
    "modelVersion": "gemini-3.5-flash",
    "responseId": "r1",
}
GEMINI = [
    {
        "candidates": [{"content": {"parts": [{"text": "h"}]}, "index": 0}],
        "usageMetadata": {"promptTokenCount": 8, "totalTokenCount": 8},
        "modelVersion": "gemini-3.5-flash",
        "responseId": "r1",
    },
    GEMINI_BODY,
]
CONVERSE_USAGE = {"inputTokens": 3, "outputTokens": 5, "totalTokens": 8}
CONVERSE_BODY = {"output": {"message": {"content": []}}, "stopReason": "end_turn", "usage": CONVERSE_USAGE}
CONVERSE = [
    {"messageStart": {"role": "assistant"}},
    {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "hi"}}},
    {"messageStop": {"stopReason": "end_turn"}},
    {"metadata": {"usage": CONVERSE_USAGE, "metrics": {"latencyMs": 1}}},
]
OLLAMA_BODY = {
    "model": "llama3",
    "message": {"role": "assistant", "content": "hi"},
    "done": True,
    "done_reason": "stop",
    "prompt_eval_count": 4,
    "eval_count": 2,
}
OLLAMA = [{"model": "llama3", "message": {"role": "assistant", "content": "hi"}, "done": False}, OLLAMA_BODY]
ANSWERS = {
    "openai.chat": (CHAT, CHAT_BODY),
    "anthropic.messages": (MESSAGES, MESSAGES_BODY),
    "openai.responses": (RESPONSES, RESPONSES_BODY),
    "gemini.generate": (GEMINI, GEMINI_BODY),
    "bedrock.converse": (CONVERSE, CONVERSE_BODY),
    "other": (OLLAMA, OLLAMA_BODY),
}
each_api = pytest.mark.parametrize("api", ANSWERS)


def sse(events, name=False, end=b""):
    out = []
    for event in events:
        head = f"event: {event['type']}\n" if name and "type" in event else ""
        out.append(f"{head}data: {json.dumps(event, separators=(',', ':'))}\n\n".encode())
    return b"".join(out) + end


@each_api
@pytest.mark.parametrize("hinted", [True, False])
def test_a_stream_and_a_body_of_the_same_answer_read_the_same(api, hinted):
    events, body = ANSWERS[api]
    hint = api if hinted else None
    expected = read_body(hint, json.dumps(body).encode())
    assert expected.usage is not None and expected.whole and expected.finish and not expected.error
    assert read_body(hint, body) == expected
    done = b"data: [DONE]\n\n" if api == "openai.chat" else b""
    assert read_stream(hint, sse(events, name=True, end=done)) == expected
    assert read_stream(hint, sse(events, end=done).replace(b"\n", b"\r\n")) == expected
    assert read_stream(hint, events) == expected


@each_api
def test_the_library_takes_an_answer_in_any_form(api):
    events, body = ANSWERS[api]
    expected = read_body(api, body).usage
    text = json.dumps(body, indent=1)
    lines = [json.dumps(event) for event in events]
    stream = sse(events, name=True, end=b"data: [DONE]\n\n")
    forms = [
        body,
        text,
        text.encode(),
        events,
        lines,
        [line.encode() for line in lines],
        [f"data: {line}\n\n" for line in lines],
        stream,
        stream.decode(),
        stream.decode().splitlines(),
        "\n".join(lines),
        json.dumps(events),
        [body],
    ]
    assert [usage(form) for form in forms] == [expected] * len(forms)
    assert usage(stream, api) == expected


def test_what_an_answer_says_of_itself_is_kept():
    assert read_body("openai.chat", json.dumps(CHAT_BODY).encode()) == Reading(
        usage=OPENAI,
        model="gpt-4o-2024-08-06",
        tier="default",
        finish="stop",
        request_id="chatcmpl-1",
        whole=True,
    )
    assert read_stream("anthropic.messages", MESSAGES).usage == ANTHROPIC
    response = read_stream("openai.responses", RESPONSES)
    assert (response.usage, response.tier, response.finish) == (OPENAI, "flex", "completed")
    gemini = read_body(None, GEMINI_BODY)
    assert (gemini.usage, gemini.tier, gemini.finish) == (Usage(input=8, output=3, reasoning=5), "flex", "STOP")


@pytest.mark.parametrize(
    ("said", "tier"),
    [
        ({"service_tier": "priority"}, "priority"),
        ({"service_tier": "batch"}, "batch"),
        ({"service_tier": "standard", "speed": "fast"}, "fast"),
        ({"service_tier": "standard", "inference_geo": "us"}, "standard+us"),
        ({"service_tier": "standard", "inference_geo": "not_available"}, "standard"),
        ({}, ""),
    ],
)
def test_the_tier_is_the_answers_own(said, tier):
    assert read_body(None, {**MESSAGES_BODY, "usage": {"input_tokens": 1, "output_tokens": 1, **said}}).tier == tier


def test_vertex_says_its_tier_as_a_traffic_type():
    for traffic, tier in (("ON_DEMAND", ""), ("ON_DEMAND_FLEX", "flex"), ("PROVISIONED_THROUGHPUT",) * 2):
        body = {**GEMINI_BODY, "usageMetadata": {**GEMINI_USAGE, "trafficType": traffic}}
        assert read_body(None, body).tier == tier.lower()


def test_the_last_of_several_usages_counts():
    running = [
        chat_chunk(usage={"prompt_tokens": 20, "completion_tokens": n, "total_tokens": 20 + n}) for n in range(30)
    ]
    assert read_stream("openai.chat", sse(running)).usage == Usage(input=20, output=29)


def test_a_later_smaller_input_counts_and_a_zero_says_nothing():
    last = {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn"},
        "usage": {"input_tokens": 6, "output_tokens": 9},
    }
    found = read_stream("anthropic.messages", sse([MESSAGES[0], last]))
    assert found.usage == Usage(input=6, cached=100, cache_write_1h=8, output=9)
    assert read_stream("anthropic.messages", sse(MESSAGES)).usage == ANTHROPIC


def test_groq_puts_usage_in_a_place_of_its_own():
    last = chat_chunk("stop", x_groq={"id": "req_1", "usage": OPENAI_USAGE})
    del last["usage"]
    assert read_stream("openai.chat", sse([CHAT[0], last], end=b"data: [DONE]\n\n")).usage == OPENAI


def test_the_first_choice_says_how_it_finished_however_early():
    late = [chat_chunk(choices=[{"index": 1, "delta": {"content": "w"}, "finish_reason": None}]) for _ in range(30)]
    late.append(chat_chunk(choices=[{"index": 1, "delta": {}, "finish_reason": "length"}]))
    events = [CHAT[0], chat_chunk("stop"), *late, CHAT[-1]]
    assert read_stream("openai.chat", sse(events)).finish == "stop"


@each_api
def test_a_stream_that_was_cut_is_not_whole_and_says_what_it_can(api):
    events, _ = ANSWERS[api]
    raw = sse(events[:-1])
    found = read_stream(api, raw[: len(raw) - 20])
    assert not found.whole
    if api == "anthropic.messages":
        assert found.usage == Usage(input=20, cached=100, cache_write_1h=8, output=1)
        assert found.model == "claude-opus-4-8"


@each_api
@given(st.data())
def test_nothing_raises_wherever_an_answer_is_cut(api, data):
    events, body = ANSWERS[api]
    for raw, read in ((sse(events, name=True), read_stream), (json.dumps(body).encode(), read_body)):
        cut = data.draw(st.integers(0, len(raw) - 1))
        found = read(api, raw[:cut])
        assert isinstance(found, Reading)
        assert read is read_stream or not found.whole


@given(
    st.binary(max_size=60)
    | st.sampled_from([b"null", b"[]", b"{}", b'"x"', b"[1]", b"data: x\n\n", b"\xff\xfe", b"{" * 5000])
)
def test_what_is_no_answer_says_nothing(raw):
    for read in (read_body, read_stream):
        assert read(None, raw).usage is None
    assert usage(raw) is None


odd = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
fields = (
    "id type model choices usage service_tier error response status incomplete_details tool_usage message stop_reason"
)
more_fields = "delta candidates usageMetadata promptFeedback interaction metadata serviceTier x_groq timings done meta"


@given(st.dictionaries(st.sampled_from(f"{fields} {more_fields}".split()), odd))
def test_no_field_of_an_odd_kind_raises(body):
    for answer in (body, [body, body]):
        assert usage(answer) is usage(json.dumps(answer)) is None


def test_errors_are_told_and_have_no_usage():
    openai = {"error": {"message": "no such model", "type": "invalid_request_error", "param": None, "code": "x"}}
    anthropic = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}, "request_id": "req_1"}
    google = {"error": {"code": 429, "message": "quota", "status": "RESOURCE_EXHAUSTED", "details": []}}
    amazon = {"message": "The provided model identifier is invalid."}
    told = [read_body(None, json.dumps(body).encode()) for body in (openai, anthropic, google, amazon, {"error": "no"})]
    assert [found.error for found in told] == [
        "invalid_request_error: no such model",
        "overloaded_error: Overloaded",
        "RESOURCE_EXHAUSTED: quota",
        "The provided model identifier is invalid.",
        "no",
    ]
    assert [found.usage for found in told] == [None] * 5
    assert told[1].request_id == "req_1"


def test_an_error_in_mid_stream_is_told():
    anthropic = sse([*MESSAGES[:5], {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}])
    found = read_stream("anthropic.messages", anthropic)
    assert (found.error, found.whole, found.model) == ("overloaded_error: Overloaded", False, "claude-opus-4-8")
    openai = sse([*CHAT[:9], {"error": {"message": "tool_use_failed", "code": 400}}], end=b"data: [DONE]\n\n")
    assert read_stream("openai.chat", openai).error == "tool_use_failed"
    failed = {
        "type": "response.failed",
        "response": {**RESPONSE, "status": "failed", "error": {"code": "server_error"}},
    }
    found = read_stream("openai.responses", sse([RESPONSES[0], failed]))
    assert (found.error, found.finish, found.whole, found.usage) == ("server_error", "failed", True, None)
    flat = {"type": "error", "code": "rate_limit_exceeded", "message": "slow down", "param": None}
    assert read_stream("openai.responses", sse([RESPONSES[0], flat])).error == "slow down"


def test_why_an_answer_is_incomplete_is_its_finish():
    body = {**RESPONSES_BODY, "status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
    assert read_body(None, body).finish == "max_output_tokens"
    stream = [RESPONSES[0], {"type": "response.incomplete", "response": body}]
    assert read_stream(None, sse(stream)).finish == "max_output_tokens"
    blocked = {
        "promptFeedback": {"blockReason": "SAFETY"},
        "usageMetadata": {"promptTokenCount": 5, "totalTokenCount": 5},
    }
    found = read_stream(None, sse([blocked]))
    assert (found.finish, found.whole, found.usage) == ("SAFETY", True, Usage(input=5))


def test_counting_calls_use_no_tokens():
    assert usage({"input_tokens": 14}) is None
    assert usage({"object": "response.input_tokens", "input_tokens": 14}) is None
    assert usage({"totalTokens": 12, "promptTokensDetails": []}) is None


def test_a_body_whose_middle_was_cut_out_still_says_its_usage():
    data = [{"object": "embedding", "index": n, "embedding": [0.25] * 50} for n in range(50)]
    body = json.dumps({"object": "list", "model": "text-embedding-3-small", "data": data, "usage": {"total_tokens": 7}})
    kept = (body[:3000] + body[-3000:]).encode()
    found = read_body("openai.embeddings", kept)
    assert (found.usage, found.model, found.whole) == (Usage(input=7), "text-embedding-3-small", True)
    assert not read_body("openai.embeddings", kept[:-1]).whole


def test_usage_named_in_an_answers_text_is_not_taken_for_its_usage():
    text = json.dumps({"usage": {"prompt_tokens": 999, "completion_tokens": 999}})
    body = {**CHAT_BODY, "choices": [{"index": 0, "message": {"content": text}, "finish_reason": "stop"}]}
    assert usage(body) == usage(json.dumps(body)) == OPENAI
    assert usage(json.dumps({**body, "usage": None})[:-2]) is None
    events = [chat_chunk(content=text), *CHAT]
    assert read_stream("openai.chat", sse(events)).usage == OPENAI
    assert read_stream("openai.chat", sse([chat_chunk(content=text), chat_chunk("stop")])).usage is None


def test_json_that_the_fast_parser_refuses_is_read_all_the_same():
    raw = json.dumps(CHAT_BODY).encode().replace(b"word word", b"\\ud83d word")
    assert usage(raw) == OPENAI
    stream = sse(CHAT).replace(b'"logprobs":null', b'"logprobs":NaN')
    assert usage(stream) == OPENAI
