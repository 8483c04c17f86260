"""`scrimp plan`: what would happen, step by step and with prices; nothing is sent, nothing is left behind."""

import io
import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrimp.cli import main
from scrimp.cli.plan import guess_path
from scrimp.config import Config
from scrimp.world import World

CHAT = {"model": "gpt-4o-mini", "max_tokens": 10, "messages": [{"role": "user", "content": "hi"}]}


def extension(call, world):
    """A step of one's own."""


@pytest.fixture
def plan(capsys, monkeypatch, tmp_path):
    """Runs `scrimp plan` on a request from standard input, in a directory of its own: exit code, output, errors."""
    monkeypatch.chdir(tmp_path)

    def run(request, *words):
        body = request if isinstance(request, bytes) else json.dumps(request).encode()
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(body)))
        monkeypatch.setattr(sys, "argv", ["scrimp", "plan", *map(str, words)])
        try:
            main()
            code = 0
        except SystemExit as end:
            code = end.code or 0
        return code, *capsys.readouterr()

    return run


def told(plan, request, *words):
    code, out, err = plan(request, "--json", *words)
    assert (code, err) == (0, "")
    return json.loads(out)


def test_every_step_says_what_it_would_do_and_nothing_is_left_behind(plan, tmp_path):
    code, out, _ = plan(CHAT)
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == ["attribute", "route", "price"]
    assert "provider=openai  model=gpt-4o-mini  to=https://api.openai.com/v1  key=the client's own" in out
    assert "output_cap=10" in out
    assert list(tmp_path.iterdir()) == []


def test_it_says_what_the_input_costs_and_what_the_answer_may_cost_at_most(plan):
    price = told(plan, CHAT)["price"]
    tokens = price["input_tokens"]
    assert float(price["input_usd"]) == pytest.approx(tokens * 0.15e-6)
    assert float(price["most_usd"]) == pytest.approx(tokens * 0.15e-6 + 10 * 0.60e-6)
    twice = told(plan, {**CHAT, "n": 2})["price"]
    assert float(twice["most_usd"]) == pytest.approx(tokens * 0.15e-6 + 20 * 0.60e-6)
    uncapped = told(plan, {**CHAT, "max_tokens": None})["price"]
    assert uncapped["output_cap"] == "none set"
    assert "most_usd" not in uncapped


def test_what_has_no_price_says_so(plan):
    assert told(plan, {**CHAT, "model": "mystery"})["price"]["unpriced"] == "no price for mystery at openai"
    assert "tier warp is not priced" in told(plan, {**CHAT, "service_tier": "warp"})["price"]["unpriced"]


def test_headers_configuration_and_overrides_count(plan, tmp_path):
    (tmp_path / "scrimp.toml").write_text(
        f'[providers.local]\nbase_url = "http://127.0.0.1:9/v1"\n[models."local/m"]\ninput = 1.0\noutput = 2.0\n'
        f'[[step]]\nname = "mine"\nrun = "{__name__}:extension"\n'
    )
    rows = told(plan, {**CHAT, "model": "m"}, "--header", "X-Scrimp-Feature: search", "-s", "step=[]")
    assert (rows["attribute"]["feature"], rows["attribute"]["from"]) == ("search", "header")
    assert (rows["route"]["provider"], rows["route"]["to"]) == ("local", "http://127.0.0.1:9/v1")
    assert "mine" not in rows
    assert told(plan, CHAT)["mine"] == {"mode": "shadow", "after": "route"}


def test_a_lent_key_is_not_printed(plan, monkeypatch):
    monkeypatch.setenv("P_KEY", "sk-canary")
    code, out, _ = plan(CHAT, "-s", 'providers.p.base_url="http://h/v1"', "-s", 'providers.p.api_key="${P_KEY}"')
    assert code == 0
    assert "key=scrimp's" in out
    assert "canary" not in out


def test_a_tenant_has_the_name_it_has_in_the_store(plan, tmp_path, monkeypatch):
    monkeypatch.delenv("SCRIMP_SECRET", raising=False)
    here = World(Config(store="scrimp.db"), {})
    there = World(Config(store="other.db"), {})
    for world, words in ((here, ()), (there, ("--store", "other.db"))):
        named = told(plan, CHAT, "--header", "authorization: Bearer sk-1", *words)["attribute"]["tenant"]
        assert named == world.tenant(b"Bearer sk-1") or named == world.tenant(b"sk-1")
        world.store.close()
    (tmp_path / "scrimp.db.secret").write_bytes(b"\xff")
    code, _, err = plan(CHAT)
    assert (code, "cannot be read" in err) == (2, True)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (CHAT, "/v1/chat/completions"),
        ({"model": "claude-sonnet-5", "messages": []}, "/v1/messages"),
        ({"model": "anthropic/claude-sonnet-5", "messages": []}, "/v1/messages"),
        ({"model": "m", "system": "s", "messages": []}, "/v1/messages"),
        ({"model": "gpt-5", "input": "hi"}, "/v1/responses"),
        ({"model": "m", "prompt": "hi"}, "/v1/completions"),
        ({}, "/v1/chat/completions"),
        (5, "/v1/chat/completions"),
        (["messages"], "/v1/chat/completions"),
    ],
)
def test_the_path_is_told_by_the_shape_of_the_request(body, path):
    assert guess_path(json.dumps(body).encode()) == path


@given(st.binary() | st.recursive(st.none() | st.text(), st.lists, max_leaves=5).map(lambda v: json.dumps(v).encode()))
def test_any_bytes_have_a_path(body):
    assert guess_path(body).startswith("/v1/")


@pytest.mark.parametrize("body", [b"", b"{", b"5", b'["messages"]', b"\xff", b"[" * 100_000])
def test_what_is_no_request_is_one_line_and_exit_code_2(plan, body):
    code, out, err = plan(body)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("scrimp: ")


def test_a_header_without_a_colon_is_refused(plan):
    code, _, err = plan(CHAT, "--header", "x-scrimp-feature")
    assert code == 2
    assert "write NAME:VALUE" in err


def test_a_path_that_a_lent_key_does_not_open_is_refused_as_the_gateway_would(plan, monkeypatch):
    monkeypatch.setenv("P_KEY", "k")
    words = ("-s", 'providers.p.base_url="http://h/v1"', "-s", 'providers.p.api_key="${P_KEY}"')
    code, _, err = plan(CHAT, *words, "--path", "/v1/admin")
    assert code == 2
    assert "passthrough" in err
