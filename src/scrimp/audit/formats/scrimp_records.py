"""Our own records: the rows of a scrimp database, and the files that `scrimp export` writes.

A database comes as a JSON object for each `store.base.Record`; an export has the columns of `report.rows`, as CSV or
JSON lines. Tokens, labels and what was paid are taken over as they are; list prices are reckoned anew by the replay.
"""

from __future__ import annotations

from decimal import Decimal
from typing import cast, get_args

import msgspec

from scrimp.audit.entry import BadRecord, Entry
from scrimp.audit.formats.base import Format, Row, Sample, amount, count, each, moment, text
from scrimp.call import TOKEN_CLASSES, Api, Usage
from scrimp.report.rows import FORMULA
from scrimp.store.base import Record
from scrimp.wire.counts import MOST

COLUMNS = ("model_asked", "ending", "basis", "tokens_input", "tokens_output", "paid_usd")
"""Columns that together only our exports have."""
FIELDS = frozenset(Record.__struct_fields__)
TOKENS = tuple((name, f"tokens_{name}") for name in TOKEN_CLASSES)
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
    usage = record.usage
    if not all(0 <= tokens <= MOST for tokens in msgspec.structs.astuple(usage)):
        raise BadRecord("a number of tokens is out of range")
    if not 0 <= record.at <= LATEST or not 0 <= record.status < 1000 or abs(record.paid_nano) > LATEST:
        raise BadRecord("its time, its status or its cost is out of range")
    if _is_none(record.api, record.model_asked, usage, record.basis, record.unpriced):
        return ()
    entry = Entry(
        id=record.id,
        at=record.at,
        api=_api(record.api),
        provider=record.provider,
        model=record.model_asked,
        answered=record.model,
        usage=_known(usage, record.basis),
        status=record.status,
        error=_error(record.ending, record.error),
        finish=record.finish,
        tier=record.tier,
        stream=record.stream,
        cut=record.ending in CUT,
        feature=record.feature,
        user=record.user,
        team=record.team,
        key=record.key,
        session=record.session,
        environment=record.environment,
        tags=record.tags,
        duration=min(max(0, record.total_ns), LATEST),
        request=record.request_body or b"",
        answer=record.answer_body or b"",
        logged=None if record.unpriced else record.paid_nano,
    )
    return (entry,)


def read_row(row: Row) -> tuple[Entry, ...]:
    """The call of an export's row; none where it was no call of a model."""
    usage = Usage(
        **{name: count(row.get(column), column) for name, column in TOKENS},
        searches=count(row.get("searches"), "searches"),
    )
    basis, ending, asked = _text(row, "basis"), _text(row, "ending"), _text(row, "model_asked")
    api, unpriced = _text(row, "api"), _text(row, "unpriced")
    status = count(row.get("status"), "status")
    if status >= 1000:
        raise BadRecord(f"{status} is no status")
    if _is_none(api, asked, usage, basis, unpriced):
        return ()
    entry = Entry(
        id=_text(row, "id"),
        at=moment(row.get("time")),
        api=_api(api),
        provider=_text(row, "provider"),
        model=asked,
        answered=_text(row, "model"),
        usage=_known(usage, basis),
        status=status,
        error=_error(ending, ""),
        tier=_text(row, "tier"),
        cut=ending in CUT,
        feature=_text(row, "feature"),
        user=_text(row, "user"),
        team=_text(row, "team"),
        key=_text(row, "key"),
        session=_text(row, "session"),
        environment=_text(row, "environment"),
        tags=_tags(row),
        duration=_nanoseconds(row.get("total_ms")),
        logged=None if unpriced else amount(row.get("paid_usd")),
    )
    return (entry,)


def _is_none(api: str, asked: str, usage: Usage, basis: str, unpriced: str) -> bool:
    """Whether the gateway passed on something that is no call of a model: a list of models, a file, tokens counted."""
    if basis != "none" or usage != Usage() or unpriced:
        return False
    return not asked or api == "anthropic.count_tokens"


def _known(usage: Usage, basis: str) -> Usage | None:
    """The tokens as they were billed; None where nobody knew them."""
    return usage if basis != "none" or usage != Usage() else None


def _api(name: str) -> Api:
    return cast(Api, name) if name in APIS else "other"


def _error(ending: str, error: str) -> str:
    return "" if ending in WHOLE else error or ending


def _text(row: Row, column: str) -> str:
    """A cell as it was before the apostrophe that keeps spreadsheets from running it."""
    value = text(row.get(column))
    return value[1:] if value[:1] == "'" and FORMULA.match(value, 1) else value


def _tags(row: Row) -> tuple[str, ...]:
    found = row.get("tags")
    if isinstance(found, list):
        return tuple(tag for tag in map(text, found) if tag)
    return tuple(tag for tag in _text(row, "tags").split(",") if tag)


def _nanoseconds(milliseconds: object) -> int:
    said = text(milliseconds)
    try:
        number = Decimal(said or "0") * 1_000_000
        if 0 <= number <= LATEST:
            return int(number)
    except ArithmeticError:
        pass
    raise BadRecord(f"total_ms: {said[:40]!r} is no duration")


def _is_record(sample: Sample) -> bool:
    return sample.shape == "lines" and bool(sample.rows) and all(_keys_are_ours(row) for row in sample.rows)


def _keys_are_ours(row: Row) -> bool:
    return type(row.get("at")) is int and isinstance(row.get("id"), str) and FIELDS.issuperset(row)


def _is_export(sample: Sample) -> bool:
    return sample.has(*COLUMNS)


FORMATS = (
    Format("scrimp_records", "scrimp records", _is_record, each(read_record)),
    Format("scrimp_export", "scrimp export", _is_export, each(read_row)),
)
