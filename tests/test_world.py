"""What outlives a call: nothing of scrimp's own that is missing or broken keeps the gateway from serving."""

import asyncio
import os
import stat
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

import scrimp.world
from scrimp.config import Config, convert
from scrimp.errors import ConfigError
from scrimp.store import open_store
from scrimp.store.base import Record
from scrimp.store.memory import MemoryStore
from scrimp.world import Bounded, World, build_providers, read_secret


def refuse(message):
    raise AssertionError(message)


def extension(call, world):
    """A step of one's own."""


def one_argument(call):
    """No step: it takes no world."""


# the tenant secret


def test_the_secret_is_made_once_for_its_owner_only_and_shared(tmp_path):
    store = str(tmp_path / "scrimp.db")
    first = read_secret(store, {}, refuse)
    assert read_secret(store, {}, refuse) == first
    assert stat.S_IMODE(os.stat(f"{store}.secret").st_mode) == 0o600
    assert read_secret(str(tmp_path / "other.db"), {}, refuse) != first


def test_all_who_start_at_once_get_the_same_secret(tmp_path):
    found = []
    start = threading.Barrier(8)

    def begin():
        start.wait()
        found.append(read_secret(str(tmp_path / "scrimp.db"), {}, refuse))

    threads = [threading.Thread(target=begin) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_a_given_secret_is_used_and_no_file_is_made(tmp_path):
    store = str(tmp_path / "scrimp.db")
    assert read_secret(store, {"SCRIMP_SECRET": "s"}, refuse) == read_secret(":memory:", {"SCRIMP_SECRET": "s"}, refuse)
    assert list(tmp_path.iterdir()) == []


def test_a_secret_that_cannot_be_kept_is_said_and_serves_all_the_same(tmp_path):
    said = []
    assert len(read_secret(str(tmp_path / "none" / "scrimp.db"), {}, said.append)) == 32
    assert "tenants are named anew at each start" in said[0]


def test_a_secret_file_that_holds_none_is_refused_with_the_next_step(tmp_path):
    (tmp_path / "scrimp.db.secret").write_bytes(b"")
    with pytest.raises(ConfigError, match=r"holds no secret. Delete the file"):
        read_secret(str(tmp_path / "scrimp.db"), {}, refuse)


def test_a_tenant_is_named_by_a_hash_that_only_the_secret_can_make():
    worlds = [World(Config(store=":memory:"), {"SCRIMP_SECRET": secret}) for secret in ("a", "a", "b")]
    names = [world.tenant(b"sk-1") for world in worlds]
    assert names[0] == names[1] != names[2]
    assert len({*names, worlds[0].tenant(b"sk-2")}) == 3
    assert worlds[0].tenant(b"") == "anonymous"
    assert "sk-1" not in names[0]


# providers: keys, addresses, proxies

LENT = {"providers": {"p": {"base_url": "http://h/v1", "api_key": "${P_KEY}"}}}


@pytest.mark.parametrize("env", [{}, {"P_KEY": ""}])
def test_a_key_that_the_environment_lacks_is_named(env):
    with pytest.raises(ConfigError, match=r"providers\.p\.api_key: the environment has no P_KEY\. Set it, or leave"):
        build_providers(convert(LENT), env, "")


def test_a_key_comes_from_the_environment_and_the_built_in_providers_lend_none():
    providers = build_providers(convert(LENT), {"P_KEY": "sk-1"}, "")
    assert providers["p"].key_header() == ("authorization", "Bearer sk-1")
    assert not providers["openai"].supplies_key
    assert not providers["anthropic"].supplies_key


@pytest.mark.parametrize("upstream", ["http://h:1", "http://h:1/", "http://h:1/v1", "http://h:1/v1/"])
def test_an_upstream_takes_both_dialects_with_or_without_v1(upstream):
    providers = build_providers(Config(), {}, upstream)
    assert str(providers["openai"].url("/v1/chat/completions", b"")) == "http://h:1/v1/chat/completions"
    assert str(providers["anthropic"].url("/v1/messages", b"")) == "http://h:1/v1/messages"


@pytest.mark.parametrize(
    ("env", "proxy"),
    [
        ({}, None),
        ({"https_proxy": "http://proxy:3128"}, "http://proxy:3128"),
        ({"HTTPS_PROXY": "http://proxy:3128"}, "http://proxy:3128"),
        ({"http_proxy": "http://proxy:3128"}, None),
        ({"https_proxy": "http://proxy:3128", "no_proxy": "localhost,.openai.com"}, None),
        ({"https_proxy": "http://proxy:3128", "NO_PROXY": "*"}, None),
        ({"https_proxy": "http://proxy:3128", "no_proxy": "example.com"}, "http://proxy:3128"),
    ],
)
def test_proxies_are_the_environments_own(env, proxy):
    assert build_providers(Config(), env, "")["openai"]._proxy == proxy


# the store


def test_a_store_that_cannot_be_opened_is_replaced_by_memory_and_said(tmp_path):
    world = World(Config(store=str(tmp_path / "none" / "scrimp.db")), {})
    assert isinstance(world.store, MemoryStore)
    assert any("cannot be opened" in words and "recorded in memory only" in words for words in world.trouble)


def test_a_database_of_another_program_is_left_alone(tmp_path):
    import sqlite3

    path = tmp_path / "other.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE t (x)")
    other.close()
    before = path.read_bytes()
    world = World(Config(store=str(path)), {})
    assert isinstance(world.store, MemoryStore)
    assert path.read_bytes() == before


