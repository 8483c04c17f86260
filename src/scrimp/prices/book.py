"""The price book: the compiled table, the user's own prices over it, one answer for a model, a usage and a time.

What is not known is `Unpriced` with a reason, never 0 and never a neighbour's price: an unknown host gets nobody's
price list, an unlisted tier not the standard one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING

import msgspec

from scrimp.call import Price, Usage
from scrimp.prices import known
from scrimp.prices.catalogue import Catalogue
from scrimp.prices.listing import Listing, Rates, Unpriced, variants_of
from scrimp.prices.table import Listed, Row, Table, library_version, read, stored
from scrimp.prices.user import rows

if TYPE_CHECKING:
    from scrimp.config import ModelConfig

REMEMBERED = 4096
"""Look-ups kept; a client may send a new model name with every call, so there is a bound."""

LONGEST_NAME = 256
"""Characters; what is longer is no name and is not remembered."""

_DATE = re.compile(r"[-@]20\d\d-?(0[1-9]|1[0-2])-?(0[1-9]|[12]\d|3[01])$")

When = int | float | str | date | None

__all__ = ["Book", "Rates", "Unpriced", "price"]


class Found(msgspec.Struct, frozen=True):
    """A row, the provider it stands under, and the one that was asked (which may sell another maker's models)."""

    provider: str
    row: Row
    asked: str
    own: bool = False


class Book:
    """All prices. Safe to share; look-ups are remembered, answers do not depend on what was asked before.

    `version`: the price library's. `date`: the newest price date in its data, "YYYY-MM-DD". `since`: its oldest, in ns
    since the epoch: before that day all its prices are only the earliest known. `trouble`: why there is no
    table ("" when there is one); then only the user's own prices are known.
    """

    def __init__(
        self, table: Table, user: Mapping[str, ModelConfig] | None = None, hosts: Mapping[str, str] | None = None,
        trouble: str = ""
    ) -> None:  # fmt: skip
        self.version = table.version
        self.date = table.date
        self.since = as_ns(table.since) if table.since else None
        self.trouble = trouble
        self._catalogue = Catalogue(table)
        self._own = rows(user or {})
        self._hosts = {name.lower(): address for name, address in (hosts or {}).items()}
        self._memo: dict[tuple[str, str | None, str | None, bool], Listing | Unpriced] = {}

    @classmethod
    def load(cls, user: Mapping[str, ModelConfig] | None = None, hosts: Mapping[str, str] | None = None) -> Book:
        """The book, compiled first (by another process, half a second) where this installation has no table yet.

        `user`: `[models]`, prices in USD per million tokens; ConfigError names a key that cannot be used.
        `hosts`: provider names of the user's own -> base URL; the host, not the name, then says whose prices hold.
        """
        table, trouble = _read_or_compile()
        return cls(table, user, hosts, trouble)

    @staticmethod
    def compiled() -> bool:
        """Whether the table is there, so that `load` takes milliseconds."""
        return stored(library_version()) is not None

    def price(
        self, model: str, usage: Usage, *, provider: str | None = None, when: int | None = None, batch: bool = False,
        tier: str | None = None, size: int | None = None
    ) -> Price | Unpriced:  # fmt: skip
        """What a usage costs. `when`: ns since the epoch (None: now); `tier`: the response's service tier.

        `size`: input tokens of one request where the usage is the sum of several, as prices may depend on it.
        `provider`: a provider's name, host or base URL; None: the maker that the model's name points to. Parts of a
        tier are joined by "+" ("standard+us": Anthropic's `inference_geo` us).
        """
        key = (model, provider, tier, batch)
        listing = self._memo.get(key) or self._look_up(key)
        return listing if isinstance(listing, Unpriced) else listing.price(usage, when, size)

    def rates(
        self, model: str, *, provider: str | None = None, when: int | None = None, tier: str = "", batch: bool = False,
        input_total: int = 0
    ) -> Rates | Unpriced:  # fmt: skip
        """A model's prices in femtodollars by class, for a request of `input_total` tokens; arguments as in `price`."""
        key = (model, provider, tier, batch)
        listing = self._memo.get(key) or self._look_up(key)
        if isinstance(listing, Unpriced):
            return listing
        return listing.rates(when, input_total, _tiers(listing.row))

    def listing(self, model: str, *, provider: str | None = None, tier: str = "") -> Listing | Unpriced:
        """A model on a service tier: its prices at every time and size. Arguments as in `price`."""
        key = (model, provider, tier, False)
        return self._memo.get(key) or self._look_up(key)

    def owner(self, model: str) -> str:
        """The provider in the list that a plain model name points to ("gpt-..." is "openai"), or ""."""
        listed = self._catalogue.maker(model.strip().lower())
        return listed.id if listed is not None else ""

    def models(self, pattern: str = "", provider: str = "") -> Iterator[tuple[Rates, Rates | None]]:
        """Every model whose "provider/model" contains `pattern`: its standard and its batch prices of now, if any.

        The user's own come first (provider "user"), flagged.
        """
        pattern = pattern.lower()
        for key, row in self._own.items():
            if pattern in key and provider in ("", "user"):
                yield _offer(Found("user", row, "user", own=True))
        for listed in self._catalogue.providers:
            if provider in ("", listed.id):
                for row in self._catalogue.rows(listed):
                    if pattern in f"{listed.id}/{row.id}".lower():
                        yield _offer(Found(listed.id, row, listed.id))

    def _look_up(self, key: tuple[str, str | None, str | None, bool]) -> Listing | Unpriced:
        model, provider, tier, batch = key
        if max(len(model), len(provider or ""), len(tier or "")) > LONGEST_NAME:
            return Unpriced("no model, provider or tier has so long a name")
        found = self._find(model.strip().lower(), (provider or "").strip().lower())
        listing = found if isinstance(found, Unpriced) else list_on(found, tier or "", batch)
        if len(self._memo) >= REMEMBERED:
            self._memo.clear()
        self._memo[key] = listing
        return listing

    def _find(self, model: str, provider: str) -> Found | Unpriced:
        if not model:
            return Unpriced("no model is named")
        if provider == "litellm":
            provider = ""
        row = self._find_own(model, provider)
        if row is not None:
            return Found("user", row, "user", own=True)
        found = self._find_at(model, provider) if provider else self._find_plain(model)
        if found is None:
            host = provider.rpartition("://")[2].partition("/")[0]
            where = f" at {host}" if host else ""
            return Unpriced(self.trouble or f"no price for {model}{where}")
        return found

    def _find_own(self, model: str, provider: str) -> Row | None:
        """The user's price: for this provider before any, by the exact name before the one without its date."""
        for name in dict.fromkeys((model, _DATE.sub("", model))):
            plain = name.partition("/")[2] or name
            for key in (f"{provider}/{name}", name, plain) if not provider else (f"{provider}/{name}", name):
                if key in self._own:
                    return self._own[key]
        return None

    def _find_at(self, model: str, provider: str) -> Found | None:
        listed = self._provider(provider)
        if listed is None:
            return None
        found = self._catalogue.find(listed, model)
        if found is None:
            prefix, _, rest = model.partition("/")
            if rest and prefix in (provider, listed.id):
                found = self._catalogue.find(listed, rest)
        return Found(found[0].id, found[1], listed.id) if found else None

    def _find_plain(self, model: str) -> Found | None:
        prefix, _, rest = model.partition("/")
        if rest:
            found = self._find_at(rest, prefix)
            if found is not None or prefix in self._hosts:
                return found
        maker = self._catalogue.maker(model)
        found_row = self._catalogue.find(maker, model) if maker else None
        return Found(found_row[0].id, found_row[1], maker.id) if found_row and maker else None

    def _provider(self, name: str) -> Listed | None:
        """By the address it is called at where we know it, else by name."""
        address = self._hosts.get(name, name)
        if address != name or any(mark in address for mark in ".:/") or address == "localhost":
            return self._catalogue.at(address)
        return self._catalogue.named(name)


def list_on(found: Found, tier: str, batch: bool) -> Listing | Unpriced:
    """The row on a service tier; Unpriced where a part of the tier has no price."""
    flags: tuple[str, ...] = ("user",) if found.own else ()
    factor = Fraction(1)
    groups = []
    parts = [known.TIER_ALIASES.get(part, part) for part in tier.strip().lower().split("+")]
    if batch and "batch" not in parts:
        parts.append("batch")
    for part in parts:
        if part in known.STANDARD_TIERS or found.row.flat:
            continue
        surcharge = known.SURCHARGES.get((found.provider, part))
        if surcharge is not None:
            factor *= surcharge
            flags = (*flags, f"derived:{part}")
            continue
        priced_as, group = _context(found, part)
        if group is None:
            return Unpriced(f"tier {part} is not priced for {found.provider}/{found.row.id}")
        groups.append(group)
        if priced_as != part:
            flags = (*flags, f"derived:{part}")
    return Listing(found.provider, found.row, groups, factor, flags)


def _context(found: Found, part: str) -> tuple[str, dict[str, str] | None]:
    """The tier whose price holds for a part, and what the list calls it (None: no price).

    A maker's tiers are not those of a provider that sells its models, unless `known` says so.
    """
    for name in (part, known.STAND_INS.get((found.asked, part), "")):
        group = known.CONTEXTS.get(name, {"service_tier": name})
        is_stated = found.asked == found.provider or (found.asked, part) in known.STAND_INS
        if name and is_stated and variants_of(found.row, group):
            stands_in = name != part or found.asked != found.provider
            return (f"{found.asked} {name}" if stands_in else name), group
    return part, None


def _tiers(row: Row) -> tuple[str, ...]:
    names = (value for variant in row.variants for value in variant.context.values())
    return tuple(dict.fromkeys(name for name in names if name not in known.STANDARD_TIERS))


def _offer(found: Found) -> tuple[Rates, Rates | None]:
    standard = list_on(found, "", batch=False)
    batch = list_on(found, "", batch=True)
    assert isinstance(standard, Listing)
    tiers = _tiers(found.row)
    return standard.rates(None, 0, tiers), batch.rates(None, 0, tiers) if isinstance(batch, Listing) else None


def _read_or_compile() -> tuple[Table, str]:
    """The stored table; compiled where it is missing or unreadable. Without one: an empty table and the reason."""
    version = library_version()
    table = _read(version)
    if table is not None:
        return table, ""
    trouble = _compile()
    table = _read(library_version())
    if table is None:
        return Table(version, "", ()), f"no price table: {trouble or 'it was compiled, but cannot be read'}"
    return table, ""


def _read(version: str) -> Table | None:
    path = stored(version)
    if path is None:
        return None
    try:
        return read(path)
    except (OSError, msgspec.MsgspecError):
        path.unlink(missing_ok=True)
        return None


def _compile() -> str:
    """Compile in a process of its own, so that this one never holds the library; returns what went wrong."""
    import subprocess
    import sys

    command = [sys.executable, "-m", "scrimp.prices.compile"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return "" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["the compiler failed"])[-1]


@cache
def _default_book() -> Book:
    return Book.load()


def price(
    model: str | None, usage: Usage | None, *, provider: str | None = None, when: When = None, batch: bool = False,
    tier: str | None = None
) -> Price | None:  # fmt: skip
    """What a usage costs at list price, in nanodollars by class; None where there is no price, model or usage.

    `provider`: a name, host or base URL; None: the maker that the model's name points to. `when` (None: now): an int is
    nanoseconds since the epoch, a float seconds; a date, datetime or ISO 8601 string is UTC where it names no zone.
    `tier`: the service tier of the response. ValueError for a string that is no date.
    """
    if not model or usage is None:
        return None
    found = _default_book().price(model, usage, provider=provider, when=as_ns(when), batch=batch, tier=tier)
    return None if isinstance(found, Unpriced) else found


def as_ns(when: When) -> int | None:
    """Any of the ways to say a time as whole nanoseconds since the epoch."""
    if when is None or isinstance(when, int):
        return when
    if isinstance(when, float):
        return round(when * 10**9)
    moment = datetime.fromisoformat(when) if isinstance(when, str) else when
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    passed = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (passed.days * 86_400 + passed.seconds) * 10**9 + passed.microseconds * 1000
