"""The audit in a terminal."""

from __future__ import annotations

import re
from decimal import Decimal

import msgspec
import pytest
from drawn import HOSTILE, reports, sample
from hypothesis import given, settings
from hypothesis import strategies as st
from inline_snapshot import snapshot

from scrimp.audit.report import Report
from scrimp.audit.show.advice import COUNTED
from scrimp.audit.show.terminal import explain, render
from scrimp.audit.show.words import amounts
from scrimp.report.labels import width
from scrimp.report.numbers import gather
from scrimp.store.base import Rollup


def test_the_report_at_80_columns() -> None:
    assert render(sample()) == snapshot("""\
LiteLLM spend logs, 511,645 calls, 1 Nov 09:00 to 3 Nov 2026 10:00 (UTC)
List price $422.90, paid $412.90. $38.40 was avoidable for sure, $179.11 in all
(43%).

    What to change                             Saves  Share  How sure
 ──────────────────────────────────────────────────────────────────────
 1  Try gpt-5-mini for support-chat       $84.11        20%  test first
      61% answers < 300 tok
 2  Keep prefixes stable in doc-search    $61.20        15%  likely
      88% of input is a stable prefix; $40.00 to $66.10
 3  Serve exact repeats from cache        $38.40         9%  sure
      14.2% repeat within 24 h
 4  Serve repeats of red<script>|`@team    $0.000050    <1%  test first
      3 repeat
 ──────────────────────────────────────────────────────────────────────
    Our own cost                          -$4.60        -1%
    Together                             $179.11        43%
Counted in pipeline order, so nothing is saved twice.

Calls without a price
 312 of 511,645 calls (<1%), in no amount of this report.
 Reason                    Calls
 ───────────────────────────────
 no price for house-model    312
 Give a model its price in scrimp.toml: [models."NAME"] with input and output in
 USD per million tokens.

Spend by feature
 Feature               Calls    List    Paid  $/Mtok       Share  Daily
 ──────────────────────────────────────────────────────────────────────
 support-chat         81,120  161.30  151.30    0.93  ██░░░  37%    ▇█▁
 doc-search           31,940   98.40   98.40    1.53  █░░░░  24%    ▁█▁
 classify            388,002   92.75   92.75    0.12  █░░░░  22%    ▁▁█
 red<script>|`@team    8,350   58.10   58.10    3.46  █░░░░  14%    ▁▁█
 (no tag)              2,233   12.35   12.35       -  ░░░░░   3%    ▁▁█
 ──────────────────────────────────────────────────────────────────────
 Total               511,645  422.90  412.90       -  █████ 100%    ▄██

Spend by model
 Model          Calls     List     Paid  $/Mtok       Share  Daily
 ─────────────────────────────────────────────────────────────────
 gpt-5        113,060   259.70   249.70    1.10  ███░░  60%    ▄█▁
 gpt-5-mini   398,273   163.20   163.20    0.20  ██░░░  40%    ▁▁█
 house-model      312  unknown  unknown       -  ░░░░░   0%    ▁▁▁
 ─────────────────────────────────────────────────────────────────
 Total        511,645   422.90   412.90       -  █████ 100%    ▄██

Spend by user
 User        Calls    List    Paid  $/Mtok       Share  Daily
 ────────────────────────────────────────────────────────────
 u-09       31,940   98.40   98.40    1.53  █░░░░  24%    ▁█▁
 u-22       40,118   70.30   70.30    0.87  █░░░░  17%    █▁▁
 u-381       8,350   58.10   58.10    3.46  █░░░░  14%    ▁▁█
 (no tag)  431,237  196.10  186.10       -  ██░░░  45%    ▁▇█
 ────────────────────────────────────────────────────────────
 Total     511,645  422.90  412.90       -  █████ 100%    ▄██

Dearest days
 Day (UTC)     Calls    List    Paid  $/Mtok       Share
 ───────────────────────────────────────────────────────
 2026-11-02   72,942  189.40  179.40    1.22  ██░░░  43%
 2026-11-03  398,585  163.20  163.20       -  ██░░░  40%
 2026-11-01   40,118   70.30   70.30    0.87  █░░░░  17%
 ───────────────────────────────────────────────────────
 Total       511,645  422.90  412.90       -  █████ 100%

In all
 511,645 calls, 12 failed. 920,961,000 tokens in (9,000,000 from the provider's
 cache), 107,445,450 out. Amounts in USD. Blended: $0.40 per million tokens.
 $5,505.33 a month at this pace, from 2.2 days.
 The logs say $400.00 for 500,000 calls; by scrimp's prices it is $412.90 (+3%).

From list price to paid
                           USD  Of list
 ──────────────────────────────────────
 List price             422.90     100%
 Provider prompt cache  -10.00      -2%
 ──────────────────────────────────────
 Paid                   412.90      98%

Prompt caches
 1% of 900,000,000 input tokens were read from the providers' caches.
 68% might have been, by the providers' rules: 612,000,000 tokens, told from the
 500,000 calls whose prompt the log keeps.
 Prefix breaks             Calls  At byte  Same after  Such as
 ───────────────────────────────────────────────────────────────────────────────
 doc-search     30,662 of 31,940      213       4,100  logs/november.jsonl.gz:61
 Move what changes to the end of the prompt: a cache reads only up to it.

Answers, in tokens
 Feature         Calls  Median  p90    p99  Longest  Cut short  Share
 ────────────────────────────────────────────────────────────────────
 support-chat   81,108     180  402  1,900   31,000         41    <1%
 classify      388,002       3    4      9       64          0     0%

Outliers
 Feature      Paid  x usual  Why
 ──────────────────────────────────────────────────────
 classify  $0.84         27  an answer of 31,000 tokens
   logs/november.jsonl.gz:31; 2026-11-02T07:00:00Z; gpt-5
 (no tag)  $0.0900      3.2  a prompt of 90,000 tokens
   logs/november.jsonl.gz:32; gpt-5

Retries and loops
 Where               Again   Paid  Kind   Why
 ────────────────────────────────────────────────────────────────────
 classify            1,200  $1.21  retry  sent again after 429
   logs/november.jsonl.gz:51
 red<script>|`@team     41  $0.93  loop   the same tool call 42 times
   logs/november.jsonl.gz:52

What was read
 There more than once, counted once: 40 rows (30 calls in more than one log).
 Left out by --since, --until or --feature: 7 calls.
 No calls: 2 rows.

Rows that could not be read
 6 rows left out.
 Row                        Why
 ────────────────────────────────────────
 logs/november.jsonl.gz:17  no valid JSON
 logs/november.jsonl.gz:18  no valid JSON
 logs/november.jsonl.gz:19  no valid JSON
 logs/november.jsonl.gz:40  no valid JSON
 and 2 more; all by reason: no valid JSON (5), a negative count of tokens (1).

Prices
 12 calls: older than the first known price of their model, and priced at that.
 7 calls: priced by the provider's stated rule for the tier batch, as the price
 list has no row for it.
 3 calls: priced by your own price list.

What these logs cannot tell
 Not told by LiteLLM spend logs: who called.

Next:  scrimp audit ... --explain 1        how row 1 is computed, and its calls
       scrimp serve                        the same, live
""")


