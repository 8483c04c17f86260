"""A provider: where its paths are, how it wants its key, what a cut answer costs there, and how its failures differ."""

import asyncio
import socket
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrimp.config import Config, ProviderConfig
from scrimp.errors import Broken, Down, ProviderError, Slow
from scrimp.providers.base import Provider
from scrimp.providers.fake import Fake, Turn
from scrimp.providers.flight import Flight
from scrimp.world import World


def provider(base_url, api="openai", key="", **more):
    return Provider("p", ProviderConfig(base_url, api, **more), key)


@pytest.mark.parametrize(
    ("base_url", "api", "url"),
    [
        ("https://api.openai.com/v1", "openai", "https://api.openai.com/v1/chat/completions"),
        ("https://api.openai.com/v1/", "openai", "https://api.openai.com/v1/chat/completions"),
        ("http://h:8000", "openai", "http://h:8000/chat/completions"),
        ("https://api.groq.com/openai/v1", "openai", "https://api.groq.com/openai/v1/chat/completions"),
        ("https://g.example/v1beta/openai", "openai", "https://g.example/v1beta/openai/chat/completions"),
        ("https://api.anthropic.com", "anthropic", "https://api.anthropic.com/v1/chat/completions"),
        ("https://api.anthropic.com/v1", "anthropic", "https://api.anthropic.com/v1/chat/completions"),
        ("https://h/anthropic/", "anthropic", "https://h/anthropic/v1/chat/completions"),
    ],
)
def test_a_base_url_is_written_as_the_providers_own_clients_write_it(base_url, api, url):
    assert str(provider(base_url, api).url("/v1/chat/completions", b"")) == url


@given(st.binary(max_size=30).map(lambda raw: bytes(c for c in raw if 0x21 <= c < 0x7F and c != ord("#"))))
def test_the_bytes_of_a_query_stay_as_they_are(query):
    url = provider("http://h/v1").url("/v1/models", query)
    assert url.raw_query_string.encode() == query


def test_an_encoded_path_stays_encoded_and_addresses_are_remembered_up_to_a_bound():
    one = provider("http://h/v1")
    assert one.url("/v1/files/a%2Fb%20c", b"").raw_path == "/v1/files/a%2Fb%20c"
    assert one.url("/v1/models", b"") is one.url("/v1/models", b"")
    for number in range(1000):
        one.url(f"/v1/files/{number}", b"")
        one.url("/v1/models", b"page=%d" % number)
    assert len(one._urls) <= 256


def test_a_key_travels_in_the_header_of_the_dialect():
    assert provider("http://h/v1", key="k").key_header() == ("authorization", "Bearer k")
    assert provider("http://h", "anthropic", key="k").key_header() == ("x-api-key", "k")
    assert provider("http://h/v1").key_header() is None
    assert not provider("http://h/v1").supplies_key


@pytest.mark.parametrize(
    ("base_url", "bills"),
    [
        ("https://api.openai.com/v1", "stops"),
        ("https://openrouter.ai/api/v1", "stops"),
        ("http://127.0.0.1:8000/v1", "stops"),
        ("https://api.groq.com/openai/v1", "full"),
        ("https://bedrock-runtime.us-east-1.amazonaws.com/openai/v1", "full"),
        ("https://generativelanguage.googleapis.com/v1beta/openai", "full"),
        ("https://api.mistral.ai/v1", "full"),
    ],
)
def test_what_a_cut_answer_costs_is_known_by_the_host(base_url, bills):
    assert provider(base_url).cut_bills == bills
    assert provider(base_url, cut_bills="full").cut_bills == "full"
    assert provider(base_url, cut_bills="stops").cut_bills == "stops"


# opening an answer


def opened(base_url, body=b"{}", **more):
    """Status and body of a POST, or the ProviderError it ended in."""

    async def run():
        world = World(Config(store=":memory:"), {})
        await world.open()
        try:
            one = provider(base_url, **more)
            flight = Flight(asyncio.current_task())
            url = one.url("/v1/chat/completions", b"")
            reply = await one.open(world.session, flight, "POST", url, [("content-type", "application/json")], body)
            assert not flight.upstream
            parts = []
            try:
                while part := await reply.read():
                    parts.append(part)
                assert reply.at_end()
            finally:
                reply.close()
            return reply.status, b"".join(parts)
        finally:
            await world.close()

    try:
        return asyncio.run(run())
    except ProviderError as error:
        return error


def test_a_large_body_arrives_whole_with_its_length():
    body = bytes(range(256)) * 8000
    with Fake() as fake:
        status, _ = opened(fake.base_url, body)
        assert status == 200
        assert fake.requests[0].body == body
        assert fake.requests[0].header("content-length") == str(len(body))
        assert not fake.requests[0].header("transfer-encoding")


def test_nobody_there_is_down_at_once():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    failure = opened(f"http://127.0.0.1:{port}/v1")
    assert isinstance(failure, Down)
    assert str(failure) == "p gave no answer: the connection was refused or is unreachable"


def test_a_name_that_nobody_knows_is_down():
    failure = opened("http://no-such-host.invalid/v1")
    assert isinstance(failure, Down)
    assert "name could not be resolved" in str(failure)


def test_a_connection_that_is_not_accepted_in_time_is_slow():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        address = server.getsockname()
        waiting = []
        for _ in range(4):  # fill the queue of connections that nobody accepts
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(address)
            waiting.append(one)
        failure = opened(f"http://127.0.0.1:{address[1]}/v1", connect=0.2)
        for one in waiting:
            one.close()
    assert isinstance(failure, Slow)
    assert str(failure) == "no connection to p within 0.2 s"


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\nContent-Len", b"SSH-2.0-OpenSSH\r\n"])
def test_what_is_no_answer_is_down_and_the_words_hold_nothing_of_the_request(said):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up():
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(said)

        threading.Thread(target=hang_up, daemon=True).start()
        failure = opened(f"http://127.0.0.1:{server.getsockname()[1]}/v1", b'{"key":"sk-canary"}')
    assert isinstance(failure, Down)
    assert "127.0.0.1" not in str(failure)
    assert "sk-canary" not in str(failure)


def test_an_answer_that_breaks_off_is_broken():
    with Fake(Turn(break_after=2)) as fake:
        failure = opened(fake.base_url, b'{"stream":true,"model":"m"}')
    assert isinstance(failure, Broken)
    assert str(failure).startswith("the provider's answer broke off: ")
    assert str(fake.port) not in str(failure)
