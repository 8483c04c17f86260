"""Compiles the price library's data into the table that `prices.table` reads: `python -m scrimp.prices.compile`.

The only place that imports genai-prices (0.7 s, 40 MB), and only while it compiles: the gateway runs it as a process
of its own when the table is missing.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from scrimp.prices.table import Clause, Cliff, Dated, Listed, Row, Table, Term, Variant, library_version, stored, write

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice, Provider

FEMTO_OF_MTOK = 10**9
FEMTO_OF_KCOUNT = 10**12

CLASSES = {
    "input_mtok": ("input", FEMTO_OF_MTOK), "cache_read_mtok": ("cached", FEMTO_OF_MTOK),
    "cache_write_mtok": ("cache_write", FEMTO_OF_MTOK), "cache_write_5m_mtok": ("cache_write_5m", FEMTO_OF_MTOK),
    "cache_write_1h_mtok": ("cache_write_1h", FEMTO_OF_MTOK), "input_audio_mtok": ("audio_input", FEMTO_OF_MTOK),
    "cache_audio_read_mtok": ("audio_cached", FEMTO_OF_MTOK), "input_image_mtok": ("image_input", FEMTO_OF_MTOK),
    "input_video_mtok": ("video_input", FEMTO_OF_MTOK), "output_mtok": ("output", FEMTO_OF_MTOK),
    "output_reasoning_mtok": ("reasoning", FEMTO_OF_MTOK), "output_audio_mtok": ("audio_output", FEMTO_OF_MTOK),
    "output_image_mtok": ("image_output", FEMTO_OF_MTOK), "web_searches_kcount": ("searches", FEMTO_OF_KCOUNT),
    "requests_kcount": ("requests", FEMTO_OF_KCOUNT)
}  # fmt: skip
"""The library's price key -> our class, and femtodollars of one unit at a price of one dollar."""

OPS = {
    "equals": "equals", "starts_with": "starts", "ends_with": "ends", "contains": "contains", "regex": "regex",
    "or_": "or", "and_": "and"
}  # fmt: skip
STATED_FREE = ("free of charge", "zero token cost")


def build_table(version: str, today: date) -> Table:
    """The table from the installed library; its date is the newest price date in the data that is not to come."""
    from genai_prices.data import providers

    dates = [day for provider in providers for day in _dates(provider) if day <= today]
    listed = tuple(_listed(provider) for provider in providers)
    return Table(version, max(dates).isoformat(), listed, min(dates).isoformat())


def _dates(provider: Provider) -> Iterable[date]:
    for model in provider.models:
        dated: list[Any] = [*(model.prices if isinstance(model.prices, list) else ()), *(model.price_variants or ())]
        for price in dated:
            start = getattr(price.constraint, "start_date", None)
            if start is not None:
                yield start


def _listed(provider: Provider) -> Listed:
    rows = tuple(_row(model) for model in provider.models)
    return Listed(
        provider.id, provider.api_pattern, _clause(provider.model_match) if provider.model_match else None,
        _clause(provider.provider_match) if provider.provider_match else None,
        tuple(provider.fallback_model_providers or ()), msgspec.Raw(msgspec.msgpack.encode(rows))
    )  # fmt: skip


def _row(model: ModelInfo) -> Row:
    prices = model.prices if isinstance(model.prices, list) else None
    if prices is None:
        dated: tuple[Dated, ...] = (Dated(None, _rates(model.prices)),)  # type: ignore[arg-type]
    else:
        dated = tuple(Dated(_term(price.constraint), _rates(price.prices)) for price in prices)
    free = _is_free(model) and not any(price.rates for price in dated)
    if free:
        dated = (Dated(None, {"input": 0, "output": 0}),)
    found = model.price_variants or ()
    variants = tuple(Variant(dict(one.when), _term(one.constraint), _rates(one.prices)) for one in found)
    return Row(model.id, _clause(model.match), dated, variants, model.context_window, bool(model.deprecated), free)


def _is_free(model: ModelInfo) -> bool:
    """Whether the data says in words that a model without prices costs nothing; else it is merely unknown."""
    words = f"{model.price_comments} {model.description}".lower()
    return model.id.endswith(":free") or any(phrase in words for phrase in STATED_FREE)


def _rates(price: ModelPrice) -> dict[str, int | Cliff]:
    rates: dict[str, int | Cliff] = {}
    for key, value in vars(price).items():
        if value is None or key not in CLASSES:
            continue
        name, unit = CLASSES[key]
        if isinstance(value, Decimal):
            rates[name] = _femto(value, unit)
        else:
            steps = tuple((tier.start, _femto(tier.price, unit)) for tier in value.tiers)
            rates[name] = Cliff(_femto(value.base, unit), steps)
    return rates


def _femto(price: Decimal, unit: int) -> int:
    """Whole femtodollars: exact for every published price; the list's own twelfths are rounded half up."""
    return int((price * unit).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def _term(constraint: Any) -> Term | None:
    if constraint is None:
        return None
    start = getattr(constraint, "start_date", None)
    if start is not None:
        midnight = datetime.combine(start, time(), UTC)
        return Term(int(midnight.timestamp()) * 10**9)
    return Term(None, _ns_of_day(constraint.start_time), _ns_of_day(constraint.end_time))


def _ns_of_day(value: time) -> int:
    if value.tzinfo is not None:
        value = datetime.combine(date(1970, 1, 2), value).astimezone(UTC).time()
    return ((value.hour * 60 + value.minute) * 60 + value.second) * 10**9 + value.microsecond * 1000


def _clause(clause: Any) -> Clause:
    """A match clause; texts in lower case once, since names are compared so (regular expressions are kept)."""
    (field, value), *rest = vars(clause).items()
    if rest or field not in OPS:
        raise ValueError(f"unknown clause {clause!r} in the price data")
    if isinstance(value, list):
        parts = tuple(_clause(part) for part in value)
        names = tuple(part.text for part in parts if part.op == "equals") if field == "or_" else ()
        return Clause(OPS[field], "", tuple(part for part in parts if not names or part.op != "equals"), names)
    return Clause(OPS[field], value if field == "regex" else value.lower())


def main() -> int:
    """Compile the table if it is missing; says nothing but what went wrong."""
    version = library_version()
    if not version:
        print("scrimp: the price library genai-prices is not installed", file=sys.stderr)
        return 1
    if stored(version) is None:
        content = msgspec.msgpack.encode(build_table(version, datetime.now(UTC).date()))
        try:
            write(content, version)
        except OSError as error:
            print(f"scrimp: cannot store the price table: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
