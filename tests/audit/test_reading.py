"""Logs into the working file: whatever their number, their packing and their overlaps, each call once."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from scrimp.audit.reading import Reading, Wanted
from scrimp.audit.work import COLUMNS, Work
from scrimp.config import Config
from scrimp.errors import ScrimpError


def line(number: int, **more: object) -> str:
    """A row of a log with ids."""
    when = f"2026-11-{number % 28 + 1:02}T10:00:00Z"
    row = {"id": f"call-{number:012}", "time": when, "model": "gpt-4o", "input_tokens": number, "output_tokens": 5}
    return json.dumps(row | more) + "\n"


def log(path: Path, numbers: range, **more: object) -> str:
    """A log of these calls."""
    path.write_text("".join(line(number, **more) for number in numbers))
    return str(path)


def read(*paths: str, work: Work | None = None, **asked: object) -> tuple[Work, Reading]:
    """The working file of some logs."""
    work = work or Work()
    reading = Reading(work, Wanted(**asked), Config())  # type: ignore[arg-type]
    reading.read(paths)
    return work, reading


def calls(work: Work) -> int:
    count: int = work.one("SELECT COUNT(*) FROM calls")[0]
    return count


def test_calls_in_two_files_count_once_and_are_noticed(tmp_path: Path) -> None:
    first, second = log(tmp_path / "a.jsonl", range(60)), log(tmp_path / "b.jsonl", range(40, 100))
    work, _ = read(first, second)
    assert calls(work) == 100
    assert work.one("SELECT SUM(overlap), SUM(input) FROM calls") == (20, sum(range(100)))


def test_the_same_content_under_another_name_is_left_out_though_its_rows_have_no_ids(tmp_path: Path) -> None:
    plain = tmp_path / "a.csv"
    plain.write_text("time,input_tokens,output_tokens\n2026-11-01,5,5\n2026-11-01,5,5\n")
    packed = tmp_path / "b.csv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    work, reading = read(str(plain), str(packed), model="gpt-4o")
    assert calls(work) == 2
    assert [one.same_as for one in reading.logs] == ["", str(plain)]


def test_pieces_and_processes_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = log(tmp_path / "a.jsonl", range(3_000))
    columns = ", ".join(COLUMNS)
    whole = list(read(path, jobs=1)[0].rows(f"SELECT {columns} FROM calls ORDER BY id"))
    assert list(read(path, jobs=2)[0].rows(f"SELECT {columns} FROM calls ORDER BY id")) == whole
    monkeypatch.setattr("scrimp.audit.framing.PIECE", 1_000)
    assert list(read(path, jobs=1)[0].rows(f"SELECT {columns} FROM calls ORDER BY id")) == whole


def test_what_is_in_the_working_file_is_not_read_again(tmp_path: Path) -> None:
    path = log(tmp_path / "a.jsonl", range(50))
    work, _ = read(path)
    told: list[int] = []
    again = Reading(work, Wanted(), Config(), lambda name, done, size, found: told.append(found))
    again.read([path])
    assert told == []
    assert calls(work) == 50


def test_only_the_calls_that_were_asked_for_are_kept(tmp_path: Path) -> None:
    path = log(tmp_path / "a.jsonl", range(28), feature="search")
    day = 86_400 * 10**9
    first = 1_793_491_200 * 10**9  # 2026-11-01
    work, _ = read(path, since=first + 7 * day, until=first + 9 * day)
    assert calls(work) == 2
    assert work.one("SELECT calls, left FROM pieces") == (28, 26)
    assert calls(read(path, feature="other")[0]) == 0


def test_a_sample_has_as_many_calls_as_asked(tmp_path: Path) -> None:
    work, _ = read(log(tmp_path / "a.jsonl", range(500)), sample=40)
    assert calls(work) == 40
    assert work.one("SELECT SUM(calls) FROM pieces") == (500,)


def test_progress_tells_bytes_and_calls(tmp_path: Path) -> None:
    path = log(tmp_path / "a.jsonl", range(50))
    told: list[tuple[str, int, int, int]] = []
    Reading(Work(), Wanted(), Config(), lambda *seen: told.append(seen)).read([path])
    size = Path(path).stat().st_size
    assert told == [(path, size, size, 50)]


def test_an_empty_log_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").touch()
    with pytest.raises(ScrimpError, match=r"a\.jsonl is empty"):
        read(str(tmp_path / "a.jsonl"))


def test_a_guess_of_columns_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("when,PromptSize,ContextTokens,GeneratedTokens\n1,2,3,4\n")
    _, reading = read(str(path), columns={"time": "when", "input": "PromptSize"})
    assert reading.logs[0].preview == "input=PromptSize, output=GeneratedTokens, time=when"
