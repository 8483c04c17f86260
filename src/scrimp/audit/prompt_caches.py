"""Providers' prompt caches, played through: what each call could have read from one, and what that is worth.

Calls come in the order of their times. A cache is one tenant's at one model; a call reads the longest beginning of its
prompt that is still alive and renews it. No more blocks are kept than a bound, so memory is flat and the error is low.
"""

from __future__ import annotations

import time
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from scrimp.audit.cache_rules import Rule, rule_for
from scrimp.audit.prefix import ENDS
from scrimp.audit.replay import hashed
from scrimp.prices.book import Book, Unpriced
from scrimp.prices.listing import FEMTO
from scrimp.prices.table import DAY

LIVE_BLOCKS = 300_000
"""Blocks that are kept at most; whichever were used longest ago go first."""
REMEMBERED = 2_048
"""Lanes and prices that are kept at hand."""
QUARTER = 15 * 60 * 10**9
"""Prices change on quarters of an hour, if at all (ns)."""
LEAST_BYTES = 2
"""A token has at least so many bytes of the prompt; where fewer are billed for each, much of the input is not shown."""
MILLI = 1_000_000
LONG_AGO = -(2**62)

Prices = tuple[int, int, int, int]
"""Femtodollars a token: input, cached, a write of the short life, a write of the long one."""
Tariff = tuple[tuple[int, ...], tuple[Prices, ...]]
"""Sizes above which a whole request has other prices, and the prices from each on."""


class Seen(NamedTuple):
    """How many of a prompt's first blocks are alive: used before, and used twice before, by the short and long life."""

    once: int
    twice: int
    once_long: int
    twice_long: int


class Blocks:
    """Blocks that were used, each with the last two times. At most `most` of them, in halves; the older goes whole."""

    def __init__(self, most: int = LIVE_BLOCKS) -> None:
        self._half = most // 2
        self._young: dict[int, tuple[int, int]] = {}
        self._old: dict[int, tuple[int, int]] = {}

    def use(self, blocks: Sequence[int], now: int, short: int, long: int) -> Seen:
        """Use the blocks of a prompt, its first one first, at a time; lives and times in ms. What was alive before.

        A block is used whenever those before it are, so a prompt's blocks fall into few runs of equal times.
        """
        young, old = self._young, self._old
        found = list(map(young.get, blocks))
        if old and None in found:
            known = found.index(None)
            found[known:] = map(old.get, blocks[known:])
        once = twice = once_long = twice_long = 0
        size = len(found)
        start = 0
        while start < size and (times := found[start]) is not None:
            end = start + 1
            while end < size and found[end] is times:
                end += 1
            last, before = times
            if now - last <= long and once_long == start:
                once_long = end
                if last - before <= long and twice_long == start:
                    twice_long = end
                if now - last <= short and once == start:
                    once = end
                    if last - before <= short and twice == start:
                        twice = end
            young.update(dict.fromkeys(blocks[start:end], (now, last)))
            start = end
        if start < size:
            young.update(dict.fromkeys(blocks[start:], (now, LONG_AGO)))
        if len(young) > self._half:
            self._old, self._young = young, {}
        return Seen(once, twice, once_long, twice_long)


class Row(NamedTuple):
    """A call as the working file has it; `total` is all its input tokens."""

    id: int
    at: int
    feature: str
    key: str
    provider: str
    model: str
    price_model: str
    tier: str
    total: int
    input: int
    cached: int
    written: int
    written_1h: int
    prefix: bytes
    unit: int
    prompt: int
    broke: int | None
    same: int
    paid: int
    left: int
    moved: str


class Outcome(NamedTuple):
    """What a call could have read, in tokens, and saved, in nanodollars; below 0 where it would have cost more.

    `reads`, `more`, `fixed`: tokens that could have been read, those that were not, and those that were not but for a
    break of the prefix. `everything`: with all of each prompt written; `repeated`: with what was there before written,
    from its second time on; `best`: with exactly that written which is read again; `everything_long` and
    `repeated_long`: by the long life; `mended`: as `repeated`, with what breaks the prefix moved to its end.
    """

    reads: int
    more: int = 0
    fixed: int = 0
    everything: int = 0
    repeated: int = 0
    best: int = 0
    everything_long: int = 0
    repeated_long: int = 0
    mended: int = 0


class Lane:
    """Calls of one feature that meet one cache. `load` names the feature and the model, whoever the tenant is."""

    __slots__ = ("last", "load", "moved", "names", "priced", "quarter", "rule", "runs", "salt", "tariff", "tier")

    def __init__(self, rule: Rule, load: int, salt: int, names: tuple[tuple[str, str], ...], priced: str) -> None:
        self.rule, self.load, self.salt = rule, load, salt
        self.names, self.priced = names, priced
        self.moved = False
        self.last, self.runs = LONG_AGO, 0
        self.tariff: Tariff | None = None
        self.quarter, self.tier = LONG_AGO, ""


