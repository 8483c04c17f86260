"""Bytes become rows with their right lines; a damaged row costs itself and says why."""

from __future__ import annotations

import json
import random
import tracemalloc

import msgspec
import pytest
from damage import Made, cases, damaged, hits, lost, read
from hypothesis import given
from hypothesis import strategies as st

from scrimp.audit.entry import BadRecord
from scrimp.audit.framing import LONGEST, PIECE, Layout, Piece, decoded, pieces, rows

LINES = Layout("lines")


def calls(count: int, chance: random.Random) -> Made:
    """JSON lines."""
    made = [
        {"id": at, "usage": {"in": chance.randrange(99)}, "said": chance.choice(['"', "é\n", "{}"])}
        for at in range(count)
    ]
    lines = [json.dumps(one, ensure_ascii=False).encode() for one in made]
    return lines, [(at, at, one) for at, one in enumerate(made)]


def test_five_percent_of_damaged_lines_lose_only_themselves() -> None:
    chance = random.Random(14)
    lines, units = calls(50_000, chance)
    assert lost(LINES, lines, units, hits(lines, chance), chance) == 0


@given(cases(calls))
def test_damage_loses_only_the_lines_it_is_in(case) -> None:
    (lines, units), hit, chance = case
    assert lost(LINES, lines, units, hit, chance) == 0


@given(cases(calls), st.integers(1, 300))
def test_rows_do_not_depend_on_the_size_of_pieces(case, size: int) -> None:
    (lines, _), hit, chance = case
    data = b"\n".join(damaged(line, chance) if at in hit else line for at, line in enumerate(lines))
    assert read(LINES, data, size) == read(LINES, data)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"a": 1', "no JSON: Expecting ',' delimiter: line 1 column 8 (char 7)"),
        (b'{"a": "\xff"}', "not UTF-8 text"),
        (b"[1]", "no JSON object"),
        (b"5", "no JSON object"),
        (b"# a comment", "no JSON: Expecting value: line 1 column 1 (char 0)"),
        (b"[" * 100_000, "no JSON: maximum recursion depth exceeded"),
    ],
)
def test_a_line_that_cannot_be_read_says_why(line: bytes, reason: str) -> None:
    assert str(decoded(line)).startswith(reason)
    assert read(LINES, b"\n" + line + b'\n{"a": 1}')[1] == (3, {"a": 1})


def test_what_other_writers_of_json_write_is_read() -> None:
    assert decoded(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}
    assert decoded(b'{"a": "\\ud83d"}') == {"a": "?"}
    assert decoded(b'{"a": "\\ud83d\\ude00"}') == {"a": "\U0001f600"}
    nan = decoded(b'{"a": NaN}')
    assert isinstance(nan, dict) and nan["a"] != nan["a"]
    assert decoded(b' {"a": 1}\r') == {"a": 1}


def test_blank_lines_and_carriage_returns_are_no_rows() -> None:
    assert read(LINES, b'\n\r\n{"a": 1}\r\n  \n{"a": 2}') == [(3, {"a": 1}), (5, {"a": 2})]
    assert read(Layout("csv", ("a", "b")), b"a,b\r\n\r\n1,2\r\n") == [(3, {"a": "1", "b": "2"})]


@pytest.mark.parametrize("size", [1, 3, 1 << 20])
def test_the_header_of_a_csv_is_passed(size: int) -> None:
    data = b"\xef\xbb\xbfa long name,b\n1,2\n"
    assert read(Layout("csv", ("a long name", "b")), data, size) == [(2, {"a long name": "1", "b": "2"})]


def test_rows_within_each_line_have_the_number_of_the_line() -> None:
    data = b'{"data": [{"a": 1}, {"a": 2}]}\n{"data": []}\nx\n{"data": [{"a": 3}, 4]}\n{"b": 5}\n'
    found = read(Layout("lines", within="data"), data)
    assert [line for line, _ in found] == [1, 1, 3, 4, 4, 5]
    assert [one for _, one in found if isinstance(one, dict)] == [{"a": 1}, {"a": 2}, {"a": 3}, {"b": 5}]


@pytest.mark.parametrize("layout", [LINES, Layout("csv", ("a", "b")), Layout("json")])
def test_nothing_gives_no_rows(layout: Layout) -> None:
    assert read(layout, b"") == read(layout, b"a,b\n"[: 4 * (layout.shape == "csv")]) == []


def test_a_line_that_is_too_long_is_left_out_and_memory_stays_flat() -> None:
    block = b"x" * PIECE
    for layout, before, after in (
        (LINES, b'{"a": 1}\n', b'\n{"a": 2}\n'),
        (Layout("csv", ("a", "b")), b"a,b\n1,1\n", b"\n2,2\n"),
    ):
        given_bytes = iter([before, *[block] * (3 * LONGEST // PIECE), after])
        tracemalloc.start()
        found = [
            (line, str(row) if isinstance(row, BadRecord) else row)
            for piece in pieces(layout, lambda size, one=given_bytes: next(one, b""))
            for line, row in rows(layout, piece)
        ]
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert [reason for _, reason in found if isinstance(reason, str)] == ["longer than 64 MB"]
        assert [line for line, _ in found][-1] == found[0][0] + 2
        assert peak < 3 * LONGEST


def test_pieces_of_a_large_log_are_of_the_asked_size_and_begin_where_they_say() -> None:
    data = b"".join(b'{"a": %d}\n' % at for at in range(10_000))
    found = list(pieces(LINES, lambda size, rest=[data]: rest.pop() if rest else b"", 1000))
    assert b"".join(piece.data for piece in found) == data
    line = 1
    for piece in found:
        assert piece.line == line
        line += piece.data.count(b"\n")


def test_a_layout_and_a_piece_arrive_in_another_process_as_they_were() -> None:
    layout = Layout("csv", ("time", "input"), "\t", "", "tn")
    piece = Piece(7, b'\x1e\xff"')
    sent = msgspec.msgpack.encode((layout, piece))
    assert msgspec.msgpack.decode(sent, type=tuple[Layout, Piece]) == (layout, piece)
