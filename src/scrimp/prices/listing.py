"""One model on one tier: its price cards over time, and what a usage costs on the card of its day.

A card is every class's price, its parents' filled in, for each size of input. The one rounding rule of all money:
the exact sum in femtodollars is rounded half up to nanodollars, classes by cumulative rounding, so that they add up.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from fractions import Fraction

import msgspec

from scrimp.call import INPUT_CLASSES, Price, Usage
from scrimp.prices.known import DERIVED
from scrimp.prices.table import Cliff, Dated, Row, Term, Variant

FEMTO = 1_000_000
"""Femtodollars in a nanodollar."""

CLASSES = Usage.__struct_fields__
INPUTS = len(INPUT_CLASSES)
PARENTS: dict[str, tuple[str, ...]] = {
    "input": ("input",), "cached": ("cached", "input"), "cache_write": ("cache_write_5m", "cache_write", "input"),
    "cache_write_1h": ("cache_write_1h", "cache_write", "input"),
    "cache_write_12h": ("cache_write_12h", "cache_write_1h", "cache_write", "input"),
    "audio_input": ("audio_input", "input"), "audio_cached": ("audio_cached", "cached", "audio_input", "input"),
    "image_input": ("image_input", "input"), "video_input": ("video_input", "input"), "output": ("output",),
    "reasoning": ("reasoning", "output"), "audio_output": ("audio_output", "output"),
    "image_output": ("image_output", "output"), "rejected_prediction": ("output",), "searches": ("searches",)
}  # fmt: skip
"""A class of Usage -> the prices that may count for it, its own first: what has no discount costs the full price."""

DEARER = ("cache_write_1h", "cache_write_12h", "audio_input", "audio_output", "image_output")
"""Classes that may well cost more than their parent: where the list has only the parent's price, that is flagged."""


class Unpriced(msgspec.Struct, frozen=True, gc=False):
    """There is no price, and why."""

    reason: str


class Rates(msgspec.Struct, frozen=True):
    """Prices of one model, in femtodollars a token (`searches`: a search, `requests`: a request) by class of Usage.

    A class that is missing has no price. `cliffs`: input sizes above which the whole request has other prices.
    `tiers`: the service tiers that have a price beside the standard one.
    """

    provider: str
    model: str
    femto: dict[str, int]
    cliffs: tuple[int, ...] = ()
    context: int | None = None
    tiers: tuple[str, ...] = ()
    deprecated: bool = False
    flags: tuple[str, ...] = ()


class Card(msgspec.Struct, frozen=True, gc=False):
    """Prices of one day: `levels[i]`, one a class, and `requests[i]` hold above `cliffs[i - 1]` input tokens."""

    cliffs: tuple[int, ...]
    levels: tuple[tuple[int | None, ...], ...]
    requests: tuple[int, ...]
    flags: tuple[str, ...]
    notes: dict[str, str]


