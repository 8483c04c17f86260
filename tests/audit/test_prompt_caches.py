"""Prompt caches played through: who reads what, for how long, and what it is worth, against counting it all by hand."""

from __future__ import annotations

from collections import namedtuple
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrimp.audit.cache_rules import HOUR, rule_for
from scrimp.audit.prefix import hashes
from scrimp.audit.prompt_caches import (
    ALWAYS,
    FEMTO,
    PLAYED,
    Caches,
    Lane,
    Prefixes,
    Prices,
    Row,
    rule_of,
    saved,
    tokens_of,
)  # fmt: skip
from scrimp.audit.replay import audit_config
from scrimp.call import Usage
from scrimp.config import Config, ModelConfig
from scrimp.prices.book import Book, Price
from scrimp.prices.listing import Listing
from scrimp.world import World

BOOK = Book.load()
NOON = 1_790_000_000 * 10**9
STABLE = b"The same for everyone. " * 400
SIZE = 10 * 1024
"""Bytes of a prompt: STABLE fills its first 8 blocks, what follows is each call's own."""
Played = namedtuple("Played", PLAYED)


def call(at: float = 0, tail: str = "", **more: Any) -> Row:
    """A call of gpt-4o at a second, its prompt STABLE and something of its own; 2,560 tokens, one for four bytes."""
    prompt = (STABLE + tail.encode()).ljust(SIZE, b".")
    values = {
        "id": 1, "at": NOON + round(at * 10**9), "feature": "f", "key": "", "provider": "openai", "model": "gpt-4o",
        "price_model": "openai/gpt-4o", "tier": "", "moved": "", "left": 10**9, "paid": 10**9, "total": 2560,
        "cached": 0, "written": 0, "prefix": hashes(prompt), "unit": 0, "prompt": len(prompt), "broke": None, "same": 0,
    }  # fmt: skip
    return Row(**values | more)


def claude(at: float = 0, tail: str = "", **more: Any) -> Row:
    """The same of claude-sonnet-4-5."""
    there = {"provider": "anthropic", "model": "claude-sonnet-4-5", "price_model": "anthropic/claude-sonnet-4-5"}
    return call(at, tail, **{**there, **more})


def played(*calls: Row, book: Book = BOOK) -> list[Played]:
    """What comes of calls that are sent one after the other, all to caches that are known."""
    caches = Caches(book)
    return [Played(*(caches.send(one) or ())) for one in calls]


def cost(model: str, **usage: int) -> int:
    """What a usage costs by the book, in nanodollars."""
    price = BOOK.price(model, Usage(**usage), when=NOON)
    assert isinstance(price, Price)
    return price.total


def read(model: str, tokens: int) -> int:
    """What reading so many tokens saves."""
    return cost(model, input=tokens) - cost(model, cached=tokens)


def test_the_second_call_reads_what_it_shares_in_whole_steps() -> None:
    first, second = played(call(0, "one"), call(60, "two"))
    assert (first.reads, first.near, first.far) == (0, 0, 0)
    assert second.reads == second.more == 2048  # 8 of 10 blocks; STABLE ends within the 9th
    assert second.near == second.far == second.mended == read("gpt-4o", 2048)


def test_steps_and_the_least_are_the_providers() -> None:
    rule = rule_for("openai", "gpt-4o")
    assert rule is not None
    assert [tokens_of(call(), rule, blocks) for blocks in (0, 3, 4, 5, 8, 10)] == [0, 0, 1024, 1280, 2048, 2560]
    assert tokens_of(call(total=2500), rule, 9) == 2176  # 2,250 in steps of 128
    assert tokens_of(call(unit=512), rule, 4) == 2048
    assert tokens_of(call(unit=512), rule, 9) == 2560


def test_what_is_billed_beyond_what_the_prompt_shows_is_not_taken_to_be_read() -> None:
    rule = rule_for("openai", "gpt-4o")
    assert rule is not None
    assert tokens_of(call(total=50_000), rule, 8) == 8 * 1024 // 2


def test_a_prefix_lives_from_use_to_use() -> None:
    reads = [one.reads > 0 for one in played(*(call(at) for at in (0, 299, 598, 899, 1199)))]
    assert reads == [False, True, True, False, True]
    longer = [one.far > 0 for one in played(*(call(at) for at in (0, 3600, 7201)))]
    assert longer == [False, True, False]


def test_what_was_read_already_is_no_saving() -> None:
    _, same, less, more = played(call(0), call(1, cached=2560), call(2, cached=1024), call(3, cached=2560))
    assert (same.reads, same.more, same.near) == (more.reads, more.more, more.near) == (2560, 0, 0)
    assert (less.more, less.near) == (1536, read("gpt-4o", 1536))


@pytest.mark.parametrize("other", [{"key": "k2"}, {"model": "gpt-4o-mini", "price_model": "openai/gpt-4o-mini"}])
def test_nobody_reads_from_a_cache_of_another_tenant_or_model(other: dict[str, Any]) -> None:
    assert [one.reads for one in played(call(0), call(1, **other), call(2))] == [0, 0, 2560]


