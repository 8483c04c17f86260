"""Everything that goes wrong on the way is told as it is, cancelled upstream at once, and settled."""

import http.client
import socket
import time

import pytest
from loopback import RawUpstream, exchange, post, wait_for_records
from test_bytes import events

import scrimp
from scrimp.providers.fake import Fake, Turn

STREAM = b'{"model":"gpt-4o-mini","stream":true,"messages":[{"role":"user","content":"Tell me a story"}]}'
PLAIN = b'{"model":"gpt-4o-mini","max_tokens":50,"messages":[{"role":"user","content":"Tell me a story"}]}'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"


def test_a_stream_that_breaks_off_upstream_breaks_off_for_the_client(raw, tmp_path):
    def cut(connection):
        connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        for event in events(3):
            connection.sendall(b"%x\r\n%s\r\n" % (len(event), event))
        connection.shutdown(socket.SHUT_WR)

    upstream, gateway = raw(cut)
    response = exchange(gateway, post("/v1/chat/completions", STREAM))
    assert b"w2" in response
    assert not response.endswith(b"0\r\n\r\n")
    (row,) = wait_for_records(tmp_path / "scrimp.db")
    assert (row.ending, row.basis) == ("broken", "estimated")
    assert row.usage.output > 0
    assert row.paid_nano > 0


def test_a_stream_without_length_that_ends_early_is_no_clean_end_either(raw, tmp_path):
    def cut(connection):
        connection.sendall(HEAD + b"\r\n" + b"".join(events(2)))
        connection.shutdown(socket.SHUT_WR)

    upstream, gateway = raw(cut)
    response = exchange(gateway, post("/v1/chat/completions", STREAM))
    assert b"w1" in response
    assert not response.endswith(b"0\r\n\r\n")
    (row,) = wait_for_records(tmp_path / "scrimp.db")
    assert row.ending == "broken"


@pytest.mark.parametrize(("path", "shape"), [("/v1/chat/completions", b'"code"'), ("/v1/messages", b'"request_id"')])
def test_no_answer_is_told_in_the_callers_dialect(tmp_path, path, shape):
    closed = socket.create_server(("127.0.0.1", 0))
    origin = f"http://127.0.0.1:{closed.getsockname()[1]}"
    closed.close()
    with scrimp.gateway({}, str(tmp_path / "scrimp.db"), upstream=origin) as gateway:
        response = exchange(gateway, post(path, b'{"model":"gpt-4o-mini","max_tokens":1,"messages":[]}'))
        assert response.startswith(b"HTTP/1.1 502")
        assert shape in response
        (row,) = wait_for_records(tmp_path / "scrimp.db")
        assert (row.ending, row.basis, row.paid_nano) == ("no-answer", "none", 0)


@pytest.mark.parametrize("body", [STREAM, PLAIN], ids=["stream", "plain"])
def test_a_client_that_leaves_before_the_answer_is_passed_on_at_once(raw, tmp_path, body):
    upstream, gateway = raw(lambda connection: None)
    with socket.create_connection(("127.0.0.1", gateway.port)) as connection:
        connection.sendall(post("/v1/chat/completions", body))
        while not upstream.requests:
            time.sleep(0.01)
    assert upstream.left.wait(1.0)
    (row,) = wait_for_records(tmp_path / "scrimp.db")
    assert row.ending == "client-left"
    assert row.basis == ("estimated" if body is STREAM else "assumed-full")
    assert row.usage.input > 0
    assert row.usage.output == (0 if body is STREAM else 50)


def test_a_client_that_leaves_in_mid_stream_is_passed_on_and_what_passed_is_counted(raw, tmp_path):
    def drip(connection):
        connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        for event in events(200):
            connection.sendall(b"%x\r\n%s\r\n" % (len(event), event))
            time.sleep(0.01)

    upstream, gateway = raw(drip)
    with socket.create_connection(("127.0.0.1", gateway.port)) as connection:
        connection.sendall(post("/v1/chat/completions", STREAM))
        got = b""
        while b"w9" not in got:
            got += connection.recv(4096)
    (row,) = wait_for_records(tmp_path / "scrimp.db")
    assert (row.ending, row.basis) == ("client-left", "estimated")
    assert 5 <= row.usage.output <= 60


@pytest.mark.parametrize(
    ("setting", "config"),
    [("first-token", {"first_token": 0.3}), ("total", {"total": 0.4})],
)
def test_time_limits_answer_504_and_name_themselves(tmp_path, setting, config):
    upstream = RawUpstream(lambda connection: time.sleep(3))
    providers = {"openai": {"base_url": f"{upstream.origin}/v1", **config}}
    with scrimp.gateway({"providers": providers}, str(tmp_path / "scrimp.db")) as gateway:
        started = time.monotonic()
        response = exchange(gateway, post("/v1/chat/completions", PLAIN))
        assert time.monotonic() - started < 2
    assert response.startswith(b"HTTP/1.1 504")
    assert setting.encode() in response
    (row,) = wait_for_records(tmp_path / "scrimp.db")
    assert row.ending == "no-answer"
    upstream.close()


def test_a_stream_that_stalls_past_the_idle_limit_is_broken_off(tmp_path):
    with Fake(otherwise=Turn(stall_after=2)) as fake:
        providers = {"openai": {"base_url": fake.base_url, "idle": 0.3}}
        with scrimp.gateway({"providers": providers}, str(tmp_path / "scrimp.db")) as gateway:
            response = exchange(gateway, post("/v1/chat/completions", STREAM))
            assert not response.endswith(b"0\r\n\r\n")
            (row,) = wait_for_records(tmp_path / "scrimp.db")
    assert row.ending == "broken"
    assert "idle" in row.error


def test_retries_are_scrimps_own_only_when_configured_and_then_it_says_when_it_gave_up(tmp_path):
    with Fake(Turn(status=503), Turn(status=429, retry_after="0"), otherwise=Turn()) as fake:
        providers = {"openai": {"base_url": fake.base_url, "retries": 2}}
        with scrimp.gateway({"providers": providers}, str(tmp_path / "scrimp.db")) as gateway:
            assert exchange(gateway, post("/v1/chat/completions", PLAIN)).startswith(b"HTTP/1.1 200")
            (row,) = wait_for_records(tmp_path / "scrimp.db")
            assert row.tries == 3
            fake.otherwise = Turn(status=500)
            gave_up = exchange(gateway, post("/v1/chat/completions", PLAIN))
    assert b"x-should-retry: false" in gave_up


def test_without_retries_one_call_is_one_call(gateway, fake):
    fake.otherwise = Turn(status=500)
    response = exchange(gateway, post("/v1/chat/completions", PLAIN))
    assert response.startswith(b"HTTP/1.1 500")
    assert b"x-should-retry" not in response
    assert len(fake.requests) == 1


def test_shutting_down_drains_the_streams_that_run(fake, tmp_path):
    fake.otherwise = Turn(gap=0.05)
    with scrimp.gateway({}, str(tmp_path / "scrimp.db"), upstream=fake.origin) as gateway:
        connection = http.client.HTTPConnection("127.0.0.1", gateway.port)
        connection.request("POST", "/v1/chat/completions", STREAM, {"content-type": "application/json"})
        response = connection.getresponse()
        first = response.read(10)
        gateway._server.should_exit = True
        rest = response.read()
        connection.close()
    assert (first + rest).endswith(b"data: [DONE]\n\n")
    (row,) = wait_for_records(tmp_path / "scrimp.db")
    assert (row.ending, row.basis) == ("ok", "exact")
