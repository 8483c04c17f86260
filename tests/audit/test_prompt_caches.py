"""Prompt caches played through: who reads what, for how long, and what it is worth, against counting it all by hand."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrimp.audit.cache_rules import HOUR, MINUTE, rule_for
from scrimp.audit.prefix import HASH, hashes
from scrimp.audit.prompt_caches import FEMTO, Blocks, Caches, Outcome, Prices, Row, Seen, saved, tokens_of
from scrimp.audit.replay import audit_config
from scrimp.call import Usage
from scrimp.config import Config, ModelConfig
from scrimp.prices.book import Book, Price
from scrimp.world import World

BOOK = Book.load()
NOON = 1_790_000_000 * 10**9
STABLE = b"The same for everyone. " * 400
SIZE = 10 * 1024
"""Bytes of a prompt: STABLE fills its first 8 blocks, what follows is each call's own."""


def call(at: float = 0, tail: str = "", **more: Any) -> Row:
    """A call of gpt-4o at a second, its prompt STABLE and something of its own; 2,560 tokens, one for four bytes."""
    prompt = (STABLE + tail.encode()).ljust(SIZE, b".")
    values = {
        "id": 1, "at": NOON + round(at * 10**9), "feature": "f", "key": "", "provider": "openai", "model": "gpt-4o",
        "price_model": "openai/gpt-4o", "tier": "", "input": 2560, "cached": 0, "written": 0, "written_1h": 0,
        "prefix": hashes(prompt), "unit": 0, "prompt": len(prompt), "broke": None, "same": 0, "paid": 10**9,
        "left": 10**9, "moved": "",
    } | more  # fmt: skip
    values.setdefault("total", values["input"] + values["cached"] + values["written"] + values["written_1h"])
    return Row(**values)


def claude(at: float = 0, tail: str = "", **more: Any) -> Row:
    """The same of claude-sonnet-4-5."""
    there = {"provider": "anthropic", "model": "claude-sonnet-4-5", "price_model": "anthropic/claude-sonnet-4-5"}
    return call(at, tail, **{**there, **more})


def played(*calls: Row, book: Book = BOOK) -> list[Outcome]:
    caches = Caches(book)
    found = [caches.send(one, one.moved) for one in calls]
    assert all(found)
    return [one[1] for one in found if one]


def cost(model: str, **usage: int) -> int:
    """What a usage costs by the book, in nanodollars."""
    price = BOOK.price(model, Usage(**usage), when=NOON)
    assert isinstance(price, Price)
    return price.total


def test_the_second_call_reads_what_it_shares_in_whole_steps() -> None:
    first, second = played(call(0, "one"), call(60, "two"))
    assert first == Outcome(0)
    assert second.reads == second.more == 2048  # 8 of 10 blocks; STABLE ends within the 9th
    assert second.everything == cost("gpt-4o", input=2560) - cost("gpt-4o", input=512, cached=2048)


def test_steps_and_the_least_are_the_providers() -> None:
    rule = rule_for("openai", "gpt-4o")
    assert rule is not None
    assert [tokens_of(call(), rule, blocks) for blocks in (0, 3, 4, 5, 8, 10)] == [0, 0, 1024, 1280, 2048, 2560]
    assert tokens_of(call(input=2500), rule, 9) == 2176  # 2,250 in steps of 128
    assert tokens_of(call(unit=512), rule, 4) == 2048
    assert tokens_of(call(unit=512), rule, 9) == 2560


def test_what_is_billed_beyond_what_the_prompt_shows_is_not_taken_to_be_read() -> None:
    rule = rule_for("openai", "gpt-4o")
    assert rule is not None
    assert tokens_of(call(input=50_000), rule, 8) == 8 * 1024 // 2
    broken = call(1, input=50_000, broke=0, same=4 * 512 - 1)
    assert played(call(0), broken)[1].fixed == 0


def test_a_prefix_lives_from_use_to_use() -> None:
    reads = [one.reads > 0 for one in played(*(call(at) for at in (0, 299, 598, 899, 1199)))]
    assert reads == [False, True, True, False, True]
    longer = [one.everything_long > 0 for one in played(*(call(at) for at in (0, 3600, 7201)))]
    assert longer == [False, True, False]


def test_what_was_read_already_is_no_saving() -> None:
    _, same, less, more = played(
        call(0), call(1, input=0, cached=2560), call(2, input=1536, cached=1024), call(3, input=0, cached=2560)
    )
    assert (same, more) == (Outcome(2560), Outcome(2560))
    assert (less.more, less.everything) == (1536, cost("gpt-4o", input=1536) - cost("gpt-4o", cached=1536))


