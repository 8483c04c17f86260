"""The sentences of a report."""

from __future__ import annotations

from scrimp.config import ServeConfig
from scrimp.report.numbers import gather
from scrimp.report.words import counts, default_address, many, next_command, nothing, table_note, unpriced_note
from scrimp.store.base import Rollup


def test_counts_name_what_is_not_plain() -> None:
    assert counts(Rollup(hour=0, calls=1, input_tokens=1, output_tokens=2)) == (
        "1 call. 1 token in, 2 out. Amounts in USD."
    )
    total = Rollup(hour=0, calls=1200, failed=3, estimated=2, input_tokens=9000, cached_tokens=8000, output_tokens=1)
    assert counts(total) == (
        "1,200 calls, 3 failed, 2 with usage counted by scrimp, as the provider reported none."
        " 9,000 tokens in (8,000 from the provider's cache), 1 out. Amounts in USD."
    )


def test_an_empty_span_is_named() -> None:
    assert nothing(gather([])) == "No calls yet."
    assert nothing(gather([], since=20758 * 24, until=20759 * 24)) == "No calls: 1 Nov 2026 (UTC)."


def test_the_next_command_has_the_address_of_the_gateway() -> None:
    assert default_address() == f"http://{ServeConfig().host}:{ServeConfig().port}"
    lines = next_command(gather([]))
    assert lines[-2:] == [
        f"       OpenAI     base_url={default_address()}/v1",
        f"       Anthropic  base_url={default_address()}",
    ]


def test_the_next_command_is_as_its_reader_calls_it() -> None:
    assert "Next:  ./dev scrimp serve" in next_command(gather([]), scrimp="./dev scrimp")


def test_only_tags_need_a_note() -> None:
    assert "both rows" in table_note("tag")
    assert table_note("feature") == ""


def test_what_has_no_price_says_how_to_give_it_one() -> None:
    assert unpriced_note(Rollup(hour=0, unpriced=1)).startswith("1 call has no known price")
    assert '[models."NAME"]' in unpriced_note(Rollup(hour=0, unpriced=2))


def test_a_count_agrees_with_its_noun() -> None:
    assert [many(count, "call") for count in (0, 1, 2_000)] == ["0 calls", "1 call", "2,000 calls"]
