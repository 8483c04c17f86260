"""What a reader of the code found: each once lost bytes, money or a record, and must not again."""

import json
import socket
import time
import zlib

import openai
import pytest
from loopback import exchange, post, wait_for_records
from test_bytes import OK, answer, body_of

import scrimp
from scrimp.call import Usage
from scrimp.errors import ConfigError, ScrimpError
from scrimp.providers.fake import Fake, Turn
from scrimp.wire.tokens import count_request

STREAM = b'{"model":"gpt-4o-mini","stream":true,"messages":[]}'
PLAIN = b'{"model":"gpt-4o-mini","max_tokens":1000,"messages":[{"role":"user","content":"hi"}]}'


def test_a_json_answer_to_a_streaming_request_reaches_the_client_whole(raw, tmp_path):
    upstream, gateway = raw(answer(OK))
    response = exchange(gateway, post("/v1/chat/completions", STREAM))
    assert body_of(response) == OK
    (row,) = wait_for_records(tmp_path / "scrimp.db")
    assert (row.basis, row.usage) == ("exact", Usage(input=9, output=3))


def test_an_encoding_scrimp_cannot_read_passes_with_its_header(raw):
    odd = b"\x8b\x02\x80not really brotli"
    head = ("Content-Type: text/event-stream", "Content-Encoding: br")
    upstream, gateway = raw(answer(odd, *head))
    response = exchange(gateway, post("/v1/chat/completions", STREAM))
    assert b"content-encoding: br" in response.lower()
    assert body_of(response) == odd


def test_a_compressed_stream_that_was_to_be_plain_is_hidden_and_sent_plain(raw):
    events = b'data: {"id":"c","choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}}\n\n'
    packed = zlib.compressobj(wbits=31)
    data = packed.compress(events + b"data: [DONE]\n\n") + packed.flush()
    upstream, gateway = raw(answer(data, "Content-Type: text/event-stream", "Content-Encoding: gzip"))
    response = exchange(gateway, post("/v1/chat/completions", STREAM))
    assert b"accept-encoding: identity" in upstream.requests[0].lower()
    assert b"content-encoding" not in response.lower()
    assert b"data: [DONE]\n\n" in response
    assert b"usage" not in response


