"""Prices of one's own: the `[models]` section as rows of the price list, checked at start-up.

Flat prices are USD per million tokens. A server of one's own costs gpu_hour_usd / 3600 / tokens_per_second dollars a
token, read or written alike: the server is rented by the hour, and tokens a second is what it gets through in all.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from scrimp.errors import ConfigError
from scrimp.prices.table import Clause, Cliff, Dated, Row, Variant

if TYPE_CHECKING:
    from scrimp.config import ModelConfig

FLAT = ("input", "output", "cached_input", "cache_write", "batch_input", "batch_output")
FEMTO_OF_MTOK = 10**9


def rows(models: Mapping[str, ModelConfig]) -> dict[str, Row]:
    """Lower-case "NAME" or "provider/NAME" -> its row; sections without a price are left out.

    ConfigError, starting with the key's path, for prices that are negative, contradict each other or miss a part.
    """
    priced = {}
    for name, own in models.items():
        row = _row(name, own)
        if row is not None:
            priced[name.lower()] = row
    return priced


def _row(name: str, own: ModelConfig) -> Row | None:
    path = f'models."{name}"'
    flat = {key: price for key in FLAT if (price := _checked(f"{path}.{key}", getattr(own, key))) is not None}
    hour = _checked(f"{path}.gpu_hour_usd", own.gpu_hour_usd)
    speed = _checked(f"{path}.tokens_per_second", own.tokens_per_second)
    match = Clause("equals", name.lower())
    if hour is not None or speed is not None:
        rates = _server_rates(path, hour, speed, flat)
        return Row(name, match, (Dated(None, rates),), context=own.context, flat=True)
    if not flat:
        return None
    if "input" not in flat:
        raise ConfigError(f"{path}.input: missing", hint="Give the price of input tokens too, 0 if they are free")
    standard = _rates(flat, input="input", output="output", cached_input="cached", cache_write="cache_write")
    batch = _rates(flat, batch_input="input", batch_output="output")
    variants = (Variant({"processing": "batch"}, None, batch),) if batch else ()
    return Row(name, match, (Dated(None, standard),), variants, own.context)


def _server_rates(
    path: str, hour: Decimal | None, speed: Decimal | None, flat: Mapping[str, Decimal]
) -> dict[str, int | Cliff]:
    if hour is None or speed is None:
        missing = "gpu_hour_usd" if hour is None else "tokens_per_second"
        raise ConfigError(f"{path}.{missing}: missing", hint="gpu_hour_usd and tokens_per_second go together")
    if not speed:
        raise ConfigError(f"{path}.tokens_per_second: must be above 0")
    if flat:
        raise ConfigError(
            f"{path}.{next(iter(flat))}: stands beside gpu_hour_usd", hint="Give a price by token or by hour, not both"
        )
    token = _femto(hour * 1_000_000 / 3600 / speed)
    return {"input": token, "output": token}


def _checked(path: str, price: float | None) -> Decimal | None:
    """The number as it was written, exactly (0.15 is 0.15)."""
    if price is None:
        return None
    exact = Decimal(str(price))
    if not exact.is_finite() or exact < 0:
        raise ConfigError(f"{path}: must be 0 or more, not {price}")
    return exact


def _rates(flat: Mapping[str, Decimal], **classes: str) -> dict[str, int | Cliff]:
    """Key of the section -> class, as class -> femtodollars a token, for the keys that are given."""
    return {name: _femto(flat[key]) for key, name in classes.items() if key in flat}


def _femto(price: Decimal) -> int:
    return int((price * FEMTO_OF_MTOK).quantize(Decimal(1), rounding=ROUND_HALF_UP))
