"""The audit as JSON."""

from __future__ import annotations

import json
import re
from decimal import Decimal

from drawn import reports, sample
from hypothesis import given, settings
from inline_snapshot import snapshot

from scrimp.audit.report import Report, Sampled
from scrimp.audit.show import json as shown
from scrimp.audit.show.json import render, tree


def test_the_counts_and_sums_stand_at_the_top() -> None:
    told = json.loads(render(sample()))
    assert {name: value for name, value in told.items() if not isinstance(value, list | dict)} == snapshot(
        {
            "from": "2026-11-01T09:00:00Z",
            "to": "2026-11-03T10:00:00Z",
            "calls": 511645,
            "failed": 12,
            "unpriced": 312,
            "estimated": 0,
            "input_tokens": 920961000,
            "cached_tokens": 9000000,
            "output_tokens": 107445450,
            "list_usd": "422.90",
            "paid_usd": "412.90",
            "saved_usd": "10.00",
            "adds_up": True,
            "recorded_overhead_usd": "0.00",
            "untimed": 0,
            "skipped": 6,
            "duplicates": 40,
            "overlap": 30,
            "others": 2,
            "left_out": 7,
            "blended_usd_per_mtok": "0.401494954",
            "days": 2.25,
            "month_usd": "5505.333333333",
            "logged_usd": "400.00",
            "logged_calls": 500000,
            "logged_paid_usd": "412.90",
            "ttl_seconds": 86400.0,
            "overhead_usd": "4.60",
            "together_usd": "179.11215",
            "sure_usd": "38.4046",
            "sample": None,
        }
    )


def test_an_advice_with_its_candidates_and_examples() -> None:
    assert json.loads(render(sample()))["advice"][0] == snapshot(
        {
            "number": 1,
            "strategy": "route",
            "title": "Try gpt-5-mini for support-chat",
            "how_sure": "test first",
            "saves_usd": "84.104",
            "alone_usd": "90.00",
            "low_usd": None,
            "high_usd": None,
            "bounds": "",
            "share": 0.203691,
            "calls": 81120,
            "evidence": "61% answers < 300 tok",
            "details": ["Priced with the same token counts and answers of the same length."],
            "feature": "support-chat",
            "model": "gpt-5",
            "candidates": [
                {
                    "model": "gpt-5-mini",
                    "provider": "openai",
                    "cost_usd": "67.196",
                    "saves_usd": "84.104",
                    "flags": ["deprecated"],
                },
                {
                    "model": "gpt-5-nano",
                    "provider": "openai",
                    "cost_usd": "13.4392",
                    "saves_usd": "137.8608",
                    "flags": [],
                },
            ],
            "examples": [
                {
                    "file": "logs/november.jsonl.gz",
                    "line": 1,
                    "time": "2026-11-01T01:00:00Z",
                    "feature": "classify",
                    "model": "gpt-5",
                    "input_tokens": 1842,
                    "output_tokens": 211,
                    "paid_usd": "0.0139",
                    "text": None,
                },
                {
                    "file": "logs/november.jsonl.gz",
                    "line": 2,
                    "time": "2026-11-01T02:00:00Z",
                    "feature": "classify",
                    "model": "gpt-5",
                    "input_tokens": 1842,
                    "output_tokens": 211,
                    "paid_usd": "0.0021",
                    "text": """\
Where is
my parcel?\
""",
                },
            ],
        }
    )


def test_the_findings() -> None:
    told = json.loads(render(sample()))
    assert {name: told[name] for name in ("outliers", "repetitions", "answers", "prompt_cache", "logs")} == snapshot(
        {
            "outliers": [
                {
                    "call": {
                        "file": "logs/november.jsonl.gz",
                        "line": 31,
                        "time": "2026-11-02T07:00:00Z",
                        "feature": "classify",
                        "model": "gpt-5",
                        "input_tokens": 1842,
                        "output_tokens": 31000,
                        "paid_usd": "0.84",
                        "text": None,
                    },
                    "times": 27.4,
                    "over_usd": "0.809",
                    "reason": "an answer of 31,000 tokens",
                },
                {
                    "call": {
                        "file": "logs/november.jsonl.gz",
                        "line": 32,
                        "time": None,
                        "feature": "",
                        "model": "gpt-5",
                        "input_tokens": 1842,
                        "output_tokens": 211,
                        "paid_usd": "0.09",
                        "text": None,
                    },
                    "times": 3.2,
                    "over_usd": "0.06",
                    "reason": "a prompt of 90,000 tokens",
                },
            ],
            "repetitions": [
                {
                    "kind": "retry",
                    "where": "classify",
                    "calls": 1200,
                    "paid_usd": "1.21",
                    "reason": "sent again after 429",
                    "example": {
                        "file": "logs/november.jsonl.gz",
                        "line": 51,
                        "time": "2026-11-03T03:00:00Z",
                        "feature": "classify",
                        "model": "gpt-5",
                        "input_tokens": 1842,
                        "output_tokens": 211,
                        "paid_usd": "0.0139",
                        "text": None,
                    },
                },
                {
                    "kind": "loop",
                    "where": "\x1b[31mred\x1b[0m\u202e<script>|`@team",
                    "calls": 41,
                    "paid_usd": "0.93",
                    "reason": "the same tool call 42 times",
                    "example": {
                        "file": "logs/november.jsonl.gz",
                        "line": 52,
                        "time": "2026-11-03T04:00:00Z",
                        "feature": "classify",
                        "model": "gpt-5",
                        "input_tokens": 1842,
                        "output_tokens": 211,
                        "paid_usd": "0.0139",
                        "text": None,
                    },
                },
            ],
            "answers": [
                {
                    "feature": "support-chat",
                    "calls": 81108,
                    "p50": 180,
                    "p90": 402,
                    "p99": 1900,
                    "longest": 31000,
                    "truncated": 41,
                },
                {"feature": "classify", "calls": 388002, "p50": 3, "p90": 4, "p99": 9, "longest": 64, "truncated": 0},
            ],
            "prompt_cache": {
                "input_tokens": 900000000,
                "cached_tokens": 9000000,
                "written_tokens": 0,
                "reusable_tokens": 612000000,
                "known_calls": 500000,
                "breaks": [
                    {
                        "feature": "doc-search",
                        "calls": 30662,
                        "of": 31940,
                        "at_byte": 213,
                        "same_bytes": 4100,
                        "example": {
                            "file": "logs/november.jsonl.gz",
                            "line": 61,
                            "time": "2026-11-03T13:00:00Z",
                            "feature": "classify",
                            "model": "gpt-5",
                            "input_tokens": 1842,
                            "output_tokens": 211,
                            "paid_usd": "0.0139",
                            "text": None,
                        },
                    }
                ],
            },
            "logs": [
                {
                    "path": "logs/november.jsonl.gz",
                    "format": "litellm",
                    "title": "LiteLLM spend logs",
                    "bytes": 1048576,
                    "trouble": "",
                    "same_as": "",
                    "preview": "",
                    "missing": ["who called"],
                }
            ],
        }
    )


