"""`scrimp models`: what a million tokens cost, the user's own prices first; unknown is `-`, never 0.

Where the terminal is narrow, names are cut and the columns of least worth dropped; a price is never cut. One computed
without end (of GPU hours) is rounded and marked with ~; --json has all of its digits.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from scrimp.call import TOKEN_CLASSES
from scrimp.cli.options import called

if TYPE_CHECKING:
    from scrimp.config import Config
    from scrimp.prices.book import Book, Rates

Offer = tuple["Rates", "Rates | None"]

FEMTO_OF_MTOK = 10**9
MAIN = ("input", "output", "cached", "cache_write")
USUAL = ("user", "openai", "anthropic")
HEADS = ("MODEL", "IN", "OUT", "CACHED", "WRITE", "BATCH", "CONTEXT", "STEP AT", "TIER")
DROPPED = {"WRITE": 34, "STEP AT": 34, "TIER": 20, "CONTEXT": 20, "BATCH": 20, "CACHED": 20}
"""Columns by worth, the first is the first to go: where it leaves a longer name less room than this."""
NAME_WIDTH = 34
MOST_PLACES = 6
LEAST_ROUNDED = Decimal("0.01")
SHORT_TIERS = {"flex": "X", "priority": "P", "fast": "F"}
TIERS_TOLD = f"TIER: {', '.join(f'{short} {tier}' for tier, short in SHORT_TIERS.items())} have prices of their own."


@click.command()
@click.argument("pattern", default="")
@click.option("--provider", default="", metavar="NAME", help="Only this provider ('user': prices of your own).")
@click.option("--all", "everything", is_flag=True, help="Every provider, retired models too.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, prices as exact decimal strings.")
@click.option("--config", "config_path", metavar="FILE", help="Configuration.  [default: scrimp.toml if there is one]")
def models(pattern: str, provider: str, everything: bool, as_json: bool, config_path: str | None) -> None:
    """List prices in USD per million tokens: input, output, cached input, cache write, batch.

    PATTERN is a part of "provider/model". Without it: OpenAI, Anthropic and the models of your own.
    """
    from scrimp.config import load
    from scrimp.prices.book import Book

    config = load(config_path, env=dict(os.environ))
    book = Book.load(config.models, config.hosts)
    if book.trouble:
        click.echo(f"scrimp: {book.trouble}", err=True)
    offers = [
        offer
        for offer in book.models(pattern, provider)
        if everything or (not offer[0].deprecated and (pattern or provider or offer[0].provider in USUAL))
    ]
    if as_json:
        click.echo(json.dumps(_document(book, offers, config), indent=2))
        return
    if not offers:
        click.echo(f"No model matches {pattern or provider!r}. `{called()} models --all` lists every one.", err=True)
        sys.exit(1)
    for line in tabulate([_cells(offer, config) for offer in offers], shutil.get_terminal_size().columns):
        click.echo(line)
    click.echo(TIERS_TOLD)
    click.echo(f"{len(offers)} listed, USD per million tokens. {age(book, datetime.now(UTC).date())}")


def age(book: Book, today: date) -> str:
    """Where the prices come from and how old they are."""
    if not book.date:
        return "No price table."
    days = (today - date.fromisoformat(book.date)).days
    return f"genai-prices {book.version}, newest price of {book.date} ({days} days ago)."


def tabulate(rows: Sequence[Sequence[str]], width: int) -> Iterable[str]:
    """Lines of a table no wider than `width`, as many columns as fit; names are cut before columns are dropped."""
    widths = [max(map(len, column)) for column in zip(HEADS, *rows, strict=True)]
    shown = list(range(1, len(HEADS)))
    for name, least in DROPPED.items():
        if min(widths[0], least) + sum(widths[index] + 2 for index in shown) <= width:
            break
        shown.remove(HEADS.index(name))
    room = max(8, min(widths[0], NAME_WIDTH, width - sum(widths[index] + 2 for index in shown)))
    for row in (HEADS, *rows):
        yield "  ".join([_fit(row[0], room), *(row[index].rjust(widths[index]) for index in shown)]).rstrip()


def _fit(name: str, room: int) -> str:
    """A name in `room` columns; a long one loses its middle, as its ends tell it from others."""
    if len(name) <= room:
        return name.ljust(room)
    end = room // 2
    return f"{name[: room - end - 1]}…{name[-end:]}"


def _cells(offer: Offer, config: Config) -> list[str]:
    standard, batch = offer
    halves = [_short(_usd(batch, name)) for name in ("input", "output")]
    return [
        f"{standard.provider}/{standard.model}" if standard.provider != "user" else standard.model,
        *(_short(_usd(standard, name)) for name in MAIN), "-" if halves == ["-", "-"] else "/".join(halves),
        rough(standard.context) if standard.context else "-", rough(standard.cliffs[0]) if standard.cliffs else "-",
        ",".join(SHORT_TIERS.get(tier, tier) for tier in _tier(standard, config).split(",") if tier != "batch") or "-"
    ]  # fmt: skip


def rough(tokens: int) -> str:
    """Tokens in three digits: 512, 8.19k, 400k, 1.05M; --json has them all."""
    if tokens < 1000:
        return str(tokens)
    if tokens < 999_500:
        return f"{tokens / 1000:.3g}k"
    return f"{tokens / 1_000_000:.3g}M"


def _tier(rates: Rates, config: Config) -> str:
    """The user's own tier of a model, else the service tiers that have a price."""
    own = config.models.get(rates.model) if rates.provider == "user" else None
    return own.tier if own is not None and own.tier else ",".join(rates.tiers)


def _usd(rates: Rates | None, name: str) -> str:
    """Dollars a million tokens, exact, at least two decimals; "-" where there is no price."""
    if rates is None or name not in rates.femto:
        return "-"
    whole, _, part = f"{Decimal(rates.femto[name]) / FEMTO_OF_MTOK:f}".partition(".")
    return f"{whole}.{part.rstrip('0').ljust(2, '0')}"


def _short(usd: str) -> str:
    """A price of many digits in few, said to be rounded."""
    if len(usd.partition(".")[2]) <= MOST_PLACES or Decimal(usd) < LEAST_ROUNDED:
        return usd
    return f"~{Decimal(usd):.4f}"


def _document(book: Book, offers: Sequence[Offer], config: Config) -> dict[str, Any]:
    models = [
        {
            "provider": standard.provider, "model": standard.model, "usd": _by_class(standard),
            "batch_usd": _by_class(batch), "context": standard.context, "steps_at": standard.cliffs,
            "tier": _tier(standard, config), "deprecated": standard.deprecated, "flags": standard.flags
        }
        for standard, batch in offers
    ]  # fmt: skip
    prices = {"source": "genai-prices", "version": book.version, "newest_price": book.date}
    return {"prices": prices, "unit": "USD per million tokens", "models": models}


def _by_class(rates: Rates | None) -> dict[str, str] | None:
    """Prices by token class, but for those that cost what all input or all output does."""
    if rates is None:
        return None
    base = {rates.femto.get("input"), rates.femto.get("output")}
    shown = [name for name in TOKEN_CLASSES if name in MAIN or rates.femto.get(name) not in base]
    return {name: _usd(rates, name) for name in shown if name in rates.femto}
