"""Our own records come back as they were written: from a database's rows, and from exports in both forms."""

from __future__ import annotations

import io
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import read
from strange import check, damaged, rows

from scrimp.audit.entry import BadRecord, Entry
from scrimp.audit.formats import scrimp_records
from scrimp.call import INPUT_CLASSES, TOKEN_CLASSES, Usage
from scrimp.report.rows import write_csv, write_jsonl
from scrimp.store.base import Record, SavingRow

NOON = 1_762_516_800_000_000_000
CALL = Record(
    id="5f0c9a1e2b3d4f60",
    at=NOON + 250_000_000,
    provider="openai",
    api="openai.chat",
    path="/v1/chat/completions",
    model_asked="gpt-5-mini",
    model="gpt-5-mini-2025-08-07",
    status=200,
    finish="stop",
    tier="default",
    key="key-1a2b3c4d",
    feature="mail-routing",
    feature_from="fingerprint",
    user="u-17",
    team="support",
    session="s-1",
    environment="prod",
    tags=("eu", "night"),
    usage=Usage(input=56, cached=64, output=3),
    basis="exact",
    list_nano=31_000,
    paid_nano=20_000,
    savings=(SavingRow("provider_cache", 11_000, "measured"),),
    total_ns=640_250_000,
    tries=1,
)
LABELS = st.text("abz09=+-@ ./", max_size=12).map(lambda text: " ".join(text.split()))
USAGES = st.builds(Usage, **{name: st.integers(0, 10**9) for name in (*TOKEN_CLASSES, "searches")})
RECORDS = st.builds(
    Record,
    id=st.uuids().map(lambda one: one.hex),
    at=st.integers(0, 4 * 10**15).map(lambda microseconds: microseconds * 1000),
    model_asked=st.sampled_from(["gpt-5-mini", "claude-haiku-4-5"]),
    model=LABELS,
    provider=st.sampled_from(["openai", "api.anthropic.com"]),
    api=st.sampled_from(["openai.chat", "anthropic.messages", "other"]),
    status=st.sampled_from([0, 200, 429]),
    ending=st.sampled_from(["ok", "provider-error", "no-answer", "broken", "client-left", "refused", "stopped"]),
    usage=USAGES,
    basis=st.sampled_from(["exact", "estimated", "assumed-full"]),
    feature=LABELS,
    user=LABELS,
    team=LABELS,
    session=LABELS,
    environment=LABELS,
    tier=st.sampled_from(["", "flex"]),
    tags=st.lists(LABELS.filter(bool), max_size=3).map(tuple),
    paid_nano=st.integers(0, 10**15),
    total_ns=st.integers(0, 10**9).map(lambda microseconds: microseconds * 1000),
)
GOOD = [json.loads(msgspec.json.encode(CALL)), json.loads(msgspec.json.encode(Record(id="a", at=1)))]


def exported(*records: Record, form: str = "csv") -> bytes:
    file = io.StringIO(newline="")
    (write_csv if form == "csv" else write_jsonl)(records, file)
    return file.getvalue().encode()


def database(*records: Record) -> bytes:
    return b"".join(msgspec.json.encode(record) + b"\n" for record in records)


def expected(record: Record) -> Entry:
    return Entry(
        id=record.id,
        at=record.at,
        api=record.api,  # type: ignore[arg-type]
        provider=record.provider,
        model=record.model_asked,
        answered=record.model,
        usage=record.usage,
        status=record.status,
        error="" if record.ending in ("ok", "client-left", "stopped") else record.ending,
        tier=record.tier,
        cut=record.ending in ("broken", "client-left", "stopped"),
        feature=record.feature,
        user=record.user,
        team=record.team,
        session=record.session,
        environment=record.environment,
        tags=record.tags,
        duration=record.total_ns,
        logged=record.paid_nano,
    )


def test_a_database_s_row_gives_the_call_with_its_bodies():
    kept = msgspec.structs.replace(CALL, request_body=b'{"model":"gpt-5-mini"}', answer_body=b"\xff{}", stream=True)
    known, (entry,), bad = read(database(kept))
    assert (known.format.name, bad) == ("scrimp_records", [])
    assert (entry.id, entry.at, entry.key, entry.finish) == (CALL.id, CALL.at, "key-1a2b3c4d", "stop")
    assert (entry.feature, entry.user, entry.tags) == ("mail-routing", "u-17", ("eu", "night"))
    assert (entry.usage, entry.logged, entry.duration) == (CALL.usage, 20_000, 640_250_000)
    assert (entry.request, entry.answer, entry.stream) == (b'{"model":"gpt-5-mini"}', b"\xff{}", True)


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_an_export_gives_the_same_call_without_them(form: str):
    known, (entry,), bad = read(exported(CALL, form=form))
    _, (stored,), _ = read(database(CALL))
    assert (known.format.name, bad) == ("scrimp_export", [])
    assert entry == msgspec.structs.replace(stored, finish="")