class Caches:
    """All caches of a log, as far as its calls tell."""

    def __init__(self, book: Book, most: int = LIVE_BLOCKS) -> None:
        self._book = book
        self._today = time.time_ns() // DAY * DAY
        self._blocks = Blocks(most)
        self._lanes: dict[tuple[str, ...], Lane | None] = {}
        self._tariffs: dict[tuple[str | int, ...], Tariff | None] = {}

    def send(self, call: Row, moved: str = "") -> tuple[Lane, Outcome] | None:
        """Send the next call, to where it went or to where it is `moved` ("provider/model").

        None where nothing is known of that cache, or nothing costs less for being read from it.
        """
        names = (*call[2:7], moved)
        lane = self._lanes[names] if names in self._lanes else self._open(*names)
        if lane is None:
            return None
        quarter = call.at // QUARTER
        if lane.quarter != quarter or lane.tier != call.tier:
            self._price(lane, call, quarter)
        tariff = lane.tariff
        if tariff is None:
            return None
        cliffs, levels = tariff
        prices = levels[bisect_left(cliffs, call.total)] if cliffs else levels[0]
        rule = lane.rule
        if prices[1] >= prices[0]:
            return None
        if call.total < rule.minimum:
            return lane, Outcome(call.cached)
        now = call.at // MILLI
        salt = lane.salt
        blocks = [block ^ salt for block in memoryview(call.prefix).cast("Q")]
        seen = self._blocks.use(blocks, now, rule.short, rule.long)
        lane.runs = lane.runs + 1 if now - lane.last <= rule.short else 0
        lane.last = now
        return lane, (_asked if rule.asked else _automatic)(call, rule, prices, seen, lane.runs)

    def _open(self, feature: str, key: str, provider: str, model: str, price_model: str, moved: str) -> Lane | None:
        priced = moved or price_model
        maker, _, listed = priced.partition("/")
        rule = rule_of(self._book, provider, model, priced)
        if len(self._lanes) >= REMEMBERED:
            self._lanes.clear()
        lane = None
        if rule is not None:
            there = (listed.removeprefix("regional."), "" if maker == "user" else maker)
            load = hashed(f"{feature}\0{priced}".encode(errors="replace"))
            salt = hashed(f"{key}\0{moved or provider}\0{moved or model}".encode(errors="replace"))
            lane = Lane(rule, load, salt, (there,) if moved else ((model, provider), there), priced)
            lane.moved = bool(moved)
        self._lanes[feature, key, provider, model, price_model, moved] = lane
        return lane

    def _price(self, lane: Lane, call: Row, quarter: int) -> None:
        """Give a lane the prices of a quarter of an hour and a tier."""
        key = (lane.priced, *lane.names[0], call.tier, quarter, lane.moved)
        if key not in self._tariffs:
            if len(self._tariffs) >= REMEMBERED:
                self._tariffs.clear()
            self._tariffs[key] = self._look_up(lane, call.tier, call.at)
        lane.tariff, lane.quarter, lane.tier = self._tariffs[key], quarter, call.tier

    def _look_up(self, lane: Lane, tier: str, at: int) -> Tariff | None:
        """Prices at a time; on a model that a call is moved to, those of that time today."""
        when = self._today + at % DAY if lane.moved else at
        for model, provider in lane.names:
            listing = self._book.listing(model, provider=provider, tier=tier)
            if isinstance(listing, Unpriced) or f"{listing.provider}/{listing.row.id}" != lane.priced:
                continue
            cliffs = listing.card(when).cliffs
            levels = []
            for size in (0, *(cliff + 1 for cliff in cliffs)):
                femto = listing.rates(when, size).femto
                if "input" not in femto:
                    return None
                plain = femto["input"]
                cached, write, long_write = (
                    femto.get(name, plain) for name in ("cached", "cache_write", lane.rule.long_write)
                )
                levels.append((plain, cached, write, long_write))
            return cliffs, tuple(levels)
        return None


def rule_of(book: Book, provider: str, model: str, priced: str) -> Rule | None:
    """The rule of the cache that a call priced as "provider/model" meets; the user's own prices go by the model."""
    maker, _, listed = priced.partition("/")
    if maker != "user":
        return rule_for(maker, listed)
    own = rule_for(book.owner(listed), listed)
    return own or rule_for(book.owner(model) or provider, model)


