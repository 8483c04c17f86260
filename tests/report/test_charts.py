"""The charts of a page: their geometry, and the SVG that the template makes of it."""

from __future__ import annotations

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from scrimp.report import charts
from scrimp.report.charts import MOST_BARS
from scrimp.report.html import environment
from scrimp.report.numbers import Report, gather
from scrimp.report.steps import Step, waterfall
from scrimp.store.base import Rollup

DRAWN = environment().get_template("charts.html.j2").module


def bar(step: Step) -> ElementTree.Element:
    return ElementTree.fromstring(DRAWN.bar(step, False, False))


def days(report: Report) -> ElementTree.Element:
    """The chart; the axis stands below it."""
    return ElementTree.fromstring(f"<div>{DRAWN.days(report)}</div>")[0]


def _percent(text: str | None) -> float:
    return float((text or "").rstrip("%"))


@given(st.integers(0, 10**15), st.integers(-(10**15), 10**15), st.integers(0, 10**15))
def test_every_bar_lies_inside_its_row(listed: int, saving: int, overhead: int) -> None:
    paid = listed - saving + overhead
    sums = Rollup(
        hour=0, list_nano=listed, overhead_nano=overhead, paid_nano=paid, savings={("route", "estimated"): saving}
    )
    for step in waterfall(sums):
        rect = bar(step).find("rect")
        assert rect is not None
        assert _percent(rect.get("x")) >= 0
        assert _percent(rect.get("x")) + _percent(rect.get("width")) <= 100.002


def test_an_estimate_is_hatched_and_a_saving_that_cost_more_is_marked() -> None:
    sums = Rollup(
        hour=0, list_nano=10, paid_nano=8, savings={("route", "estimated"): 4, ("service_tier", "measured"): -2}
    )
    kinds = [str(bar(step).find("rect").get("class")) for step in waterfall(sums)]
    assert kinds == ["bar whole", "bar estimated", "bar worse", "bar overhead", "bar whole"]


def test_a_spark_line_says_what_it_is_and_escapes_its_name() -> None:
    drawn = ElementTree.fromstring(DRAWN.spark({0: 5, 2: 10}, (0, 2), "<b>"))
    assert drawn.findtext("title") == "<b>: paid by day, highest $0.000000010"
    assert charts.spark({0: 5, 2: 10}, 0, 2) == ("0.0,11.0 48.0,20.0 96.0,2.0", 10)


def test_days_have_a_title_a_description_and_a_tip_each(tell) -> None:
    drawn = days(tell())
    assert drawn.findtext("title") == "Paid and saved by day, 2026-11-01 to 2026-11-04"
    assert (drawn.findtext("desc") or "").startswith("Highest: $151.30 at list price.")
    assert drawn.findtext("g/title") == "2026-11-01: list $151.30, paid $100.00, 1 calls"
    assert [rect.get("class") for rect in drawn.findall("g")[0].findall("rect")] == [
        "bar whole", "bar measured", "bar estimated",
    ]  # fmt: skip


def test_a_long_span_joins_days_and_loses_none() -> None:
    report = gather([Rollup(hour=day * 24, calls=1, list_nano=1, paid_nano=1) for day in range(1000)])
    groups = days(report).findall("g")
    assert len(groups) <= MOST_BARS
    assert sum(int((group.findtext("title") or "").split(", ")[-1].split()[0]) for group in groups) == 1000
