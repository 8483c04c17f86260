"""Pages answer to their own names only, say where calls go, and never fail with the store."""

import asyncio
import json

import pytest

from scrimp.config import convert
from scrimp.web.pages import answer
from scrimp.world import World

LOCAL = (b"host", b"127.0.0.1:4100")


def page(path, method="GET", *headers, opened=True, trouble="", **tree):
    """Status, headers and body of a page."""

    async def run():
        world = World(convert({"store": ":memory:", **tree}), {})
        if trouble:
            world.warn(trouble)
        if opened:
            await world.open()
        sent = []

        async def send(message):
            sent.append(message)

        scope = {"path": path, "method": method, "headers": list(headers) or [LOCAL]}
        await answer(world, scope, send)
        if opened:
            await world.close()
        return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"]

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", b"text/html; charset=utf-8"),
        ("/healthz", b"application/json"),
        ("/readyz", b"application/json"),
        ("/metrics", b"text/plain"),
    ],
)
def test_a_page_has_its_type_its_length_and_the_headers_that_keep_it_safe(path, kind):
    status, headers, body = page(path)
    assert status == 200
    assert headers[b"content-type"].startswith(kind)
    assert headers[b"content-length"] == str(len(body)).encode()
    assert headers[b"x-content-type-options"] == b"nosniff"
    assert headers[b"x-frame-options"] == b"DENY"
    assert headers[b"cache-control"] == b"no-store"
    status, head, nothing = page(path, "HEAD")
    assert (status, nothing, head[b"content-type"]) == (200, b"", headers[b"content-type"])


def test_a_head_request_tells_the_length_and_sends_no_body():
    _, headers, body = page("/healthz", "HEAD")
    assert (headers[b"content-length"], body) == (b"15", b"")


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/chat/completions"), ("POST", "/"), ("DELETE", "/metrics"), ("GET", "/v2/x")]
)
def test_what_is_not_there_is_404_with_the_base_urls(method, path):
    status, _, body = page(path, method)
    assert status == 404
    message = json.loads(body)["error"]["message"]
    assert path in message
    assert "base_url http://HOST:PORT/v1" in message


def test_an_overlong_path_is_not_told_back_whole():
    assert len(page("/" + "x" * 10_000)[2]) < 1000


@pytest.mark.parametrize(
    ("host", "status"),
    [
        (b"127.0.0.1:4100", 200),
        (b"localhost", 200),
        (b"LOCALHOST:4100", 200),
        (b"[::1]:4100", 200),
        (b"[::1]", 200),
        (b"10.0.0.5:4100", 200),
        (b"scrimp.example:443", 200),
        (b"Scrimp.Example", 200),
        (b"evil.example", 403),
        (b"evil.example:4100", 403),
        (b"127.0.0.1.evil.example", 403),
        (b"localhost@evil.example", 403),
        (b"", 403),
        (b"\xff\xfe", 403),
    ],
)
def test_a_page_answers_to_loopback_its_own_address_and_listed_names(host, status):
    serve = {"host": "10.0.0.5", "hosts": ["scrimp.example"]}
    assert page("/metrics", "GET", (b"host", host), serve=serve)[0] == status


def test_probes_answer_to_any_name():
    for path in ("/healthz", "/readyz"):
        assert page(path, "GET", (b"host", b"10.1.2.3"))[0] == 200


def test_a_strangers_page_reads_nothing_and_a_listed_one_does():
    origin = (b"origin", b"https://app.example")
    assert page("/metrics", "GET", LOCAL, origin)[0] == 403
    assert page("/metrics", "GET", LOCAL, origin, serve={"origins": ["https://app.example"]})[0] == 200


def test_ready_says_what_is_wrong_and_503_until_the_world_is_open():
    status, _, body = page("/readyz", trouble="the disk is full")
    state = json.loads(body)
    assert (status, state["ready"], state["trouble"], state["prices"]) == (200, True, ["the disk is full"], True)
    assert state["store"]["queued"] == 0
    status, _, body = page("/readyz", opened=False)
    assert (status, json.loads(body)["ready"]) == (503, False)


def test_the_report_page_names_the_address_it_was_asked_at():
    _, headers, body = page("/", "GET", (b"host", b"localhost:4199"))
    assert b"http://localhost:4199" in body
    assert b"default-src 'self'" in headers[b"content-security-policy"]