class Listing:
    """A row of the price list read on one tier. `groups`: the contexts asked for, one for each part of the tier."""

    def __init__(
        self, provider: str, row: Row, groups: Sequence[Mapping[str, str]] = (), factor: Fraction = Fraction(1),
        flags: tuple[str, ...] = ()
    ) -> None:  # fmt: skip
        self.provider = provider
        self.row = row
        self.groups = [variants_of(row, group) for group in groups]
        self.factor = factor
        self.flags = flags
        dated: list[Dated | Variant] = [*row.prices, *(variant for group in self.groups for variant in group)]
        self.terms: tuple[Term, ...] = tuple(price.term for price in dated if price.term is not None)
        self._cards: dict[tuple[bool, ...], Card] = {}
        self._only = None if self.terms else self._make_card(0)

    def price(self, usage: Usage, when: int | None, size: int | None = None) -> Price | Unpriced:
        """What a usage costs at a time (ns since the epoch; None: now), at the prices for `size` input tokens.

        `size` None: the usage is one request's, and has its size.
        """
        card = self._only or self.card(when)
        counts: tuple[int, ...] = msgspec.structs.astuple(usage)
        level = bisect_left(card.cliffs, sum(counts[:INPUTS]) if size is None else size) if card.cliffs else 0
        exact = nano = 0
        classes: dict[str, int] = {}
        flags = card.flags
        for name, count, rate in zip(CLASSES, counts, card.levels[level], strict=True):
            if not count:
                continue
            if rate is None:
                return Unpriced(f"{self.provider}/{self.row.id} has no price for {name}")
            exact += count * rate
            so_far = (exact + FEMTO // 2) // FEMTO
            classes[name] = so_far - nano
            nano = so_far
            if name in card.notes:
                flags = (*flags, card.notes[name])
        if card.requests[level]:
            total = (exact + card.requests[level] + FEMTO // 2) // FEMTO
            classes["requests"] = total - nano
            nano = total
        return Price(nano, classes, self.provider, self.row.id, flags)

    def rates(self, when: int | None, input_total: int = 0, tiers: tuple[str, ...] = ()) -> Rates:
        """The prices at a time for a request with so many input tokens."""
        card = self._only or self.card(when)
        level = bisect_left(card.cliffs, input_total)
        femto = {name: rate for name, rate in zip(CLASSES, card.levels[level], strict=True) if rate is not None}
        if card.requests[level]:
            femto["requests"] = card.requests[level]
        row = self.row
        return Rates(self.provider, row.id, femto, card.cliffs, row.context, tiers, row.deprecated, card.flags)

    def card(self, when: int | None) -> Card:
        """The card in force; there are as many as there were different days."""
        if when is None:
            when = time.time_ns()
        in_force = tuple([term.holds(when) for term in self.terms])
        card = self._cards.get(in_force)
        if card is None:
            card = self._cards[in_force] = self._make_card(when)
        return card

    def _make_card(self, when: int) -> Card:
        flags = self.flags
        prices = self.row.prices
        standing = [price for price in prices if price.term is None or price.term.holds(when)]
        rates = dict((standing[-1] if standing else prices[0]).rates)
        early = not standing
        for group in self.groups:
            overlay, came_early = _overlay(group, when)
            rates.update(overlay)
            early = early or came_early
        if early:
            flags = (*flags, "earliest-known")
        cliffs = tuple(sorted({above for rate in rates.values() if isinstance(rate, Cliff) for above, _ in rate.steps}))
        levels = []
        requests = []
        for input_total in (0, *(above + 1 for above in cliffs)):
            at = {name: rate.at(input_total) if isinstance(rate, Cliff) else rate for name, rate in rates.items()}
            levels.append(tuple(self._rate(name, at) for name in CLASSES))
            requests.append(at.get("requests", 0))
        return Card(cliffs, tuple(levels), tuple(requests), flags, self._notes(rates))

    def _rate(self, name: str, at: Mapping[str, int]) -> int | None:
        of, times = DERIVED.get((self.provider, name), ("", Fraction(1)))
        if name not in at and of in at and "cache_write" in at:
            return _times(at[of], times * self.factor)
        for key in PARENTS[name]:
            if key in at:
                return at[key] if name == "searches" else _times(at[key], self.factor)
        return None

    def _notes(self, rates: Mapping[str, int | Cliff]) -> dict[str, str]:
        """Class -> the flag that a usage of it gets."""
        notes = {}
        for name in DEARER:
            if name in rates or self.row.flat or "user" in self.flags:
                continue
            is_derived = (self.provider, name) in DERIVED and "cache_write" in rates
            notes[name] = f"derived:{name}" if is_derived else f"parent-price:{name}"
        return notes


def variants_of(row: Row, group: Mapping[str, str]) -> list[Variant]:
    """The row's variants that a context such as {"service_tier": "flex"} asks for, in their order."""
    return [
        variant for variant in row.variants if all(group.get(key) == value for key, value in variant.context.items())
    ]


def _overlay(group: Sequence[Variant], when: int) -> tuple[dict[str, int | Cliff], bool]:
    """The prices of a tier at a time, the first variant in force winning class by class.

    Before the first of them began: that one, and True.
    """
    active = [variant for variant in group if variant.term is None or variant.term.holds(when)]
    early = False
    if not active:
        starts = {variant.term.start: variant for variant in group if variant.term and variant.term.start is not None}
        early = bool(starts)
        active = [starts[min(starts)]] if starts else []
    overlay: dict[str, int | Cliff] = {}
    for variant in active:
        for name, rate in variant.rates.items():
            overlay.setdefault(name, rate)
    return overlay, early


def _times(rate: int, factor: Fraction) -> int:
    """A price times a stated factor, rounded half up to a femtodollar."""
    if factor == 1:
        return rate
    return (2 * rate * factor.numerator + factor.denominator) // (2 * factor.denominator)
