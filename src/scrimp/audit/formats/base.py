"""What a log format is to the audit, and the words every reader needs: times, counts, amounts, labels.

A reader gets one decoded row (a JSON object, or a CSV row by column name) and gives the entries in it: none where the
row is no call, several where it holds several. It raises BadRecord with the reason where the row cannot be read.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

import msgspec

from scrimp.audit.entry import BadRecord, Entry
from scrimp.call import NANO
from scrimp.wire.counts import MOST

Row = Mapping[str, Any]
Read = Callable[[Row], Iterable[Entry]]
Shape = Literal["lines", "csv", "json"]
"""How a file is cut into rows: a JSON object a line, CSV with a header, one JSON document with a list of rows in it."""


class Sample(msgspec.Struct, frozen=True):
    """The beginning of a file, to tell its format by: its shape, its columns or keys, and its first rows, decoded.

    `columns` are a CSV header's, or the keys of the first row; `around` are the keys of the document that the rows of
    a "json" file lie in (() where it is a bare list).
    """

    name: str
    shape: Shape
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    around: tuple[str, ...] = ()

    def has(self, *names: str) -> bool:
        """Whether every one of these is a column, or a key of the first rows."""
        return all(name in self.columns or any(name in row for row in self.rows) for name in names)


class Options(msgspec.Struct, frozen=True):
    """What the user says of a log: columns by meaning (`--map input=ContextTokens`), the model where none is named."""

    columns: dict[str, str] = {}
    model: str = ""


class Format(msgspec.Struct, frozen=True):
    """A log format. `fits`: whether a file is one, by its beginning. `open`: its reader, for a file of these columns.

    `ordered`: rows speak of rows before them, so a file is read by one reader from its start.
    `missing`: what this kind of log cannot tell, as ends of the sentence "Not told by NAME: ...".
    """

    name: str
    title: str
    fits: Callable[[Sample], bool]
    open: Callable[[tuple[str, ...], Options], Read]
    ordered: bool = False
    missing: tuple[str, ...] = ()


def each(read: Read) -> Callable[[tuple[str, ...], Options], Read]:
    """The `open` of a format whose reader needs neither columns nor options."""
    return lambda columns, options: read


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = 2**63 - 1


def moment(value: Any) -> int | None:
    """A time as ns since the epoch: ISO 8601 (UTC where no zone is named), or a number of s, ms, us or ns by its size.

    None for nothing; BadRecord for what is no time.
    """
    if value is None or value == "":
        return None
    if isinstance(value, str):
        text = value.strip()
        if not _is_number(text):
            return _written(text)
        value = Decimal(text)
    if isinstance(value, float) and not math.isfinite(value):
        raise BadRecord(f"{value} is no time")
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise BadRecord(f"{str(value)[:40]!r} is no time")
    for top, unit in ((10**11, NANO), (10**14, 10**6), (10**17, 10**3)):
        if abs(value) < top:
            return _in_range(int(Decimal(str(value)) * unit))
    return _in_range(int(value))


def _written(text: str) -> int:
    """A written time; fractions of more than six digits are kept to the nanosecond."""
    whole, dot, rest = text.partition(".")
    digits = len(rest) - len(rest.lstrip("0123456789"))
    fraction = rest[:digits] if dot else ""
    try:
        when = datetime.fromisoformat(whole + rest[digits:] if dot else text)
    except ValueError:
        raise BadRecord(f"{text[:40]!r} is no time") from None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    passed = when - EPOCH
    return _in_range((passed.days * 86_400 + passed.seconds) * NANO + int(f"{fraction:0<9.9}" or 0))


def _in_range(nanoseconds: int) -> int:
    if not 0 <= nanoseconds <= _LATEST:
        raise BadRecord("its time is out of range")
    return nanoseconds


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).removeprefix("-").isdigit() and text.isascii()


def count(value: Any, name: str = "a count") -> int:
    """A number of tokens or calls; 0 for nothing. BadRecord for what is no whole number from 0 to MOST."""
    if type(value) is int and 0 <= value <= MOST:
        return value
    if value is None or value == "":
        return 0
    try:
        number = Decimal(str(value).strip().replace(",", ""))
        if 0 <= number <= MOST and number == int(number) and not isinstance(value, bool):
            return int(number)
    except (InvalidOperation, ValueError, OverflowError):
        pass
    raise BadRecord(f"{name}: {str(value)[:40]!r} is no whole number")


def amount(value: Any) -> int | None:
    """Dollars as nanodollars; None for nothing or for what is no amount (a log's own cost is only compared)."""
    if value is None or value == "":
        return None
    try:
        number = Decimal(str(value).strip().removeprefix("$").replace(",", ""))
        return int((number * NANO).to_integral_value()) if number.is_finite() and abs(number) < 10**9 else None
    except (InvalidOperation, ValueError):
        return None


def text(value: Any) -> str:
    """A label or name: text and numbers as text, anything else as nothing."""
    if isinstance(value, str):
        return value.strip()
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def parsed(value: Any) -> Any:
    """What a cell holds that may be JSON text: the value, decoded where it is JSON; None where it is neither."""
    if not isinstance(value, str):
        return value
    if not value.strip():
        return None
    try:
        return msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


def mapping(value: Any) -> dict[str, Any]:
    """A cell that should be an object, as one; empty where it is not."""
    found = parsed(value)
    return found if isinstance(found, dict) else {}


def body(value: Any) -> bytes:
    """A part of a row as a JSON body; b"" for nothing. BadRecord for what nests too deep to be written."""
    if value in (None, "", {}, []):
        return b""
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:  # half a surrogate pair, which JSON can hold and UTF-8 cannot
        return json.dumps(value).encode()
    except RecursionError:
        raise BadRecord("a body nests too deep") from None