@pytest.mark.parametrize("other", [{"key": "k2"}, {"model": "gpt-4o-mini", "price_model": "openai/gpt-4o-mini"}])
def test_nobody_reads_from_a_cache_of_another_tenant_or_model(other: dict[str, Any]) -> None:
    assert [one.reads for one in played(call(0), call(1, **other), call(2))] == [0, 0, 2560]


def test_features_share_a_cache_but_are_workloads_of_their_own() -> None:
    caches = Caches(BOOK)
    (one, _), (other, outcome) = caches.send(call(0)) or (), caches.send(call(1, feature="g")) or ()
    assert outcome.reads == 2560
    assert one.load != other.load


def test_a_call_is_played_where_it_is_moved_to() -> None:
    to = {"moved": "openai/gpt-4.1"}
    assert [one.reads for one in played(call(0), call(1, **to), call(2, **to))] == [0, 0, 2560]
    moved = played(call(0, **to), call(1, **to))[1]
    price = BOOK.price("gpt-4.1", Usage(input=2560))
    cached = BOOK.price("gpt-4.1", Usage(cached=2560))
    assert isinstance(price, Price) and isinstance(cached, Price)
    assert moved.everything == price.total - cached.total


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
    assert second.everything == 2560 * 750


def test_short_prompts_are_not_kept() -> None:
    first, second = played(call(0, input=1000), call(1, input=1000))
    assert (first, second) == (Outcome(0), Outcome(0))


def test_deepseek_reads_what_two_calls_shared() -> None:
    there = {"provider": "deepseek", "model": "deepseek-chat", "price_model": "deepseek/deepseek-chat"}
    assert [one.reads for one in played(*(call(at, **there) for at in range(3)))] == [0, 0, 2560]


def test_writes_are_charged_where_a_cache_has_to_be_asked() -> None:
    first, second, third = played(*(claude(at, str(at)) for at in range(3)))
    written = cost("claude-sonnet-4-5", cache_write=2560) - cost("claude-sonnet-4-5", input=2560)
    shared = 2560 * 8 // 10
    plain, read, write = (cost("claude-sonnet-4-5", **{name: shared}) for name in ("input", "cached", "cache_write"))
    rest = cost("claude-sonnet-4-5", cache_write=512) - cost("claude-sonnet-4-5", input=512)
    assert [one.everything for one in (first, second, third)] == [-written, plain - read - rest, plain - read - rest]
    assert [one.repeated for one in (first, second, third)] == [0, plain - write, plain - read]
    assert [one.best for one in (first, second, third)] == [0, plain - read - (write - plain), plain - read]
    long_write = cost("claude-sonnet-4-5", cache_write_1h=2560)
    assert first.everything_long == cost("claude-sonnet-4-5", input=2560) - long_write


def test_what_is_written_already_is_not_charged_again_but_read_instead() -> None:
    model = "claude-sonnet-4-5"
    first, second = played(claude(0, input=0, written=2560), claude(1, input=0, written=2560))
    assert first.everything == 0
    assert second.everything == second.repeated + cost(model, cache_write=2560) - cost(model, cached=2560)
    assert second.best == second.everything


def test_a_break_is_counted_as_what_could_be_read_without_it() -> None:
    broken = {"prefix": b"", "broke": 200, "same": 9 * 1024}

    def asked(at: float) -> Row:
        prompt = (b"It is %d. " % at) * 20 + STABLE
        return call(at, **{**broken, "prefix": hashes(prompt.ljust(SIZE, b"."))})

    first, second, late = played(asked(0), asked(10), asked(1000))
    assert (first.fixed, second.reads, late.fixed) == (0, 0, 0)
    assert second.fixed == 2304  # 200 bytes before it and 9,216 after: 9 of 10 blocks
    assert second.everything == 0
    assert second.mended == cost("gpt-4o", input=2304) - cost("gpt-4o", cached=2304)
    small = played(asked(0), asked(1)._replace(same=3 * 1024))[1]
    assert (small.fixed, small.mended) == (0, 0)  # less than 1,024 tokens are the same again


USES = st.lists(st.tuples(st.integers(0, 12), st.lists(st.integers(0, 1), max_size=5)), max_size=25).map(
    lambda steps: [(sum(gap for gap, _ in steps[: at + 1]), path) for at, (_, path) in enumerate(steps)]
)


