"""The bundled requests are what their README says, and the official clients send them as they stand."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import scrimp
from scrimp.config import load
from scrimp.demo.replay import FILE, Clients, check_ours, configuration, read_requests, replay
from scrimp.errors import ScrimpError
from scrimp.providers.fake import Fake, Turn

SHARED = Path(__file__).parents[3] / "shared" / "data" / "prompts"
REQUESTS = read_requests()


@pytest.fixture
def fake() -> Iterator[Fake]:
    with Fake() as running:
        yield running


@pytest.fixture
def clients(fake: Fake) -> Iterator[Clients]:
    found = Clients(fake.base_url, fake.origin)
    yield found
    found.close()


def texts(body: dict[str, Any]) -> list[str]:
    """Every text of a request, system prompt first."""
    messages = [message["content"] for message in body.get("messages", ())]
    return [text for text in (body.get("system"), *messages, body.get("input")) if text]


def test_both_dialects_are_there_streaming_and_not() -> None:
    assert {(request.call, request.stream) for request in REQUESTS} == {
        (call, stream) for call in ("openai.chat", "openai.responses", "anthropic.messages") for stream in (True, False)
    }
    assert any("tools" in request.body for request in REQUESTS)
    assert any("response_format" in request.body for request in REQUESTS)
    assert any(request.labels for request in REQUESTS) and not all(request.labels for request in REQUESTS)


def test_requests_are_small() -> None:
    for request in REQUESTS:
        cap = request.body.get("max_tokens") or request.body["max_output_tokens"]
        assert cap <= 24, request.id
        assert sum(scrimp.count(text, "gpt-4o-mini") for text in texts(request.body)) < 200, request.id


def test_every_text_is_the_data_sets_own_or_named_as_ours() -> None:
    if not SHARED.is_dir():
        pytest.skip("NO ../shared beside the clone: the bundled texts are not compared with their sources")
    originals: dict[str, str] = {}
    for name, prefix, field in (
        ("intent.jsonl", "", "input"),
        ("bbh.jsonl", "", "input"),
        ("system_prompts.jsonl", "", "system"),
    ):
        for line in (SHARED / name).read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            originals[prefix + row["id"]] = row[field]
    for request in REQUESTS:
        known = [originals[source] for source in request.source.split(", ")]
        ours = "You sort messages of a bank's customers."
        assert all(text in known or text.startswith(ours) for text in texts(request.body)), request.id
        assert all(text in texts(request.body) for text in known), request.id


def test_the_readme_names_every_source_and_its_licence() -> None:
    readme = FILE.with_name("README.md").read_text(encoding="utf-8")
    kinds = {source.partition(":")[0] for request in REQUESTS for source in request.source.split(", ")}
    assert kinds == {"banking77", "fabric", "bbh"}
    assert all(f"`{kind}:" in readme for kind in kinds)
    assert readme.count("MIT, Copyright") == 2 and "CC BY 4.0" in readme
    assert "Permission is hereby granted" in readme


def test_every_request_is_answered_in_order(fake: Fake, clients: Clients) -> None:
    replies = list(replay(clients, "m", REQUESTS))
    assert [reply.request for reply in replies] == REQUESTS
    assert [reply.error for reply in replies] == [""] * len(REQUESTS)
    assert all(reply.text and Turn().text.startswith(reply.text) for reply in replies)
    sent = {(seen.path, json.loads(seen.body)["model"]) for seen in fake.requests}
    assert sent == {(path, "m") for path in ("/v1/chat/completions", "/v1/responses", "/v1/messages")}


def test_labels_travel_as_headers(fake: Fake, clients: Clients) -> None:
    tagged = next(request for request in REQUESTS if request.labels)
    clients.ask(tagged, "m")
    clients.ask(next(request for request in REQUESTS if not request.labels), "m")
    first, second = fake.requests
    assert {name: first.header(f"x-scrimp-{name}") for name in tagged.labels} == tagged.labels
    assert not any(name.startswith(b"x-scrimp") for name, _ in second.headers)


def test_a_failure_is_told_not_raised(fake: Fake, clients: Clients) -> None:
    fake.otherwise = Turn(status=400)
    replies = list(replay(clients, "m", REQUESTS[:3]))
    assert all("BadRequestError" in reply.error for reply in replies)
    assert len(fake.requests) == 3


@pytest.mark.parametrize("missing", ["openai", "anthropic"])
def test_missing_clients_are_named_with_the_way_to_get_them(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ScrimpError, match=rf"{missing} is not installed.*scrimp\[demo\]"):
        Clients("http://127.0.0.1:1/v1", "http://127.0.0.1:1")


def test_only_what_a_demo_wrote_is_written_over(tmp_path: Path) -> None:
    file = tmp_path / "calls.db.toml"
    check_ours(file)
    file.write_text(configuration("http://127.0.0.1:1/v1", "tiny", {}, "calls.db"), "utf-8")
    check_ours(file)
    file.write_text("# mine\n" + file.read_text("utf-8"), "utf-8")
    with pytest.raises(ScrimpError, match="was not written by the demo and is left as it is"):
        check_ours(file)
    with pytest.raises(ScrimpError, match="cannot be written"):
        check_ours(tmp_path)


def test_the_configuration_is_one_that_scrimp_takes(tmp_path: Path) -> None:
    file = tmp_path / "scrimp.toml"
    store = 'C:\\a "b"\\é.db'
    file.write_text(configuration("http://127.0.0.1:1/v1", "tiny", {"input": 1.0, "output": 2.5}, store), "utf-8")
    config = load(str(file))
    assert config.store == store
    assert config.providers["local"].base_url == "http://127.0.0.1:1/v1"
    assert config.models["local/tiny"].output == 2.5
