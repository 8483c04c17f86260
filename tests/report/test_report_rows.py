"""One call as one row."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from scrimp.call import TOKEN_CLASSES
from scrimp.report.rows import cell, row, write_csv, write_jsonl
from scrimp.store.base import Record


def as_csv(records: list[Record]) -> str:
    file = io.StringIO(newline="")
    write_csv(records, file)
    return file.getvalue()


def test_a_row_has_every_column(records: list[Record]) -> None:
    assert row(records[0]) == snapshot(
        {
            "id": "c1",
            "time": "2026-11-01T00:00:00Z",
            "provider": "openai",
            "api": "other",
            "model_asked": "",
            "model": "gpt-5",
            "status": 0,
            "ending": "ok",
            "basis": "exact",
            "tokens_input": 1000,
            "tokens_cached": 200,
            "tokens_cache_write": 0,
            "tokens_cache_write_1h": 0,
            "tokens_cache_write_12h": 0,
            "tokens_audio_input": 0,
            "tokens_audio_cached": 0,
            "tokens_image_input": 0,
            "tokens_video_input": 0,
            "tokens_output": 50,
            "tokens_reasoning": 0,
            "tokens_audio_output": 0,
            "tokens_image_output": 0,
            "tokens_rejected_prediction": 0,
            "searches": 0,
            "list_usd": "151.30",
            "savings": [
                {"strategy": "provider_cache", "usd": "41.30", "kind": "measured"},
                {"strategy": "route", "usd": "10.00", "kind": "estimated"},
            ],
            "overhead_usd": "0.00",
            "paid_usd": "100.00",
            "saved_usd": "51.30",
            "unpriced": "",
            "feature": "chat",
            "user": "u1",
            "team": "",
            "key": "",
            "session": "",
            "environment": "",
            "tags": ["a", "b"],
            "tier": "",
            "first_byte_ms": "",
            "total_ms": "",
            "scrimp_ms": "",
        }
    )
    assert {f"tokens_{name}" for name in TOKEN_CLASSES} <= set(row(records[0]))


def test_amounts_in_a_table_add_up_call_by_call(records: list[Record]) -> None:
    for line in csv.DictReader(io.StringIO(as_csv(records), newline="")):
        if line["unpriced"]:
            assert line["list_usd"] == line["paid_usd"] == line["saved_usd"] == ""
            continue
        savings = sum(Decimal(saving["usd"]) for saving in json.loads(line["savings"] or "[]"))
        assert Decimal(line["list_usd"]) - savings + Decimal(line["overhead_usd"]) == Decimal(line["paid_usd"])


def test_lines_end_and_quote_as_rfc_4180_has_it() -> None:
    text = as_csv([Record(id='say "hi", or\nnot', at=0)])
    assert text.endswith("\r\n")
    assert text.split("\r\n")[1].startswith('"say ""hi"", or\nnot",1970-01-01T00:00:00Z,')


@pytest.mark.parametrize("label", ["=1+1", "+1", "-1+1", "@SUM(A1)", "\tx", "\rx", "\nx", "＝1", "--1", "-1.5.2"])
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(label: str) -> None:
    assert cell(label) == f"'{label}"


@pytest.mark.parametrize("value", ["-0.25", "-3", "12", "plain", "", "a=b", None, 5, -5])
def test_numbers_and_plain_words_stay_as_they_are(value: object) -> None:
    assert cell(value) == value


def test_lists_become_text_that_is_safe_too() -> None:
    assert cell(["a", "b"]) == "a,b"
    assert cell(["=a", "b"]) == "'=a,b"
    assert cell([]) == ""


@given(st.text(st.characters(exclude_categories=("Cs",))))
def test_a_label_comes_back_out_of_the_table(label: str) -> None:
    read = list(csv.DictReader(io.StringIO(as_csv([Record(id="x", at=0, feature=label)]), newline="")))
    assert read[0]["feature"] in (label, f"'{label}")


def test_json_lines_keep_labels_as_they_are(records: list[Record]) -> None:
    file = io.StringIO()
    write_jsonl(records, file)
    lines = [json.loads(line) for line in file.getvalue().splitlines()]
    assert [line["feature"] for line in lines] == [record.feature for record in records]
    assert lines[0]["tags"] == ["a", "b"]
    assert lines[2]["paid_usd"] is None
