"""Nanodollars as people read them: two decimals, four under a dollar, and more where an amount would vanish.

What a reader may add up adds up as printed: sums share their decimals, and their parts are rounded so that they sum to
what the whole is rounded to.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from scrimp.call import NANO
from scrimp.store.base import Rollup

NANO_PLACES = 9
UNKNOWN = "unknown"


def vanishes(nano: int, places: int) -> bool:
    """Whether so few decimals leave less than two digits of an amount that is not 0."""
    return 0 < abs(nano) * 10**places < 10 * NANO and places < NANO_PLACES


def dollars(nano: int, sign: bool = False, places: int = 0) -> str:
    """An amount with thousands separators; never 0.00 for what is not 0. `sign` marks what is above 0 with a plus.

    1_234_500_000_000 -> "1,234.50", 310_000_000 -> "0.3100", 12_000 -> "0.000012", 0 -> "0.00".
    `places`: decimals other than the amount's own, for what is not 0.
    """
    places = places if places and nano else decimals([nano])
    unit = 10 ** (NANO_PLACES - places)
    whole, part = divmod((abs(nano) + unit // 2) // unit, 10**places)
    before = "-" if nano < 0 else "+" if sign and nano > 0 else ""
    return f"{before}{whole:,}.{part:0{places}d}"


def marked(text: str) -> str:
    """An amount as printed, with its dollar sign: "$412.90", "-$4.60"; what is no number stays as it is."""
    return f"-${text[1:]}" if text.startswith("-") else f"${text}" if text != UNKNOWN else text


def usd(nano: int, places: int) -> str:
    """An amount with its dollar sign; more decimals where so few leave nothing of it."""
    return marked(dollars(nano) if vanishes(nano, places) else dollars(nearest(nano, places), places=places))


def lone(nano: int, places: int) -> str:
    """An amount that is read by itself, in a report of so many decimals: no more of them than it needs."""
    return usd(nano, min(places, max(2, decimals([nano]))))


def known(sums: Rollup, text: str) -> str:
    """An amount of some sums as printed; "unknown", never 0, where none of the calls has a price."""
    return UNKNOWN if text == "0.00" and sums.unpriced and sums.unpriced + sums.failed >= sums.calls else text


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


def adding_up(parts: Sequence[int], whole: int, places: int, sign: bool = False) -> list[str]:
    """Parts as texts that add up to the rounded `whole`; those of which so few decimals leave nothing have more."""
    both = zip(parts, apportion(parts, whole, places), strict=True)
    return [dollars(nano, sign) if vanishes(nano, places) else dollars(kept, sign, places) for nano, kept in both]


def listing(sums: Sequence[Rollup], name: str, places: int) -> list[str]:
    """One amount (`list_nano`, `paid_nano`) of parts and, last, of their whole: a column that adds up as printed."""
    *parts, whole = [getattr(one, name) for one in sums]
    whole = nearest(whole, places)
    texts = [*adding_up(parts, whole, places), dollars(whole, places=places)]
    return align([known(one, text) for one, text in zip(sums, texts, strict=True)])


def align(texts: Sequence[str]) -> list[str]:
    """Amounts one above the other: points aligned by padding the right with blanks, then all as wide."""
    longest = max((len(text.partition(".")[2]) for text in texts), default=0)
    padded = [text + " " * (longest - len(text.partition(".")[2])) if "." in text else text for text in texts]
    widest = max((len(text) for text in padded), default=0)
    return [text.rjust(widest) for text in padded]


def percent(part: float | None, sign: bool = False) -> str:
    """A fraction in whole percent; "-" for None, "<1%" for what would vanish."""
    if part is None:
        return "-"
    rounded = round(part * 100)
    before = "-" if part < 0 else "+" if sign and part > 0 else ""
    return f"{before}<1%" if rounded == 0 and part else f"{before}{abs(rounded):,}%"
