"""The sums that every report shows."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrimp.report.labels import clean
from scrimp.report.numbers import (
    DIMENSIONS,
    Group,
    Report,
    Table,
    gap,
    gather,
    saved,
    savings,
    share,
    shorten,
    total_row,
    whole_hours,
)
from scrimp.store.base import HOUR, SUMS, Record, Rollup, SavingRow, roll_up

money = st.integers(0, 10**15)
word = st.sampled_from(["", "a", "b", "chat", "(no tag)"])


@st.composite
def priced(draw: st.DrawFn) -> Record:
    """A call whose money adds up."""
    row = st.builds(
        SavingRow,
        st.sampled_from(["provider_cache", "service_tier", "new"]),
        st.integers(-(10**12), 10**12),
        st.sampled_from(["measured", "estimated"]),
    )
    rows = tuple(draw(st.lists(row, max_size=3)))
    listed, overhead = draw(money), draw(money)
    return Record(
        id="x",
        at=draw(st.integers(0, 2000)) * HOUR,
        feature=draw(word),
        user=draw(word),
        team=draw(word),
        key=draw(word),
        model=draw(word),
        tags=tuple(draw(st.lists(st.sampled_from(["a", "b", "c"]), max_size=3))),
        unpriced=draw(st.sampled_from(["", "no price"])),
        list_nano=listed,
        overhead_nano=overhead,
        savings=rows,
        paid_nano=listed - sum(row.nano for row in rows) + overhead,
    )


calls = st.lists(priced(), max_size=12)


@given(calls)
def test_every_sum_adds_up(records: list[Record]) -> None:
    report = gather(map(roll_up, records), DIMENSIONS)
    assert report.adds_up
    assert all(gap(sums) == 0 for sums in report.days.values())
    assert sum(row.nano for row in savings(report.total)) == sum(r.nano for one in records for r in one.savings)


@given(calls)
def test_groups_of_labels_that_a_call_has_once_sum_to_the_total(records: list[Record]) -> None:
    report = gather(map(roll_up, records), DIMENSIONS)
    for table in report.tables:
        if table.by == "tag":
            continue
        for name in SUMS:
            assert sum(getattr(row.sums, name) for row in table.groups) == getattr(report.total, name)
        assert sum(sum(row.daily.values()) for row in table.groups) == report.total.paid_nano


@given(calls, st.randoms(use_true_random=False), st.integers(0, 12))
def test_neither_the_order_nor_an_earlier_merge_changes_the_report(
    records: list[Record], chance: random.Random, at: int
) -> None:
    expected = gather(map(roll_up, records), DIMENSIONS)
    shuffled = [roll_up(record) for record in records]
    chance.shuffle(shuffled)
    merged: dict[object, Rollup] = {}
    for cell in shuffled[:at]:
        if cell.cell in merged:
            merged[cell.cell].merge(cell)
        else:
            merged[cell.cell] = cell
    assert gather([*shuffled[at:], *merged.values()], DIMENSIONS) == expected


@given(calls, st.integers(2, 8))
def test_a_shortened_table_has_the_same_sums(records: list[Record], most: int) -> None:
    table = gather(map(roll_up, records), ("user",)).tables[0]
    rows = shorten(table.groups, most)
    assert len(rows) <= most
    assert sum(row.sums.paid_nano for row in rows) == sum(row.sums.paid_nano for row in table.groups)


def test_a_shortened_table_says_how_many_rows_it_joins_and_keeps_the_untagged_ones() -> None:
    rows = [Group(str(number), Rollup(hour=0, calls=1)) for number in range(9)]
    table = Table("user", [*rows, Group("")])
    assert [row.name for row in shorten(table.groups, 4)] == ["0", "1", "(7 more)", "(no tag)"]
    assert shorten(table.groups, 4)[2].sums.calls == 7
    assert shorten(table.groups, 10) == table.groups


def test_calls_without_a_label_have_a_row_even_when_there_are_none() -> None:
    table = gather([Rollup(hour=0, user="u", calls=1)], ("user",)).tables[0]
    assert [(row.name, row.sums.calls) for row in table.groups] == [("u", 1), ("(no tag)", 0)]


def test_calls_without_a_model_have_a_row_only_when_there_are_some(tell) -> None:
    assert [row.name for row in tell(("model",)).tables[0].groups] == ["gpt-5", "claude", "gpt-5-mini", "llama|9"]
    table = gather([Rollup(hour=0, calls=2), Rollup(hour=0, model="m", calls=1)], ("model",)).tables[0]
    assert [(row.name, row.sums.calls) for row in table.groups] == [("m", 1), ("(no model)", 2)]
    many = Table("model", [Group(str(number), Rollup(hour=0, calls=1)) for number in range(9)])
    assert [row.name for row in shorten(many.groups, 4)] == ["0", "1", "2", "(6 more)"]


def test_labels_summed_earlier_are_summed_with_the_rest_as_one_row() -> None:
    groups = [Group(name, Rollup(hour=0, calls=1)) for name in ("a", "b", "c")]
    groups.append(Group("", Rollup(hour=0, calls=1_500), row="(1,204 more)"))
    groups.append(Group("", Rollup(hour=0, calls=7), row="(no tag)"))
    short = shorten(groups, 4)
    assert [(row.name, row.sums.calls) for row in short] == [
        ("a", 1),
        ("b", 1),
        ("(1,205 more)", 1_501),
        ("(no tag)", 7),
    ]
    assert groups[3].sums.calls == 1_500


@pytest.mark.parametrize("name", ["(no tag)", "(no model)", "Total", "overhead", "(1,204 more)", "To\u200btal"])
def test_a_label_that_reads_like_a_row_of_ours_is_in_quotes(name: str) -> None:
    assert Group(name).name == f'"{name}"'
    assert Group(f'"{name}"').name == f'""{name}""'
    assert Group(f"my {name}").name == f"my {name}"


@given(st.lists(st.sampled_from(["", "a", "(no tag)", '"(no tag)"', "Total", '"Total"', "(2 more)"]), min_size=1))
def test_no_two_rows_of_a_table_have_the_same_name(features: list[str]) -> None:
    report = gather([Rollup(hour=0, feature=feature, calls=1) for feature in features])
    names = [clean(row.name) for row in [*shorten(report.tables[0].groups, 4), total_row(report)]]
    assert len(names) == len(set(names))


def test_a_call_with_two_tags_counts_in_both_rows_and_once_in_the_total(tell) -> None:
    report = tell(("tag",))
    assert {row.name: row.sums.calls for row in report.tables[0].groups} == {"a": 1, "b": 1, "(no tag)": 4}
    assert report.total.calls == 5


def test_savings_stand_in_pipeline_order_with_measured_and_estimated_apart() -> None:
    sums = Rollup(hour=0, savings={
        ("zippy", "measured"): 1, ("service_tier", "measured"): 2, ("route", "estimated"): 3, ("route", "measured"): 4,
        ("provider_cache", "measured"): -5, ("cap", "measured"): 0,
    })  # fmt: skip
    assert savings(sums) == [
        SavingRow("provider_cache", -5, "measured"),
        SavingRow("route", 4, "measured"),
        SavingRow("route", 3, "estimated"),
        SavingRow("service_tier", 2, "measured"),
        SavingRow("zippy", 1, "measured"),
    ]


def test_what_does_not_add_up_is_noticed() -> None:
    broken = Rollup(hour=0, calls=1, list_nano=10, paid_nano=9)
    assert gap(broken) == 1
    assert not gather([broken]).adds_up


def test_models_without_a_price_are_listed_by_calls(tell, records) -> None:
    report = tell(
        calls=[*records, Record(id="d", at=0, model="x", unpriced="?"), Record(id="e", at=0, model="x", unpriced="?")]
    )
    assert [(row.model, row.provider, row.calls) for row in report.unpriced_models] == [
        ("x", "", 2),
        ("llama|9", "groq", 1),
    ]


def test_a_span_is_rounded_to_the_hours_that_hold_it() -> None:
    assert whole_hours(HOUR + 1, 2 * HOUR + 1) == (1, 3)
    assert whole_hours(HOUR, 2 * HOUR) == (1, 2)
    assert whole_hours(0, None) == (0, None)


def test_the_span_is_what_was_asked_for_else_that_of_the_calls() -> None:
    cells = [Rollup(hour=7, calls=1), Rollup(hour=5, calls=1)]
    assert _span(gather(cells)) == (5, 8)
    assert _span(gather(cells, since=0, until=100)) == (0, 100)
    assert _span(gather([], since=3)) == (3, 3)


def _span(report: Report) -> tuple[int, int]:
    return report.since, report.until


def test_saved_is_net_of_overhead_and_a_share_of_nothing_is_none() -> None:
    assert saved(Rollup(hour=0, list_nano=5, paid_nano=7, overhead_nano=2)) == -2
    assert share(1, 0) is None
    assert share(1, 4) == 0.25
