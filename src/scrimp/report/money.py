"""Nanodollars as people read them: two decimals, four under a dollar, and more where an amount would vanish."""

from __future__ import annotations

from collections.abc import Iterable

from scrimp.call import NANO
from scrimp.store.base import Rollup

NANO_PLACES = 9


def dollars(nano: int, sign: bool = False) -> str:
    """An amount with thousands separators; never 0.00 for what is not 0. `sign` marks what is above 0 with a plus.

    1_234_500_000_000 -> "1,234.50", 310_000_000 -> "0.3100", 12_000 -> "0.000012", 0 -> "0.00".
    """
    size = abs(nano)
    places = 2 if size >= NANO or size == 0 else 4
    while size and places < NANO_PLACES and size * 10**places < 10 * NANO:
        places += 1
    unit = 10 ** (NANO_PLACES - places)
    whole, part = divmod((size + unit // 2) // unit, 10**places)
    before = "-" if nano < 0 else "+" if sign and nano > 0 else ""
    return f"{before}{whole:,}.{part:0{places}d}"


UNKNOWN = "unknown"


def amount(sums: Rollup, nano: int, sign: bool = False) -> str:
    """An amount out of some sums; "unknown", never 0, where none of their calls has a price."""
    if nano == 0 and sums.calls and sums.unpriced == sums.calls:
        return UNKNOWN
    return dollars(nano, sign)


def column(amounts: Iterable[str], blank: str = " ") -> list[str]:
    """Amounts one above the other: points aligned by padding the right with `blank`, then all as wide."""
    texts = list(amounts)
    places = max((len(text.partition(".")[2]) for text in texts), default=0)
    padded = [text + blank * (places - len(text.partition(".")[2])) if "." in text else text for text in texts]
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