@given(USES)
def test_blocks_are_alive_as_often_as_counting_every_use_says(uses: list[tuple[int, list[int]]]) -> None:
    short, long = 5, 9
    blocks = Blocks()
    past: dict[tuple[int, ...], list[int]] = {}
    for now, path in uses:
        prefixes = [tuple(path[: size + 1]) for size in range(len(path))]
        expected = []
        for life in (short, long):
            once = twice = 0
            for size, prefix in enumerate(prefixes, 1):
                times = past.get(prefix, [])
                if times and now - times[-1] <= life:
                    once = size
                    if len(times) > 1 and times[-1] - times[-2] <= life:
                        twice = size
            expected += [once, twice]
        ids = [hash(prefix) for prefix in prefixes]
        assert blocks.use(ids, now, short, long) == Seen(*expected)
        for prefix in prefixes:
            past.setdefault(prefix, []).append(now)


def test_only_so_many_blocks_are_kept_and_the_last_used_stay() -> None:
    blocks = Blocks(most=200)
    for at in range(100):
        blocks.use([1, 2, 3], at, HOUR, HOUR)
        blocks.use(range(1000 * at, 1000 * at + 20), at, HOUR, HOUR)
        assert len(blocks._young) + len(blocks._old) <= 200 + 20
    assert blocks.use([1, 2, 3], 100, HOUR, HOUR).twice == 3
    assert blocks.use(range(5000, 5020), 100, HOUR, HOUR).once == 0


TOKENS = st.integers(0, 5000)


@given(TOKENS, TOKENS, TOKENS, TOKENS, TOKENS, TOKENS, st.booleans())
def test_a_saving_is_the_difference_of_two_bills(
    plain: int, cached: int, written: int, long: int, reads: int, end: int, is_long: bool
) -> None:
    rates: Prices = (3_000_000_000, 300_000_000, 3_750_000_000, 6_000_000_000)
    one = claude(input=plain, cached=cached, written=written, written_1h=long)
    reads, end = min(reads, one.total), min(end, one.total)
    price = rates[3 if is_long else 2]
    kinds = [1] * cached + [3] * long + [2] * written + [0] * plain  # the price of each token, in the prompt's order
    bill = sum(rates[kind] for kind in kinds)
    new = [1] * max(reads, cached) + kinds[max(reads, cached) :]
    then = sum(price if kind == 0 and at < end else rates[kind] for at, kind in enumerate(new))
    assert saved(one, rates, reads, end, price) == bill - then


PROMPTS = st.lists(
    st.tuples(st.integers(0, 400), st.lists(st.integers(0, 2), min_size=1, max_size=6), st.booleans()), max_size=20
)


@given(PROMPTS)
def test_all_ways_together_are_what_playing_by_hand_gives(steps: list[tuple[int, list[int], bool]]) -> None:
    """Conversations as paths of 2,000-byte texts: by hand, each prefix with its times, each call its two bills."""
    rates = BOOK.rates("claude-sonnet-4-5", when=NOON)
    assert not hasattr(rates, "reason")
    price = msgspec.to_builtins(rates)["femto"]
    past: dict[bytes, list[int]] = {}
    now = 0
    caches = Caches(BOOK)
    for gap, path, caches_itself in steps:
        now += gap
        prompt = b"".join(b"%d" % step * 2000 for step in path)
        tokens = len(prompt) // 2
        really = 1024 if caches_itself and tokens > 1500 else 0
        met = caches.send(claude(now, prefix=hashes(prompt), prompt=len(prompt), input=tokens - really, cached=really))
        assert met is not None
        outcome = met[1]
        if tokens < 1024:
            assert outcome == Outcome(really)
            continue
        ends = range(1024, len(prompt) + 1, 1024)
        alive = [past.get(prompt[:end], []) for end in ends]
        once = sum(bool(times) and now - times[-1] <= 300 for times in alive) * 512
        twice = sum(len(times) > 1 and now - times[-1] <= 300 and times[-1] - times[-2] <= 300 for times in alive) * 512
        once, twice = (count if count >= 1024 else 0 for count in (once, twice))
        bill = really * price["cached"] + (tokens - really) * price["input"]

        def paid(reads: int, upto: int, really: int = really, tokens: int = tokens) -> int:
            reads, upto = max(reads, really), max(upto, really, reads)
            writes = (upto - reads) * price["cache_write"]
            return reads * price["cached"] + writes + (tokens - upto) * price["input"]

        assert outcome.reads == max(once, really)
        assert outcome.everything == nano(bill - paid(once, tokens))
        assert outcome.repeated == nano(bill - paid(twice, once) if once else 0)
        assert outcome.best >= max(outcome.repeated, 0)
        for end in ends:
            past.setdefault(prompt[:end], []).append(now)


def nano(femto: int) -> int:
    """Rounded as all money is."""
    return (femto + FEMTO // 2) // FEMTO


def test_lives_are_milliseconds_and_hashes_are_read_whole() -> None:
    assert (MINUTE, HOUR) == (60_000, 3_600_000)
    assert memoryview(b"").cast("Q").itemsize == HASH
