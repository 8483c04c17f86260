"""`scrimp models`: what a million tokens cost, the user's own prices first; unknown is `-`, never 0.

Columns that do not fit the terminal are dropped from the right; a price is never cut, rounded or wrapped.
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
HEADS = ("MODEL", "IN", "OUT", "CACHED", "WRITE", "BATCH IN", "BATCH OUT", "CONTEXT", "STEP AT", "TIER")
NAME_WIDTH = 34


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
    for line in tabulate([_cells(offer, config) for offer in offers], _width()):
        click.echo(line)
    click.echo(f"{len(offers)} listed, USD per million tokens. {age(book, datetime.now(UTC).date())}")


def age(book: Book, today: date) -> str:
    """Where the prices come from and how old they are."""
    if not book.date:
        return "No price table."
    days = (today - date.fromisoformat(book.date)).days
    return f"genai-prices {book.version}, newest price of {book.date} ({days} days ago)."


def tabulate(rows: Sequence[Sequence[str]], width: int) -> Iterable[str]:
    """Lines of a table no wider than `width`, as many columns as fit; names are cut before prices are dropped."""
    widths = [max(map(len, column)) for column in zip(HEADS, *rows, strict=True)]
    widths[0] = min(widths[0], NAME_WIDTH)
    shown = len(HEADS)
    while shown > 3 and sum(widths[:shown]) + 2 * (shown - 1) > width:
        shown -= 1
    widths[0] = max(8, min(widths[0], width - sum(widths[1:shown]) - 2 * (shown - 1)))
    for row in (HEADS, *rows):
        name = row[0] if len(row[0]) <= widths[0] else row[0][: widths[0] - 1] + "…"
        cells = [name.ljust(widths[0]), *(cell.rjust(size) for cell, size in zip(row[1:], widths[1:], strict=True))]
        yield "  ".join(cells[:shown]).rstrip()


def _cells(offer: Offer, config: Config) -> list[str]:
    standard, batch = offer
    return [
        f"{standard.provider}/{standard.model}" if standard.provider != "user" else standard.model,
        _usd(standard, "input"),
        _usd(standard, "output"),
        _usd(standard, "cached"),
        _usd(standard, "cache_write"),
        _usd(batch, "input"),
        _usd(batch, "output"),
        f"{standard.context:,}" if standard.context else "-",
        f"{standard.cliffs[0]:,}" if standard.cliffs else "-",
        _tier(standard, config) or "-",
    ]


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


def _document(book: Book, offers: Sequence[Offer], config: Config) -> dict[str, Any]:
    return {
        "prices": {"source": "genai-prices", "version": book.version, "newest_price": book.date},
        "unit": "USD per million tokens",
        "models": [
            {
                "provider": standard.provider,
                "model": standard.model,
                "usd": _by_class(standard),
                "batch_usd": _by_class(batch),
                "context": standard.context,
                "steps_at": standard.cliffs,
                "tier": _tier(standard, config),
                "deprecated": standard.deprecated,
                "flags": standard.flags,
            }
            for standard, batch in offers
        ],
    }


def _by_class(rates: Rates | None) -> dict[str, str] | None:
    """Prices by token class, but for those that cost what all input or all output does."""
    if rates is None:
        return None
    base = {rates.femto.get("input"), rates.femto.get("output")}
    shown = [name for name in TOKEN_CLASSES if name in MAIN or rates.femto.get(name) not in base]
    return {name: _usd(rates, name) for name in shown if name in rates.femto}


def _width() -> int:
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 80