def test_reading_a_stored_answer_again_costs_nothing(raw, tmp_path):
    body = json.dumps({"object": "response", "model": "gpt-5-mini", "usage": {"input_tokens": 9, "output_tokens": 9}})
    upstream, gateway = raw(answer(body.encode()))
    exchange(gateway, b"GET /v1/responses/resp_1 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    exchange(gateway, b"GET /v1/batches/b_1 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    for row in wait_for_records(tmp_path / "scrimp.db", 2):
        assert (row.basis, row.paid_nano, row.unpriced) == ("none", 0, "")


def test_a_redirect_costs_nothing(raw, tmp_path):
    upstream, gateway = raw(lambda c: c.sendall(b"HTTP/1.1 307 X\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"))
    exchange(gateway, post("/v1/chat/completions", PLAIN))
    (row,) = wait_for_records(tmp_path / "scrimp.db")
    assert (row.ending, row.basis, row.paid_nano) == ("provider-error", "none", 0)


def test_a_large_answer_of_an_unknown_path_is_priced_when_it_is_over(raw, tmp_path):
    body = OK.replace(b'"choices":[]', b'"choices":[],"pad":"' + b"x" * 400_000 + b'"')

    def slowly(connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
        connection.sendall(b"Content-Length: %d\r\n\r\n" % len(body) + body[:9000])
        time.sleep(0.1)
        connection.sendall(body[9000:])

    upstream, gateway = raw(slowly)
    assert body_of(exchange(gateway, post("/v1/deployments/x/chat/completions", PLAIN))) == body
    (row,) = wait_for_records(tmp_path / "scrimp.db")
    assert (row.basis, row.ending, row.usage) == ("exact", "ok", Usage(input=9, output=3))


def test_a_download_that_breaks_off_is_no_success(raw, tmp_path):
    def cut(connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        connection.shutdown(socket.SHUT_WR)

    upstream, gateway = raw(cut)
    exchange(gateway, b"GET /v1/files/f/content HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    (row,) = wait_for_records(tmp_path / "scrimp.db")
    assert row.ending == "broken"


def test_an_upload_that_breaks_off_is_not_ended_in_order(raw):
    upstream, gateway = raw(lambda connection: None)
    with socket.create_connection(("127.0.0.1", gateway.port)) as connection:
        connection.sendall(b"POST /v1/files HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n")
        time.sleep(0.3)
    time.sleep(0.3)
    assert not any(request.endswith(b"0\r\n\r\n") for request in upstream.requests)


def test_a_key_that_the_provider_quotes_back_is_not_kept(raw, tmp_path):
    error = b'{"error":{"message":"Incorrect API key provided: sk-canary-77aa88bb.","type":"x","code":"y"}}'
    upstream, gateway = raw(
        lambda c: c.sendall(
            b"HTTP/1.1 401 X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(error) + error
        )
    )
    own = ("authorization: Bearer sk-canary-77aa88bb", "content-type: application/json")
    assert body_of(exchange(gateway, post("/v1/chat/completions", PLAIN, *own))) == error
    (row,) = wait_for_records(tmp_path / "scrimp.db")
    assert row.error.startswith("x: Incorrect API key provided: [key]")
    assert not any(b"sk-canary-77aa88bb" in file.read_bytes() for file in tmp_path.iterdir())


def test_giving_up_without_any_answer_also_tells_the_client_not_to_try_again(tmp_path):
    closed = socket.create_server(("127.0.0.1", 0))
    base_url = f"http://127.0.0.1:{closed.getsockname()[1]}/v1"
    closed.close()
    for retries, told in ((1, True), (0, False)):
        config = {"providers": {"p": {"base_url": base_url, "retries": retries}}}
        with scrimp.gateway(config, ":memory:") as gateway:
            response = exchange(gateway, post("/v1/chat/completions", PLAIN))
        assert response.startswith(b"HTTP/1.1 502")
        assert (b"x-should-retry: false" in response) is told


def test_a_slow_first_event_is_no_idle_stream(tmp_path):
    with Fake(otherwise=Turn(gap=0.0, wait=0.0)) as fake:

        def late(connection):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
            time.sleep(1.2)
            connection.sendall(b"data: [DONE]\n\n")
            connection.shutdown(socket.SHUT_WR)

        from loopback import RawUpstream

        upstream = RawUpstream(late)
        config = {"providers": {"openai": {"base_url": f"{upstream.origin}/v1", "idle": 0.4, "first_token": 5.0}}}
        with scrimp.gateway(config, ":memory:") as gateway:
            assert b"[DONE]" in exchange(gateway, post("/v1/chat/completions", STREAM))
        upstream.close()
        assert not fake.requests


def refuse(call, world):
    """An extension that says no when it is too late."""
    raise ScrimpError("too late")


def tamper(call, world):
    """An extension that writes on what is not its own."""
    call.cost.paid = 0
    call.answer.status = 1


@pytest.mark.parametrize(("run", "mode"), [("refuse", "on"), ("tamper", "shadow")])
def test_no_extension_keeps_a_call_from_being_written_down_as_it_was(fake, tmp_path, run, mode):
    step = {"name": run, "run": f"{__name__}:{run}", "after": "price", "mode": mode}
    with scrimp.gateway({"step": [step]}, str(tmp_path / "scrimp.db"), upstream=fake.origin) as gateway:
        assert exchange(gateway, post("/v1/chat/completions", PLAIN)).startswith(b"HTTP/1.1 200")
    (row,) = wait_for_records(tmp_path / "scrimp.db")
    assert row.status == 200
    assert row.paid_nano > 0


def test_a_wrong_price_is_told_at_the_start():
    with pytest.raises(ConfigError, match=r'models."local/m".input'):
        scrimp.gateway({"models": {"local/m": {"input": -1.0, "output": 1.0}}}, ":memory:")


@pytest.mark.parametrize("address", ["http://[bad", "http://h:port/v1", "http://h:99999/v1", "http://u:p@h/v1"])
def test_an_address_that_is_none_is_a_clear_error(address):
    with pytest.raises(ConfigError, match=r"providers.p.base_url"):
        scrimp.gateway({"providers": {"p": {"base_url": address}}}, ":memory:")


def test_wrapping_twice_is_wrapping_once(gateway, fake, records):
    client = scrimp.wrap(scrimp.wrap(openai.OpenAI(api_key="k")))
    client.chat.completions.create(model="gpt-4o-mini", messages=[])
    client.close()
    assert len(records()) == 1


def test_a_library_gateway_opens_no_door_to_the_network(tmp_path):
    with scrimp.gateway({"serve": {"host": "0.0.0.0"}}, ":memory:") as gateway:
        assert gateway.address.startswith("http://127.0.0.1:")


def test_metadata_that_differs_in_every_call_makes_no_cells_of_its_own(gateway, fake, tmp_path):
    for number in range(5):
        body = json.loads(PLAIN) | {"metadata": {"request_id": f"r{number}", "feature": "chat"}}
        exchange(gateway, post("/v1/chat/completions", json.dumps(body).encode()))
    rows = wait_for_records(tmp_path / "scrimp.db", 5)
    assert {row.feature for row in rows} == {"chat"}
    assert {row.tags for row in rows} == {()}
    assert json.loads(rows[0].facts)["attribute"]["metadata"] == {"request_id": "r0"}


def test_reasoning_that_passed_by_is_counted_once_in_a_cut_stream(raw, tmp_path):
    start = {"type": "message_start", "message": {"model": "claude-sonnet-5", "usage": {"input_tokens": 9}}}
    thought = {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "hm " * 200}}
    usage = {
        "type": "message_delta",
        "delta": {},
        "usage": {"output_tokens": 210, "output_tokens_details": {"thinking_tokens": 200}},
    }

    def cut(connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        for event in (start, thought, usage):
            connection.sendall(b"event: x\ndata: " + json.dumps(event).encode() + b"\n\n")
        connection.shutdown(socket.SHUT_WR)

    upstream, gateway = raw(cut)
    exchange(gateway, post("/v1/messages", b'{"model":"claude-sonnet-5","stream":true,"max_tokens":999,"messages":[]}'))
    (row,) = wait_for_records(tmp_path / "scrimp.db")
    assert row.basis == "estimated"
    assert row.usage.output_total < 500


def test_a_background_response_is_priced_once_when_it_is_read_finished(raw, tmp_path):
    receipt = b'{"id":"resp_1","object":"response","model":"gpt-5-mini","status":"queued","usage":null}'
    done = (
        b'{"id":"resp_1","object":"response","model":"gpt-5-mini","status":"completed",'
        b'"usage":{"input_tokens":1000,"output_tokens":500,"total_tokens":1500}}'
    )
    bodies = [receipt, receipt, done, done]
    upstream, gateway = raw(lambda c: answer(bodies.pop(0))(c))
    look = b"GET /v1/responses/resp_1 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    first = exchange(gateway, post("/v1/responses", b'{"model":"gpt-5-mini","input":"hi","background":true}'))
    assert b"x-scrimp-cost" not in first
    for _ in range(3):
        exchange(gateway, look)
    rows = wait_for_records(tmp_path / "scrimp.db", 4)
    assert rows[0].unpriced == "its usage comes with the finished response"
    assert sum(row.paid_nano for row in rows) == rows[2].paid_nano > 0
    assert rows[2].basis == "exact"


def test_a_look_up_at_an_unknown_path_is_counted_as_unpriced(gateway, fake, records):
    exchange(gateway, b"GET /v1/foo/bar?a=1 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    exchange(gateway, b"GET /v1/models HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    unknown, known = records(2)
    assert "/v1/foo/bar reports no usage" in unknown.unpriced
    assert known.unpriced == ""


def test_what_is_refused_at_the_door_is_written_down_too(gateway, fake, records):
    exchange(gateway, post("/v1/chat/completions", b'{"model": '))
    (row,) = records()
    assert (row.ending, row.basis, row.status) == ("refused", "none", 0)
    assert "not valid JSON" in row.error


def test_counting_tokens_does_not_hold_up_other_calls(tmp_path):
    import threading
    import urllib.request

    prompt = json.dumps(
        {"model": "gpt-4o-mini", "stream": True, "messages": [{"role": "user", "content": "word " * 2_000_000}]}
    )
    body = prompt.encode()[:-1] + b',"stream_options":{"include_usage":false}}'
    worst = 0.0
    with Fake() as fake, scrimp.gateway({}, str(tmp_path / "scrimp.db"), upstream=fake.origin) as gateway:
        calling = threading.Thread(target=exchange, args=(gateway, post("/v1/chat/completions", body)))
        calling.start()
        while calling.is_alive():
            start = time.monotonic()
            urllib.request.urlopen(f"{gateway.address}/healthz").read()
            worst = max(worst, time.monotonic() - start)
        (row,) = wait_for_records(tmp_path / "scrimp.db")
    assert row.basis == "estimated"
    assert row.usage.input > 1_000_000
    start = time.monotonic()
    count_request("openai.chat", body, "gpt-4o-mini", rough=True)
    assert worst < max(0.5, (time.monotonic() - start) / 2)  # on a busy machine everything takes longer


def say_no(call, world):
    """An extension that would refuse every call."""
    raise ScrimpError("not today")


def test_a_shadow_step_that_would_refuse_says_so_in_the_records(fake, tmp_path):
    step = {"run": f"{__name__}:say_no", "after": "attribute", "mode": "shadow"}
    with scrimp.gateway({"step": [step]}, str(tmp_path / "scrimp.db"), upstream=fake.origin) as gateway:
        assert exchange(gateway, post("/v1/chat/completions", PLAIN)).startswith(b"HTTP/1.1 200")
    (row,) = wait_for_records(tmp_path / "scrimp.db")
    assert json.loads(row.facts) == {"shadow:say_no": {"would_refuse": "not today"}}


def test_a_wrapped_client_never_goes_where_it_did_not_go_before(tmp_path, monkeypatch):
    from scrimp.library import _Open

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(_Open, "by_hand", [])
    monkeypatch.setenv("THEIRS", "sk-configured")
    with Fake() as theirs, Fake() as own:
        (tmp_path / "scrimp.toml").write_text(
            f'[serve]\nhost = "0.0.0.0"\n[providers.openai]\nbase_url = "{theirs.base_url}"\napi_key = "${{THEIRS}}"\n'
        )
        client = scrimp.wrap(openai.OpenAI(api_key="client-key", base_url=own.base_url))
        assert str(client.base_url).startswith("http://127.0.0.1:")
        for model in ("gpt-4o", "openai/gpt-oss-20b", "mine"):
            client.chat.completions.create(model=model, messages=[])
        client.close()
        for gateway in _Open.by_address.values():
            gateway.close()
        _Open.by_address.clear()
        assert theirs.requests == []
        assert [json.loads(r.body)["model"] for r in own.requests] == ["gpt-4o", "openai/gpt-oss-20b", "mine"]
        assert {r.header("authorization") for r in own.requests} == {"Bearer client-key"}


def test_answers_of_the_official_clients_are_read_as_they_are(gateway, fake):
    fake.otherwise = Turn(input=50, output=7)
    with openai.OpenAI(base_url=gateway.openai_base_url, api_key="k") as client:
        whole = client.chat.completions.create(model="gpt-4o-mini", messages=[])
        chunks = list(
            client.chat.completions.create(
                model="gpt-4o-mini", messages=[], stream=True, stream_options={"include_usage": True}
            )
        )
    assert scrimp.usage(whole) == scrimp.usage(chunks) == Usage(input=50, output=7)
    assert scrimp.price("gpt-4o-mini", scrimp.usage(whole)).total == 50 * 150 + 7 * 600
    assert scrimp.usage(None) is None
    assert scrimp.price("gpt-4o-mini", None) is None
    assert scrimp.usage(bytearray(whole.model_dump_json().encode())) == Usage(input=50, output=7)
