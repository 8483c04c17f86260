"""What leaves the client arrives at the provider byte for byte, and the other way round."""

import gzip
import itertools
import json
import random
import socket
import time

import pytest
from loopback import exchange, post

OK = b'{"id":"c","object":"chat.completion","model":"gpt-4o-mini","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12}}'


def answer(body: bytes, *headers: str):
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *(headers or ["Content-Type: application/json"])]
    whole = "\r\n".join(lines).encode() + b"\r\n\r\n" + body
    return lambda connection: connection.sendall(whole)


def body_of(response: bytes) -> bytes:
    return response.partition(b"\r\n\r\n")[2]


@pytest.mark.parametrize(
    "body",
    [
        b'{ "model" : "gpt-4o-mini" ,\n\t"messages":[ {"role":"user","content":"h\\u00e9\xc3\xa9"} ], "x":1.0e+02 , "new": {"a":[]} }',
        b'{"model":"gpt-4o-mini","model":"gpt-4o","a":123456789012345678901234567890,"messages":[]}',
        b'{"model":"gpt-4o-mini","messages":[{"role":"user","content":"\\ud83d"}]}',
        b'{"model":"gpt-4o-mini","x":' + b"[" * 3000 + b"]" * 3000 + b',"messages":[]}',
        b'{"model":"gpt-4o-mini","stream":false,"messages":[],"pad":"' + b"x" * 3_000_000 + b'"}',
    ],
    ids=["odd spacing", "duplicate keys and big integers", "lone surrogate", "deep nesting", "three megabytes"],
)
def test_any_legal_json_reaches_the_provider_as_it_was(raw, body):
    upstream, gateway = raw(answer(OK))
    response = exchange(gateway, post("/v1/chat/completions?b=%2F&a=1", body))
    assert response.startswith(b"HTTP/1.1 200")
    assert upstream.body() == body
    assert upstream.requests[0].startswith(b"POST /v1/chat/completions?b=%2F&a=1 HTTP/1.1\r\n")
    assert body_of(response) == OK


def test_headers_follow_the_rules_both_ways(raw):
    upstream, gateway = raw(
        answer(OK, "Content-Type: application/json", "X-Request-Id: r1", "X-RateLimit-Remaining: 5")
    )
    sent = post(
        "/v1/chat/completions",
        b'{"model":"m"}',
        "content-type: application/json",
        "authorization: Bearer sk-1",
        "x-scrimp-feature: f",
        "helicone-user-id: u",
        "openai-beta: x",
        "accept-encoding: br, gzip",
    )
    response = exchange(gateway, sent)
    head = upstream.requests[0].partition(b"\r\n\r\n")[0].lower()
    assert b"authorization: bearer sk-1" in head
    assert b"openai-beta: x" in head
    assert b"accept-encoding: gzip\r\n" in head + b"\r\n"
    for gone in (b"x-scrimp", b"helicone", b"connection: close", b"host: scrimp", b"user-agent"):
        assert gone not in head
    got = response.partition(b"\r\n\r\n")[0].lower()
    assert b"x-request-id: r1" in got
    assert b"x-ratelimit-remaining: 5" in got
    assert b"x-scrimp-id: " in got
    assert b"server:" not in got


@pytest.mark.parametrize("status", [400, 404, 422, 429, 500, 529])
def test_errors_pass_as_they_are(raw, status):
    error = b'{ "error" : {"message": "no", "odd": [1, 2]} }'
    upstream, gateway = raw(
        lambda c: c.sendall(
            b"HTTP/1.1 %d X\r\nRetry-After: 3\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
            % (status, len(error), error)
        )
    )
    response = exchange(gateway, post("/v1/messages", b'{"model":"m","max_tokens":1,"messages":[]}'))
    assert response.startswith(b"HTTP/1.1 %d" % status)
    assert b"\r\nretry-after: 3\r\n" in response.lower()
    assert b"x-should-retry" not in response.lower()
    assert body_of(response) == error


def test_a_compressed_answer_passes_compressed_and_is_still_read(raw, tmp_path):
    from loopback import wait_for_records

    packed = gzip.compress(OK)
    upstream, gateway = raw(answer(packed, "Content-Type: application/json", "Content-Encoding: gzip"))
    response = exchange(gateway, post("/v1/chat/completions", b'{"model":"gpt-4o-mini"}'))
    assert body_of(response) == packed
    (row,) = wait_for_records(tmp_path / "scrimp.db")
    assert (row.usage.input, row.usage.output) == (9, 3)


def test_redirects_are_passed_on_and_never_followed(raw):
    upstream, gateway = raw(
        lambda c: c.sendall(b"HTTP/1.1 307 X\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")
    )
    response = exchange(gateway, post("/v1/chat/completions", b'{"model":"m"}'))
    assert response.startswith(b"HTTP/1.1 307")
    assert len(upstream.requests) == 1


