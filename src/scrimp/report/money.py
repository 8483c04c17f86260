"""Nanodollars as people read them: two decimals, four under a dollar, and more where an amount would vanish."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from scrimp.call import NANO
from scrimp.store.base import Rollup

NANO_PLACES = 9
UNKNOWN = "unknown"


def places_of(nano: int) -> int:
    """The decimals that an amount is shown with."""
    size = abs(nano)
    places = 2 if size >= NANO or size == 0 else 4
    while size and places < NANO_PLACES and size * 10**places < 10 * NANO:
        places += 1
    return places


def dollars(nano: int, sign: bool = False, places: int = 0) -> str:
    """An amount with thousands separators; never 0.00 for what is not 0. `sign` marks what is above 0 with a plus.

    1_234_500_000_000 -> "1,234.50", 310_000_000 -> "0.3100", 12_000 -> "0.000012", 0 -> "0.00".
    `places`: decimals other than the amount's own, for what is not 0.
    """
    places = places if places and nano else places_of(nano)
    unit = 10 ** (NANO_PLACES - places)
    whole, part = divmod((abs(nano) + unit // 2) // unit, 10**places)
    before = "-" if nano < 0 else "+" if sign and nano > 0 else ""
    return f"{before}{whole:,}.{part:0{places}d}"


class Amount(NamedTuple):
    """An amount out of some sums, shown with its sign or not."""

    sums: Rollup
    nano: int
    sign: bool = False

    def text(self, places: int = 0) -> str:
        """The amount; "unknown", never 0, where none of the calls has a price."""
        if self.nano == 0 and self.sums.calls and self.sums.unpriced == self.sums.calls:
            return UNKNOWN
        return dollars(self.nano, self.sign, places)


def alike(amounts: Iterable[Amount]) -> list[str]:
    """Amounts that are read together: all below a dollar have as many decimals, so that what adds up is seen to."""
    every = list(amounts)
    small = all(abs(amount.nano) < NANO for amount in every)
    places = max((places_of(amount.nano) for amount in every), default=0) if small else 0
    return [amount.text(places) for amount in every]


def column(amounts: Iterable[Amount], blank: str = " ") -> list[str]:
    """Amounts one above the other: points aligned by padding the right with `blank`, then all as wide."""
    texts = alike(amounts)
    longest = max((len(text.partition(".")[2]) for text in texts), default=0)
    padded = [text + blank * (longest - len(text.partition(".")[2])) if "." in text else text for text in texts]
    widest = max((len(text) for text in padded), default=0)
    return [text.rjust(widest) for text in padded]


def percent(part: float | None, sign: bool = False) -> str:
    """A fraction in whole percent; "-" for None, "<1%" for what would vanish."""
    if part is None:
        return "-"
    rounded = round(part * 100)
    before = "-" if part < 0 else "+" if sign and part > 0 else ""
    if rounded == 0 and part:
        return f"{before}<1%"
    return f"{before}{abs(rounded):,}%"
