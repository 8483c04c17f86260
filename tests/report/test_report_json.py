"""The report as JSON."""

from __future__ import annotations

import json
from decimal import Decimal

from inline_snapshot import snapshot

from scrimp.report.json import each_text, fraction, render, told, tree
from scrimp.report.numbers import gather
from scrimp.store.base import Record, Rollup


def test_the_report(tell) -> None:
    assert json.loads(render(tell())) == snapshot(
        {
            "from": "2026-11-01T00:00:00Z",
            "to": "2026-11-04T04:00:00Z",
            "calls": 5,
            "failed": 1,
            "unpriced": 1,
            "estimated": 1,
            "input_tokens": 1200,
            "cached_tokens": 200,
            "output_tokens": 50,
            "unpriced_models": [{"model": "llama|9", "provider": "groq", "calls": 1}],
            "list_usd": "164.3031",
            "savings": [
                {"strategy": "provider_cache", "usd": "41.05", "kind": "measured"},
                {"strategy": "route", "usd": "10.00", "kind": "estimated"},
                {"strategy": "service_tier", "usd": "2.00", "kind": "measured"},
                {"strategy": "zippy", "usd": "1.00", "kind": "estimated"},
            ],
            "overhead_usd": "0.001",
            "paid_usd": "110.2541",
            "saved_usd": "54.049",
            "adds_up": True,
            "daily": [
                {"day": "2026-11-01", "calls": 1, "list_usd": "151.30", "paid_usd": "100.00"},
                {"day": "2026-11-02", "calls": 1, "list_usd": "1.00", "paid_usd": "1.25"},
                {"day": "2026-11-03", "calls": 2, "list_usd": "0.0031", "paid_usd": "0.0041"},
                {"day": "2026-11-04", "calls": 1, "list_usd": "12.00", "paid_usd": "9.00"},
            ],
            "by": "feature",
            "groups": [
                {
                    "name": "chat",
                    "calls": 1,
                    "unpriced": 0,
                    "list_usd": "151.30",
                    "paid_usd": "100.00",
                    "saved_usd": "51.30",
                    "share": 0.906996,
                    "input_tokens": 1200,
                    "output_tokens": 50,
                    "daily": [{"day": "2026-11-01", "paid_usd": "100.00"}],
                },
                {
                    "name": "docs",
                    "calls": 1,
                    "unpriced": 0,
                    "list_usd": "1.00",
                    "paid_usd": "1.25",
                    "saved_usd": "-0.25",
                    "share": 0.011337,
                    "input_tokens": 0,
                    "output_tokens": 0,
                    "daily": [{"day": "2026-11-02", "paid_usd": "1.25"}],
                },
                {
                    "name": "\x1b[31mred\x1b[0m\u202e<script>|`@team",
                    "calls": 1,
                    "unpriced": 0,
                    "list_usd": "0.0031",
                    "paid_usd": "0.0041",
                    "saved_usd": "-0.001",
                    "share": 3.7e-05,
                    "input_tokens": 0,
                    "output_tokens": 0,
                    "daily": [{"day": "2026-11-03", "paid_usd": "0.0041"}],
                },
                {
                    "name": "東京の検索",
                    "calls": 1,
                    "unpriced": 1,
                    "list_usd": "0.00",
                    "paid_usd": "0.00",
                    "saved_usd": "0.00",
                    "share": 0.0,
                    "input_tokens": 0,
                    "output_tokens": 0,
                    "daily": [{"day": "2026-11-03", "paid_usd": "0.00"}],
                },
                {
                    "name": "(no tag)",
                    "calls": 1,
                    "unpriced": 0,
                    "list_usd": "12.00",
                    "paid_usd": "9.00",
                    "saved_usd": "3.00",
                    "share": 0.08163,
                    "input_tokens": 0,
                    "output_tokens": 0,
                    "daily": [{"day": "2026-11-04", "paid_usd": "9.00"}],
                },
            ],
        }
    )


def test_amounts_are_exact_and_add_up(tell) -> None:
    told = tree(tell())
    savings = sum(Decimal(row["usd"]) for row in told["savings"])
    assert Decimal(told["list_usd"]) - savings + Decimal(told["overhead_usd"]) == Decimal(told["paid_usd"])
    assert sum(Decimal(row["paid_usd"]) for row in told["groups"]) == Decimal(told["paid_usd"])
    assert sum(Decimal(row["paid_usd"]) for row in told["daily"]) == Decimal(told["paid_usd"])


def test_a_share_of_nothing_is_null_and_a_span_of_nothing_too() -> None:
    assert tree(gather([Rollup(hour=0, calls=1)]))["groups"][0]["share"] is None
    assert (tree(gather([]))["from"], tree(gather([]))["groups"]) == (None, [])


def test_fields_have_the_keys_of_json_and_amounts_are_dollars() -> None:
    record = Record(id="c1", at=10**9, list_nano=1_500_000_000)
    assert told(record, "id time=at list_usd=list_nano bytes=request_body body_usd=request_body") == {
        "id": "c1",
        "time": "1970-01-01T00:00:01Z",
        "list_usd": "1.50",
        "bytes": None,
        "body_usd": None,
    }
    assert (fraction(1, 3), fraction(1, 0)) == (0.333333, None)


def test_every_text_is_changed_and_nothing_else() -> None:
    plain = {"a": ["b", ("c", 1)], "d": {"e": None, "f": 2.5}}
    assert each_text(plain, str.upper) == {"A": ["B", ["C", 1]], "D": {"E": None, "F": 2.5}}
