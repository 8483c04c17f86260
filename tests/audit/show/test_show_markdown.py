"""The audit as Markdown."""

from __future__ import annotations

import re

import pytest
from drawn import HOSTILE, reports, sample
from hypothesis import given, settings
from hypothesis import strategies as st
from inline_snapshot import snapshot

from scrimp.audit.report import Report
from scrimp.audit.show.markdown import render

LISTS = ("1. a", "- a")
"""Markup only where a line begins."""
HARMFUL = ("<b>bold</b>", "[a](http://b)", "@team", "#12", "see https://x.example", "*a*", "_a_", "`a`", "a\n# h",
           *LISTS, ":tada:", "~~a~~", "GH-12", "![a](b)", "a | b")  # fmt: skip


def test_the_headline_and_what_to_change() -> None:
    assert render(sample()).partition("### In all")[0] == snapshot("""\
## What LLM calls cost, and what was avoidable

LiteLLM spend logs, 511,645 calls, 1 Nov 09:00 to 3 Nov 2026 10:00 (UTC)

List price $422.90, paid $412.90. $38.40 was avoidable for sure, $179.11 in all (43%).

| # | What to change | Saves | Share | How sure | Evidence | Range |
|---:|---|---:|---:|---|---|---|
| 1 | Try gpt-5-mini for support-chat | $84.11 | 20% | test first | 61% answers &lt; 300 tok |  |
| 2 | Keep prefixes stable in doc-search | $61.20 | 15% | likely | 88% of input is a stable prefix | $40.00 to $66.10 |
| 3 | Serve exact repeats from cache | $38.40 | 9% | sure | 14.2% repeat within 24 h |  |
| 4 | `Serve repeats of red<script>\\|'@team` | $0.000050 | <1% | test first | 3 repeat |  |
|  | **Our own cost** | -$4.60 | -1% |  |  |  |
|  | **Together** | $179.11 | 43% |  |  |  |

Counted in pipeline order, so nothing is saved twice.

### Calls without a price

312 of 511,645 calls (&lt;1%), in no amount of this report.

| Reason | Calls |
|---|---:|
| no price for house-model | 312 |

Give a model its price in scrimp.toml: `[models."NAME"]` with input and output in USD per million tokens.

""")


def test_an_advice_in_full_is_folded() -> None:
    text = render(sample())
    assert text[text.index("<summary>1.") : text.index("<summary>2.")] == snapshot("""\
<summary>1. Try gpt-5-mini for support-chat</summary>

Saves $84.11 (20% of what was paid) on 81,120 calls. Test first: answers may change.

Each call is priced on the other model at its own tokens: the amount is exact for these tokens. Whether the answers are as good, and as long, only a test tells.

Alone it would save $90.00; $84.11 is what the steps before it in the pipeline leave.

Evidence: 61% answers &lt; 300 tok.

Feature: `support-chat`

Model: `gpt-5`

Priced with the same token counts and answers of the same length.

#### What exactly these calls would have cost

| Model | Would have cost | Saves | Of it | Price |
|---|---:|---:|---:|---|
| `openai/gpt-5-mini` | $67.20 | $84.10 | 56% | deprecated |
| `openai/gpt-5-nano` | $13.44 | $137.86 | 91% |  |

#### Example calls

| Call | Paid | Tokens in | Out | Time (UTC) | Feature | Model |
|---|---:|---:|---:|---|---|---|
| `logs/november.jsonl.gz:1` | $0.0139 | 1,842 | 211 | `2026-11-01T01:00:00Z` | `classify` | `gpt-5` |
| `logs/november.jsonl.gz:2` | $0.0021 | 1,842 | 211 | `2026-11-01T02:00:00Z` | `classify` | `gpt-5` |

`logs/november.jsonl.gz:2`: `Where is my parcel?`

#### Next

Let both models answer a sample of these calls and compare, before any is moved.

</details>

<details>
""")


def test_the_next_commands_are_a_block() -> None:
    assert render(sample(), "./dev scrimp").endswith(
        "```\n./dev scrimp audit ... --explain 1  # how row 1 is computed, and its calls\n"
        "./dev scrimp serve  # the same, live\n```\n"
    )


def outside_of_code(markdown: str) -> str:
    return re.sub(r"`[^`\n]*`|<code>[^<\n]*</code>", "", markdown.partition("\n```\n")[0])


@pytest.mark.parametrize("harmful", HARMFUL)
def test_what_is_markup_in_others_text_stands_in_code(harmful: str) -> None:
    report = sample()
    one = report.advice[0]
    one.title = one.evidence = one.feature = harmful
    one.details = [harmful]
    report.unpriced_reasons = [(harmful, 312)]
    report.outliers[0].reason = harmful
    report.missing = [harmful]
    kept = outside_of_code(render(report))
    if harmful in LISTS:
        assert not any(line.startswith(harmful) for line in kept.splitlines())
    else:
        assert harmful.replace("\n", " ") not in kept


@settings(max_examples=40)
@given(st.text(max_size=30) | st.sampled_from(HARMFUL))
def test_a_text_neither_opens_markup_nor_leaves_its_cell(text: str) -> None:
    report = sample()
    report.advice[0].title = report.advice[0].evidence = text
    kept = outside_of_code(render(report))
    assert not re.search(r"[@#~*\[\]`](?!##)", re.sub(r"^#{2,4} |^\| # |\*\*", "", kept, flags=re.M))
    row = next(line for line in render(report).splitlines() if line.startswith("| 1 | "))
    assert len(re.findall(r"(?<!\\)\|", row)) == 8


def test_plain_words_stay_plain() -> None:
    text = render(sample())
    assert "| 14.2% repeat within 24 h |" in text and "61% answers &lt; 300 tok" in text


@settings(max_examples=40)
@given(reports())
def test_every_row_of_a_table_has_as_many_cells_as_its_head(report: Report) -> None:
    cells = 0
    for line in render(report).splitlines():
        if line.startswith("|"):
            found = len(re.findall(r"(?<!\\)\|", line))
            assert cells in (0, found)
            cells = found
        else:
            cells = 0


def test_hostile_labels_are_code_without_what_steers() -> None:
    text = render(sample())
    assert HOSTILE not in text and "`red<script>\\|'@team`" in text and "<script" not in outside_of_code(text)
