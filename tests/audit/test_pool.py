"""Reading by several processes gives what reading by one gives."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from scrimp.audit.formats.base import Options
from scrimp.audit.framing import Layout, Piece
from scrimp.audit.piece import Filter, Job, Result
from scrimp.audit.pool import Pool, Process
from scrimp.audit.worker import Start
from scrimp.config import Config
from scrimp.errors import ScrimpError

COLUMNS = ("TIMESTAMP", "ContextTokens", "GeneratedTokens")
JOB = Job(0, "generic", Layout("csv", COLUMNS), Options(), COLUMNS)


def tasks(pieces: int) -> Iterator[tuple[int, Job, Piece]]:
    for number in range(pieces):
        rows = "".join(f"2026-11-01 10:00:{second:02},{number + 1},{second}\n" for second in range(50))
        yield number, JOB, Piece(2 + 50 * number, rows.encode() + b"2026-11-01,x,1\n")


def results(jobs: int) -> list[tuple[int, Result]]:
    with Pool(Config(), "gpt-4o", Filter(), jobs) as pool:
        return list(pool.read(tasks(7), False))


def test_two_processes_give_what_one_gives_in_the_same_order() -> None:
    alone = results(1)
    assert [tag for tag, _ in alone] == list(range(7))
    assert [(len(one.rows), one.calls, one.skipped) for _, one in alone] == [(50, 50, 1)] * 7
    assert alone[3][1].shown == [(202, "input: a text is no whole number")]
    assert results(2) == alone


def test_what_must_be_read_in_order_is_read_by_one() -> None:
    with Pool(Config(), "gpt-4o", Filter(), 8) as pool:
        assert len(list(pool.read(tasks(3), True))) == 3
        assert pool._processes == []


def test_a_process_that_is_killed_is_an_error_with_a_next_step() -> None:
    process = Process(Start(Config(), "gpt-4o", Filter()))
    task = next(tasks(1))
    assert process.read(*task[1:]).calls == 50
    os.kill(process._process.pid, signal.SIGKILL)
    with pytest.raises(ScrimpError, match="ended over line 2 of file 1"):
        process.read(*task[1:])
    process.close()


def test_no_process_is_left_behind() -> None:
    with Pool(Config(), "gpt-4o", Filter(), 2) as pool:
        list(pool.read(tasks(3), False))
        processes = [process._process for process in pool._processes]
        assert all(process.poll() is None for process in processes)
    assert all(process.poll() is not None for process in processes)
