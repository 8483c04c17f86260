"""The working file: partial results merge in any order, nothing is counted twice, a killed audit goes on."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rows import filled, row

from scrimp.audit.piece import Result
from scrimp.audit.replay import CallRow
from scrimp.audit.work import COLUMNS, Work

CALLS = st.builds(
    lambda number, file, line, output, paid: row(id=number, file=file, line=line, output=output, list=paid, paid=paid),
    st.integers(1, 6), st.integers(0, 2), st.integers(1, 9), st.integers(0, 3), st.integers(0, 3),
)  # fmt: skip


def content(work: Work) -> list[tuple[object, ...]]:
    """Every call in it."""
    return list(work.rows(f"SELECT {', '.join(COLUMNS)} FROM calls ORDER BY id"))


def taken_in(parts: list[list[CallRow]]) -> list[tuple[object, ...]]:
    work = Work()
    for number, part in enumerate(parts):
        work.add(0, number, b"", Result(rows=part, calls=len(part)))
    return content(work)


@given(st.lists(CALLS, max_size=12), st.data())
def test_pieces_may_come_in_any_order_and_grouping(calls: list[CallRow], data: st.DataObject) -> None:
    mixed = data.draw(st.permutations(calls))
    cut = data.draw(st.integers(0, len(calls)))
    assert taken_in([calls]) == taken_in([mixed[:cut], mixed[cut:]]) == taken_in([[one] for one in mixed])


@given(st.lists(CALLS, max_size=8))
def test_what_comes_twice_counts_once(calls: list[CallRow]) -> None:
    assert taken_in([calls, calls]) == taken_in([calls])


def test_of_two_rows_of_a_call_the_fuller_one_is_kept() -> None:
    growing = [row(id=7, line=line, output=output) for line, output in ((1, 1), (2, 40), (3, 12))]
    work = filled(growing)
    assert work.one("SELECT COUNT(*), line, output FROM calls") == (1, 2, 40)


def test_a_call_in_two_files_is_noticed() -> None:
    work = filled([row(id=1, file=0), row(id=1, file=1), row(id=2, file=0), row(id=2, file=0)])
    assert work.one("SELECT SUM(overlap) FROM calls") == (1,)


def test_a_piece_is_taken_in_whole_or_not_at_all() -> None:
    work = Work()
    work.add(0, 0, b"a", Result(rows=[row()], calls=1))
    with pytest.raises(sqlite3.IntegrityError):
        work.add(0, 0, b"b", Result(rows=[row()], calls=1))
    assert len(content(work)) == 1
    assert work.is_done(0, 0, b"a")
    assert not work.is_done(0, 0, b"b")
    assert not work.is_done(0, 1, b"a")


def test_what_was_taken_in_is_there_after_a_kill(tmp_path: Path) -> None:
    first = Work(tmp_path / "work.db")
    first.add(0, 0, b"a", Result(rows=[row(id=1)], calls=1))
    first.db.execute("BEGIN")
    first.db.execute("INSERT INTO pieces VALUES (0, 1, x'00', 9, 0, 0, 0)")  # and here the kill
    second = Work(tmp_path / "copy.db")
    second.close()
    for ending in ("", "-wal"):
        (tmp_path / f"copy.db{ending}").write_bytes((tmp_path / f"work.db{ending}").read_bytes())
    again = Work(tmp_path / "copy.db")
    assert again.is_done(0, 0, b"a")
    assert not again.is_done(0, 1, b"\0")
    assert len(content(again)) == 1


def test_a_file_that_changed_is_forgotten_from_where_it_did() -> None:
    work = Work()
    work.add(0, 0, b"a", Result(rows=[row(line=1)], calls=1, skipped=1, shown=[(2, "no JSON")], reasons={"no JSON": 1}))
    work.add(0, 1, b"b", Result(rows=[row(line=5)], calls=1, skipped=1, shown=[(6, "no JSON")], reasons={"no JSON": 1}))
    work.forget(0, 1, 5)
    assert work.one("SELECT COUNT(*), MAX(line) FROM calls") == (1, 1)
    assert work.one("SELECT COUNT(*), MAX(line) FROM skipped") == (1, 2)
    assert work.one("SELECT SUM(rows) FROM reasons") == (1,)
    assert work.one("SELECT SUM(calls) FROM pieces") == (1,)


@given(st.permutations(range(1, 41)), st.integers(1, 45))
def test_a_sample_is_the_same_in_whatever_order_calls_come(numbers: list[int], most: int) -> None:
    work = Work()
    below = 0
    for place, number in enumerate(numbers):
        rows = [row(id=number)] if not below or number < below else []
        work.add(0, place, b"", Result(rows=rows, calls=1))
        below = work.keep_sample(most)
    assert [one[0] for one in content(work)] == list(range(1, min(most, 40) + 1))


def test_advice_begins_with_everything_that_was_paid() -> None:
    work = filled([row(paid=5), row(paid=7)])
    work.db.execute("UPDATE calls SET left = 0, moved = 'openai/x'")
    work.begin_advice()
    assert work.one("SELECT SUM(left), MAX(moved) FROM calls") == (12, "")