def events(count: int) -> list[bytes]:
    return [
        b'data: {"id":"c","object":"chat.completion.chunk","model":"gpt-4o-mini","choices":[{"index":0,"delta":{"content":"w%d"}}]}\n\n'
        % i
        for i in range(count)
    ]


def chunked(connection: socket.socket, parts: list[bytes], gap: float = 0.0) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
    for part in parts:
        connection.sendall(b"%x\r\n%s\r\n" % (len(part), part))
        time.sleep(gap)
    connection.sendall(b"0\r\n\r\n")


def dechunk(response: bytes) -> bytes:
    data, out = body_of(response), b""
    while data:
        size, _, data = data.partition(b"\r\n")
        out += data[: int(size, 16)]
        data = data[int(size, 16) + 2 :]
    return out


def test_a_stream_that_asked_for_its_usage_passes_byte_for_byte_however_it_is_cut(raw):
    usage = b'data: {"id":"c","choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}}\n\n'
    whole = b": hello\r\n\r\n" + b"".join(events(20)) + usage + b"data: [DONE]\n\n"
    cuts = sorted(random.Random(1).sample(range(len(whole)), 30))
    parts = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    body = b'{"model":"gpt-4o-mini","stream":true,"stream_options":{"include_usage":true}}'
    upstream, gateway = raw(lambda c: chunked(c, parts))
    response = exchange(gateway, post("/v1/chat/completions", body))
    assert upstream.body() == body
    assert dechunk(response) == whole


def test_a_stream_that_said_nothing_is_asked_and_the_asking_hidden(raw, tmp_path):
    from loopback import wait_for_records

    plain = events(3)
    usage = b'data: {"id":"c","choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}}\n\n'
    marked = [event.replace(b"]}\n", b'],"usage":null}\n') for event in plain]
    upstream, gateway = raw(lambda c: chunked(c, [*marked, usage, b"data: [DONE]\n\n"]))
    body = b' {"model":"gpt-4o-mini", "stream":true}'
    response = exchange(gateway, post("/v1/chat/completions", body))
    assert upstream.body() == b' {"stream_options":{"include_usage":true},"model":"gpt-4o-mini", "stream":true}'
    assert dechunk(response) == b"".join(plain) + b"data: [DONE]\n\n"
    (row,) = wait_for_records(tmp_path / "scrimp.db")
    assert (row.usage.input, row.usage.output, row.basis) == (5, 2, "exact")


def test_an_explicit_no_to_usage_is_left_alone_and_the_call_estimated(raw, tmp_path):
    from loopback import wait_for_records

    body = b'{"model":"gpt-4o-mini","stream":true,"stream_options":{"include_usage":false},"messages":[{"role":"user","content":"Say w"}]}'
    upstream, gateway = raw(lambda c: chunked(c, [*events(3), b"data: [DONE]\n\n"]))
    exchange(gateway, post("/v1/chat/completions", body))
    assert upstream.body() == body
    (row,) = wait_for_records(tmp_path / "scrimp.db")
    assert row.basis == "estimated"
    assert row.usage.input > 0
    assert row.usage.output > 0


def test_a_provider_prefix_is_taken_off_and_nothing_else(raw):
    upstream, gateway = raw(answer(OK))
    exchange(gateway, post("/v1/chat/completions", b'{"messages":[], "model" : "openai/gpt-4o-mini","x":1 }'))
    assert upstream.body() == b'{"messages":[], "model" : "gpt-4o-mini","x":1 }'


def test_events_are_passed_on_as_they_come(raw):
    upstream, gateway = raw(lambda c: chunked(c, [*events(5), b"data: [DONE]\n\n"], gap=0.1))
    body = b'{"model":"m","stream":true,"stream_options":{"include_usage":true}}'
    arrivals = []
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=5) as connection:
        connection.sendall(post("/v1/chat/completions", body))
        while part := connection.recv(65536):
            arrivals += [time.monotonic()] * part.count(b"data: {")
    gaps = [b - a for a, b in itertools.pairwise(arrivals)]
    assert len(arrivals) == 5
    assert min(gaps) > 0.05


def test_an_upload_streams_through_with_its_length(raw):
    upstream, gateway = raw(answer(b'{"id":"file-1"}'))
    payload = random.Random(2).randbytes(5_000_000)
    response = exchange(gateway, post("/v1/files", payload, "content-type: multipart/form-data; boundary=x"))
    assert response.startswith(b"HTTP/1.1 200")
    assert upstream.body() == payload


def test_a_body_at_the_limit_passes_and_one_over_it_gets_413(raw):
    upstream, gateway = raw(answer(OK), {"serve": {"max_body_mb": 1}})
    body = json.dumps({"model": "m", "pad": ""}).encode()
    fits = body.replace(b'""', b'"' + b"x" * (1024 * 1024 - len(body)) + b'"')
    assert exchange(gateway, post("/v1/chat/completions", fits)).startswith(b"HTTP/1.1 200")
    over = exchange(gateway, post("/v1/chat/completions", fits + b" "))
    assert over.startswith(b"HTTP/1.1 413")
    assert b"max_body_mb" in over
