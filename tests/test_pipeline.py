"""The straight line: extensions obey their modes, a fault in settling never loses a call, money adds up."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import scrimp
from scrimp.call import Usage
from scrimp.errors import ConfigError
from scrimp.pipeline import scratch
from scrimp.prices.book import Book
from scrimp.providers.fake import Fake
from scrimp.steps.price import weigh
from scrimp.web.app import new_call


def rename(call, world):
    """An extension that changes where a call goes and says so."""
    call.fact("rename", {"applied": True, "to": "gpt-4o"})
    call.raw = call.raw.replace(b"gpt-4o-mini", b"gpt-4o")


async def fail(call, world):
    """An extension with a fault of its own."""
    raise ZeroDivisionError


def send(tmp_path, step):
    import urllib.request

    with Fake() as fake, scrimp.gateway({"step": [step]}, str(tmp_path / "scrimp.db"), upstream=fake.origin) as gateway:
        request = urllib.request.Request(
            f"{gateway.openai_base_url}/chat/completions",
            b'{"model":"gpt-4o-mini","messages":[]}',
            {"content-type": "application/json"},
        )
        with urllib.request.urlopen(request) as response:
            told = response.headers["x-scrimp"]
        assert gateway.flush()
        sent = json.loads(fake.requests[0].body)["model"]
    from scrimp.store import open_store

    store = open_store(str(tmp_path / "scrimp.db"), read_only=True)
    (row,) = store.records()
    store.close()
    return sent, told, json.loads(row.facts)


@pytest.mark.parametrize(
    ("mode", "sent", "told", "facts"),
    [
        ("on", "gpt-4o", "rename", {"rename": {"applied": True, "to": "gpt-4o"}}),
        ("shadow", "gpt-4o-mini", "", {"shadow:rename": {"applied": True, "to": "gpt-4o"}}),
        ("off", "gpt-4o-mini", "", {}),
    ],
)
def test_an_extension_obeys_its_mode(tmp_path, mode, sent, told, facts):
    step = {"name": "rename", "run": f"{__name__}:rename", "after": "route", "mode": mode}
    assert send(tmp_path, step) == (sent, told, facts)


def test_a_failing_extension_is_left_out(tmp_path):
    step = {"name": "fail", "run": f"{__name__}:fail", "after": "attribute", "mode": "on"}
    assert send(tmp_path, step)[0] == "gpt-4o-mini"


def test_an_extension_that_cannot_be_imported_is_refused_at_the_start(tmp_path):
    with pytest.raises(scrimp.ScrimpError, match=r"step.x.run: 'no.such:thing' cannot be imported"):
        scrimp.gateway({"step": [{"name": "x", "run": "no.such:thing"}]}, str(tmp_path / "scrimp.db"))


def test_a_scratch_copy_shares_no_part_that_steps_write():
    call = new_call({"raw_path": b"/v1/x", "method": "POST", "query_string": b"", "headers": []})
    twin = scratch(call)
    twin.who.user = "other"
    twin.targets.append(None)
    twin.facts["x"] = 1
    assert (call.who.user, call.targets, call.facts) == ("", [], {})


class World:
    book = Book.load()


counts = st.integers(0, 300_000)
usages = st.builds(
    Usage, input=counts, cached=counts, cache_write=counts, cache_write_1h=counts, output=counts, reasoning=counts
)
models = st.sampled_from(["gpt-4o-mini", "gpt-5.6-terra", "claude-sonnet-5", "claude-opus-4-6", "nobody-knows-me"])


@settings(max_examples=300)
@given(usages, models, st.sampled_from(["", "flex", "priority", "batch", "default"]))
def test_list_less_savings_plus_overhead_is_paid(usage, model, tier):
    provider = "anthropic" if model.startswith("claude") else "openai"
    cost, savings = weigh(World, model, "", provider, usage, "exact", tier, 1_795_000_000_000_000_000)
    assert cost.list - sum(saving.nano for saving in savings) + cost.overhead == cost.paid
    if cost.unpriced:
        assert (cost.list, cost.paid, savings) == (0, 0, [])
    assert all(saving.kind == "measured" for saving in savings)


def test_configuration_errors_are_the_same_in_a_thread():
    with pytest.raises(ConfigError):
        scrimp.gateway({"serve": {"prot": 1}})
