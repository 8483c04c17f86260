"""What many calls would have cost on another model, call by call, by the price book's own rule and rounding.

Each call keeps its tokens, its size (prices may step up with it), its use of the prompt cache, its service tier and its
time of day; the day is today's, as who changes a model pays today's prices. A price list's card becomes an SQL
expression, so that a million calls are priced where they lie.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

import msgspec

from scrimp.audit.work import Work
from scrimp.call import Usage
from scrimp.prices.book import Book, Unpriced
from scrimp.prices.listing import CLASSES, FEMTO, Card, Listing
from scrimp.prices.table import DAY

COLUMNS = {
    "input": "input", "cached": "cached", "cache_write": "written", "cache_write_1h": "written_1h",
    "output": "output", "reasoning": "reasoning",
}  # fmt: skip
"""Class of Usage -> its column; every other class stands in the JSON of `more`."""
_TOKENS = {
    name: COLUMNS.get(name, f"CASE WHEN more = '' THEN 0 ELSE COALESCE(json_extract(more, '$.{name}'), 0) END")
    for name in CLASSES
}
_BORROWED = frozenset(f"parent-price:{name}" for name in ("audio_input", "audio_output", "image_output"))
"""Flags of prices that are no prices for such tokens, only for text."""


class Offer(msgspec.Struct, frozen=True):
    """A model where it is sold. `tiers`: its prices on each service tier that the calls are on."""

    provider: str
    model: str
    tiers: dict[str, Listing]


Lump = tuple[str, int, Usage]
"""Calls of one tier for which the same prices hold: the tier, the size of the largest, their sum."""


def offers(book: Book, models: Iterable[tuple[str, str]], tiers: Sequence[str]) -> Iterator[Offer]:
    """Those models (provider, model) that have a price on every tier; provider "user": a price of the user's own."""
    for provider, model in models:
        spelt = model.removeprefix("regional.")  # Bedrock's regions have one row, which is not found by its own name
        found: dict[str, Listing] = {}
        for tier in tiers:
            listing = book.listing(spelt, provider="" if provider == "user" else provider, tier=tier)
            if not isinstance(listing, Unpriced) and (listing.provider == "user" or listing.row.id == model):
                found[tier] = listing
        if len(found) == len(tiers):
            yield Offer(found[tiers[0]].provider, found[tiers[0]].row.id, found)


def lumps(work: Work, rows: str, models: Iterable[Offer], day: int) -> list[Lump]:
    """The rows of a FROM clause (columns as in `cost_sql`), summed by tier and by which prices of the models hold."""
    cards = [listing.card(day) for model in models for listing in model.tiers.values()]
    cliffs = {-1, *chain(*(card.cliffs for card in cards))}
    side = " + ".join(f"(size > {cliff})" for cliff in sorted(cliffs))
    sums = ", ".join(f"SUM({_TOKENS[name]})" for name in CLASSES)
    found = work.rows(f"SELECT tier, MAX(size), {sums} FROM {rows} GROUP BY tier, {side} ORDER BY tier, 2")
    return [(tier, size, Usage(*counts)) for tier, size, *counts in found]


def estimate(model: Offer, calls: Iterable[Lump], day: int) -> tuple[int, tuple[str, ...]] | None:
    """What calls cost in nanodollars, but for the rounding of each and prices by the hour; and what is flagged of it.

    None where the model has no price for a class of their tokens, or only borrows one for audio or images.
    """
    total = 0
    flags: set[str] = set()
    for tier, size, usage in calls:
        price = model.tiers[tier].price(usage, day, size)
        if isinstance(price, Unpriced) or _BORROWED.intersection(price.flags):
            return None
        total += price.total
        flags.update(price.flags)
    return total, tuple(sorted(flags))


def cost_sql(model: Offer, calls: Sequence[Lump], day: int) -> str:
    """An SQL expression: what a row's call costs on the model, in nanodollars, rounded as `Listing.price` rounds.

    The row has the columns of `COLUMNS`, `size` (all input tokens), `tier`, `at` (ns; NULL: midnight) and `more`; the
    prices are those of `day`, a midnight. The cost is a float where it is larger than SQLite's integers.
    """
    used = [name for name in CLASSES if any(getattr(usage, name) for _, _, usage in calls)]
    branches = []
    for tier, listing in model.tiers.items():
        of_tier = "tier = '{}'".format(tier.replace("'", "''"))
        for end, card in _spans(listing, day):
            for top, level, request in zip((*card.cliffs, None), card.levels, card.requests, strict=True):
                rates = dict(zip(CLASSES, level, strict=True))
                parts = [*(f"{_TOKENS[name]} * {rates[name] or 0}" for name in used), f"{request + FEMTO // 2}"]
                until = f" AND COALESCE(at, 0) % {DAY} < {end}" if end < DAY else ""
                up_to = f" AND size <= {top}" if top is not None else ""
                branches.append(f"WHEN {of_tier}{until}{up_to} THEN ({' + '.join(parts)}) / {FEMTO}")
    return f"CASE {' '.join(branches)} END"


def _spans(listing: Listing, day: int) -> Iterator[tuple[int, Card]]:
    """(end, card) of the parts of a day that have prices of their own, ns since midnight."""
    hours = [term for term in listing.terms if term.opens is not None]
    edges = sorted({0, *(term.opens or 0 for term in hours), *(term.closes % DAY for term in hours)})
    for begin, end in zip(edges, (*edges[1:], DAY), strict=True):
        yield end, listing.card(day + begin)