def test_the_sample_of_an_export_is_read():
    known, entries, bad = read("scrimp_export.csv")
    assert (known.format.name, bad) == ("scrimp_export", [])
    assert [(entry.model, entry.feature, entry.status, entry.error) for entry in entries] == [
        ("gpt-5-mini", "mail-routing", 200, ""),
        ("claude-haiku-4-5", "=returns", 529, "provider-error"),
        ("gpt-5-mini", "", 200, ""),
    ]
    assert [entry.usage and entry.usage.input_total for entry in entries] == [120, None, 900]
    assert [entry.logged for entry in entries] == [20_000, 0, None]
    assert (entries[0].tags, entries[2].cut) == (("eu", "night"), True)


@given(st.lists(RECORDS, min_size=1, max_size=3, unique_by=lambda record: record.id))
def test_every_record_comes_back_as_it_was_from_all_three(records: list[Record]):
    wanted = [expected(record) for record in records]
    assert read(database(*records))[1:] == (wanted, [])
    for form in ("csv", "jsonl"):
        assert read(exported(*records, form=form))[1:] == (wanted, [])


def test_each_class_of_tokens_stays_what_it_is():
    usage = Usage(**{name: number for number, name in enumerate((*TOKEN_CLASSES, "searches"), 1)})
    record = msgspec.structs.replace(CALL, usage=usage)
    for log in (database(record), exported(record), exported(record, form="jsonl")):
        assert read(log)[1][0].usage == usage
    assert usage.input_total == sum(range(1, len(INPUT_CLASSES) + 1))


def test_what_nobody_counted_is_not_counted_as_nothing():
    unknown = Record(id="a" * 16, at=NOON, model_asked="m", api="openai.chat", status=200, unpriced="reports no usage")
    for log in (database(unknown), exported(unknown)):
        (entry,) = read(log)[1]
        assert (entry.usage, entry.logged) == (None, None)


@pytest.mark.parametrize(
    "other",
    [
        Record(id="b" * 16, at=NOON, method="GET", path="/v1/models", status=200),
        Record(id="b" * 16, at=NOON, api="anthropic.count_tokens", model_asked="claude-haiku-4-5", status=200),
    ],
)
def test_what_went_through_the_gateway_and_asked_no_model_is_no_call(other: Record):
    for log in (database(CALL, other), exported(CALL, other)):
        _, entries, bad = read(log)
        assert ([entry.id for entry in entries], bad) == ([CALL.id], [])


@pytest.mark.parametrize(
    "part", [{"usage": {"input": -1}}, {"at": -1}, {"usage": {"input": 10**30}}, {"status": 10**6}]
)
def test_a_row_that_is_out_of_range_says_so(part: dict[str, Any]):
    with pytest.raises(BadRecord):
        scrimp_records.read_record(GOOD[0] | part)


@pytest.mark.parametrize("part", [{"tokens_input": "-1"}, {"searches": "some"}, {"status": "9e999999"}, {"time": "x"}])
def test_a_cell_that_is_no_number_says_so(part: dict[str, Any]):
    with pytest.raises(BadRecord):
        scrimp_records.read_row({"basis": "exact", **part})


def test_rows_with_other_columns_are_not_taken_for_ours():
    for log in (
        b'{"id":"a","at":5,"prompt_tokens":1,"completion_tokens":2}\n',
        b"model,tokens_input,status\nm,1,200\n",
    ):
        assert read(log, forced="generic")[0].sample.rows
        assert not any(one.fits(read(log, forced="generic")[0].sample) for one in scrimp_records.FORMATS)


@given(rows([*Record.__struct_fields__, *Usage.__struct_fields__, "openai.chat", "exact", "ok", NOON]))
def test_whatever_a_row_of_a_database_holds_it_gives_a_call_or_a_reason(row: dict[str, Any]):
    check(scrimp_records.read_record, row)


@given(damaged(GOOD, ["usage", "input", "ok", "exact", NOON]))
def test_a_row_of_a_database_that_is_damaged_gives_a_call_or_a_reason(row: dict[str, Any]):
    check(scrimp_records.read_record, row)


@given(damaged([json.loads(exported(CALL, form="jsonl"))], ["provider-error", "exact", "", "=1", "1e9", NOON]))
def test_a_row_of_an_export_that_is_damaged_gives_a_call_or_a_reason(row: dict[str, Any]):
    check(scrimp_records.read_row, row)
