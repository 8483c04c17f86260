"""The gateway in one's own process: started from any form of configuration, closed in order, shared by wrapped clients."""

import socket
import urllib.request
from datetime import date
from pathlib import Path

import anthropic
import openai
import pytest

import scrimp
from scrimp.config import Config, ServeConfig
from scrimp.errors import ConfigError
from scrimp.library import _Open
from scrimp.providers.fake import Fake
from scrimp.store import open_store

ASK = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """A working directory of the test's own: ./scrimp.toml and scrimp.db are read and made there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(_Open, "by_hand", [])  # gateways that other tests keep open are none of these tests' affair


@pytest.fixture
def fake():
    with Fake() as running:
        yield running


def healthy(gateway):
    with urllib.request.urlopen(f"{gateway.address}/healthz", timeout=5) as answer:
        return answer.status == 200


def test_it_starts_on_a_free_port_with_the_usual_store(tmp_path):
    with scrimp.gateway() as one, scrimp.gateway(store=":memory:") as two:
        assert one.port != two.port
        assert healthy(one)
        assert healthy(two)
        assert one.openai_base_url == f"http://127.0.0.1:{one.port}/v1"
        assert one.anthropic_base_url == f"http://127.0.0.1:{one.port}"
    assert (tmp_path / "scrimp.db").exists()


def test_any_form_of_configuration_will_do(tmp_path, fake):
    tree = {"store": "of-tree.db", "providers": {"openai": {"base_url": fake.base_url}}}
    file = tmp_path / "mine.toml"
    file.write_text(f'store = "of-file.db"\n[providers.openai]\nbase_url = "{fake.base_url}"\n')
    (tmp_path / "scrimp.toml").write_text(f'store = "of-here.db"\n[providers.openai]\nbase_url = "{fake.base_url}"\n')
    ready = scrimp.Config(store="of-config.db", providers={"openai": scrimp.ProviderConfig(fake.base_url)})
    for config, store in ((tree, "of-tree"), (str(file), "of-file"), (None, "of-here"), (ready, "of-config")):
        with scrimp.gateway(config) as gateway, openai.OpenAI(base_url=gateway.openai_base_url, api_key="k") as client:
            client.chat.completions.create(**ASK)
            assert gateway.flush()
        records = open_store(f"{store}.db", read_only=True)
        assert len(list(records.records())) == 1
        records.close()


def test_what_it_is_told_directly_wins_over_the_configuration(tmp_path, fake):
    with (
        scrimp.gateway({"store": "no.db"}, tmp_path / "yes.db", upstream=f"{fake.origin}/v1") as gateway,
        openai.OpenAI(base_url=gateway.openai_base_url, api_key="k") as client,
    ):
        client.chat.completions.create(**ASK)
    assert (tmp_path / "yes.db").exists()
    assert not (tmp_path / "no.db").exists()


def test_a_port_in_use_is_refused_and_nothing_is_left_behind():
    with scrimp.gateway(store=":memory:") as running:
        with pytest.raises(ConfigError, match="cannot listen on 127.0.0.1:"):
            scrimp.gateway(store=":memory:", port=running.port)
        assert healthy(running)
    with scrimp.gateway(store=":memory:", port=running.port) as again:
        assert again.port == running.port


def test_it_may_be_closed_twice_and_lets_go_of_its_port():
    running = scrimp.gateway(store=":memory:")
    running.close()
    running.close()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", running.port), timeout=1)


def test_an_address_of_ipv6_is_written_in_brackets():
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError as error:
        pytest.skip(f"no IPv6 here: {error}")
    with scrimp.gateway(Config(store=":memory:", serve=ServeConfig(host="::1"))) as gateway:
        assert gateway.openai_base_url == f"http://[::1]:{gateway.port}/v1"
        assert healthy(gateway)


def test_a_wrapped_client_goes_to_the_given_gateway_else_to_the_newest_open_one():
    with (
        scrimp.gateway(store=":memory:") as one,
        scrimp.gateway(store=":memory:") as two,
        openai.OpenAI(api_key="k") as client,
        anthropic.Anthropic(api_key="k") as claude,
    ):
        assert str(scrimp.wrap(client).base_url).rstrip("/") == two.openai_base_url
        assert str(scrimp.wrap(client, one).base_url).rstrip("/") == one.openai_base_url
        assert str(scrimp.wrap(claude).base_url).rstrip("/") == two.anthropic_base_url
    assert _Open.by_hand == []


def test_without_a_gateway_one_is_started_that_sends_calls_where_the_client_sent_them(fake):
    with Fake() as other:
        clients = [openai.OpenAI(api_key="k", base_url=address) for address in (fake.base_url, other.base_url)]
        again = openai.OpenAI(api_key="k", base_url=fake.base_url)
        claude = anthropic.Anthropic(api_key="k", base_url=fake.origin)
        try:
            for client in (*clients, again, claude):
                assert scrimp.wrap(client) is client
            assert clients[0].base_url == again.base_url
            assert len({str(client.base_url) for client in (*clients, claude)}) == 3
            for client in (*clients, again):
                client.chat.completions.create(**ASK)
            claude.messages.create(**ASK, max_tokens=5)
        finally:
            for client in (*clients, again, claude):
                client.close()
            for gateway in _Open.by_address.values():
                gateway.close()
            _Open.by_address.clear()
        assert [request.path for request in fake.requests] == ["/v1/chat/completions"] * 2 + ["/v1/messages"]
        assert len(other.requests) == 1
    records = open_store("scrimp.db", read_only=True)
    assert len(list(records.records())) == 4  # gateways of one process share the file
    records.close()


def test_only_official_clients_are_wrapped():
    for thing in (object(), "http://127.0.0.1", None):
        with pytest.raises(TypeError, match="wrap takes an openai or anthropic client, not"):
            scrimp.wrap(thing)


def test_the_audit_is_the_same_in_python(tmp_path: Path) -> None:
    log = tmp_path / "calls.csv"
    log.write_text("time,model,feature,input_tokens,output_tokens\n2026-11-01,gpt-4o,search,1000000,0\nbroken\n")
    import scrimp.audit.run  # the package of that name does not hide the function

    for paths in (log, str(log), [log]):
        report = scrimp.audit(paths)
        assert (report.calls, report.skipped, report.unpriced, report.paid_usd) == (1, 1, 0, "2.50")
    assert [row.name for row in report.by_feature] == ["search"]
    assert [row.name for row in report.by_model] == ["gpt-4o"]
    assert scrimp.audit(log, since="2026-10-01", until=date(2026, 12, 1)).calls == 1
    with pytest.raises(scrimp.ScrimpError, match="none of the 1 calls"):
        scrimp.audit(log, until="2026-10-01")
