"""The official Node clients against the real server: what left them arrives, and they get what they get without it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from loopback import wait_for_records

import scrimp
from scrimp.providers.fake import Fake, Received, Turn
from scrimp.wire.splice import ask_for_usage

PACKAGES = ("openai@6.49.0", "@anthropic-ai/sdk@1.13.0")
SCRIPT = Path(__file__).with_name("node_clients.mjs")
NAMES = (
    "chat", "chat_stream", "chat_stream_with_usage", "message", "message_stream", "embeddings", "response",
    "response_stream", "limited", "overloaded", "aborted",
)  # fmt: skip
ASKED_FOR_THEM = ("chat_stream", "aborted")
"""Streams whose client says nothing about usage: scrimp asks for it."""


def script() -> list[Turn]:
    """One turn a call, in the order of NAMES."""
    failing = {"limited": Turn(status=429, retry_after="7"), "overloaded": Turn(status=529)}
    failing["aborted"] = Turn(gap=0.02, repeat=50)
    return [failing.get(name, Turn(input=100, cached=40, output=9)) for name in NAMES]


class Told(NamedTuple):
    """What the script told of a run: what left the clients and what they got, and what the provider received."""

    sent: dict[str, dict[str, Any]]
    got: dict[str, Any]
    arrived: dict[str, Received]
    rows: dict[str, Any]
    left: int


@pytest.fixture(scope="module")
def sdks() -> Path:
    """The folder with the official packages: installed once a machine, in the user's cache."""
    for tool in ("node", "npm"):
        if not shutil.which(tool):
            pytest.skip(f"{tool} is not installed: the Node clients are not tested")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "scrimp"
    home = cache / "node-sdks" / "_".join(PACKAGES).replace("/", "-")
    if not home.is_dir():
        home.parent.mkdir(parents=True, exist_ok=True)
        install(home)
    return home


def install(home: Path) -> None:
    """Install beside the place and move there, so that a half-made folder is never taken for a whole one."""
    making = Path(tempfile.mkdtemp(dir=home.parent))
    command = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(making), *PACKAGES]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=90)
        if done.returncode:
            pytest.skip(f"npm could not install the Node clients: {' '.join(done.stderr.split())[:200]}")
        if not home.is_dir():
            making.rename(home)
    except subprocess.TimeoutExpired:
        pytest.skip("npm did not install the Node clients within 90 s")
    finally:
        shutil.rmtree(making, ignore_errors=True)


def run(sdks: Path, origin: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Every call once: what left the clients, and what they got."""
    done = subprocess.run(
        ["node", str(SCRIPT), str(sdks), origin], capture_output=True, text=True, encoding="utf-8", timeout=60
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    return dict(zip(NAMES, told["sent"], strict=True)), told["got"]


@pytest.fixture(scope="module")
def through(sdks: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """All calls through the gateway."""
    store = str(tmp_path_factory.mktemp("node") / "scrimp.db")
    with Fake(*script()) as fake, scrimp.gateway({}, store, upstream=fake.origin) as gateway:
        sent, got = run(sdks, gateway.address)
        rows = wait_for_records(store, len(NAMES))
        named = dict(zip(NAMES, rows, strict=True))
        yield Told(sent, got, dict(zip(NAMES, fake.requests, strict=True)), named, fake.left)


@pytest.fixture(scope="module")
def direct(sdks: Path) -> dict[str, Any]:
    """What the clients get from the same provider without a gateway."""
    with Fake(*script()) as fake:
        return run(sdks, fake.origin)[1]


@pytest.mark.parametrize("name", NAMES)
def test_what_left_the_client_arrives_byte_for_byte(through: Told, name: str) -> None:
    sent, arrived = through.sent[name], through.arrived[name]
    body = sent["body"].encode()
    if name in ASKED_FOR_THEM:
        body = ask_for_usage(body, False)
    assert (arrived.method, arrived.path, arrived.body) == (sent["method"].upper(), sent["path"], body)
    missing = {key: value for key, value in sent["headers"].items() if arrived.header(key) != value}
    assert missing == {}


@pytest.mark.parametrize("name", [name for name in NAMES if name != "aborted"])
def test_a_client_gets_what_it_gets_without_the_gateway(through: Told, direct: dict[str, Any], name: str) -> None:
    got, expected = through.got[name], direct[name]
    if name in ASKED_FOR_THEM:  # the scripted provider's ids are hashes of the request, and this one was asked more
        got, expected = ([{**chunk, "id": ""} for chunk in chunks] for chunks in (got, expected))
    assert got == expected


def test_what_the_clients_got_is_what_was_scripted(through: Told) -> None:
    got = through.got
    assert got["chat"]["usage"]["prompt_tokens"] == got["chat_stream_with_usage"][-1]["usage"]["prompt_tokens"] == 100
    assert all(chunk["choices"] and "usage" not in chunk for chunk in got["chat_stream"])
    assert got["message"]["content"] == got["message_stream"]["content"]
    assert got["embeddings"]["data"][0]["embedding"]
    assert got["response_stream"][-1]["type"] == "response.completed"
    assert got["limited"] == {"name": "RateLimitError", "status": 429, "after": "7"}
    assert got["overloaded"]["status"] == 529


def test_an_aborted_stream_is_given_up_upstream_and_settled(through: Told) -> None:
    assert through.left == 1
    row = through.rows["aborted"]
    assert (row.ending, row.basis) == ("client-left", "estimated")
    assert row.usage.output > 0


def test_every_call_is_priced_and_every_error_costs_nothing(through: Told) -> None:
    for name, row in through.rows.items():
        failed = name in ("limited", "overloaded")
        assert not row.unpriced
        assert (row.paid_nano == 0) == failed, name
        assert row.ending == {"aborted": "client-left"}.get(name, "provider-error" if failed else "ok")
    assert through.rows["chat_stream"].usage == through.rows["chat_stream_with_usage"].usage
