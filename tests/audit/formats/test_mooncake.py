"""Mooncake traces: lengths and the ids of blocks, from which the reuse of prefixes is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from reading import read
from strange import check, damaged

from scrimp.audit.entry import BadRecord, Entry
from scrimp.audit.formats import mooncake
from scrimp.call import Usage

TRACE = Path(__file__).resolve().parents[4] / "shared" / "data" / "traces" / "mooncake_conversation_first60.jsonl"
GOOD = {"timestamp": 3000, "input_length": 700, "output_length": 5, "hash_ids": [0, 7]}


def test_lengths_times_and_block_ids_are_read() -> None:
    known, entries, bad = read("mooncake.jsonl")
    assert known.format.name == "mooncake" and not bad
    assert entries == [
        Entry(at=0, usage=Usage(input=1100, output=50), blocks=(0, 1, 2), block_tokens=512),
        Entry(at=0, usage=Usage(input=1300, output=70), blocks=(0, 1, 3), block_tokens=512),
        Entry(at=3_000_000_000, usage=Usage(input=40, output=5), blocks=(4,), block_tokens=512),
    ]


@pytest.mark.parametrize(
    ("part", "reason"),
    [
        ({"hash_ids": "0,7"}, "hash_ids: no list of block ids"),
        ({"hash_ids": [0, "7"]}, "hash_ids: no list of block ids"),
        ({"hash_ids": [True]}, "hash_ids: no list of block ids"),
        ({"hash_ids": None}, "hash_ids: no list of block ids"),
        ({"input_length": -1}, "input_length: '-1' is no whole number"),
        ({"output_length": None}, "it has no number of tokens"),
        ({"timestamp": "noon"}, "timestamp: a text is no whole number"),
        ({"timestamp": 10**13}, "timestamp: 10000000000000 ms is no time from the start of a trace"),
    ],
)
def test_a_row_that_cannot_be_read_says_why(part: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadRecord, match=f"^{reason}$"):
        mooncake.read(GOOD | part)


@given(damaged([GOOD], ["timestamp", -1, 2**70]))
def test_a_damaged_row_gives_a_call_or_a_reason(row: dict[str, Any]) -> None:
    check(mooncake.read, row)


@pytest.mark.shared
def test_the_shared_trace_is_read_whole_with_its_blocks() -> None:
    if not TRACE.exists():
        pytest.skip("needs shared/data/traces beside the clone")
    known, entries, bad = read(TRACE.read_bytes())
    assert (known.format.name, len(entries), bad) == ("mooncake", 7_218, [])
    assert all(len(one.blocks) == -(-one.usage.input // 512) for one in entries if one.usage)
    assert entries[0].blocks == tuple(range(14))
