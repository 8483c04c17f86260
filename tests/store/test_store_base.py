"""The rollup algebra that every store and every report rests on."""

from __future__ import annotations

import copy

from hypothesis import given, settings
from hypothesis import strategies as st
from store_samples import merged, record, records

from scrimp.call import Usage
from scrimp.store.base import HOUR, Record, SavingRow, has_body, roll_up


@settings(max_examples=30, deadline=None)
@given(calls=records(), order=st.randoms(use_true_random=False))
def test_the_order_of_merging_does_not_matter(calls: list[Record], order) -> None:
    shuffled = list(calls)
    order.shuffle(shuffled)
    assert merged(calls) == merged(shuffled)


@settings(max_examples=30, deadline=None)
@given(first=records(), second=records())
def test_partial_sums_merge_to_the_whole(first: list[Record], second: list[Record]) -> None:
    whole = merged(first + second)
    parts = copy.deepcopy(merged(first))
    for cell, part in merged(second).items():
        if cell in parts:
            parts[cell].merge(part)
        else:
            parts[cell] = part
    assert parts == whole


def test_a_rollup_counts_what_a_call_was() -> None:
    one = record(
        1,
        at=5 * HOUR + 1,
        ending="broken",
        basis="estimated",
        unpriced="unknown model",
        tags=("b", "a", "b"),
        usage=Usage(input=10, cached=3, audio_cached=1, cache_write=2, output=5, reasoning=7),
        savings=(SavingRow("x", 1, "measured"), SavingRow("x", 2, "measured"), SavingRow("x", 4, "estimated")),
    )
    cell = roll_up(one)
    assert (cell.hour, cell.calls, cell.failed, cell.estimated, cell.unpriced) == (5, 1, 1, 1, 1)
    assert (cell.input_tokens, cell.cached_tokens, cell.output_tokens) == (16, 4, 12)
    assert cell.tags == "a,b"
    assert cell.savings == {("x", "measured"): 3, ("x", "estimated"): 4}


def test_an_empty_body_is_a_body() -> None:
    assert has_body(record(1, answer_body=b""))
    assert not has_body(record(1))
