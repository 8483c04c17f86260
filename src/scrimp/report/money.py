"""Nanodollars as people read them: two decimals, four under a dollar, and more where an amount would vanish.

What a reader may add up adds up as printed: sums share their decimals, and their parts are rounded so that they sum to
what the whole is rounded to.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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


def decimals(amounts: Iterable[int]) -> int:
    """The decimals that amounts share which are read as one sum: two from a dollar on, else four, more for the least.

    Enough that the smallest that is not 0 shows two digits, so that none vanishes and a rounding changes none to 0.
    """
    sizes = [abs(nano) for nano in amounts if nano]
    places = 2 if not sizes or max(sizes) >= NANO else 4
    while sizes and vanishes(min(sizes), places):
        places += 1
    return places


def nearest(nano: int, places: int) -> int:
    """An amount rounded to so many decimals, still in nanodollars; halves go up."""
    unit: int = 10 ** (NANO_PLACES - places)
    return (nano + unit // 2) // unit * unit


def apportion(parts: Sequence[int], whole: int, places: int) -> list[int]:
    """Parts rounded up or down so that they sum to the rounded `whole`: the largest remainders go up (Hamilton).

    Each is rounded by itself where that cannot be, because they are not the parts of this whole.
    """
    unit = 10 ** (NANO_PLACES - places)
    floors = [nano // unit * unit for nano in parts]
    rests = sorted((floor - nano, index) for index, (floor, nano) in enumerate(zip(floors, parts, strict=True)))
    missing = (whole - sum(floors)) // unit
    if not 0 <= missing <= sum(rest < 0 for rest, _ in rests):
        return [nearest(nano, places) for nano in parts]
    for _, index in rests[:missing]:
        floors[index] += unit
    return floors


def listing(parts: Sequence[Amount], whole: Amount, places: int) -> list[str]:
    """A column of parts and, last, their whole, that adds up as it is printed.

    A part of which so few decimals would leave less than two digits is shown with more.
    """
    rounded = apportion([part.nano for part in parts], nearest(whole.nano, places), places)
    texts = [
        part.text() if vanishes(part.nano, places) else part._replace(nano=nano).text(places)
        for part, nano in zip(parts, rounded, strict=True)
    ]
    return [*texts, whole._replace(nano=nearest(whole.nano, places)).text(places)]


def vanishes(nano: int, places: int) -> bool:
    """Whether so few decimals leave less than two digits of an amount that is not 0."""
    return 0 < abs(nano) * 10**places < 10 * NANO and places < NANO_PLACES


def align(texts: Sequence[str], blank: str = " ") -> list[str]:
    """Amounts one above the other: points aligned by padding the right with `blank`, then all as wide."""
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
