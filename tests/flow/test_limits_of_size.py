"""What is very large passes whole and is still read: bodies up to the limit, many choices, one enormous event."""

import hashlib
import http.client
import json

from loopback import exchange, post, wait_for_records
from test_bytes import chunked, dechunk

import scrimp
from scrimp.providers.fake import Fake, Turn

MEGABYTE = 1024 * 1024
STREAM = b'{"model":"gpt-4o-mini","stream":true,"stream_options":{"include_usage":true},"messages":[]}'
USAGE = b'data: {"id":"c","choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}}\n\n'


def test_a_body_of_sixty_megabytes_passes_unchanged(gateway, fake, records):
    words = b"All work and no play makes a dull gateway. " * (60 * MEGABYTE // 43)
    body = b'{"model":"gpt-4o-mini","messages":[{"role":"user","content":"%s"}]}' % words
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=60)
    connection.request("POST", "/v1/chat/completions", body, {"content-type": "application/json"})
    assert connection.getresponse().status == 200
    connection.close()
    (arrived,) = fake.requests
    assert len(arrived.body) == len(body) > 59 * MEGABYTE
    assert hashlib.sha256(arrived.body).digest() == hashlib.sha256(body).digest()
    assert arrived.header("content-length") == str(len(body))
    (row,) = records()
    assert (row.ending, row.basis) == ("ok", "exact")


def test_a_stream_of_sixty_four_choices_passes_as_it_is_and_is_billed_as_reported(tmp_path):
    body = STREAM.replace(b'"messages"', b'"n":64,"messages"')
    with Fake(otherwise=Turn(output=640)) as fake:
        direct = dechunk(exchange(fake, post("/v1/chat/completions", body), seconds=20))
        with scrimp.gateway({}, str(tmp_path / "scrimp.db"), upstream=fake.origin) as gateway:
            through = dechunk(exchange(gateway, post("/v1/chat/completions", body), seconds=20))
            (row,) = wait_for_records(tmp_path / "scrimp.db")
    assert through == direct
    events = [json.loads(line[6:]) for line in through.splitlines() if line.startswith(b"data: {")]
    assert {choice["index"] for event in events for choice in event["choices"]} == set(range(64))
    assert (row.usage.output, row.basis, row.ending) == (640, "exact", "ok")


def test_an_event_of_five_megabytes_passes_whole_and_the_usage_behind_it_is_read(raw, tmp_path):
    words = b"word " * MEGABYTE
    event = b'data: {"id":"c","model":"gpt-4o-mini","choices":[{"index":0,"delta":{"content":"%s"}}]}\n\n' % words
    whole = event + USAGE + b"data: [DONE]\n\n"
    _, gateway = raw(lambda connection: chunked(connection, [whole]))
    assert dechunk(exchange(gateway, post("/v1/chat/completions", STREAM), seconds=20)) == whole
    (row,) = wait_for_records(tmp_path / "scrimp.db")
    assert (row.usage.input, row.usage.output, row.basis, row.ending) == (5, 2, "exact", "ok")


def test_an_event_of_five_megabytes_passes_whole_where_the_usage_has_to_be_hidden(raw, tmp_path):
    words = b"word " * MEGABYTE
    event = b'data: {"id":"c","model":"gpt-4o-mini","choices":[{"index":0,"delta":{"content":"%s"}}]}\n\n' % words
    _, gateway = raw(lambda connection: chunked(connection, [event, USAGE, b"data: [DONE]\n\n"]))
    body = b'{"model":"gpt-4o-mini","stream":true,"messages":[]}'
    through = dechunk(exchange(gateway, post("/v1/chat/completions", body), seconds=20))
    assert through == event + b"data: [DONE]\n\n"
    (row,) = wait_for_records(tmp_path / "scrimp.db")
    assert (row.usage.input, row.usage.output, row.basis) == (5, 2, "exact")
