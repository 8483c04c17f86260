"""Our own records: the rows of a scrimp database, and the files that `scrimp export` writes.

A database comes as a JSON object for each `store.base.Record`; an export has the columns of `report.rows`, as CSV or
JSON lines. Tokens, labels and what was paid are taken over as they are; list prices are reckoned anew by the replay.
"""

from __future__ import annotations

from typing import Any, cast, get_args

import msgspec

from scrimp.audit.entry import BadRecord, Entry
from scrimp.audit.formats.base import Format, Row, Sample, count, each, text
from scrimp.audit.formats.fields import Names, fill, tokens
from scrimp.call import TOKEN_CLASSES, Api, Usage
from scrimp.report.rows import FORMULA
from scrimp.store.base import Record
from scrimp.wire.counts import MOST

LABELS = ("id", "provider", "tier", "feature", "user", "team", "key", "session", "environment")
SAME = (*LABELS, "at", "status", "finish", "stream", "tags")
"""Fields of a record that an Entry has under the same name."""
EXPORT: Names = {name: (name,) for name in LABELS} | {
    "at": ("time",), "model": ("model_asked",), "answered": ("model",), "ms": ("total_ms",), "logged": ("paid_usd",),
}  # fmt: skip
TOKENS: Names = {name: (f"tokens_{name}",) for name in TOKEN_CLASSES} | {"searches": ("searches",)}
COLUMNS = ("model_asked", "ending", "basis", "tokens_input", "tokens_output", "paid_usd")
"""Columns that together only our exports have."""
FIELDS = frozenset(Record.__struct_fields__)
WHOLE = ("", "ok", "client-left", "stopped")
"""Endings that are no failure of the provider's."""
CUT = ("broken", "client-left", "stopped")
APIS = get_args(Api)
LATEST = 2**63 - 1


def read_record(row: Row) -> tuple[Entry, ...]:
    """The call of a database's row; none where it was no call of a model."""
    try:
        record = msgspec.convert(row, Record)
    except (msgspec.ValidationError, OverflowError, UnicodeError) as error:
        raise BadRecord(str(error)[:120]) from None
    if not all(0 <= counted <= MOST for counted in msgspec.structs.astuple(record.usage)):
        raise BadRecord("a number of tokens is out of range")
    if not 0 <= record.at <= LATEST or not 0 <= record.status < 1000 or abs(record.paid_nano) > LATEST:
        raise BadRecord("its time, its status or its cost is out of range")
    entry = Entry(
        **{name: getattr(record, name) for name in SAME},
        model=record.model_asked,
        answered=record.model,
        duration=min(max(0, record.total_ns), LATEST),
        request=record.request_body or b"",
        answer=record.answer_body or b"",
        logged=record.paid_nano,
    )
    return _settled(entry, record.usage, msgspec.structs.asdict(record))


def read_row(row: Row) -> tuple[Entry, ...]:
    """The call of an export's row; none where it was no call of a model."""
    row = {name: _plainly(value) for name, value in row.items()}
    entry = fill(Entry(status=count(row.get("status"), "status")), row, EXPORT)
    if entry.status >= 1000:
        raise BadRecord(f"{entry.status} is no status")
    tags = row.get("tags")
    entry.tags = tuple(filter(None, map(text, tags if isinstance(tags, list) else text(tags).split(","))))
    return _settled(entry, Usage(**tokens(row, TOKENS)), row)


def _plainly(value: Any) -> Any:
    """A cell as it was before the apostrophe that keeps spreadsheets from running it."""
    return value[1:] if isinstance(value, str) and value[:1] == "'" and FORMULA.match(value, 1) else value


def _settled(entry: Entry, usage: Usage, told: Row) -> tuple[Entry, ...]:
    """The call as it ended. None where the gateway passed on what is no call of a model: a list of models, a file,
    tokens to be counted."""
    api, basis, ending, unpriced = (text(told.get(name)) for name in ("api", "basis", "ending", "unpriced"))
    is_known = basis != "none" or usage != Usage()
    if not is_known and not unpriced and (not entry.model or api == "anthropic.count_tokens"):
        return ()
    entry.api = cast(Api, api) if api in APIS else "other"
    entry.usage = usage if is_known else None
    entry.error = "" if ending in WHOLE else text(told.get("error")) or ending
    entry.cut = ending in CUT
    entry.logged = None if unpriced else entry.logged
    return (entry,)


def _is_record(sample: Sample) -> bool:
    ours = (type(row.get("at")) is int and "id" in row and FIELDS.issuperset(row) for row in sample.rows)
    return sample.shape == "lines" and bool(sample.rows) and all(ours)


FORMATS = (
    Format("scrimp_records", "scrimp records", _is_record, each(read_record)),
    Format("scrimp_export", "scrimp export", lambda sample: sample.has(*COLUMNS), each(read_row)),
)
