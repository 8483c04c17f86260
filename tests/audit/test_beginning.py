"""How a log is laid out is told by its first lines, some of which may be damaged, and what is no log is refused."""

from __future__ import annotations

import bz2
import gzip
import json
import random

import pytest
from damage import damaged
from hypothesis import given
from hypothesis import strategies as st

from scrimp.audit.beginning import kinds_of, lay_out
from scrimp.audit.framing import Layout
from scrimp.errors import ScrimpError

CALLS = [{"id": f"c-{at}", "model": "gpt-4o", "usage": {"prompt_tokens": at}} for at in range(30)]
LINES = "\n".join(map(json.dumps, CALLS))
HEADER = ("time", "input tokens", "output")
TABLE = "time, input tokens ,output\n" + "2026-11-01,5,6\n" * 9


def same(head: str | bytes, layout: Layout) -> None:
    """Check the layout of a log, with and without a byte order mark before it."""
    data = head.encode() if isinstance(head, str) else head
    assert lay_out("log", data) == lay_out("log", b"\xef\xbb\xbf" + data) == layout


@pytest.mark.parametrize("before", ["", "\n", "# made by x\n\n// and y\n", "\r\n  \r\n"])
def test_shapes_are_told_whatever_stands_before(before: str) -> None:
    skip = before.count("\n")
    same(before + LINES, Layout("lines", skip=skip))
    same(before + LINES.split("\n")[0], Layout("lines", skip=skip))
    same(before + TABLE, Layout("csv", HEADER, skip=skip))
    same(before + TABLE.replace("\n", "\r\n"), Layout("csv", HEADER, skip=skip))
    same(before + json.dumps(CALLS), Layout("json", skip=skip))
    same(before + json.dumps(CALLS, indent=1), Layout("json", skip=skip))
    same(before + json.dumps({"data": CALLS}), Layout("json", skip=skip, within="data"))
    same(before + json.dumps({"data": CALLS}, indent=2), Layout("json", skip=skip))
    same(before + "\n".join(json.dumps(one, indent=2) for one in CALLS), Layout("json", skip=skip))


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
    same('"time", "input", output\n', Layout("csv", ("time", "input", "output"), spaced=True))


@pytest.mark.parametrize(
    "first", ["2023-11-16 18:15:46.6805900,374,44", "gpt-4o,374,44", '"2023-11-16",x,y', "a,$1.50"]
)
def test_a_csv_without_a_header_is_an_error_that_says_what_to_do(first: str) -> None:
    with pytest.raises(ScrimpError) as error:
        lay_out("log.csv", f"{first}\n{first}\n".encode())
    assert error.value.message == "log.csv has no header that names its columns"
    assert error.value.hint == "Add a first line such as time,model,input_tokens,output_tokens"


PICTURE = b"\x89PNG\r\n\x1a\n" + random.Random(1).randbytes(5_000)


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (b"", "log is empty"),
        (b" \n\n# only a comment\n", "log is empty"),
        (LINES.encode("utf-16"), "log is text in UTF-16. Save it as UTF-8"),
        (TABLE.encode("utf-16-le"), "log is text in UTF-16. Save it as UTF-8"),
        (LINES.encode("utf-16-be"), "log is text in UTF-16. Save it as UTF-8"),
        (PICTURE, "log is no text in UTF-8, so no log. Name JSON lines, JSON or CSV files"),
        (b"\0" * 5_000, "log is no text in UTF-8, so no log. Name JSON lines, JSON or CSV files"),
        (b"PK\x03\x04 and so on", "log is a ZIP archive (or a spreadsheet), not a log. Unpack it, or export it as "),
        (bz2.compress(b"a"), "log is packed with bzip2, not a log. Unpack it"),
        (gzip.compress(b"a"), "log is packed twice, not a log. Unpack it"),
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
    layout = Layout("csv", ("when", "tokens", "text", "empty", "mixed"))
    row = {"when": "2026-11-01", "tokens": "5", "text": "5 apples", "empty": "", "mixed": "5"}
    damaged_row = row | {"when": "2O26", "tokens": ""}
    assert kinds_of(layout, [row] * 9 + [damaged_row] + [row | {"mixed": "x"}] * 5) == "tn---"
    assert kinds_of(layout, []) == "-----"
