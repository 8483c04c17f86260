"""The books behind advice on prompt caching: sums by workload, claims by call, whatever the number of either."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from rows import filled, row

from scrimp.audit.findings.prefix_claims import (
    BATCH,
    EVERYTHING,
    LOADS,
    MENDED,
    MOST_LOADS,
    REPEATED,
    claim,
    dearest,
    dearest_of_rest,
    play,
    rest,
    top,
)
from scrimp.audit.prefix import hashes
from scrimp.audit.replay import CallRow, audit_config
from scrimp.audit.work import Work
from scrimp.config import Config
from scrimp.world import World

WORLD = World(audit_config(Config()), {"SCRIMP_SECRET": "x"}, "")
NOON = 1_790_000_000 * 10**9
PREFIX = hashes(b"x" * 8192)
EACH = 2048 * 1250
"""What reading 2,048 tokens of gpt-4o from its cache saves, in nanodollars."""


def calls(features: int, each: int) -> Iterator[CallRow]:
    """Calls of many features in turn, a second apart, every tenant with one feature."""
    for at in range(each):
        for number in range(features):
            line = at * features + number
            yield row(
                at=NOON + line * 10**7, line=line, feature=f"f{number:05}", key=f"k{number}", input=2048,
                paid=10**8, prefix=PREFIX, prompt=8192,
            )  # fmt: skip


def played(rows: Iterator[CallRow]) -> Work:
    work = filled(rows)
    play(work, WORLD)
    return work


def test_more_workloads_than_are_held_give_the_same_sums() -> None:
    features = MOST_LOADS + 50
    work = filled(calls(features, 3))
    assert play(work, WORLD) == features
    assert {(load.calls, load.reading, load.saves) for load in top(work, features)} == {(3, 2, 2 * EACH)}
    claim(work)
    assert work.one("SELECT SUM(paid - left), MAX(paid - left) FROM calls") == (2 * features * EACH, EACH)


def test_more_claims_than_are_held_are_all_written() -> None:
    work = played(calls(1, 2 * BATCH + 10))
    assert work.one("SELECT COUNT(*) FROM temp.claims") == (2 * BATCH + 9,)
    assert [load.saves for load in top(work, 9)] == [(2 * BATCH + 9) * EACH]


def test_top_and_rest_are_all_there_is() -> None:
    work = played(calls(7, 2))
    first, others = top(work, 3), rest(work, 3)
    assert (len(first), others.workloads, others.saves, others.calls) == (3, 4, 4 * EACH, 4)
    assert rest(work, 7).workloads == rest(work, 7).saves == 0
    ids = {ident for load in first for ident in dearest(work, load.load)}
    assert len(ids) == 3
    assert not ids & set(dearest_of_rest(work, 3))


def test_the_tables_are_gone_when_all_is_claimed() -> None:
    work = played(calls(2, 2))
    claim(work)
    assert {name for (name,) in work.rows("SELECT name FROM sqlite_temp_master")} == {"readable"}


@pytest.mark.parametrize(
    "everything, repeated, mended, breaking, way, low",
    [
        (10, 10, 10, 0, EVERYTHING, 10),
        (-5, 10, 10, 0, REPEATED, -5),
        (10, 5, 11, 9, EVERYTHING, 10),  # not worth a test
        (10, 5, 30, 4, EVERYTHING, 10),  # not in most of its calls
        (10, 5, 30, 5, MENDED, 10),
        (-9, -3, 30, 10, MENDED, 0),
    ],
)
def test_a_workload_gets_the_way_that_nets_most(
    everything: int, repeated: int, mended: int, breaking: int, way: int, low: int
) -> None:
    work = played(calls(1, 1))
    sums = {
        "calls": 10, "breaking": breaking, "everything": everything, "repeated": repeated, "best": 12, "mended": mended,
    }  # fmt: skip
    work.db.execute("UPDATE temp.sums SET " + ", ".join(f"{name} = {value}" for name, value in sums.items()))
    work.db.execute("DROP TABLE temp.loads")
    work.db.execute(LOADS)
    (load,) = top(work, 5)
    assert (load.way, load.low, load.saves) == (way, low, (everything, repeated, mended)[way])
    assert load.high == max(12, load.saves)
