"""The report in a terminal."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from scrimp.call import usd
from scrimp.report.labels import width
from scrimp.report.numbers import DIMENSIONS, gather
from scrimp.report.tables import Column, Rows
from scrimp.report.terminal import blocks, coloured, grid, joined, render, spark, wrapped
from scrimp.store.base import Rollup


def test_the_report_at_80_columns(tell) -> None:
    assert render(tell()) == snapshot("""\
Savings  1 Nov 00:00 to 4 Nov 2026 04:00 (UTC)           measured ▒  estimated ░
 List price               164.3031  ██████████████████████████████████████  100%
   Provider prompt cache  -41.0500                               ▒▒▒▒▒▒▒▒▒  -25%
   Routing                -10.0000                            ░░░            -6%
   Service tier            -2.0000                            ▒              -1%
   zippy                   -1.0000                           ░               -1%
   Our own overhead        +0.0010                           ▓              +<1%
 Paid                     110.2541  █████████████████████████                67%

 Feature             Calls      List      Paid  Saved       Share  Daily
 ───────────────────────────────────────────────────────────────────────
 chat                    1  151.3000  100.0000    34%  █████  91%   █▁▁▁
 docs                    1    1.0000    1.2500   -25%  ░░░░░   1%   ▁█▁▁
 red<script>|`@team      1    0.0031    0.0041   -32%  ░░░░░  <1%   ▁▁█▁
 東京の検索              1   unknown   unknown      -  ░░░░░   0%   ▁▁▁▁
 (no tag)                1   12.0000    9.0000    25%  ░░░░░   8%   ▁▁▁█
 Total                   5  164.3031  110.2541    33%  █████ 100%   █▁▁▁

5 calls, 1 failed, 1 with usage counted by scrimp, as the provider reported
none. 1,200 tokens in (200 from the provider's cache), 50 out. Amounts in USD.

1 call has no known price and no part in the amounts above. Give each model one
in scrimp.toml: [models."NAME"] with input and output in USD per million tokens.
           1  llama|9 at groq
""")


def test_a_narrow_terminal_loses_columns_from_the_right_and_no_money(tell) -> None:
    assert render(tell(("tag",)), 48) == snapshot("""\
Savings  1 Nov 00:00 to 4 Nov 2026 04:00 (UTC)
measured ▒  estimated ░
 List price               164.3031
   Provider prompt cache  -41.0500
   Routing                -10.0000
   Service tier            -2.0000
   zippy                   -1.0000
   Our own overhead        +0.0010
 Paid                     110.2541

 Tag       Calls      List      Paid  Saved
 ──────────────────────────────────────────
 a             1  151.3000  100.0000    34%
 b             1  151.3000  100.0000    34%
 (no tag)      4   13.0031   10.2541    21%
 Total         5  164.3031  110.2541    33%
 A call with two tags counts in both rows; the
 total is the total of calls.

5 calls, 1 failed, 1 with usage counted by
scrimp, as the provider reported none. 1,200
tokens in (200 from the provider's cache), 50
out. Amounts in USD.

1 call has no known price and no part in the
amounts above. Give each model one in
scrimp.toml: [models."NAME"] with input and
output in USD per million tokens.
           1  llama|9 at groq
""")


def test_a_demo_of_a_fraction_of_a_cent_shows_its_digits() -> None:
    cell = Rollup(hour=20758 * 24, feature="demo", calls=3, list_nano=12_400, paid_nano=12_000, input_tokens=80,
                  output_tokens=9, savings={("provider_cache", "measured"): 400})  # fmt: skip
    assert render(gather([cell])) == snapshot("""\
Savings  1 Nov 2026, 00:00 to 01:00 (UTC)                measured ▒  estimated ░
 List price                0.00001240  ███████████████████████████████████  100%
   Provider prompt cache  -0.00000040                                    ▒   -3%
   Our own overhead        0.00                                               0%
 Paid                      0.00001200  ██████████████████████████████████    97%

 Feature   Calls        List        Paid  Saved       Share
 ──────────────────────────────────────────────────────────
 demo          3  0.00001240  0.00001200     3%  █████ 100%
 (no tag)      0  0.00        0.00            -  ░░░░░   0%
 Total         3  0.00001240  0.00001200     3%  █████ 100%

3 calls. 80 tokens in, 9 out. Amounts in USD.
""")


def test_an_empty_store_says_the_one_next_command_with_both_base_urls() -> None:
    assert render(gather([]), address="http://127.0.0.1:4111") == snapshot("""\
No calls yet.

Next:  scrimp serve
       and point your clients at it; nothing else changes:
       OpenAI     base_url=http://127.0.0.1:4111/v1
       Anthropic  base_url=http://127.0.0.1:4111
""")


@pytest.mark.parametrize("by", DIMENSIONS)
@pytest.mark.parametrize("columns", [40, 60, 80, 110])
def test_every_line_fits(tell, by, columns: int) -> None:
    assert max(map(width, render(tell((by,)), columns).splitlines())) <= columns


@given(st.text(max_size=60), st.integers(0, 10**17), st.integers(0, 10**17), st.integers(56, 120))
def test_whatever_a_label_says_lines_fit_and_nothing_steers_the_terminal(
    label: str, listed: int, saving: int, columns: int
) -> None:
    cell = Rollup(hour=1, feature=label, model=label, calls=2, unpriced=1, list_nano=listed, paid_nano=listed - saving,
                  savings={(label, "measured"): saving})  # fmt: skip
    text = render(gather([cell]), columns)
    assert "\x1b" not in text
    shown = re.search(r"List price +([\d,]+\.\d+)", text)
    assert shown is not None
    assert abs(Decimal(shown[1].replace(",", "")) - Decimal(usd(listed))) <= Decimal("0.005")
    assert max(map(width, text.split("\n"))) <= columns


def test_models_without_a_price_are_listed_without_what_steers_a_terminal() -> None:
    text = render(gather([Rollup(hour=1, model="m\x1b[2J\x00\u202ex", provider="p\x07\x9b1m", calls=1, unpriced=1)]))
    assert "  mx at p\n" in text
    assert not set("\x1b\x00\x07\x9b\u202e") & set(text)


def test_colour_marks_what_was_saved_and_what_cost_more_and_takes_no_room(tell) -> None:
    coloured, plain = render(tell(), colour=True), render(tell())
    assert "\x1b[32m" in coloured and "\x1b[31m" in coloured
    assert re.sub(r"\x1b\[\d+m", "", coloured) == plain


def test_sums_that_do_not_add_up_are_said_to() -> None:
    assert "do not add up" in render(gather([Rollup(hour=0, calls=1, list_nano=10, paid_nano=9)]))


NAMES = ["support-chat", "a name that is longer than its column has room for"]
PAID = Column("Paid", ["84.10", "1,234.50"], over=[-1, 1], keep=True)
WHY = Column("Why", ["six in ten answers are short", ""], left=True)


def drawn(across: int, *columns: Column, colour: bool = False, **options: object) -> str:
    return joined(grid(Rows("Feature", NAMES, columns, **options), across, colour))


def test_a_table_with_room_for_all() -> None:
    assert drawn(80, PAID, Column("Share", ["6%", "94%"]), WHY) == snapshot("""\
 Feature                               Paid  Share  Why
 ───────────────────────────────────────────────────────────────────────────────
 support-chat                         84.10     6%  six in ten answers are short
 a name that is longer than its …  1,234.50    94%
""")


def test_what_there_is_no_room_for_is_dropped_from_the_right_and_its_words_go_below() -> None:
    assert drawn(40, PAID, Column("Share", ["6%", "94%"]), WHY, roomy=20) == snapshot("""\
 Feature                     Paid  Share
 ───────────────────────────────────────
 support-chat               84.10     6%
   six in ten answers are short
 a name that is longer…  1,234.50    94%
""")


def test_marks_stand_before_names_and_sums_below_a_rule() -> None:
    assert drawn(44, PAID, WHY, marks=["1", ""], foot=1) == snapshot("""\
    Feature                             Paid
 ───────────────────────────────────────────
 1  support-chat                       84.10
      six in ten answers are short
 ───────────────────────────────────────────
    a name that is longer than it…  1,234.50
""")


def test_colour_takes_no_room() -> None:
    plain, green = drawn(80, PAID), drawn(80, PAID, colour=True)
    assert "\x1b[32m84.10\x1b[0m" in green and "\x1b[31m1,234.50\x1b[0m" in green
    assert green.replace("\x1b[32m", "").replace("\x1b[31m", "").replace("\x1b[0m", "") == plain
    assert coloured("1", 0, True) == "1"


@given(st.lists(st.text(max_size=40), min_size=1, max_size=4), st.integers(40, 120))
def test_every_line_fits_whatever_the_names_are(names: list[str], across: int) -> None:
    paid = Column("Paid", ["123,456,789.00"] * len(names), keep=True)
    why = Column("Why", ["w" * 90] * len(names), left=True)
    lines = list(grid(Rows("Feature", names, [paid, why]), across))
    assert max(map(width, lines)) <= across
    assert sum("123,456,789.00" in line for line in lines) == len(names)


def test_a_share_is_at_most_all_blocks_and_none_of_nothing() -> None:
    assert [blocks(part) for part in (None, -1.0, 0.5, 3.0)] == ["░░░░░", "░░░░░", "██░░░", "█████"]


@pytest.mark.parametrize(
    ("text", "across", "lines"),
    [
        ("one two three", 8, ["one two", "three"]),
        ("", 8, []),
        ("abcdefghijkl mn", 5, ["abcde", "fghij", "kl mn"]),
        ("東京の検索", 4, ["東京", "の検", "索"]),
    ],
)
def test_words_are_wrapped_and_only_one_longer_than_a_line_is_broken(text: str, across: int, lines: list[str]) -> None:
    assert list(wrapped(text, across)) == lines


def test_a_spark_line_joins_days_where_there_are_many() -> None:
    assert spark({0: 0, 1: 1, 2: 8}, 0, 2) == "▁▁█"
    assert spark(dict.fromkeys(range(80), 5), 0, 79) == "████████"
    assert spark({}, 0, 2) == "▁▁▁"
