"""Rows of CSV come out with their right lines, whatever is damaged around them and however the file is cut.

A damaged line among rows of one line each costs that row. Among rows over several lines it may cost the next one too.
"""

from __future__ import annotations

import csv
import io
import random

import pytest
from damage import Made, cases, damaged, hits, lost, read
from hypothesis import given
from hypothesis import strategies as st

from scrimp.audit.entry import BadRecord
from scrimp.audit.framing import FURTHEST, Layout, fields_of, kind_of, pieces, rows

TRACE = Layout("csv", ("TIMESTAMP", "ContextTokens", "GeneratedTokens"), kinds="tnn")
TEXTS = Layout("csv", ("time", "prompt", "input", "output", "note"), kinds="t-nn-")
LAST = Layout("csv", ("input", "output", "prompt"), kinds="nn-")
ONE_LINE = ("plain", "a, b, c", "", 'say "hi"', "é, 東京")
SEVERAL = (
    "two\nlines",
    "a, b\nc",
    "\nbegins with a line end\n",
    'x\n\n y, "quoted" z\n1,2,3,4,5\n',
    'say "hi"\nthere, you',
    "l1\nl2\nl3,a,b,c,d\nl5",
    ",\n,",
    "ends so\n,",
    "windows\r\nlines",
)


def table(layout: Layout, made: list[list[str]], quoting: int = csv.QUOTE_MINIMAL) -> Made:
    """A CSV with a header, and where its rows are."""
    lines = [",".join(layout.columns).encode()]
    units = []
    for row in made:
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\n", quoting=quoting).writerow(row)  # type: ignore[arg-type]
        own = text.getvalue().removesuffix("\n").encode().split(b"\n")
        units.append((len(lines), len(lines) + len(own) - 1, dict(zip(layout.columns, row, strict=True))))
        lines += own
    return lines, units


def trace(count: int, chance: random.Random) -> Made:
    return table(TRACE, [[when(at), str(chance.randrange(9999)), str(at)] for at in range(count)])


def when(at: int) -> str:
    return f"2023-11-16 18:{at // 60 % 60:02}:{at % 60:02}.6805900"


def one_line(count: int, chance: random.Random) -> Made:
    return table(
        TEXTS, [[when(at), chance.choice(ONE_LINE), str(at), "5", chance.choice(ONE_LINE)] for at in range(count)]
    )


def several_lines(count: int, chance: random.Random) -> Made:
    texts, notes = ONE_LINE + SEVERAL, ("ok",) * 9 + SEVERAL
    made = [[when(at), chance.choice(texts), str(at), "5", chance.choice(notes)] for at in range(count)]
    return table(TEXTS, made, chance.choice((csv.QUOTE_MINIMAL, csv.QUOTE_ALL)))


def text_last(count: int, chance: random.Random) -> Made:
    return table(LAST, [[str(at), "5", chance.choice(ONE_LINE + SEVERAL)] for at in range(count)])


ONE_LINE_ROWS = ((TRACE, trace), (TEXTS, one_line))
ROWS_OVER_LINES = ((TEXTS, several_lines), (LAST, text_last))
ALL = ONE_LINE_ROWS + ROWS_OVER_LINES


@pytest.mark.parametrize(("layout", "make"), ONE_LINE_ROWS)
def test_five_percent_of_damaged_lines_lose_only_themselves(layout: Layout, make) -> None:
    chance = random.Random(14)
    for count in (3, 200, 20_000):
        lines, units = make(count, chance)
        assert lost(layout, lines, units, hits(lines, chance, first=1), chance) == 0


@pytest.mark.parametrize(("layout", "make"), ROWS_OVER_LINES)
def test_five_percent_of_damaged_lines_lose_next_to_no_row_over_several_lines_beside_those_they_are_in(
    layout: Layout, make
) -> None:
    chance = random.Random(14)
    lines, units = make(10_000, chance)
    assert lost(layout, lines, units, hits(lines, chance, first=1), chance) < 10_000 * 0.003


@given(st.sampled_from(ONE_LINE_ROWS).flatmap(lambda one: st.tuples(st.just(one[0]), cases(one[1], first=1))))
def test_damage_loses_only_the_rows_it_is_in(case) -> None:
    layout, ((lines, units), hit, chance) = case
    assert lost(layout, lines, units, hit, chance) == 0


@given(st.sampled_from(ROWS_OVER_LINES).flatmap(lambda one: st.tuples(st.just(one[0]), cases(one[1], first=1))))
def test_damage_among_rows_over_several_lines_loses_at_most_one_other_row_each(case) -> None:
    layout, ((lines, units), hit, chance) = case
    assert lost(layout, lines, units, hit, chance) <= len(hit)


