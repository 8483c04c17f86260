"""Providers' prompt caches, played through: what each call could have read from one, and what that is worth.

Calls come in the order of their times. A cache is one tenant's at one model; a call reads the longest beginning of its
prompt that is still alive and renews it. No more prefixes are kept than a bound, so memory is flat and the error low.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import namedtuple

import msgspec

from scrimp.audit.cache_rules import Rule, rule_for
from scrimp.audit.prefix import ENDS, HASH
from scrimp.audit.replay import hashed
from scrimp.prices.book import Book, Unpriced
from scrimp.prices.listing import CLASSES, FEMTO, Listing

MOST_RUNS = 100_000
"""Parts of prefixes that are kept, some 300 bytes each; whichever were used longest ago go first."""
MOST_LANES = 2_048
LEAST_BYTES = 2
"""A token has at least so many bytes of the prompt; where fewer are billed for each, much of the input is not shown."""
MILLI = 1_000_000
NEVER = -(2**62)
ALWAYS = 2**63
SIZES = (0, *ENDS)  # bytes of so many blocks
Prices = tuple[int, int, int]
_INPUT, _CACHED, _WRITE = map(CLASSES.index, ("input", "cached", "cache_write"))
Row = namedtuple(
    "Row",
    "id at feature key provider model price_model tier moved left paid total cached written prefix unit prompt broke"
    " same",
)
"""A call as the working file has it; `total` is its input tokens, `written` those of them for either life."""
PLAYED = ("id", "load", "asked", "sent", "total", "reads", "more", "fixed", "near", "far", "mended", "alone")
"""What comes of a call: its workload (feature and model), whether its cache has to be asked, and what follows where the
advice before this one sends it. What a cache of ours answers is not sent and has but `more`.

`reads`, `more`, `fixed`: tokens that could have been read, those that were not, and those that were not but for a break
of the prefix. The others are what is saved in nanodollars, below 0 where it would have cost more. `near`: by a cache's
short life; of one that has to be asked, with what came before written from its second time on. `far`: by the long life,
or with all of each prompt written. `mended`: as `near`, with what breaks the prefix moved to its end. `alone`: how much
larger `mended` is without that advice.
"""
Outcome = tuple[int, int, int, int, int, int]


class Lane(msgspec.Struct):
    """Calls of one feature that meet one cache; `streak` of them came within its short life of the one before.

    `lives`: how long ago (ms) a block was last used at most, and how long before that already, to be near; to be far.
    """

    rule: Rule
    listing: Listing
    load: int
    cache: bytes
    lives: tuple[int, int, int, int]
    last: int = NEVER
    streak: int = 0


class Run(msgspec.Struct, gc=False):
    """Blocks of prompts (their hashes) that were used together, and the last two times."""

    blocks: bytes
    last: int = NEVER
    before: int = NEVER


class Prefixes:
    """Prefixes that were used, as a tree of runs of blocks. Two generations, of which the older one goes whole.

    A hash stands for all of a prompt up to it, so that a run is found by its first one.
    """

    def __init__(self, most: int = MOST_RUNS) -> None:
        self._half = most // 2
        self._young: dict[bytes, Run] = {}
        self._old: dict[bytes, Run] = {}

    def use(self, prefix: bytes, now: int, lane: Lane, renews: bool = True) -> tuple[int, int]:
        """How many first blocks of a prompt are near and far in a lane's cache at a time (ms); uses them, if it may."""
        if len(self._young) > self._half:
            self._old, self._young = self._young, {}
        young = self._young
        near, near_before, far, far_before = lane.lives
        is_near = is_far = at = 0
        while at < len(prefix):
            key = lane.cache + prefix[at : at + HASH]
            run = young.get(key)
            if run is None:
                run = young[key] = self._old.pop(key) if key in self._old else Run(prefix[at:])
            end = at + len(run.blocks)
            if run.blocks != prefix[at:end]:
                end = at + self._split(run, prefix[at:], lane.cache)
            ago, gap = now - run.last, run.last - run.before
            if ago <= near and gap <= near_before:
                is_near = end
            if ago <= far and gap <= far_before:
                is_far = end
            if renews:
                run.before = run.last
                run.last = now
            at = end
        return is_near // HASH, is_far // HASH

    def _split(self, run: Run, prefix: bytes, cache: bytes) -> int:
        """End a run where a prompt leaves it; after how many bytes of it."""
        blocks = run.blocks
        size = HASH
        while blocks[size : size + HASH] == prefix[size : size + HASH]:
            size += HASH
        run.blocks = blocks[:size]
        self._young[cache + blocks[size : size + HASH]] = Run(blocks[size:], run.last, run.before)
        return size


