"""The quick reader says the same as the careful one of everything it dares to read."""

import json
from pathlib import Path

import pytest

from scrimp.wire import glance
from scrimp.wire.answer import read_body, read_stream

TRACES = Path(__file__).resolve().parents[3] / "shared" / "data" / "traces"


def same(seen, careful):
    assert (seen.usage, seen.model, seen.tier, seen.finish, seen.id) == (
        careful.usage,
        careful.model,
        careful.tier,
        careful.finish,
        careful.request_id,
    )
    assert careful.whole
    assert not careful.error


def recorded():
    """Every recorded answer as bytes, whole ones and streams."""
    for line in (TRACES / "recorded_exchanges.jsonl").read_text().splitlines():
        answer = json.loads(line)["response"]
        yield answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
    for line in (TRACES / "provider_fixtures.jsonl").read_text().splitlines():
        row = json.loads(line)
        if row["kind"] == "body":
            yield row["text"].encode()
        else:
            chunks = [chunk for chunk in row["text"].splitlines() if chunk]
            yield "".join(f"data: {chunk}\n\n" for chunk in [*chunks, "[DONE]"]).encode()


def test_both_say_the_same_of_every_recorded_answer():
    if not TRACES.exists():
        pytest.skip("needs ../shared/data/traces beside the clone")
    bodies = streams = 0
    for answer in recorded():
        if (seen := glance.chat(answer)) is not None:
            same(seen, read_body(None, answer))
            bodies += 1
        if (seen := glance.chat_stream(answer)) is not None:
            same(seen, read_stream(None, answer))
            streams += 1
    assert bodies > 15
    assert streams > 0


USAGE = b'{"prompt_tokens":9,"completion_tokens":5,"total_tokens":14%s}'
BODY = b'{"id":"c","model":"m","choices":[{"index":0,"message":{"content":"x"},"finish_reason":"stop"}],"usage":%s}'


def test_a_common_answer_is_read_at_a_glance():
    details = b',"prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":2}'
    body = BODY % (USAGE % details)
    same(glance.chat(body), read_body(None, body))


@pytest.mark.parametrize(
    "odd",
    [
        b',"num_sources_used":1',
        b',"prompt_tokens_details":{"cached_tokens":40}',
        b',"prompt_tokens_details":{"audio_tokens":4}',
        b',"prompt_tokens_details":{"cached_tokens":"4"}',
        b',"completion_tokens_details":{"reasoning_tokens":-1}',
        b',"prompt_cache_hit_tokens":3',
    ],
)
def test_whatever_is_unusual_is_left_to_the_careful_reader(odd):
    assert glance.chat(BODY % (USAGE % odd)) is None


def test_a_stream_with_an_error_or_another_choice_last_is_left_to_the_careful_reader():
    chunk = b'data: {"id":"c","model":"m","choices":[{"index":%d,"delta":{},"finish_reason":%s}]}\n\n'
    usage = b'data: {"id":"c","model":"m","choices":[],"usage":' + USAGE % b"" + b"}\n\n"
    done = b"data: [DONE]\n\n"
    good = chunk % (0, b"null") + chunk % (0, b'"stop"') + usage + done
    same(glance.chat_stream(good), read_stream(None, good))
    assert glance.chat_stream(chunk % (0, b"null") + chunk % (1, b'"stop"') + usage + done) is None
    assert glance.chat_stream(good.replace(done, b"")) is None
    assert glance.chat_stream(b'data: {"error":{"message":"no"}}\n\n' + good) is None