def test_features_share_a_cache_but_are_workloads_of_their_own() -> None:
    one, other = played(call(0), call(1, feature="g"))
    assert other.reads == 2560
    assert one.load != other.load


def test_a_call_is_played_where_it_is_moved_to_and_alone_where_it_was() -> None:
    there = [call(at, moved="openai/gpt-4.1") for at in (1, 2)]
    _, first, second = played(call(0), *there)
    assert (first.reads, second.reads) == (0, 2560)
    assert second.near == second.mended == read("gpt-4.1", 2560)
    assert second.near + second.alone == read("gpt-4o", 2560)


def test_what_is_not_sent_keeps_nothing_alive_and_saves_only_alone() -> None:
    _, stored, late, soon = played(call(0), call(200, left=0), call(400), call(500))
    assert (stored.sent, stored.total, stored.reads, stored.near, stored.mended) == (0, 0, 0, 0, 0)
    assert (stored.more, stored.alone) == (2560, read("gpt-4o", 2560))
    assert (late.reads, soon.reads) == (0, 2560)


def test_no_more_is_saved_than_is_left_of_a_call_nor_alone_than_was_paid() -> None:
    _, second = played(call(0), call(1, left=7, paid=100))
    assert (second.near, second.far, second.mended, second.alone) == (7, 7, 7, 93)


@pytest.mark.parametrize(
    "unknown",
    [
        {"price_model": "together/some-model", "model": "some-model", "provider": "together"},
        {"price_model": "openai/gpt-4", "model": "gpt-4"},
        {"price_model": "openai/no-such-model", "model": "no-such-model"},
        {"price_model": "openai/gpt-5-pro", "model": "gpt-5-pro"},
        {"tier": "no-such-tier"},
    ],
)
def test_without_a_rule_a_price_or_a_discount_nothing_is_told(unknown: dict[str, Any]) -> None:
    assert Caches(BOOK).send(call(**unknown)) is None


def test_a_price_of_the_users_own_goes_by_the_models_maker() -> None:
    config = Config(models={"gpt-4o": ModelConfig(input=1.0, cached_input=0.25, output=2.0)})
    own = World(audit_config(config), {"SCRIMP_SECRET": "x"}, "").book
    second = played(call(0, price_model="user/gpt-4o"), call(1, price_model="user/gpt-4o"), book=own)[1]
    assert second.near == 2560 * 750
    assert rule_of(own, "user/gpt-4o") is rule_of(own, "openai/gpt-4o")


def test_short_prompts_are_not_kept() -> None:
    assert [(one.reads, one.far) for one in played(call(0, total=1000), call(1, total=1000))] == [(0, 0), (0, 0)]


def test_deepseek_reads_what_two_calls_shared() -> None:
    there = {"provider": "deepseek", "model": "deepseek-chat", "price_model": "deepseek/deepseek-chat"}
    assert [one.reads for one in played(*(call(at, **there) for at in range(3)))] == [0, 0, 2560]


def test_writes_are_charged_where_a_cache_has_to_be_asked() -> None:
    model = "claude-sonnet-4-5"
    calls = played(*(claude(at, str(at)) for at in range(3)))
    whole = cost(model, input=2560) - cost(model, cache_write=2560)
    end = cost(model, input=512) - cost(model, cache_write=512)
    shared = read(model, 2048)
    write = cost(model, input=2048) - cost(model, cache_write=2048)
    assert [one.far for one in calls] == [whole, shared + end, shared + end]
    assert [one.near for one in calls] == [0, write, shared]


def test_what_is_written_already_is_not_charged_again_but_read_instead() -> None:
    model = "claude-sonnet-4-5"
    first, second = played(claude(0, written=2560), claude(1, written=2560))
    assert first.far == 0
    assert second.far == second.near + cost(model, cache_write=2560) - cost(model, cached=2560)


@pytest.mark.parametrize("made, since", [(call, 1), (claude, 2)])
def test_a_break_is_counted_as_what_could_be_read_without_it(made: Any, since: int) -> None:
    def broken(at: float, **more: Any) -> Row:
        prompt = (b"It is %d. " % at) * 20 + STABLE
        return made(at, prefix=hashes(prompt.ljust(SIZE, b".")), broke=200, same=9 * 1024, **more)

    *before, found, late = played(*(broken(10 * nth) for nth in range(since)), broken(50), broken(1000))
    model = "gpt-4o" if made is call else "claude-sonnet-4-5"
    assert [one.fixed for one in before] == [0] * since
    assert (found.reads, found.fixed, late.fixed) == (0, 2304, 0)  # 200 bytes before it and 9,216 after: 9 blocks
    assert found.near == 0 < found.mended == read(model, 2304)


def lane(cache: bytes, *lives: int) -> Lane:
    """A lane to a cache whose blocks are near and far by these lives."""
    rule, listing = rule_for("openai", "gpt-4o"), BOOK.listing("gpt-4o")
    assert rule is not None and isinstance(listing, Listing)
    near, near_before, far, far_before = lives
    return Lane(rule, listing, 0, cache, (near, near_before, far, far_before))


USES = st.lists(
    st.tuples(st.integers(0, 12), st.lists(st.integers(0, 1), max_size=5), st.booleans(), st.booleans()), max_size=25
)


