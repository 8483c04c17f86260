"""A log's layout and format are told by its first rows, damaged or not; what is no log says what was seen, and why."""

from __future__ import annotations

import bz2
import gzip
import json
import random

import pytest
from damage import damaged
from hypothesis import given
from hypothesis import strategies as st
from reading import SAMPLES

from scrimp.audit.detect import detect, formats, kinds_of, lay_out, named
from scrimp.audit.formats.base import Options
from scrimp.audit.formats.generic import preview
from scrimp.audit.framing import Layout
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
    assert (len(sample.rows), sample.columns) == (50, (*ROW, "user"))
    assert (sample.name, sample.shape) == ("log", "lines")


def test_a_sample_of_pages_has_the_rows_within() -> None:
    page = json.dumps({"object": "page", "data": [ROW, ROW], "has_more": False})
    sample = detect("log", f"x\n{page}\n{page}\n".encode()).sample
    assert (sample.shape, sample.rows) == ("lines", (ROW,) * 4)
    for indent in (None, 2):
        text = json.dumps({"object": "page", "data": [ROW, ROW], "has_more": False}, indent=indent)
        sample = detect("log", text.encode()).sample
        assert (sample.shape, sample.rows) == ("json", (ROW, ROW))


def test_a_csv_is_known_with_what_its_columns_hold() -> None:
    layout = detect("log", (SAMPLES / "generic_trace.csv").read_bytes()).layout
    assert (layout.columns, layout.kinds) == (("TIMESTAMP", "ContextTokens", "GeneratedTokens"), "tnn")


def test_what_is_no_known_log_says_what_was_seen() -> None:
    with pytest.raises(ScrimpError) as error:
        detect("log.csv", b"time,model,total_tokens\n2026-11-01,gpt-4o,5\n")
    assert error.value.message == ("log.csv: no log format that scrimp knows; it has time, model, total_tokens")
    assert error.value.hint.startswith("Name the columns, such as --map input=")
    with pytest.raises(ScrimpError, match="no log format that scrimp knows; it has question, prompt_tokens"):
        detect("log", b'{"question": "x", "prompt_tokens": 5}\n')
    with pytest.raises(ScrimpError, match="log: none of its first rows can be read"):
        detect("log", b'{"a": \n{"b": \n')


def test_a_mapping_that_cannot_be_is_told_before_anything_is_read() -> None:
    with pytest.raises(ScrimpError, match="log: --map: there is no column 'x'. Columns: timestamp, input_tokens, outp"):
        detect("log", json.dumps(ROW).encode(), options=Options({"input": "x"}))


CALLS = [{"id": f"c-{at}", "model": "gpt-4o", "usage": {"prompt_tokens": at}} for at in range(30)]
LINES = "\n".join(map(json.dumps, CALLS))
HEADER = ("time", "input tokens", "output")
TABLE = "time, input tokens ,output\n" + "2026-11-01,5,6\n" * 9


def same(head: str | bytes, layout: Layout) -> None:
    """Check the layout of a log, with and without a byte order mark before it."""
    data = head.encode() if isinstance(head, str) else head
    assert lay_out("log", data) == lay_out("log", b"\xef\xbb\xbf" + data) == layout


@pytest.mark.parametrize("before", ["", "\n", "\r\n  \r\n"])
def test_shapes_are_told_whatever_white_space_stands_before(before: str) -> None:
    same(before + LINES, Layout("lines"))
    same(before + LINES.split("\n")[0], Layout("lines"))
    same(before + TABLE, Layout("csv", HEADER))
    same(before + TABLE.replace("\n", "\r\n"), Layout("csv", HEADER))
    same(before + json.dumps(CALLS), Layout("json"))
    same(before + json.dumps(CALLS, indent=1), Layout("json"))
    same(before + json.dumps({"data": CALLS}), Layout("json", within="data"))
    same(before + json.dumps({"data": CALLS}, indent=2), Layout("json"))
    same(before + "\n".join(json.dumps(one, indent=2) for one in CALLS), Layout("json"))


@pytest.mark.parametrize("count", [1, 2, 3, 30])
def test_a_list_with_a_row_on_each_line_is_a_document(count: int) -> None:
    body = ",\n".join(map(json.dumps, CALLS[:count]))
    same(f"[\n{body}\n]\n", Layout("json"))
    same('{"data": [\n' + body + "\n]}", Layout("json"))


def test_pages_one_a_line_are_lines_with_rows_within() -> None:
    page = json.dumps({"object": "page", "data": [{"start_time": 1}], "has_more": True})
    same(f"{page}\n{page}\n", Layout("lines", within="data"))
    same(json.dumps({"object": "page", "data": []}) + "\n" + page, Layout("lines", within="data"))
    span = json.dumps({"resourceSpans": [{"scopeSpans": []}]})
    same(f"{span}\n{span}", Layout("lines", within="resourceSpans"))