def test_a_narrow_terminal_loses_columns_from_the_right_and_their_words_go_below() -> None:
    assert render(sample(), 44).partition("Calls without a price")[0] == snapshot("""\
LiteLLM spend logs, 511,645 calls, 1 Nov
09:00 to 3 Nov 2026 10:00 (UTC)
List price $422.90, paid $412.90. $38.40 was
avoidable for sure, $179.11 in all (43%).

    What to change                     Saves
 ───────────────────────────────────────────
 1  Try gpt-5-mini for support…   $84.11
      test first; 61% answers < 300 tok
 2  Keep prefixes stable in do…   $61.20
      likely; 88% of input is a stable
      prefix; $40.00 to $66.10
 3  Serve exact repeats from c…   $38.40
      sure; 14.2% repeat within 24 h
 4  Serve repeats of red<scrip…    $0.000050
      test first; 3 repeat
 ───────────────────────────────────────────
    Our own cost                  -$4.60
    Together                     $179.11
Counted in pipeline order, so nothing is
saved twice.

""")


def test_a_log_of_one_call_shows_its_digits_and_no_section_that_has_nothing_to_say() -> None:
    sums = gather([Rollup(hour=490_000, model="gpt-5-nano", provider="openai", calls=1, list_nano=12_400,
                          paid_nano=12_400, input_tokens=80, output_tokens=9)], ("feature", "model", "user"))  # fmt: skip
    assert render(Report(logs=[], spend=sums, calls=1)) == snapshot("""\
1 call, 24 Nov 2025, 16:00 to 17:00 (UTC)
You paid $0.000012 at list price. Nothing was avoidable, as far as these logs
can tell.

Spend by model
 Model       Calls      Paid  $/Mtok       Share
 ───────────────────────────────────────────────
 gpt-5-nano      1  0.000012  0.1393  █████ 100%
 ───────────────────────────────────────────────
 Total           1  0.000012  0.1393  █████ 100%

In all
 1 call. 80 tokens in, 9 out. Amounts in USD. Blended: $0.1393 per million
 tokens.

Next:  scrimp serve                        the same, live
""")


