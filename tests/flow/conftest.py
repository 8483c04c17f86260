"""The real gateway on loopback before a scripted or a raw upstream; every test has its own store."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator

import pytest
from loopback import RawUpstream, wait_for_records

import scrimp
from scrimp.providers.fake import Fake


@pytest.fixture
def fake() -> Iterator[Fake]:
    with Fake() as running:
        yield running


@pytest.fixture
def gateway(fake: Fake, tmp_path) -> Iterator[scrimp.Gateway]:
    with scrimp.gateway({}, str(tmp_path / "scrimp.db"), upstream=fake.origin) as running:
        yield running


@pytest.fixture
def records(gateway: scrimp.Gateway, tmp_path) -> Callable[..., list]:
    """The rows written so far, waiting until there are `count` of them."""
    return lambda count=1: wait_for_records(tmp_path / "scrimp.db", count)


@pytest.fixture
def raw(tmp_path) -> Iterator[Callable[..., tuple[RawUpstream, scrimp.Gateway]]]:
    """Start a raw upstream with a script, and a gateway before it."""
    with contextlib.ExitStack() as stack:

        def start(script: Callable[[socket.socket], None], config=None) -> tuple[RawUpstream, scrimp.Gateway]:
            upstream = RawUpstream(script)
            stack.callback(upstream.close)
            store = str(tmp_path / "scrimp.db")
            return upstream, stack.enter_context(scrimp.gateway(config or {}, store, upstream=upstream.origin))

        yield start
