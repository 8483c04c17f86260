"""The door to the provider: targets in turn, tries as configured, and what is kept of an answer for reading."""

import asyncio
import gzip
import json
import socket
import time
import zlib

import pytest
from step_samples import CHAT, a_call, a_world

from scrimp.call import Ask, Target, Usage
from scrimp.errors import Down, Slow
from scrimp.providers.fake import Fake, Turn
from scrimp.providers.flight import Flight
from scrimp.steps.send import MOST_KEPT, send

ANSWER = b'{"model":"gpt-4o-mini","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12}}'


def closed_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}/v1"


def sent(call, providers, upload=None):
    """Send a call in a world of its own; what was delivered, as (status, headers, body), and the failure."""
    delivered = []
    priced = []

    async def deliver(message):
        delivered.append(message)

    async def run():
        world = a_world({"providers": providers})
        await world.open()
        try:
            flight = Flight(asyncio.current_task())
            await send(call, world, flight, deliver, upload, priced.append)
        finally:
            await world.close()

    try:
        asyncio.run(run())
    except (Down, Slow) as error:
        return None, error
    head, *bodies = delivered
    assert [message["more_body"] for message in bodies] == [True] * (len(bodies) - 1) + [False]
    body = b"".join(message["body"] for message in bodies)
    return (head["status"], dict(head["headers"]), body, priced), None


def planned(*targets, **more):
    return a_call(None, tries=[], targets=[Target(name, "gpt-4o-mini") for name in targets], **more)


def test_the_next_target_answers_where_the_first_gives_no_answer():
    with Fake(Turn(body=ANSWER)) as fake:
        call = planned("dead", "alive")
        answer, _ = sent(call, {"dead": {"base_url": closed_port()}, "alive": {"base_url": fake.base_url}})
    assert answer[2] == ANSWER
    assert [(attempt.provider, attempt.status) for attempt in call.tries] == [("dead", 0), ("alive", 200)]
    assert "refused" in call.tries[0].error
    assert call.answer.usage == Usage(input=9, output=3)
    assert call.answer.whole


def test_where_no_target_is_left_the_last_failure_is_told():
    call = planned("a", "b")
    _, failure = sent(call, {"a": {"base_url": closed_port()}, "b": {"base_url": closed_port()}})
    assert str(failure).startswith("b gave no answer")
    assert isinstance(sent(planned(), {})[1], Down)


def test_a_busy_answer_on_the_last_try_is_passed_on_with_the_word_not_to_repeat():
    with Fake(otherwise=Turn(status=429, retry_after="0")) as fake:
        call = planned("p")
        (status, headers, _, _), _ = sent(call, {"p": {"base_url": fake.base_url, "retries": 1}})
        assert (status, headers[b"x-should-retry"], len(fake.requests)) == (429, b"false", 2)
    with Fake(otherwise=Turn(status=400)) as fake:
        (status, headers, _, _), _ = sent(planned("p"), {"p": {"base_url": fake.base_url, "retries": 1}})
        assert (status, b"x-should-retry" in headers, len(fake.requests)) == (400, False, 1)


def test_a_retry_waits_as_long_as_the_provider_asks():
    with Fake(Turn(status=429, retry_after="1"), otherwise=Turn(body=ANSWER)) as fake:
        started = time.monotonic()
        (status, _, _, _), _ = sent(planned("p"), {"p": {"base_url": fake.base_url, "retries": 1}})
    assert status == 200
    assert time.monotonic() - started >= 1


def test_a_body_that_streams_through_is_sent_once_however_many_retries_there_are():
    async def upload():
        yield b"part"

    with Fake(otherwise=Turn(status=500)) as fake:
        call = planned("p", ask=Ask(), raw=None, headers=[(b"content-length", b"4")], path="/v1/files")
        (status, headers, _, _), _ = sent(call, {"p": {"base_url": fake.base_url, "retries": 3}}, upload())
        assert (status, b"x-should-retry" in headers) == (500, False)
        assert [request.body for request in fake.requests] == [b"part"]


def test_a_cost_is_in_the_head_only_when_the_answer_is_whole_by_then():
    with Fake(Turn(body=ANSWER), Turn(body=ANSWER[:40]), otherwise=Turn()) as fake:
        providers = {"p": {"base_url": fake.base_url}}
        (_, headers, _, priced), _ = sent(planned("p"), providers)
        assert (len(priced), headers[b"x-scrimp-id"], headers[b"x-scrimp"]) == (1, b"c", b"")
        assert sent(planned("p"), providers)[0][3] == []
        streamed = planned(
            "p", ask=Ask("openai.chat", "gpt-4o-mini", stream=True, parsed=True), raw=b'{"model":"m","stream":true}'
        )
        (_, headers, body, priced), _ = sent(streamed, providers)
        assert priced == []
        assert body.endswith(b"data: [DONE]\n\n")
        assert streamed.answer.whole


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("br", lambda body: body),
        ("gzip", lambda body: b"no gzip"),
    ],
    ids=["gzip", "deflate", "one that scrimp cannot read", "a lie"],
)
def test_an_encoded_answer_passes_as_it_is_and_is_read_where_it_can_be(encoding, pack):
    packed = pack(ANSWER)
    turn = Turn(body=packed, headers=(("content-encoding", encoding), ("content-type", "application/json")))
    with Fake(turn) as fake:
        call = planned("p")
        (_, headers, body, _), _ = sent(call, {"p": {"base_url": fake.base_url}})
    assert (body, headers[b"content-encoding"]) == (packed, encoding.encode())
    readable = encoding != "br" and packed != b"no gzip"
    assert call.answer.usage == (Usage(input=9, output=3) if readable else None)


def test_of_a_very_large_answer_the_two_ends_are_kept_and_all_of_it_passes():
    turn = Turn(body=b'{"pad":"' + b"x" * (2 * MOST_KEPT) + b'",' + ANSWER[1:])
    with Fake(turn) as fake:
        call = planned("p")
        (_, _, body, _), _ = sent(call, {"p": {"base_url": fake.base_url}})
    assert body == turn.body
    assert len(call.answer.body) < 1.2 * MOST_KEPT
    assert call.answer.body.startswith(b'{"pad"')
    assert call.answer.body.endswith(ANSWER[1:])


def test_the_body_goes_out_as_it_came_but_for_the_two_splices():
    body = json.dumps({"model": "p/gpt-4o-mini", "stream": True}).encode()
    with Fake() as fake:
        ask = Ask("openai.chat", "p/gpt-4o-mini", stream=True, parsed=True)
        call = planned(ask=ask, raw=body)
        call.targets = [Target("p", "gpt-4o-mini", strip_prefix=True)]
        sent(call, {"p": {"base_url": fake.base_url}})
        assert json.loads(fake.requests[0].body) == {
            "model": "gpt-4o-mini", "stream": True, "stream_options": {"include_usage": True},
        }  # fmt: skip
        sent(planned("p"), {"p": {"base_url": fake.base_url}})
        assert fake.requests[1].body == CHAT
