"""The sentences of an audit."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from drawn import NANO, reports, sample, spend
from hypothesis import given, settings

from scrimp.audit.reading import Log
from scrimp.audit.report import Advice, Report, Sampled
from scrimp.audit.show.words import (
    amounts,
    commands,
    fall,
    flags,
    headline,
    in_all,
    logged,
    next_step,
    places,
    read,
    span_of,
    what,
)
from scrimp.call import usd
from scrimp.report.money import vanishes
from scrimp.report.numbers import gather
from scrimp.store.base import Rollup


def paid(dollars: int, *advice: Advice, overhead: int = 0) -> Report:
    """A report of one call at list price, in whole dollars."""
    nano = dollars * NANO
    sums = gather([Rollup(hour=0, model="gpt-5", calls=1, list_nano=nano, paid_nano=nano, input_tokens=10**6)])
    return Report(logs=[], spend=sums, calls=1, advice=list(advice), overhead=overhead * NANO)


def saves(dollars: int, sure: str = "sure") -> Advice:
    return Advice("cached", "Serve repeats", sure, dollars * NANO, dollars * NANO, 1, "")


def said(report: Report) -> str:
    return " ".join("".join(text) for text in headline(report))


@pytest.mark.parametrize(
    ("report", "text"),
    [
        (paid(10), "You paid $10.00 at list price. Nothing was avoidable, as far as these logs can tell."),
        (paid(10, saves(4)), "You paid $10.00 at list price. $4.00 was avoidable for sure (40%)."),
        (
            paid(10, saves(4, "likely")),
            "You paid $10.00 at list price. $4.00 was avoidable (40%), none of it for sure.",
        ),
        (
            paid(10, saves(4), saves(3, "test first")),
            "You paid $10.00 at list price. $4.00 was avoidable for sure, $7.00 in all (70%).",
        ),
        (
            paid(10, saves(1), overhead=2),
            "You paid $10.00 at list price. Nothing was avoidable: what could be changed saves less than it costs.",
        ),
        (sample(), "List price $422.90, paid $412.90. $38.40 was avoidable for sure, $179.11 in all (43%)."),
        (
            Report(logs=[], spend=gather([Rollup(hour=0, calls=2, unpriced=2)]), calls=2),
            "What these calls cost is unknown: none of them has a known price.",
        ),
        (Report(logs=[], spend=gather([])), "No calls."),
    ],
)
def test_the_headline_says_what_was_paid_and_what_of_it_was_avoidable(report: Report, text: str) -> None:
    assert said(report) == text


def test_a_sample_says_so_with_its_error() -> None:
    report = paid(10)
    report.sampled = Sampled(1, 20, 200 * NANO, 150 * NANO, 250 * NANO)
    assert said(report).endswith(
        "This is a sample of 1 of 20 calls. All of them cost about $200.00 (95% interval: $150.00 to $250.00)."
    )


@settings(max_examples=50)
@given(reports())
def test_the_printed_advice_adds_up_to_its_sum_and_the_sure_ones_to_theirs(report: Report) -> None:
    *rows, together = [Decimal(text.replace("$", "").replace(",", "")) for text in amounts(report)]
    at = places(report)
    parts = [*(one.saves for one in report.advice), -report.overhead]
    shown = [row for row, nano in zip(rows, parts, strict=True) if not vanishes(nano, at)]
    slack = sum(vanishes(nano, at) for nano in (*parts, report.avoidable)) * Decimal(10) / 10**at
    assert abs(sum(shown) - together) <= slack
    assert all(abs(row - Decimal(usd(nano))) < Decimal(1) / 10**at for row, nano in zip(rows, parts, strict=True))


def test_what_was_read_is_named_with_its_calls_and_span() -> None:
    assert what(sample()) == "LiteLLM spend logs, 511,645 calls, 1 Nov 09:00 to 3 Nov 2026 10:00 (UTC)"
    assert what(paid(1)) == "1 call, times from the start of a trace"


@pytest.mark.parametrize(
    ("days", "text"),
    [
        (1e-6, "less than a minute"),
        (1 / 24 / 60, "1 minute"),
        (59 / 24 / 60, "59 minutes"),
        (0.5, "12.0 hours"),
        (6.2, "6.2 days"),
    ],
)
def test_a_span_is_told_in_the_unit_that_fits(days: float, text: str) -> None:
    assert span_of(days) == text


@pytest.mark.parametrize(
    ("days", "text"),
    [
        (2.25, "$5,505.33 a month at this pace, from 2.2 days."),
        (59 / 1440, "$5,505.33 a month at this pace; a guess, as it is from 59 minutes."),
    ],
)
def test_a_month_says_from_how_long_it_is_told(days: float, text: str) -> None:
    assert list(in_all(msgspec.structs.replace(sample(), days=days)))[-1] == (text,)


def test_calls_without_a_span_have_no_month() -> None:
    assert list(in_all(paid(3))) == [
        ("1 call. 1,000,000 tokens in, 0 out. Amounts in USD. Blended: $3.00 per million tokens.",)
    ]


def test_what_the_log_says_stands_against_ours() -> None:
    told = sample()
    assert list(logged(told)) == [("The logs say $400.00 for 500,000 calls; by scrimp's prices it is $412.90 (+3%).",)]
    told.logged = told.logged_paid
    assert list(logged(told)) == [("The logs say $412.90 for 500,000 calls; by scrimp's prices it is the same.",)]
    assert list(logged(paid(1))) == []


def test_what_is_not_in_the_numbers_is_said() -> None:
    report = sample()
    log = report.logs[0]
    log.trouble, log.same_as, log.preview = "a.gz cannot be read to its end", "b.gz", "input=ContextTokens"
    report.untimed = 1
    assert ["".join(text) for text in read(report)] == [
        "a.gz cannot be read to its end.",
        "logs/november.jsonl.gz is byte for byte b.gz and counts once.",
        "Columns of logs/november.jsonl.gz are read as input=ContextTokens; --map says otherwise.",
        "There more than once, counted once: 40 rows (30 calls in more than one log).",
        "Left out by --since, --until or --feature: 7 calls.",
        "No calls: 2 rows.",
        "Without a time, so in every sum but in no day: 1 call.",
    ]
    assert list(read(Report(logs=[], spend=spend()))) == []


def test_flags_are_told_in_words_and_unknown_ones_by_their_name() -> None:
    report = paid(1)
    report.flags = {"earliest-known": 1, "parent-price:audio_output": 2, "new": 3}
    assert ["".join(text) for text in flags(report)] == [
        "1 call: older than the first known price of their model, and priced at that.",
        "2 calls: with audio_output at the price of the class above it, as the price list has none of its own.",
        "3 calls: flagged new.",
    ]


@pytest.mark.parametrize(
    ("reason", "step"),
    [
        ("no model is named", "--model NAME"),
        ("the log has no token counts", "--map input=COLUMN"),
        ("/v1/images reports no usage", "--map input=COLUMN"),
        ("no price for house-model at 10.0.0.1", '[models."NAME"]'),
    ],
)
def test_calls_without_a_price_have_a_next_step(reason: str, step: str) -> None:
    assert step in next_step(reason)


def test_an_advice_is_explained_next_where_there_is_one() -> None:
    assert [command for command, _ in commands(sample(), "./dev scrimp")] == [
        "./dev scrimp audit ... --explain 1",
        "./dev scrimp serve",
    ]
    assert [command for command, _ in commands(paid(1), "scrimp")] == ["scrimp serve"]


def test_many_formats_are_counted_from_the_fourth_on() -> None:
    report = paid(1)
    report.logs = [Log(f"{name}.csv", name, name, (), 1) for name in ("Aye", "Bee", "Cee", "Dee", "Eee")]
    assert what(report).startswith("Aye, Bee, Cee and 2 other formats (5 logs), 1 call, ")


def test_a_cost_report_without_calls_says_what_was_paid() -> None:
    sums = gather([Rollup(hour=0, model="gpt-5", list_nano=NANO, paid_nano=NANO)])
    report = Report(logs=[], spend=sums, flags={"size-unknown": 0})
    assert said(report).startswith("You paid $1.00 at list price.")
    assert "call" not in what(report)
    assert "".join(*flags(report)).startswith("Sums without a count of calls: ")


def test_a_saving_too_small_for_the_decimals_of_the_waterfall_keeps_its_digits() -> None:
    saving = {("log_cache", "measured"): 50_000}
    sums = gather([Rollup(hour=0, calls=1, list_nano=NANO + 50_000, paid_nano=NANO, savings=saving)])
    assert [(step.label, text) for step, text in fall(Report(logs=[], spend=sums))] == [
        ("List price", "1.00"),
        ("Cache of another gateway", "-0.000050"),
        ("Paid", "1.00"),
    ]