class Caches:
    """All caches of a log, as far as its calls tell."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._prefixes = Prefixes()
        self._lanes: dict[tuple[str | int, ...], Lane | None] = {}

    def send(self, call: Row) -> tuple[int, ...] | None:
        """Send the next call: what comes of it (PLAYED). None where nothing is known of its cache.

        No more is saved than is left of a call, and alone no more than was paid.
        """
        met = self._meet(call)
        if met is None:
            return None
        lane, prices = met
        sent = int(call.left > 0)
        near = far = 0
        if call.total >= lane.rule.minimum:
            now = call.at // MILLI
            near, far = self._prefixes.use(call.prefix, now, lane, bool(sent))
            if sent:
                lane.streak = lane.streak + 1 if now - lane.last <= lane.rule.short else 0
                lane.last = now
        there = here = outcome(call, lane.rule, prices, near, far, lane.streak)
        if call.moved:
            own = self._meet(call._replace(moved=""))
            here = outcome(call, own[0].rule, own[1], near, far, lane.streak) if own else (0, 0, 0, 0, 0, 0)
        reads, more, fixed, by_near, by_far, mended = there if sent else (0, there[1], 0, 0, 0, 0)
        left = call.left
        gains = min(by_near, left), min(by_far, left), min(mended, left)
        alone = min(here[5], call.paid) - gains[2]
        return call.id, lane.load, int(lane.rule.asked), sent, sent * call.total, reads, more, fixed, *gains, alone

    def _meet(self, call: Row) -> tuple[Lane, Prices] | None:
        """The cache that a call meets, and prices then; None where it is not known or reading from it is no cheaper."""
        names = call[2:9]
        try:
            lane = self._lanes[names]
        except KeyError:
            if len(self._lanes) >= MOST_LANES:
                self._lanes.clear()
            lane = self._lanes[names] = self._open(call)
        if lane is None:
            return None
        card = lane.listing.card(call.at)
        level = card.levels[bisect_left(card.cliffs, call.total)]
        plain, cached, write = level[_INPUT], level[_CACHED], level[_WRITE]
        if plain is None or cached is None or cached >= plain:
            return None
        return lane, (plain, cached, write if write and lane.rule.asked else plain)

    def _open(self, call: Row) -> Lane | None:
        priced = call.moved or call.price_model
        maker, _, model = priced.partition("/")
        rule = rule_of(self._book, priced)
        model = model.removeprefix("regional.")  # Bedrock's regions have one row, not found by its own name
        listing = self._book.listing(model, provider="" if maker == "user" else maker, tier=call.tier)
        if rule is None or isinstance(listing, Unpriced) or f"{listing.provider}/{listing.row.id}" != priced:
            return None
        load = hashed(f"{call.feature}\0{priced}".encode(errors="replace"))
        place = call.moved or f"{call.provider}\0{call.model}"
        cache = hashed(f"{call.key}\0{place}".encode(errors="replace")).to_bytes(HASH, "big")
        short = rule.short if rule.after > 1 else ALWAYS
        long = rule.long if rule.after > 1 and not rule.asked else ALWAYS
        return Lane(rule, listing, load, cache, (rule.short, short, rule.long, long))


def rule_of(book: Book, priced: str) -> Rule | None:
    """The rule of the cache that a call priced as "provider/model" meets; the user's own prices go by the model."""
    provider, _, model = priced.partition("/")
    return rule_for(book.owner(model) if provider == "user" else provider, model)


def outcome(call: Row, rule: Rule, prices: Prices, near: int, far: int, streak: int) -> Outcome:
    """What comes of a call, `reads` to `mended`, whose first blocks are alive, so many of them near and so many far.

    `prices`: femtodollars of a token that is plain, read and written; where a cache works by itself, a write is plain.
    """
    really = call.cached
    surely = reads = tokens_of(call, rule, near)
    if far != near:
        reads = tokens_of(call, rule, far)
    mend = 0
    if call.broke is not None and streak >= rule.after:
        mend = tokens_of(call, rule, bisect_right(ENDS, call.broke + call.same))
    if call.total < rule.minimum or (not rule.asked and max(reads, mend) <= really):
        return really, 0, 0, 0, 0, 0
    by_near = by_far = mended = saved(call, prices, surely, reads)
    if rule.asked or reads != surely:
        by_far = saved(call, prices, reads, call.total)
    held = max(reads if rule.asked else surely, really)
    if mend > held:
        mended = saved(call, prices, max(surely, mend), max(reads, mend))
    return held, held - really, max(0, mend - held), by_near, by_far, mended


def tokens_of(call: Row, rule: Rule, blocks: int) -> int:
    """How many tokens a call reads whose first blocks are alive: its share of them by bytes, in the rule's steps."""
    size = 0 if call.unit else SIZES[blocks]
    shown = min(call.total * size // max(1, call.prompt), size // LEAST_BYTES)
    tokens: int = min(call.total, blocks * call.unit or shown)
    return tokens - tokens % rule.step if tokens >= rule.minimum else 0


def saved(call: Row, prices: Prices, reads: int, end: int = 0) -> int:
    """Nanodollars saved by reading the first `reads` tokens, and writing from there to `end`.

    What was really read stays read, and what was really written stays written where it is not read now: a prompt's
    tokens are read ones, then written ones, then plain ones. Below 0 where writing costs more than reading saves.
    """
    plain, cached, write = prices
    held: int = call.cached + call.written
    femto = 0
    if reads > call.cached:
        rewritten = min(reads, held) - call.cached
        femto = rewritten * (write - cached) + max(0, reads - held) * (plain - cached)
    if end > held and end > reads:
        femto -= (end - max(held, reads)) * (write - plain)
    return (femto + FEMTO // 2) // FEMTO
