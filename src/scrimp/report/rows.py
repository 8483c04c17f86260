"""One call as one row of a table: exact decimal strings, times in UTC, cells that no spreadsheet takes for a formula.

CSV as RFC 4180 has it (CRLF, quotes doubled); JSON lines carry the same columns, with lists where CSV has text. Text is
cleaned as it is for a terminal: a file of records gets printed too, and programs that read it end at a NUL.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from typing import Any, TextIO

import msgspec

from scrimp.call import TOKEN_CLASSES, usd
from scrimp.report.json import each_text, told
from scrimp.report.labels import clean
from scrimp.store.base import Record

FORMULA = re.compile(r"[=+\-@\t\r\n＝＋－＠]")  # noqa: RUF001  (spreadsheets take the full-width signs too)
"""How a cell begins that a spreadsheet would run (OWASP, CSV injection)."""
NUMBER = re.compile(r"-?\d+(\.\d+)?")


def row(record: Record) -> dict[str, Any]:
    """The columns in order. Money in dollars, durations in milliseconds, tokens by class; `savings` and `tags` lists.

    Amounts of a call without a known price are None, not 0. `first_byte_ms` and `total_ms` run from the call's
    arrival, `scrimp_ms` is our own time before it left; a duration that was not measured is empty.
    """
    columns = {
        **told(record, "id time=at provider api model_asked model status ending basis"),
        **{f"tokens_{name}": getattr(record.usage, name) for name in TOKEN_CLASSES},
        "searches": record.usage.searches,
        "list_usd": _usd(record, record.list_nano),
        "savings": [told(saving, "strategy usd=nano kind") for saving in record.savings],
        "overhead_usd": usd(record.overhead_nano),
        "paid_usd": _usd(record, record.paid_nano),
        "saved_usd": _usd(record, record.list_nano - record.paid_nano),
        **told(record, "unpriced feature user team key session environment tags tier"),
        "first_byte_ms": _milliseconds(record.first_byte_ns),
        "total_ms": _milliseconds(record.total_ns),
        "scrimp_ms": _milliseconds(record.overhead_ns),
    }
    return {name: each_text(value, clean) for name, value in columns.items()}


def write_csv(records: Iterable[Record], file: TextIO) -> None:
    """Write the header and a line a call; `file` must not translate line ends."""
    columns = list(row(Record(id="", at=0)))
    writer = csv.DictWriter(file, columns)
    writer.writeheader()
    for record in records:
        writer.writerow({name: cell(value) for name, value in row(record).items()})


def write_jsonl(records: Iterable[Record], file: TextIO) -> None:
    """Write a JSON object a line."""
    encode = msgspec.json.Encoder().encode
    for record in records:
        file.write(encode(row(record)).decode() + "\n")


def cell(value: Any) -> Any:
    """A value as a CSV cell: lists as text, and text that would be a formula with an apostrophe before it."""
    if isinstance(value, list):
        plain = all(not isinstance(part, Mapping) for part in value)
        value = ",".join(value) if plain else msgspec.json.encode(value).decode()
    if isinstance(value, str) and FORMULA.match(value) and not NUMBER.fullmatch(value):
        return f"'{value}"
    return value


def _usd(record: Record, nano: int) -> str | None:
    return None if record.unpriced and not nano else usd(nano)


def _milliseconds(nanoseconds: int) -> str:
    whole, rest = divmod(nanoseconds // 1000, 1000)
    return f"{whole}.{rest:03d}" if nanoseconds else ""