def test_a_call_with_a_list_in_it_is_a_row() -> None:
    answer = json.dumps({"object": "list", "data": [{"embedding": [0.5]}], "model": "m", "usage": {}})
    same(f"{answer}\n{answer}\n", Layout("lines"))
    same(answer, Layout("lines"))


@given(st.integers(0, 2**32), st.integers(2, 30))
def test_the_first_line_may_be_damaged(seed: int, count: int) -> None:
    chance = random.Random(seed)
    for text, layout in (
        ("\n".join(LINES.split("\n")[:count]), Layout("lines")),
        ("[\n" + ",\n".join(LINES.split("\n")[:count]) + "\n]", Layout("json")),
        (json.dumps(CALLS[:count], indent=2), Layout("json")),
    ):
        first, rest = text.encode().split(b"\n", 1)
        found = lay_out("log", damaged(first, chance) + b"\n" + rest)
        assert (found.shape, found.within) == (layout.shape, layout.within)


def test_other_lines_between_those_of_json_are_only_bad_lines() -> None:
    lines = [
        line for at in range(9) for line in (f"2026-11-01 12:00:0{at},000 INFO started", LINES.split("\n")[at], "")
    ]
    same("\n".join(lines * 3), Layout("lines"))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_are_told_by_header_and_rows(delimiter: str) -> None:
    text = "\n".join(delimiter.join(row) for row in [("time", "say, or what", "output"), *[("a", "b,c", "d")] * 5])
    if delimiter == ",":
        text = text.replace("say, or what", '"say, or what"').replace("b,c", '"b,c"')
    same(text, Layout("csv", ("time", "say, or what", "output"), delimiter))


def test_headers_may_be_quoted_and_have_spaces_after_their_delimiters() -> None:
    same('"time","input, in tokens","a ""b"""\n1,2,3\n', Layout("csv", ("time", "input, in tokens", 'a "b"')))
    same('"time", "input", output\n', Layout("csv", ("time", "input", "output")))


@pytest.mark.parametrize(
    "first", ["2023-11-16 18:15:46.6805900,374,44", "gpt-4o,374,44", '"2023-11-16",x,y', "a,$1.50"]
)
def test_a_csv_without_a_header_is_an_error_that_says_what_to_do(first: str) -> None:
    with pytest.raises(ScrimpError) as error:
        lay_out("log.csv", f"{first}\n{first}\n".encode())
    assert error.value.message == "log.csv has no header that names its columns"
    assert error.value.hint == "Add a first line such as time,model,input_tokens,output_tokens"


def test_two_columns_of_one_name_are_an_error_for_which_would_count() -> None:
    with pytest.raises(ScrimpError, match="log.csv has several columns named 'output'. Rename all but one"):
        lay_out("log.csv", b"time,input,output,,,output\n1,2,3,,,4\n")
    assert lay_out("log.csv", b"time,input,,\n1,2,3,\n").columns == ("time", "input", "", "")


PICTURE = b"\x89PNG\r\n\x1a\n" + random.Random(1).randbytes(5_000)


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (b"", "log is empty"),
        (b" \n\n\r\n", "log is empty"),
        (LINES.encode("utf-16"), "log is text in UTF-16, not a log. Export it as JSON lines or CSV, in UTF-8"),
        (TABLE.encode("utf-16-le"), "log is no text in UTF-8, so no log. Name JSON lines, JSON or CSV files"),
        (PICTURE, "log is no text in UTF-8, so no log. Name JSON lines, JSON or CSV files"),
        (b"\0" * 5_000, "log is no text in UTF-8, so no log. Name JSON lines, JSON or CSV files"),
        (b"PK\x03\x04 and so on", "log is a ZIP archive (or a spreadsheet), not a log. Export it as JSON"),
        (bz2.compress(b"a"), "log is packed with bzip2, not a log. Export it"),
        (gzip.compress(b"a", mtime=0), "log is packed twice, not a log. Export it"),
        (b"just some words\nand more\n", "log is neither JSON nor CSV with a header that names its columns"),
    ],
)
def test_what_is_no_log_is_refused_with_the_reason(head: bytes, message: str) -> None:
    with pytest.raises(ScrimpError) as error:
        lay_out("log", head)
    assert str(error.value).startswith(message)


def test_text_in_any_language_and_some_damage_are_no_reason_to_refuse() -> None:
    same("время,вход,выход\n" + "давно,5,6\n" * 9, Layout("csv", ("время", "вход", "выход")))
    same(LINES.encode() + b"\0" * 50 + b"\n" + LINES.encode(), Layout("lines"))


def test_what_columns_hold_is_what_most_of_their_cells_are() -> None:
    columns = ("when", "tokens", "text", "empty", "mixed")
    row = {"when": "2026-11-01", "tokens": "5", "text": "5 apples", "empty": "", "mixed": "5"}
    damaged_row = row | {"when": "2O26", "tokens": ""}
    assert kinds_of(columns, [row] * 9 + [damaged_row] + [row | {"mixed": "x"}] * 5) == "tn---"
    assert kinds_of(columns, []) == "-----"
