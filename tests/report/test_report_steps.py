"""The waterfall's geometry."""

from __future__ import annotations

from scrimp.report.steps import staircase, waterfall
from scrimp.store.base import Rollup


def test_each_step_begins_where_the_one_before_ended() -> None:
    sums = Rollup(
        hour=0, list_nano=100, overhead_nano=10, paid_nano=60,
        savings={("provider_cache", "measured"): -20, ("route", "estimated"): 70},
    )  # fmt: skip
    steps = waterfall(sums)
    assert [(step.label, step.kind, step.shown) for step in steps] == [
        ("List price", "whole", 100),
        ("Provider prompt cache", "measured", 20),
        ("Routing", "estimated", -70),
        ("Our own overhead", "overhead", 10),
        ("Paid", "whole", 60),
    ]
    assert [(round(step.low * 120), round(step.high * 120)) for step in steps] == [
        (0, 100), (100, 120), (50, 120), (50, 60), (0, 60),
    ]  # fmt: skip
    assert [step.saves for step in steps] == [0, -20, 70, 0, 0]


def test_overhead_is_there_also_when_it_is_nothing() -> None:
    assert [step.label for step in waterfall(Rollup(hour=0))] == ["List price", "Our own overhead", "Paid"]


def test_a_strategy_we_have_no_label_for_goes_by_its_cleaned_name() -> None:
    assert waterfall(Rollup(hour=0, savings={("\x1b[1mnew", "measured"): 1}))[1].label == "new"


def test_a_whole_step_in_the_middle_begins_at_0_and_the_next_at_its_end() -> None:
    moves = [("List", "whole", 100), ("a", "measured", -30), ("Paid", "whole", 70), ("b", "untested", -20)]
    assert [(step.low, step.high) for step in staircase(moves)] == [(0, 1), (0.7, 1), (0, 0.7), (0.5, 0.7)]