def test_an_advice_in_full() -> None:
    assert explain(sample(), 1) == snapshot("""\
1. Try gpt-5-mini for support-chat

 Saves $84.11 (20% of what was paid) on 81,120 calls. Test first: answers may
 change.
 Each call is priced on the other model at its own tokens: the amount is exact
 for these tokens. Whether the answers are as good, and as long, only a test
 tells.
 Alone it would save $90.00; $84.11 is what the steps before it in the pipeline
 leave.
 Evidence: 61% answers < 300 tok.
 Feature: support-chat
 Model: gpt-5
 Priced with the same token counts and answers of the same length.

What exactly these calls would have cost
 Model              Would have cost    Saves  Of it  Price
 ──────────────────────────────────────────────────────────────
 openai/gpt-5-mini           $67.20   $84.10    56%  deprecated
 openai/gpt-5-nano           $13.44  $137.86    91%

Example calls
 Call                         Paid  Tokens in  Out  Time (UTC)
 ───────────────────────────────────────────────────────────────────────
 logs/november.jsonl.gz:1  $0.0139      1,842  211  2026-11-01T01:00:00Z
   classify; gpt-5
 logs/november.jsonl.gz:2  $0.0021      1,842  211  2026-11-01T02:00:00Z
   classify; gpt-5
 logs/november.jsonl.gz:2: Where is my parcel?

Next
 Let both models answer a sample of these calls and compare, before any is
 moved.

scrimp audit ... --explain 1 --show-text shows what was asked.
""")


def test_an_estimate_in_full_says_its_range_and_what_bounds_it() -> None:
    assert "Range: $40.00 to $66.10 (a cache that lives 5 minutes, and one of an hour)." in explain(sample(), 2)


def test_there_is_no_advice_past_the_last() -> None:
    with pytest.raises(IndexError):
        explain(sample(), 5)


def test_the_option_for_texts_is_named_where_there_are_calls_whose_text_is_not_shown() -> None:
    shown = msgspec.structs.replace(sample(), shows_text=True)
    assert "--show-text" in explain(sample(), 1)
    assert "--show-text" not in explain(shown, 1)
    assert "--show-text" not in explain(sample(), 2)


def test_a_long_path_keeps_its_end() -> None:
    report = sample()
    report.advice[0].examples[0].file = "/srv/" + "logs/" * 30 + "november.jsonl"
    line = next(line for line in explain(report, 1).splitlines() if "november.jsonl:1 " in line)
    assert line.startswith(" …")


def test_colour_marks_what_is_saved_and_what_costs_and_takes_no_room() -> None:
    coloured, plain = render(sample(), colour=True), render(sample())
    assert "\x1b[32m" in coloured and "\x1b[31m" in coloured
    assert re.sub(r"\x1b\[\d+m", "", coloured) == plain


@settings(max_examples=60)
@given(reports(), st.integers(40, 120))
def test_whatever_a_report_says_lines_fit_and_nothing_steers_the_terminal(report: Report, columns: int) -> None:
    texts = [render(report, columns), *(explain(report, n + 1, columns) for n in range(len(report.advice)))]
    for text in texts:
        assert max(map(width, text.split("\n"))) <= columns
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", text)


@settings(max_examples=60)
@given(reports(), st.integers(40, 120))
def test_no_amount_of_the_advice_is_cut_or_wrapped(report: Report, columns: int) -> None:
    head = render(report, columns).partition(COUNTED)[0]
    shown = re.findall(r" (-?\$[\d,]+\.\d+)(?= |$)", head, re.M)
    assert set(amounts(report) if report.advice else []) <= set(shown)


def test_the_printed_advice_adds_up_and_its_sums_are_the_headlines() -> None:
    report = sample()
    del report.advice[-1]  # of less than a cent
    head = render(report, 110).partition(COUNTED)[0]
    rows = [row for row in re.findall(r"^ .*  (-?)\$([\d.]+) .*%.*?(sure)?.*$", head, re.M)]
    *saves, together = [Decimal(sign + amount) for sign, amount, _ in rows]
    assert sum(saves) == together == Decimal("179.11")
    assert "$38.40 was avoidable for sure, $179.11 in all (43%)." in head


def test_hostile_labels_lose_what_steers_a_terminal() -> None:
    assert HOSTILE not in render(sample()) and "red<script>|`@team" in render(sample())
