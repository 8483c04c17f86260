"""One call as one row."""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from decimal import Decimal
from typing import get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from scrimp.call import TOKEN_CLASSES
from scrimp.report.labels import clean
from scrimp.report.rows import cell, row, write_csv, write_jsonl
from scrimp.store.base import Record, SavingRow


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
    assert text.split("\r\n")[1].startswith('"say ""hi"", or not",1970-01-01T00:00:00Z,')


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
    assert read[0]["feature"] in (clean(label), f"'{clean(label)}")


def test_no_text_cell_carries_what_steers_a_terminal_or_ends_a_string() -> None:
    bad = "m\x1b[2J\x00\x9b1mx\u202ey\r\nz"
    names = [name for name, kind in get_type_hints(Record).items() if kind is str]
    record = Record(**{**dict.fromkeys(names, bad), "at": 0}, tags=(bad,), savings=(SavingRow(bad, 1, "measured"),))
    file = io.StringIO(newline="")
    write_jsonl([record], file)
    for text in (as_csv([record]).replace("\r\n", ""), file.getvalue().rstrip("\n")):
        assert not any(unicodedata.category(char) in ("Cc", "Cf") for char in text)
        assert "\\u001b" not in text and "\\u0000" not in text
        assert text.count("mxy z") >= len({"model", "feature", "user", "tags", "savings"})


def test_json_lines_have_labels_cleaned(records: list[Record]) -> None:
    file = io.StringIO()
    write_jsonl(records, file)
    lines = [json.loads(line) for line in file.getvalue().splitlines()]
    assert [line["feature"] for line in lines] == [clean(record.feature) for record in records]
    assert lines[0]["tags"] == ["a", "b"]
    assert lines[2]["paid_usd"] is None
