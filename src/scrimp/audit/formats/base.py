"""What a log format is to the audit, and the words every reader needs: times, counts, amounts, labels.

A reader gets one decoded row (a JSON object, or a CSV row by column name) and gives the entries in it: none where the
row is no call, several where it holds several. It raises BadRecord with the reason where the row cannot be read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
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

    `columns` are a CSV header's, or the keys of the first rows.
    """

    name: str
    shape: Shape
    columns: tuple[str, ...]
    rows: tuple[Row, ...]

    def has(self, *names: str) -> bool:
        """Whether every one of these is a column, or a key of the first rows."""
        return all(name in self.columns or any(name in row for row in self.rows) for name in names)


class Options(msgspec.Struct, frozen=True):
    """What the user says of a log: columns by meaning (`--map input=ContextTokens`), the model where none is named."""

    columns: dict[str, str] = {}
    model: str = ""


NO_OPTIONS = Options()


class Format(msgspec.Struct, frozen=True):
    """A log format. `fits`: whether a file is one, by its beginning. `open`: its reader, for a file of these columns.

    `settle`: what the options are for a file, where the values in it tell more than its columns.
    `ordered`: rows speak of rows before them, so a file is read by one reader from its start.
    `missing`: what this kind of log cannot tell, as ends of the sentence "Not told by NAME: ...".
    """

    name: str
    title: str
    fits: Callable[[Sample], bool]
    open: Callable[[tuple[str, ...], Options], Read]
    ordered: bool = False
    missing: tuple[str, ...] = ()
    settle: Callable[[Sample, Options], Options] | None = None


def each(read: Read) -> Callable[[tuple[str, ...], Options], Read]:
    """The `open` of a format whose reader needs neither columns nor options."""
    return lambda columns, options: read


_FIGURES = re.compile(r"[-+0-9.,:/ eETZ]*|nan|null|none|inf(?:inity)?|true|false", re.I)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH = datetime(1970, 1, 1)
_LATEST = 2**63 - 1
_UNITS = ((10**11, NANO), (10**14, 10**6), (10**17, 10**3), (_LATEST, 1))
"""Numbers below are times in units of so many ns: until the year 5138 a time in s is below the first, and so on."""
_UNTIDY = re.compile(r"\s+(?=[+-]\d\d:?\d\d)|\s*(?:UTC|GMT)$")


def moment(value: Any) -> int | None:
    """A time as ns since the epoch: ISO 8601 (UTC where no zone is named; to the microsecond), or a number of s, ms, us
    or ns by its size. Also as Go and databases print it: "2026/11/24 10:00:00", " UTC" or " +0000" at its end. None for
    nothing; BadRecord for what is no time."""
    if value is None or value == "":
        return None
    try:
        number = _written(value) if isinstance(value, str) else value
        if isinstance(number, datetime):
            passed = number - (_NAIVE_EPOCH if number.tzinfo is None else _EPOCH)
            number = (passed.days * 86_400 + passed.seconds) * NANO + passed.microseconds * 1_000
        elif isinstance(number, int | float | Decimal) and not isinstance(number, bool):
            number = Decimal(str(number)) if isinstance(number, float) else number
            number *= next((unit for top, unit in _UNITS if number < top), 1)
        else:
            raise BadRecord("no time")
        if 0 <= number <= _LATEST:
            return int(number)
    except (ValueError, ArithmeticError):
        raise BadRecord(f"{quoted(value)} is no time") from None
    raise BadRecord("its time is out of range")


def _written(text: str) -> datetime | Decimal:
    """A time in words or a number, as it stands there or tidied up. ValueError or InvalidOperation where it is none."""
    try:
        return datetime.fromisoformat(text) if text[4:5] == "-" else Decimal(text)
    except (ValueError, InvalidOperation):
        tidy = _UNTIDY.sub("", text.strip()).replace("/", "-")
        return datetime.fromisoformat(tidy) if tidy[4:5] == "-" else Decimal(tidy)


def quoted(value: Any) -> str:
    """A value that cannot be read, as a reason may show it: figures as they are, of anything else only that it is text.
    A row that lost its order has a prompt or a key where a number should be."""
    said = str(value)[:40]
    return repr(said) if _FIGURES.fullmatch(said) else "a text" if isinstance(value, str) else "a value"


def count(value: Any, name: str = "a count") -> int:
    """A number of tokens or calls; 0 for nothing. BadRecord for what is no whole number from 0 to MOST."""
    if type(value) is int and 0 <= value <= MOST:
        return value
    if value is None or value == "":
        return 0
    if type(value) is str and len(value) < 16 and value.isascii() and value.isdigit():
        return int(value)
    with suppress(InvalidOperation, ValueError, OverflowError):
        number = Decimal(str(value).strip().replace(",", ""))
        if 0 <= number <= MOST and number == int(number) and not isinstance(value, bool):
            return int(number)
    raise BadRecord(f"{name}: {quoted(value)} is no whole number")


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