@given(
    st.sampled_from(ALL).flatmap(lambda one: st.tuples(st.just(one[0]), cases(one[1], first=1))),
    st.integers(1, 300),
)
def test_rows_do_not_depend_on_the_size_of_pieces(case, size: int) -> None:
    layout, ((lines, _), hit, chance) = case
    data = b"\n".join(damaged(line, chance) if at in hit else line for at, line in enumerate(lines))
    assert read(layout, data, size) == read(layout, data)


@given(st.sampled_from(ALL), st.integers(0, 40), st.integers(0, 2**32))
def test_every_row_of_a_sound_file_is_read_whatever_is_in_its_texts(one, count: int, seed: int) -> None:
    layout, make = one
    lines, units = make(count, random.Random(seed))
    assert read(layout, b"\n".join(lines)) == [(first + 1, row) for first, _, row in units]


def test_a_row_over_several_lines_is_read_as_its_first_line() -> None:
    data = b'a,b\n1,"x\ny, ""z""\n"\n2,plain\r\n\n3,"q"\n'
    found = read(Layout("csv", ("a", "b")), data)
    assert found == [(2, {"a": "1", "b": 'x\ny, "z"\n'}), (5, {"a": "2", "b": "plain"}), (7, {"a": "3", "b": "q"})]


def test_a_quotation_mark_that_is_never_closed_costs_its_line() -> None:
    data = b'a,b,c\n1,"2,3\n' + b"4,5,6\n" * 3
    found = read(Layout("csv", ("a", "b", "c"), kinds="nnn"), data)
    assert found[0] == (2, "a quotation mark is missing or in the wrong place")
    assert found[1:] == [(line, {"a": "4", "b": "5", "c": "6"}) for line in (3, 4, 5)]


def test_a_field_longer_than_a_row_over_several_lines_may_be_is_left_out_and_what_follows_is_read() -> None:
    data = b'a,b\n1,"x\n' + b"y" * FURTHEST + b'"\n2,z\n'
    found = read(Layout("csv", ("a", "b")), data, 1 << 20)
    assert [line for line, _ in found] == [2, 3, 4] and found[-1] == (4, {"a": "2", "b": "z"})


def test_what_no_row_is_is_said() -> None:
    layout = Layout("csv", ("a", "b", "c"))
    assert str(fields_of(layout, b"1,2")) == "2 fields where the header has 3"
    assert str(fields_of(layout, b"1,2,\xff")) == "not UTF-8 text"
    assert isinstance(fields_of(layout, b'1,"2"3,4'), BadRecord)


def test_long_fields_are_read() -> None:
    found = fields_of(Layout("csv", ("a", "b")), b'1,"' + b"x" * 500_000 + b'"')
    assert isinstance(found, list) and len(found[1]) == 500_000


def test_a_space_after_each_delimiter_may_stand_before_a_quoted_field() -> None:
    assert fields_of(Layout("csv", ("a", "b")), b'1, "x, y"') == ["1", "x, y"]


def test_a_line_that_plainly_is_a_row_is_in_no_other() -> None:
    data = b'a,b\n1,"2\n' + b"3,4\n" * 5 + b'end"\n7,8\n'
    found = read(Layout("csv", ("a", "b"), kinds="nn"), data)
    assert [row for _, row in found if isinstance(row, dict)] == [{"a": "3", "b": "4"}] * 5 + [{"a": "7", "b": "8"}]
    assert len(read(Layout("csv", ("a", "b")), data)) == 2


@pytest.mark.parametrize("size", [64, 4_096, 1 << 20])
def test_a_row_over_very_many_lines_is_looked_at_again_only_when_twice_as_much_is_held(size: int) -> None:
    layout = Layout("csv", ("time", "prompt", "input"), kinds="t-n")
    text = b"a line, of text\n" * 20_000
    file = io.BytesIO(b"time,prompt,input\n" + (b'2026-11-01,"' + text + b'",5\n') * 5)
    asked: list[int] = []

    def given_bytes(most: int) -> bytes:
        asked.append(most)
        return file.read(most)

    found = [one for piece in pieces(layout, given_bytes, size) for one in rows(layout, piece)]
    assert [line for line, _ in found] == [2, 20_003, 40_004, 60_005, 80_006]
    assert {row["prompt"] for _, row in found if isinstance(row, dict)} == {text.decode()}
    assert len(asked) < 5 * len(text).bit_length()


@pytest.mark.parametrize(
    ("cell", "kind"),
    [
        ("2023-11-16 18:15:46.6805900", "t"), ("2026-11-01", "t"), ("1700000000", "t"), ("1700000000123", "t"),
        ("374", "n"), ("$1,234.50", "n"), ("-1e-5", "n"), ("12345678901234567890123", "n"),
        ("gpt-4o", "-"), ("", "-"), ("3 apples", "-"), ("2023", "n"), ("\n374", "-"),
    ],
)  # fmt: skip
def test_cells_look_like_times_numbers_or_anything_else(cell: str, kind: str) -> None:
    assert kind_of(cell) == kind
