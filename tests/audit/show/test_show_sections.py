"""The sections below the advice."""

from __future__ import annotations

from decimal import Decimal

from drawn import reports, sample, spend
from hypothesis import given, settings

from scrimp.audit.report import Report
from scrimp.audit.show.sections import days, sections
from scrimp.audit.show.words import Section
from scrimp.report.numbers import gather
from scrimp.store.base import Rollup


def told(report: Report) -> dict[str, Section]:
    return {section.title: section for section in sections(report)}


def test_a_section_with_nothing_to_say_is_absent() -> None:
    sums = gather([Rollup(hour=0, model="gpt-5", calls=1, list_nano=10, paid_nano=10)], ("feature", "model", "user"))
    assert list(told(Report(logs=[], spend=sums, calls=1))) == ["Spend by model", "In all"][::-1]


def test_every_section_of_a_full_report_is_there_in_its_order() -> None:
    assert list(told(sample())) == [
        "Calls without a price",
        "In all",
        "From list price to paid",
        "Spend by feature",
        "Spend by model",
        "Spend by user",
        "Dearest days",
        "Prompt caches",
        "Answers, in tokens",
        "Outliers",
        "Retries and loops",
        "What was read",
        "Rows that could not be read",
        "Prices",
        "What these logs cannot tell",
    ]


def test_list_price_has_a_column_only_where_it_is_not_what_was_paid() -> None:
    rows = told(sample())["Spend by feature"].rows
    assert rows is not None and [one.title for one in rows.columns] == ["Calls", "List", "Paid", "$/Mtok"]
    plain = gather([Rollup(hour=0, feature="a", calls=1, list_nano=10**9, paid_nano=10**9, input_tokens=5)])
    rows = told(Report(logs=[], spend=plain))["Spend by feature"].rows
    assert rows is not None and [one.title for one in rows.columns] == ["Calls", "Paid", "$/Mtok"]


def test_calls_without_a_time_are_a_row_beside_the_days() -> None:
    report = sample()
    report.spend.total = gather([*report.spend.days.values(), Rollup(hour=0, calls=5, list_nano=10**9,
                                                                     paid_nano=10**9)]).total  # fmt: skip
    report.untimed = 5
    rows = days(report, 2)
    assert rows.names == ["2026-11-02", "(2 more)", "(no time)", "Total"]
    assert [text.strip() for text in rows.columns[2].cells][-2:] == ["1.00", "413.90"]


def test_a_long_log_shows_its_dearest_days_and_sums_the_others() -> None:
    cells = [
        Rollup(hour=day * 24, model="m", calls=1, list_nano=day * 10**9, paid_nano=day * 10**9) for day in range(1, 31)
    ]
    rows = told(Report(logs=[], spend=gather(cells)))["Dearest days"].rows
    assert rows is not None
    assert rows.names == ["1970-01-31", "1970-01-30", "1970-01-29", "1970-01-28", "1970-01-27", "(25 more)", "Total"]


def test_a_prompt_cache_that_the_log_says_nothing_of_has_no_section() -> None:
    report = sample()
    report.prefixes.cached = report.prefixes.known = 0
    assert "Prompt caches" not in told(report)


def test_many_skipped_rows_are_shown_by_reason() -> None:
    section = told(sample())["Rows that could not be read"]
    assert section.after == [("and 2 more; all by reason: no valid JSON (5), a negative count of tokens (1).",)]


def test_many_reasons_without_a_price_say_how_many_more() -> None:
    report = sample()
    report.unpriced_reasons = [(f"no price for m{number}", 1) for number in range(14)]
    section = told(report)["Calls without a price"]
    assert section.after[0] == ("and 4 more reasons; --json lists them.",)
    assert len(section.after) == 2


@settings(max_examples=50)
@given(reports())
def test_what_is_paid_adds_up_in_every_table_as_it_is_printed(report: Report) -> None:
    for title, section in told(report).items():
        if not title.startswith("Spend by") or section.rows is None:
            continue
        (paid,) = (one for one in section.rows.columns if one.title == "Paid")
        *parts, total = [text.strip().replace(",", "") for text in paid.cells]
        digits = [len(text.partition(".")[2]) for text in (*parts, total)]
        if not any("unknown" in text for text in paid.cells) and max(digits) == digits[-1]:
            assert sum(map(Decimal, parts)) == Decimal(total)


def test_the_table_of_features_is_the_reports() -> None:
    rows = told(sample())["Spend by feature"].rows
    assert rows is not None
    assert [*rows.names][:-1] == [group.name for group in spend().tables[0].groups]
