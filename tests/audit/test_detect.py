"""A log's format is told by its first rows; what is not known says what was seen and what can be done."""

from __future__ import annotations

import json
import random

import pytest
from damage import damaged
from reading import SAMPLES

from scrimp.audit.detect import detect, formats, named
from scrimp.audit.formats.base import Options
from scrimp.audit.formats.generic import preview
from scrimp.errors import ScrimpError

ROW = {"timestamp": 1_700_000_000, "input_tokens": 5, "output_tokens": 6}


def test_every_format_has_a_name_of_its_own_and_is_found_by_it() -> None:
    names = [one.name for one in formats()]
    assert len(set(names)) == len(names) and names[-1] == "generic" and "mooncake" in names
    assert all(named(one.name) is one for one in formats())


def test_a_name_that_is_none_is_an_error_with_the_names_there_are() -> None:
    with pytest.raises(ScrimpError, match=r"there is no format 'lite'. Formats: .*mooncake, .*generic$"):
        named("lite")


@pytest.mark.parametrize(
    ("sample", "name"),
    [("generic_trace.csv", "generic"), ("generic_texts.jsonl", "generic"), ("mooncake.jsonl", "mooncake")],
)
def test_the_samples_are_known_damaged_or_not(sample: str, name: str) -> None:
    data = (SAMPLES / sample).read_bytes()
    assert detect(sample, data).format.name == name
    lines = data.split(b"\n")
    at = 1 if sample.endswith(".csv") else 0
    for seed in range(50):
        lines[at] = damaged(data.split(b"\n")[at], random.Random(seed))
        assert detect(sample, b"\n".join(lines)).format.name == name


def test_a_format_that_is_forced_is_taken_as_it_is() -> None:
    assert detect("log", json.dumps(ROW).encode(), "mooncake").format.name == "mooncake"
    with pytest.raises(ScrimpError, match="--format: there is no format 'x'"):
        detect("log", json.dumps(ROW).encode(), "x")


def test_columns_that_are_named_mean_a_log_of_anybody() -> None:
    options = Options({"input": "input_length"}, "gpt-4o")
    known = detect("log", (SAMPLES / "mooncake.jsonl").read_bytes(), options=options)
    assert known.format.name == "generic"
    assert preview(known.sample.columns, known.options) == "time=timestamp, output=output_length, input=input_length"
    assert known.options.model == "gpt-4o"


def test_a_sample_has_the_first_rows_that_can_be_read_and_all_of_their_keys() -> None:
    lines = [json.dumps(ROW | ({"user": "ann"} if at == 7 else {})) for at in range(200)]
    lines[0] = "{"
    sample = detect("log", "\n".join(lines).encode()).sample
    assert (len(sample.rows), sample.columns, sample.around) == (50, (*ROW, "user"), ())
    assert (sample.name, sample.shape) == ("log", "lines")


@pytest.mark.parametrize("indent", [None, 2])
def test_a_sample_of_a_document_has_the_keys_around_its_rows(indent: int | None) -> None:
    page = json.dumps({"object": "page", "data": [ROW, ROW], "has_more": False}, indent=indent)
    sample = detect("log", page.encode()).sample
    assert (sample.shape, sample.rows, sample.around) == ("json", (ROW, ROW), ("object", "data", "has_more"))


def test_a_sample_of_pages_one_a_line_has_them_too() -> None:
    page = json.dumps({"object": "page", "data": [ROW, ROW], "has_more": False})
    sample = detect("log", f"x\n{page}\n{page}\n".encode()).sample
    assert (sample.shape, len(sample.rows), sample.around) == ("lines", 4, ("object", "data", "has_more"))


def test_a_csv_is_known_with_what_its_columns_hold() -> None:
    layout = detect("log", (SAMPLES / "generic_trace.csv").read_bytes()).layout
    assert (layout.columns, layout.kinds) == (("TIMESTAMP", "ContextTokens", "GeneratedTokens"), "tnn")


def test_what_is_no_known_log_says_what_was_seen() -> None:
    with pytest.raises(ScrimpError) as error:
        detect("log.csv", b"time,model,total_tokens\n2026-11-01,gpt-4o,5\n")
    assert error.value.message == (
        "log.csv: no log format that scrimp knows; no column of input tokens among time, model, total_tokens; "
        "total_tokens alone is not enough, as input and output tokens have different prices"
    )
    assert error.value.hint.startswith("Name the columns, such as --map input=")
    with pytest.raises(ScrimpError, match="no log format that scrimp knows; it has question, prompt_tokens"):
        detect("log", b'{"question": "x", "prompt_tokens": 5}\n')
    with pytest.raises(ScrimpError, match="log: none of its first rows can be read"):
        detect("log", b'{"a": \n{"b": \n')


def test_a_mapping_that_cannot_be_is_told_before_anything_is_read() -> None:
    with pytest.raises(ScrimpError, match="log: --map: there is no column 'x'. Columns: timestamp, input_tokens, outp"):
        detect("log", json.dumps(ROW).encode(), options=Options({"input": "x"}))