def tokens_of(call: Row, rule: Rule, blocks: int) -> int:
    """How many tokens a call reads whose first blocks are alive: its share of them by bytes, in the rule's steps."""
    if not blocks:
        return 0
    if call.unit:
        return _stepped(min(call.total, blocks * call.unit), rule)
    size = ENDS[blocks - 1]
    return _stepped(min(call.total * size // max(1, call.prompt), size // LEAST_BYTES), rule)


def saved(call: Row, prices: Prices, reads: int, end: int = 0, write: int = 0) -> int:
    """Femtodollars saved by reading the first `reads` tokens, and writing from there to `end` at the price `write`.

    What was really read stays read, and what was really written stays written where it is not read now: a prompt's
    tokens are read ones, then written ones, then plain ones. Below 0 where writing costs more than reading saves.
    """
    plain, cached, short_write, long_write = prices
    total = 0
    unread = call.input
    more = reads - call.cached
    if more > 0:
        from_long = min(more, call.written_1h)
        from_short = min(more - from_long, call.written)
        from_plain = min(more - from_long - from_short, unread)
        total = from_long * (long_write - cached) + from_short * (short_write - cached) + from_plain * (plain - cached)
        unread -= from_plain
    if end and write > plain:
        held = max(reads, call.cached + call.written + call.written_1h)
        total -= max(0, min(end - held, unread)) * (write - plain)
    return total


def _automatic(call: Row, rule: Rule, prices: Prices, seen: Seen, runs: int) -> Outcome:
    """What a cache that works by itself would have given."""
    if rule.after == 1:
        blocks, blocks_long = seen.once, seen.once_long
    else:
        blocks, blocks_long = seen.twice, seen.twice_long
    really = call.cached
    reads = tokens_of(call, rule, blocks)
    reads_long = reads if blocks_long == blocks else tokens_of(call, rule, blocks_long)
    mended_to = _without_break(call, rule) if runs and call.broke is not None else 0
    if reads_long <= really and mended_to <= really:
        return Outcome(really)
    saves = _nano(saved(call, prices, reads))
    saves_long = saves if reads_long == reads else _nano(saved(call, prices, reads_long))
    held = max(reads, really)
    mended = _nano(saved(call, prices, mended_to)) if mended_to > held else saves
    return Outcome(
        held, held - really, max(0, mended_to - held), saves, saves, saves_long, saves_long, saves_long, mended
    )


def _asked(call: Row, rule: Rule, prices: Prices, seen: Seen, runs: int) -> Outcome:
    """What a cache that has to be asked would have given, its writes charged."""
    _, _, write, write_long = prices
    once, twice = tokens_of(call, rule, seen.once), tokens_of(call, rule, seen.twice)
    everything = everything_long = _nano(saved(call, prices, once, call.total, write))
    repeated = repeated_long = mended = _nano(saved(call, prices, twice, once, write)) if once else 0
    best = _nano(_best(call, prices, once, twice, write)) if once else 0
    if rule.long != rule.short:
        once_long, twice_long = tokens_of(call, rule, seen.once_long), tokens_of(call, rule, seen.twice_long)
        everything_long = _nano(saved(call, prices, once_long, call.total, write_long))
        repeated_long = _nano(saved(call, prices, twice_long, once_long, write_long)) if once_long else 0
    held = max(once, call.cached)
    mended_to = _without_break(call, rule) if runs and call.broke is not None else 0
    if mended_to > held:
        mended = _nano(_best(call, prices, mended_to, mended_to if runs > 1 else 0, write))
    return Outcome(
        held,
        held - call.cached,
        max(0, mended_to - held),
        everything,
        repeated,
        best,
        everything_long,
        repeated_long,
        mended,
    )


def _best(call: Row, prices: Prices, reads: int, paid_for: int, write: int) -> int:
    """Femtodollars saved where only what is read again is written: the first reader pays for the write, later ones not.

    `paid_for`: of the tokens that are read now, those whose write is paid. What does not pay is not written.
    """
    unpaid = min(reads - max(paid_for, call.cached + call.written + call.written_1h), call.input)
    gain = saved(call, prices, reads) - max(0, unpaid) * max(0, write - prices[0])
    return max(gain, saved(call, prices, paid_for))


def _without_break(call: Row, rule: Rule) -> int:
    """Tokens that could be read if what broke the prefix stood at its end; 0 where the break costs nothing."""
    if call.broke is None:
        return 0
    if min(call.total * call.same // max(1, call.prompt), call.same // LEAST_BYTES) < rule.minimum:
        return 0
    return tokens_of(call, rule, bisect_right(ENDS, call.broke + call.same))


def _stepped(tokens: int, rule: Rule) -> int:
    return tokens - tokens % rule.step if tokens >= rule.minimum else 0


def _nano(femto: int) -> int:
    return (femto + FEMTO // 2) // FEMTO