@given(USES)
def test_blocks_are_alive_as_often_as_counting_every_use_says(uses: list[tuple[int, list[int], bool, bool]]) -> None:
    """Near is what was used twice within 5, far what was used within 9; of two caches, and not all uses renew."""
    lanes = [lane(cache, 5, 5, 9, ALWAYS) for cache in (b"one", b"two")]
    prefixes = Prefixes()
    past: dict[tuple[int, ...], list[int]] = {}
    now = 0
    for gap, path, second, renews in uses:
        now += gap
        near = far = 0
        blocks = [(second, *path[: size + 1]) for size in range(len(path))]
        for size, block in enumerate(blocks, 1):
            last, before = [-99, -99, *past.get(block, [])][:-3:-1]
            if now - last <= 9:
                far = size
            if now - last <= 5 and last - before <= 5:
                near = size
        prefix = hashes(b"".join(b"%d" % step * 1024 for step in path))
        assert prefixes.use(prefix, now, lanes[second], renews) == (near, far)
        for block in blocks if renews else ():
            past.setdefault(block, []).append(now)


def test_only_so_many_prefixes_are_kept_and_the_last_used_stay() -> None:
    there = lane(b"", HOUR, HOUR, HOUR, ALWAYS)
    prefixes = Prefixes(most=200)
    kept = hashes(STABLE)
    for at in range(1000):
        assert prefixes.use(kept, at, there) == (8 * (at > 1), 8 * (at > 0))
        prefixes.use(hashes(b"%d" % at * 2000), at, there)
        assert len(prefixes._young) + len(prefixes._old) <= 204
    assert prefixes.use(hashes(b"%d" % 1 * 2000), at, there) == (0, 0)


TOKENS = st.integers(0, 5000)


@given(TOKENS, TOKENS, TOKENS, TOKENS, TOKENS)
def test_a_saving_is_the_difference_of_two_bills(plain: int, cached: int, written: int, reads: int, end: int) -> None:
    rates: Prices = (3_000_000_000, 300_000_000, 3_750_000_000)
    one = claude(total=plain + cached + written, cached=cached, written=written)
    reads, end = min(reads, one.total), min(end, one.total)
    kinds = [1] * cached + [2] * written + [0] * plain  # the price of each token, in the prompt's order
    read_to = max(reads, cached)
    now = [1] * read_to + kinds[read_to:]
    now = [2 if kind == 0 and at < end else kind for at, kind in enumerate(now)]
    assert saved(one, rates, reads, end) * FEMTO == sum(rates[kind] for kind in kinds) - sum(
        rates[kind] for kind in now
    )


PROMPTS = st.lists(
    st.tuples(st.integers(0, 400), st.lists(st.integers(0, 2), min_size=1, max_size=6), st.booleans()), max_size=20
)


def alive(past: dict[bytes, list[int]], prompt: bytes, now: int, life: int, times: int) -> int:
    """How many tokens of a prompt were used so many times, each within a life of the next; its blocks are 512 tokens."""
    blocks = 0
    for end in range(1024, len(prompt) + 1, 1024):
        uses = [*past.get(prompt[:end], []), now][-times - 1 :]
        blocks += len(uses) > times and all(later - use <= life for use, later in pairwise(uses))
    return blocks * 512 if blocks > 1 else 0


@given(PROMPTS, st.booleans())
def test_all_ways_are_worth_what_playing_by_hand_gives(steps: list[tuple[int, list[int], bool]], asked: bool) -> None:
    """Conversations as paths of 2,000-byte texts: by hand, each prefix with its times, each call its two bills."""
    rates = BOOK.rates("claude-sonnet-4-5" if asked else "gpt-4o", when=NOON)
    assert not hasattr(rates, "reason")
    price = msgspec.to_builtins(rates)["femto"]
    past: dict[bytes, list[int]] = {}
    now = 0
    caches = Caches(BOOK)
    for gap, path, caches_itself in steps:
        now += gap
        prompt = b"".join(b"%d" % letter * 2000 for letter in path)
        tokens = len(prompt) // 2
        really = 1024 if caches_itself and tokens > 1500 else 0
        made = claude if asked else call
        row = caches.send(made(now, prefix=hashes(prompt), prompt=len(prompt), total=tokens, cached=really))
        assert row is not None
        if tokens < 1024:
            assert row[5:] == (really, 0, 0, 0, 0, 0, 0)
            continue
        short, long, twice = (alive(past, prompt, now, *how) for how in ((300, 1), (3600, 1), (300, 2)))
        ways = [(twice, short), (short, tokens)] if asked else [(short, 0), (long, 0)]
        saves = []
        for reads, upto in ways:
            femto = max(0, reads - really) * (price["input"] - price["cached"])
            femto -= max(0, upto - max(reads, really)) * (price["cache_write"] - price["input"])
            saves.append((femto + FEMTO // 2) // FEMTO)
        found = Played(*row)
        assert (found.reads, found.near, found.far) == (max(short, really), *saves)
        for end in range(1024, len(prompt) + 1, 1024):
            past.setdefault(prompt[:end], []).append(now)