def test_a_group_is_shaped_as_in_the_report() -> None:
    assert json.loads(render(sample()))["by_user"][0] == snapshot(
        {
            "name": "u-09",
            "calls": 31940,
            "unpriced": 0,
            "list_usd": "98.40",
            "paid_usd": "98.40",
            "saved_usd": "0.00",
            "share": 0.238314,
            "input_tokens": 57492000,
            "output_tokens": 6707400,
            "daily": [{"day": "2026-11-02", "paid_usd": "98.40"}],
        }
    )


def test_lists_stand_beside_their_counts() -> None:
    told = json.loads(render(sample()))
    assert (told["skipped"], told["skipped_rows"][0]) == (
        6,
        {"file": "logs/november.jsonl.gz", "line": 17, "reason": "no valid JSON"},
    )
    assert told["skipped_reasons"][1] == {"reason": "a negative count of tokens", "rows": 1}
    assert told["unpriced"] == sum(row["calls"] for row in told["unpriced_reasons"]) == 312


def test_every_key_is_told_of_at_the_top_of_the_module() -> None:
    told = tree(sample())
    tables = [told, told["advice"][0], told["advice"][0]["candidates"][0], told["advice"][0]["examples"][0],
              told["logs"][0], told["outliers"][0], told["repetitions"][0], told["answers"][0], told["prompt_cache"],
              told["prompt_cache"]["breaks"][0], told["by_feature"][0]]  # fmt: skip
    words = set(re.findall(r"\w+", shown.__doc__ or ""))
    assert {key for table in tables for key in table} <= words


def test_what_is_not_known_is_null() -> None:
    report = sample()
    report.month, report.logged_calls = None, 0
    told = tree(report)
    assert (told["month_usd"], told["logged_usd"], told["logged_paid_usd"], told["sample"]) == (None,) * 4
    assert told["advice"][0]["low_usd"] is None and told["advice"][0]["examples"][0]["text"] is None
    report.sampled = Sampled(5, 9, 7, 6, 8)
    assert tree(report)["sample"]["paid_usd"] == "0.000000007"


def test_a_file_name_that_is_no_unicode_ends_nothing() -> None:
    report = sample()
    report.advice[0].examples[0].file = "caf\udce9.jsonl"
    assert json.loads(render(report))["advice"][0]["examples"][0]["file"] == "caf?.jsonl"


@settings(max_examples=60)
@given(reports())
def test_groups_sum_to_the_totals_and_advice_to_what_it_saves_together(report: Report) -> None:
    told = json.loads(render(report))
    for by in ("feature", "model", "user", "key", "team"):
        for amount in ("list_usd", "paid_usd"):
            assert sum(Decimal(row[amount]) for row in told[f"by_{by}"]) == Decimal(told[amount])
        assert sum(row["unpriced"] for row in told[f"by_{by}"]) == told["unpriced"]
    saves = sum(Decimal(row["saves_usd"]) for row in told["advice"])
    assert saves - Decimal(told["overhead_usd"]) == Decimal(told["together_usd"])
    sure = sum(Decimal(row["saves_usd"]) for row in told["advice"] if row["how_sure"] == "sure")
    assert sure == Decimal(told["sure_usd"])
    saved = sum(Decimal(row["usd"]) for row in told["savings"])
    assert Decimal(told["list_usd"]) - saved + Decimal(told["recorded_overhead_usd"]) == Decimal(told["paid_usd"])
