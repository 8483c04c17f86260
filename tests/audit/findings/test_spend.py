"""What was spent: every table sums to the total, whatever the labels."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rows import filled, row

from scrimp.audit.findings import spend as module
from scrimp.audit.findings.spend import DAY, spend
from scrimp.audit.replay import CallRow
from scrimp.report.numbers import gap

NAMES = st.sampled_from(["", "a", "b", "more", "l", "(no tag)", "x'y"])


def call(feature: str, user: str, at: int | None, listed: int, saved: int) -> CallRow:
    savings = msgspec.json.encode([("provider_cache", saved, "measured")]).decode() if saved else ""
    return row(feature=feature, user=user, at=at, list=listed, paid=listed - saved, savings=savings)


CALLS = st.builds(
    call, NAMES, NAMES, st.none() | st.integers(0, 9 * DAY), st.integers(0, 10**12), st.integers(-(10**6), 10**6)
)


@given(st.lists(CALLS, min_size=1, max_size=30), st.integers(1, 4))
def test_every_table_adds_up_to_the_total(calls: list[CallRow], most: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "MOST_LABELS", most)
        report = spend(filled(calls))
    assert report.adds_up
    assert gap(report.total) == 0
    for table in report.tables:
        for name in ("calls", "list_nano", "paid_nano", "input_tokens"):
            assert sum(getattr(group.sums, name) for group in table.groups) == getattr(report.total, name)
        assert len([group for group in table.groups if group.label]) <= most
    timed = [one for one in calls if one.at is not None]
    assert sum(sums.paid_nano for sums in report.days.values()) == sum(one.paid for one in timed)


def test_the_rest_is_one_row_that_says_how_many_it_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_LABELS", 2)
    report = spend(filled(row(feature=f"f{place}", list=place, paid=place) for place in range(5)))
    names = [(group.name, group.sums.paid_nano) for group in report.tables[0].groups]
    assert names == [("f4", 4), ("f3", 3), ("(3 more)", 3)]


def test_calls_without_a_price_or_that_failed_are_counted() -> None:
    rows = [row(), row(error="status 500", list=0, paid=0), row(unpriced="no price for x", model="x", list=0, paid=0)]
    report = spend(filled(rows))
    assert (report.total.calls, report.total.failed, report.total.unpriced) == (3, 1, 1)
    assert [(one.model, one.calls) for one in report.unpriced_models] == [("x", 1)]


def test_a_sum_of_calls_counts_as_many() -> None:
    report = spend(filled([row(calls=40, aggregate=1), row()]))
    assert report.total.calls == 41
