"""What many calls would have cost on another model, call by call, by the price book's own rule and rounding.

Each call keeps its tokens, its size (prices may step up with it), its use of the prompt cache, its service tier and its
time of day; the day is today's, as who changes a model pays today's prices. A price list's card becomes an SQL
expression, so that a million calls are priced where they lie.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from scrimp.audit.work import Work
from scrimp.call import Usage
from scrimp.prices.book import Book, Unpriced
from scrimp.prices.listing import CLASSES, FEMTO, Card, Listing
from scrimp.prices.table import DAY

COLUMNS = {
    "input": "input",
    "cached": "cached",
    "cache_write": "written",
    "cache_write_1h": "written_1h",
    "output": "output",
    "reasoning": "reasoning",
}
"""Class of Usage -> its column; every other class stands in the JSON of `more`."""
MOST_FEMTO = 2**62
"""Above this a call's price might not fit SQLite's integers."""


class Offer(msgspec.Struct, frozen=True):
    """A model where it is sold. `tiers`: its prices on each service tier that the calls are on."""

    provider: str
    model: str
    tiers: dict[str, Listing]

    def cliffs(self, day: int) -> set[int]:
        """The input sizes at which its prices step, on a day (ns since the epoch)."""
        return {above for listing in self.tiers.values() for above in listing.card(day).cliffs}


class Lump(msgspec.Struct, frozen=True):
    """Calls of one tier on the same side of every cliff: their sum, the size of the largest, most searches in one."""

    tier: str
    size: int
    searches: int
    usage: Usage


def offer(book: Book, model: str, provider: str, tiers: Iterable[str]) -> Offer | None:
    """The model at a provider of the list ("user": a price of the user's own); None where a tier has no price."""
    found: dict[str, Listing] = {}
    spelt = model.removeprefix("regional.")  # Bedrock's regions have one row, which is not found by its own name
    for tier in tiers:
        listing = book.listing(spelt, provider="" if provider == "user" else provider, tier=tier)
        if isinstance(listing, Unpriced) or (listing.provider != "user" and listing.row.id != model):
            return None
        found[tier] = listing
    any_tier = next(iter(found.values()), None)
    return Offer(any_tier.provider, any_tier.row.id, found) if any_tier else None


def lumps(work: Work, table: str, where: str, edges: Iterable[int]) -> list[Lump]:
    """The rows of a table (columns as in `cost_sql`), summed by tier and by which of the edges they are above."""
    side = " + ".join(f"(size > {edge:d})" for edge in sorted({-1, *edges}))
    others = "FILTER (WHERE more <> '')"
    sums = (
        f"SUM({COLUMNS[name]})" if name in COLUMNS else f"SUM(json_extract(more, '$.{name}')) {others}"
        for name in CLASSES
    )
    rows = work.rows(
        f"SELECT tier, MAX(size), MAX(json_extract(more, '$.searches')) {others}, {', '.join(sums)}"
        f" FROM {table} WHERE {where} GROUP BY tier, {side} ORDER BY tier, 2"
    )
    return [
        Lump(tier, size, searches or 0, Usage(*(count or 0 for count in sums))) for tier, size, searches, *sums in rows
    ]


def used(found: Iterable[Lump]) -> set[str]:
    """The classes of Usage that any of the calls uses."""
    return {name for lump in found for name in CLASSES if getattr(lump.usage, name)}


def estimate(model: Offer, found: Sequence[Lump], day: int) -> int | None:
    """What the calls cost in nanodollars, but for the rounding of each and prices by the hour: enough to compare.

    None where the model has no price for a class of their tokens, or only borrows one for audio, images or video.
    """
    total = 0
    for lump in found:
        price = model.tiers[lump.tier].price(lump.usage, day, lump.size)
        if isinstance(price, Unpriced) or any(_borrows(flag) for flag in price.flags):
            return None
        total += price.total
    return total


def _borrows(flag: str) -> bool:
    kind, _, name = flag.partition(":")
    return kind == "parent-price" and name not in ("cache_write_1h", "cache_write_12h")


def flags(model: Offer, found: Sequence[Lump], day: int) -> tuple[str, ...]:
    """What the price list flags of these prices."""
    prices = (model.tiers[lump.tier].price(lump.usage, day, lump.size) for lump in found)
    return tuple(sorted({flag for price in prices if not isinstance(price, Unpriced) for flag in price.flags}))


def fits(model: Offer, found: Sequence[Lump], tokens: int, day: int) -> bool:
    """Whether SQLite's integers hold the price of every call, the largest of which has so many tokens."""
    classes = used(found) - {"searches"}
    searches = max(lump.searches for lump in found)
    for card in (card for listing in model.tiers.values() for _, _, card in _spans(listing, day)):
        for level, request in zip(card.levels, card.requests, strict=True):
            rates = dict(zip(CLASSES, level, strict=True))
            dearest = max((rates[name] or 0 for name in classes), default=0)
            if dearest * tokens + (rates["searches"] or 0) * searches + request + FEMTO > MOST_FEMTO:
                return False
    return True


def cost_sql(model: Offer, classes: set[str], day: int) -> str:
    """An SQL expression: what a row's call costs on the model, in nanodollars, rounded as `Listing.price` rounds.

    The row has the columns of `COLUMNS`, `size` (all input tokens), `tier`, `at` (ns; where it is NULL, the day's
    begin) and `more`. `classes`: those of Usage that any row uses. `day`: the midnight whose prices count.
    """
    listed = [name for name in CLASSES if name in classes]
    branches: dict[str, list[str]] = {}
    for tier, listing in model.tiers.items():
        branches.setdefault(_by_time(listing, listed, day), []).append(tier)
    (usual, _), *special = sorted(branches.items(), key=lambda branch: -len(branch[1]))
    if not special:
        return usual
    whens = " ".join(f"WHEN tier IN ({', '.join(map(_quoted, tiers))}) THEN {cost}" for cost, tiers in special)
    return f"CASE {whens} ELSE {usual} END"


def _by_time(listing: Listing, classes: Sequence[str], day: int) -> str:
    spans = list(_spans(listing, day))
    cost = _by_size(spans[-1][2], classes)
    for _, end, card in reversed(spans[:-1]):
        cost = f"CASE WHEN COALESCE(at, 0) % {DAY} < {end} THEN {_by_size(card, classes)} ELSE {cost} END"
    return cost


def _spans(listing: Listing, day: int) -> Iterable[tuple[int, int, Card]]:
    """(begin, end, card) of the parts of a day that have prices of their own, ns since midnight."""
    hours = [term for term in listing.terms if term.opens is not None]
    edges = sorted({0, *(term.opens or 0 for term in hours), *(term.closes % DAY for term in hours)})
    for begin, end in zip(edges, (*edges[1:], DAY), strict=True):
        yield begin, end, listing.card(day + begin)


def _by_size(card: Card, classes: Sequence[str]) -> str:
    *below, cost = [
        _rounded(dict(zip(CLASSES, level, strict=True)), classes, request)
        for level, request in zip(card.levels, card.requests, strict=True)
    ]
    whens = (f"WHEN size <= {cliff} THEN {part}" for cliff, part in zip(card.cliffs, below, strict=True))
    return f"CASE {' '.join(whens)} ELSE {cost} END" if below else cost


def _rounded(rates: Mapping[str, int | None], classes: Sequence[str], request: int) -> str:
    """Femtodollars summed, then rounded half up to nanodollars; no part of it is negative."""
    parts = [f"{_tokens(name)} * {rates[name] or 0}" for name in classes]
    return f"(({' + '.join(parts) or '0'} + {request + FEMTO // 2}) / {FEMTO})"


def _tokens(name: str) -> str:
    if name in COLUMNS:
        return COLUMNS[name]
    return f"CASE WHEN more = '' THEN 0 ELSE COALESCE(json_extract(more, '$.{name}'), 0) END"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
