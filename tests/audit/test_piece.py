"""One piece of a log: what it gives, and what a filter leaves out."""

from __future__ import annotations

from scrimp.audit.formats.base import Options
from scrimp.audit.framing import Layout, Piece
from scrimp.audit.piece import MOST_SHOWN, Filter, Job, Reader, Result
from scrimp.config import Config

COLUMNS = ("time", "feature", "input_tokens", "output_tokens")
JOB = Job(3, "generic", Layout("csv", COLUMNS), Options(), COLUMNS)
DAY = 86_400 * 10**9
ANY = Filter()
FIRST = 1_793_491_200 * 10**9  # 2026-11-01


def read(rows: list[str], chosen: Filter = ANY, job: Job = JOB) -> Result:
    return Reader(Config(), "gpt-4o", chosen).read(job, Piece(2, "\n".join(rows).encode()))


def rows(number: int) -> list[str]:
    return [f"2026-11-{day + 1:02},{'ab'[day % 2]},{day + 1},1" for day in range(number)]


def test_rows_know_their_file_and_line() -> None:
    found = read(rows(3))
    assert [(row.file, row.line, row.input) for row in found.rows] == [(3, 2, 1), (3, 3, 2), (3, 4, 3)]


def test_damaged_rows_are_all_counted_and_some_are_shown() -> None:
    found = read(["2026-11-01,a,x,1"] * 90 + ["2026-11-01,a,5,1", "2026-11-01,a"])
    assert (found.calls, found.skipped, len(found.shown)) == (1, 91, MOST_SHOWN)
    assert found.reasons == {"input: a text is no whole number": 90, "2 fields where the header has 4": 1}


def test_a_span_and_a_feature_leave_the_others_out_but_counted() -> None:
    found = read(rows(10), Filter(FIRST + 2 * DAY, FIRST + 7 * DAY, "a"))
    assert [row.input for row in found.rows] == [3, 5, 7]
    assert (found.calls, found.left) == (10, 7)


def test_where_a_span_is_asked_for_calls_without_a_time_are_left_out() -> None:
    assert read([",a,5,1"], Filter(since=FIRST)).left == 1
    assert read([",a,5,1"]).left == 0


def test_of_a_sample_only_the_lowest_hashes_are_kept() -> None:
    import msgspec

    whole = read(rows(20)).rows
    middle = sorted(row.id for row in whole)[10]
    part = read(rows(20), job=msgspec.structs.replace(JOB, below=middle))
    assert sorted(row.id for row in part.rows) == sorted(row.id for row in whole)[:10]
    assert part.calls == 20
