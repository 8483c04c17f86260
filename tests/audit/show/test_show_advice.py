"""What to change, as pieces."""

from __future__ import annotations

import pytest
from drawn import HOSTILE, example, sample

from scrimp.audit.report import Advice
from scrimp.audit.show.advice import about, between, examples, in_full, place, table
from scrimp.report.numbers import gather
from scrimp.report.tables import Label
from scrimp.report.times import span
from scrimp.store.base import HOUR


def texts(number: int) -> list[str]:
    return ["".join(text) for section in in_full(sample(), number) for text in (*section.notes, *section.after)]


def test_the_table_has_a_row_for_each_advice_our_own_cost_and_both_together() -> None:
    rows = table(sample())
    assert [*rows.marks] == ["1", "2", "3", "4", "", ""]
    assert [*rows.names][-2:] == ["Our own cost", "Together"]
    assert [one.title for one in rows.columns] == ["Saves", "Share", "How sure", "Evidence", "Range"]


def test_our_own_cost_is_a_row_also_where_it_is_nothing() -> None:
    report = sample()
    report.overhead = 0
    assert table(report).columns[0].cells[-2].strip() == "$0.00"


def test_there_is_no_range_where_nothing_is_an_estimate() -> None:
    report = sample()
    report.advice = [one for one in report.advice if one.low is None]
    assert "Range" not in [one.title for one in table(report).columns]
    assert between(report.advice[0], 2) == ""


def test_an_advice_says_how_it_is_computed_and_what_it_would_save_alone() -> None:
    said = texts(1)
    assert "Alone it would save $90.00; $84.11 is what the steps before it in the pipeline leave." in said
    assert any("at its own tokens" in text for text in said)
    assert "Feature: support-chat" in said and "Model: gpt-5" in said
    assert any("same request for 24 h" in text for text in texts(3))
    assert not any("Alone" in text for text in texts(3))


def test_an_unknown_strategy_says_what_is_known() -> None:
    report = sample()
    report.advice = [Advice("zippy", HOSTILE, "likely", 5 * 10**9, 5 * 10**9, 2, "")]
    (section,) = in_full(report, 1)
    assert section.notes == [("Saves $5.00 (1% of what was paid) on 2 calls. Likely: an estimate.",)]


def test_candidates_and_examples_are_tables_and_texts_follow_their_calls() -> None:
    sections = {section.title: section for section in in_full(sample(), 1)}
    candidates = sections["What exactly these calls would have cost"].rows
    assert candidates is not None and candidates.names == ["openai/gpt-5-mini", "openai/gpt-5-nano"]
    assert candidates.columns[0].cells == ["$67.20", "$13.44"]
    calls = sections["Example calls"]
    assert calls.after == [(Label("logs/november.jsonl.gz:2"), ": ", Label("Where is\nmy parcel?"))]


def test_what_is_not_known_of_calls_has_no_column() -> None:
    bare = example(3, at=None, feature="", model="")
    assert [column.title for column in about([bare])] == []
    assert [column.title for column in examples([bare], 2).columns] == ["Paid", "Tokens in", "Out"]
    assert place(bare) == "logs/november.jsonl.gz:3"
    assert [column.cells for column in about([bare, example(3, at=1_999_999_999, feature="", model="")])] == [
        ["", "1970-01-01T00:00:01Z"]
    ]


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [(24 * HOUR, "24 h"), (HOUR // 2, "30 min"), (45 * 10**9, "45 s"), (90 * 10**9, "90 s"), (0, "0 s")],
)
def test_a_time_to_live_is_told_in_its_unit(nanoseconds: int, text: str) -> None:
    assert span(nanoseconds) == text


def test_shares_of_nothing_are_no_numbers() -> None:
    report = sample()
    report.spend = gather([])
    assert table(report).columns[1].cells[0] == "-"
