"""The application by itself: what is refused before any provider sees it, and how the server's life is the world's."""

import asyncio
import json
import logging
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrimp.config import convert
from scrimp.errors import Refused
from scrimp.providers.fake import Fake
from scrimp.web.app import App, Cut, check, drop_cut, new_call
from scrimp.world import World

CHAT = b'{"model":"gpt-4o-mini","messages":[]}'
JSON = (b"content-type", b"application/json")


def a_scope(path="/v1/chat/completions", method="POST", *headers, kind="http"):
    return {
        "type": kind, "path": path, "raw_path": path.encode(), "method": method, "query_string": b"",
        "headers": list(headers),
    }  # fmt: skip


def answered(scope, *parts, upstream="http://127.0.0.1:1", **tree):
    """What the application sends, for a body that comes in these parts; the client stays to the end of the answer."""

    async def run():
        world = World(convert({"store": ":memory:", **tree}), {}, upstream)
        await world.open()
        coming = [
            {"type": "http.request", "body": part, "more_body": index < len(parts) - 1}
            for index, part in enumerate(parts)
        ]
        sent = []
        over = asyncio.Event()

        async def receive():
            if coming:
                return coming.pop(0)
            await over.wait()
            return {"type": "http.disconnect"}

        async def send(message):
            sent.append(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                over.set()

        try:
            await asyncio.create_task(App(world)(scope, receive, send))  # a task a request, as the server does
        finally:
            await world.close()
        return sent

    return asyncio.run(run())


def told(sent):
    """Status, headers and body of what was sent."""
    return sent[0]["status"], dict(sent[0]["headers"]), b"".join(message["body"] for message in sent[1:])


def test_ids_are_of_one_shape_sort_by_time_and_never_come_twice():
    ids = [new_call(a_scope()).id for _ in range(2000)]
    assert all(re.fullmatch(r"[0-9a-f]{28}", one) for one in ids)
    assert len(set(ids)) == len(ids)
    times = [one[:12] for one in ids]
    assert times == sorted(times)


@given(st.binary(max_size=40))
def test_any_path_is_taken_as_its_bytes(raw):
    call = new_call({**a_scope(), "raw_path": raw})
    assert call.path.encode("latin-1") == raw


def test_only_listed_browser_origins_may_call():
    world = World(convert({"store": ":memory:", "serve": {"origins": ["https://app.example"]}}), {})
    scope = a_scope("/v1/chat/completions", "POST", (b"origin", b"https://app.example"))
    call = new_call(scope)
    check(call, scope, world)
    assert call.ask.api == "openai.chat"
    for origin in (b"https://evil.example", b"null", b"", b"https://app.example.evil", b"\xff"):
        scope = a_scope("/v1/chat/completions", "POST", (b"origin", origin))
        with pytest.raises(Refused) as refused:
            check(new_call(scope), scope, world)
        assert refused.value.status == 403


@pytest.mark.parametrize(
    ("parts", "headers", "status", "words"),
    [
        ((b"",), (JSON,), 400, "the request has no body"),
        ((b"{",), (JSON,), 400, "not valid JSON"),
        ((CHAT,), ((b"content-type", b"text/plain"),), 415, "application/json"),
        ((b"x" * 700_000, b"x" * 700_000), (JSON,), 413, "larger than 1 MB"),
        ((b"",), (JSON, (b"content-length", b"1048577")), 413, "max_body_mb"),
    ],
    ids=["no body", "no JSON", "no JSON by its type", "too large in parts", "too large by its own word"],
)
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
def test_a_bad_request_is_answered_in_its_dialect_and_sent_to_nobody(path, parts, headers, status, words):
    with Fake() as fake:
        sent = answered(a_scope(path, "POST", *headers), *parts, upstream=fake.origin, serve={"max_body_mb": 1})
        got, fields, body = told(sent)
        assert (got, fields[b"content-length"], fake.requests) == (status, str(len(body)).encode(), [])
    message = json.loads(body)["error"]["message"]
    assert message.startswith("scrimp: ")
    assert words in message
    assert ("request_id" in json.loads(body)) == (path == "/v1/messages")
    assert len(fields[b"x-scrimp-id"]) == 28


@pytest.mark.parametrize(
    "headers",
    [(), ((b"content-type", b"application/vnd.api+json; charset=utf-8"),), (JSON, (b"content-encoding", b"gzip"))],
    ids=["no type at all", "a type of JSON's family", "encoded: passed unread"],
)
def test_what_may_be_json_passes(headers):
    with Fake() as fake:
        status, _, _ = told(answered(a_scope("/v1/chat/completions", "POST", *headers), CHAT, upstream=fake.origin))
        assert status == 200
        assert fake.requests[0].body == CHAT


def test_an_error_to_a_head_request_has_no_body():
    status, fields, body = told(answered(a_scope("/v1/models", "HEAD"), b""))
    assert (status, body) == (502, b"")
    assert int(fields[b"content-length"]) > 0


def test_a_request_that_is_not_read_passes_with_its_body_and_without_one():
    with Fake() as fake:
        length = (b"content-length", b"6")
        answered(a_scope("/v1/files", "POST", length), b"abc", b"def", upstream=fake.origin)
        answered(a_scope("/v1/files/f1", "DELETE"), b"", upstream=fake.origin)
        assert [(one.method, one.path, one.body) for one in fake.requests] == [
            ("POST", "/v1/files", b"abcdef"),
            ("DELETE", "/v1/files/f1", b""),
        ]


def test_a_client_that_leaves_while_it_sends_is_no_call():
    async def run():
        world = World(convert({"store": ":memory:"}), {})
        await world.open()
        coming = [{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}]
        sent = []

        async def receive():
            return coming.pop(0)

        async def send(message):
            sent.append(message)

        await App(world)(a_scope(), receive, send)
        flying = len(world.tower.flights)
        await world.close()
        return sent, flying

    assert asyncio.run(run()) == ([], 0)


def test_websockets_are_turned_away():
    (message,) = answered(a_scope(kind="websocket"))
    assert (message["type"], message["code"]) == ("websocket.close", 1008)


def test_the_world_opens_and_closes_with_the_server():
    async def run():
        world = World(convert({"store": ":memory:"}), {})
        coming = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
        sent, ready = [], []

        async def receive():
            ready.append(world.ready)
            return coming.pop(0)

        async def send(message):
            sent.append(message["type"])

        await App(world)({"type": "lifespan"}, receive, send)
        return sent, [*ready, world.ready], world.session.closed

    sent, ready, closed = asyncio.run(run())
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert ready == [False, True, False]
    assert closed


def test_only_the_traceback_of_a_cut_stream_is_left_out_of_the_log():
    def record(error):
        found = (type(error), error, None) if error else None
        return logging.LogRecord("n", logging.ERROR, "f", 1, "m", (), found)

    assert [drop_cut(record(error)) for error in (Cut("x"), ValueError("x"), None)] == [False, True, True]