def test_the_same_trouble_is_said_once(caplog):
    world = World(Config(store=":memory:"), {})
    world.warn("the disk is full")
    world.warn("the disk is full")
    assert world.trouble == ["the disk is full"]
    assert caplog.text.count("the disk is full") == 1


def test_old_bodies_are_dropped_when_a_gateway_that_keeps_bodies_starts(tmp_path):
    path = str(tmp_path / "scrimp.db")
    store = open_store(path)
    now = time.time_ns()
    for name, age_days in (("old", 8), ("new", 6)):
        store.add(Record(id=name, at=now - age_days * 86_400 * 10**9, request_body=b"body"))
    store.close()
    config = convert({"store": path, "record": {"bodies": True, "retention_days": 7}})

    async def run():
        world = World(config, {})
        await world.open()
        end = time.monotonic() + 5
        while world.store.record("old").request_body is not None and time.monotonic() < end:
            await asyncio.sleep(0.01)
        kept = {row.id: row.request_body for row in world.store.records()}
        await world.close()
        return kept

    assert asyncio.run(run()) == {"old": None, "new": b"body"}


# the rest


def test_closing_waits_for_what_settles():
    done = []

    async def settle():
        await asyncio.sleep(0.05)
        done.append(True)

    async def run():
        world = World(Config(store=":memory:"), {})
        await world.open()
        assert world.ready
        world.go_on(settle())
        await world.close()
        assert not world.ready

    asyncio.run(run())
    assert done == [True]


@pytest.mark.parametrize(
    ("run", "why"),
    [
        ("no.such.module:step", "cannot be imported"),
        (f"{__name__}:no_such_step", "cannot be imported"),
        (f"{__name__}:LENT", "is not a function of"),
        (f"{__name__}:one_argument", "is not a function of"),
    ],
)
def test_an_extension_that_is_no_step_is_refused_at_the_start(run, why):
    with pytest.raises(ConfigError, match=rf"step\.mine\.run: .* {why}"):
        World(convert({"store": ":memory:", "step": [{"name": "mine", "run": run}]}), {})


def test_an_extension_is_imported_once_with_its_place():
    world = World(convert({"store": ":memory:", "step": [{"name": "mine", "run": f"{__name__}:extension"}]}), {})
    (found,) = world.extensions
    assert (found.name, found.after, found.run) == ("mine", "route", extension)


def test_makers_are_asked_of_the_price_list_once_and_only_so_many_are_remembered(monkeypatch):
    world = World(Config(store=":memory:"), {})
    assert world.owner("gpt-4o-mini") == ""
    assert world.book
    assert (world.owner("gpt-4o-mini"), world.owner("claude-sonnet-5"), world.owner("nobody")) == (
        "openai",
        "anthropic",
        "",
    )
    for number in range(5000):
        world.owner(f"m{number}")
    assert len(world._owners) <= 4096


@given(st.integers(1, 5), st.lists(st.binary(max_size=2)))
def test_a_memo_keeps_the_newest_and_never_more_than_its_bound(most, keys):
    memo = Bounded(most)
    for key in keys:
        memo.put(key, key.hex())
    assert len(memo) == min(most, len(set(keys)))
    assert all(memo[key] == key.hex() for key in keys[-1:])


def test_prices_that_have_still_to_be_compiled_are_waited_for_by_the_settling_only(monkeypatch):
    monkeypatch.setattr(scrimp.world.Book, "compiled", staticmethod(lambda: False))

    async def run():
        world = World(Config(store=":memory:"), {})
        await world.open()
        before = (world.ready, world.priced)
        await world.wait_for_prices()
        after = world.priced
        await world.close()
        return before, after

    assert asyncio.run(run()) == ((True, False), True)
