"""Where the gateway listens, and what it refuses before it does."""

import socket

import pytest

from scrimp.config import Config, convert
from scrimp.errors import ConfigError
from scrimp.web.app import drop_cut
from scrimp.web.server import bind, check_exposure, make_server, open_world
from scrimp.world import World

LENT = {"providers": {"p": {"base_url": "http://h/v1", "api_key": "${P_KEY}"}}}


def test_a_port_in_use_is_named_with_the_next_step():
    with bind("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(
            ConfigError, match=rf"cannot listen on 127.0.0.1:{port}: .*in use. Name another with --port"
        ):
            bind("127.0.0.1", port)
    bind("127.0.0.1", port).close()


@pytest.mark.parametrize("host", ["203.0.113.7", "no-such-host.invalid"])
def test_an_address_that_is_not_ours_is_named(host):
    with pytest.raises(ConfigError, match=f"cannot listen on {host}:0: "):
        bind(host, 0)


def test_an_address_of_ipv6_is_listened_on():
    try:
        with bind("::1", 0) as listener:
            assert listener.family == socket.AF_INET6
    except ConfigError as error:
        pytest.skip(f"no IPv6 here: {error}")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.0.0.2"])
def test_a_key_may_be_lent_on_loopback(host):
    check_exposure(convert({**LENT, "serve": {"host": host}}), {"P_KEY": "k"})


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.5", "scrimp.example", ""])
def test_a_key_is_not_lent_to_a_network(host):
    with pytest.raises(ConfigError, match=r"would lend the key of providers\.p .* Listen on 127\.0\.0\.1"):
        check_exposure(convert({**LENT, "serve": {"host": host}}), {"P_KEY": "k"})


def test_what_fails_after_the_port_was_taken_gives_it_back(tmp_path):
    with bind("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
    config = convert({"store": ":memory:", "serve": {"port": port}, "step": [{"name": "x", "run": "no.such:step"}]})
    with pytest.raises(ConfigError, match="cannot be imported"):
        open_world(config, {}, "")
    bind("127.0.0.1", port).close()


def test_the_server_drains_as_long_as_it_is_told_and_says_nothing_of_itself():
    world = World(convert({"store": ":memory:", "serve": {"drain": 7.0}}), {})
    settings = make_server(world).config
    assert settings.timeout_graceful_shutdown == 7
    assert (settings.server_header, settings.date_header, settings.proxy_headers) == (False, False, False)
    assert (settings.access_log, settings.lifespan) == (False, "on")


def test_a_second_server_in_a_process_does_not_filter_the_log_twice():
    import logging

    world = World(Config(store=":memory:"), {})
    make_server(world)
    make_server(world)
    assert logging.getLogger("uvicorn.error").filters.count(drop_cut) == 1
