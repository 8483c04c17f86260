"""A table in a terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from scrimp.report.grid import Column, blocks, coloured, grid, spark, wrapped
from scrimp.report.labels import width

NAMES = ["support-chat", "a name that is longer than its column has room for"]
PAID = Column("Paid", ["84.10", "1,234.50"], over=[-1, 1], keep=True)
WHY = Column("Why", ["six in ten answers are short", ""], left=True)


def drawn(across: int, *columns: Column, **options: object) -> str:
    return "\n".join(line.rstrip() for line in grid("Feature", NAMES, columns, across, **options)) + "\n"


def test_a_table_with_room_for_all() -> None:
    assert drawn(80, PAID, Column("Share", ["6%", "94%"]), WHY) == snapshot("""\
 Feature                               Paid  Share  Why
 ───────────────────────────────────────────────────────────────────────────────
 support-chat                         84.10     6%  six in ten answers are short
 a name that is longer than its …  1,234.50    94%
""")


def test_what_there_is_no_room_for_is_dropped_from_the_right_and_its_words_go_below() -> None:
    assert drawn(40, PAID, Column("Share", ["6%", "94%"]), WHY, room=(8, 32, 20)) == snapshot("""\
 Feature                     Paid  Share
 ───────────────────────────────────────
 support-chat               84.10     6%
   six in ten answers are short
 a name that is longer…  1,234.50    94%
""")


def test_marks_stand_before_names_and_sums_below_a_rule() -> None:
    assert drawn(44, PAID, WHY, marks=["1", ""], foot=1) == snapshot("""\
    Feature                             Paid
 ───────────────────────────────────────────
 1  support-chat                       84.10
      six in ten answers are short
 ───────────────────────────────────────────
    a name that is longer than it…  1,234.50
""")


def test_colour_takes_no_room() -> None:
    plain, green = drawn(80, PAID), drawn(80, PAID, colour=True)
    assert "\x1b[32m84.10\x1b[0m" in green and "\x1b[31m1,234.50\x1b[0m" in green
    assert green.replace("\x1b[32m", "").replace("\x1b[31m", "").replace("\x1b[0m", "") == plain
    assert coloured("1", 0, True) == "1"


@given(st.lists(st.text(max_size=40), min_size=1, max_size=4), st.integers(40, 120))
def test_every_line_fits_whatever_the_names_are(names: list[str], across: int) -> None:
    paid = Column("Paid", ["123,456,789.00"] * len(names), keep=True)
    why = Column("Why", ["w" * 90] * len(names), left=True)
    lines = list(grid("Feature", names, [paid, why], across))
    assert max(map(width, lines)) <= across
    assert sum("123,456,789.00" in line for line in lines) == len(names)


def test_a_share_is_at_most_all_blocks_and_none_of_nothing() -> None:
    assert [blocks(part) for part in (None, -1.0, 0.5, 3.0)] == ["░░░░░", "░░░░░", "██░░░", "█████"]


@pytest.mark.parametrize(
    ("text", "across", "lines"),
    [
        ("one two three", 8, ["one two", "three"]),
        ("", 8, []),
        ("abcdefghijkl mn", 5, ["abcde", "fghij", "kl mn"]),
        ("東京の検索", 4, ["東京", "の検", "索"]),
    ],
)
def test_words_are_wrapped_and_only_one_longer_than_a_line_is_broken(text: str, across: int, lines: list[str]) -> None:
    assert list(wrapped(text, across)) == lines


def test_a_spark_line_joins_days_where_there_are_many() -> None:
    assert spark({0: 0, 1: 1, 2: 8}, 0, 2) == "▁▁█"
    assert spark(dict.fromkeys(range(80), 5), 0, 79) == "████████"
    assert spark({}, 0, 2) == "▁▁▁"
