"""The audit as one JSON object with stable keys. Amounts are exact decimal strings of dollars, times ISO 8601 in UTC.

Amounts are those of the calls with a price. Keys that may grow: readers must ignore what they do not know.

from, to: the span of the calls in whole hours, `to` is not in it; null of calls without times
calls, failed, untimed, estimated: calls in the sums; failed ones; those without a time; with tokens counted by us
input_tokens, cached_tokens, output_tokens: tokens; `cached` ones are part of the input
skipped: rows that could not be read; skipped_rows: the first (file, line, reason); skipped_reasons (reason, rows)
unpriced: calls without a known price; unpriced_reasons (reason, calls); unpriced_models (model, provider, calls)
duplicates, overlap: rows of calls that were there already; calls that stood in more than one log
others, left_out: rows that are no calls; calls outside of --since, --until, --feature
list_usd, savings (strategy, usd, kind), recorded_overhead_usd, paid_usd: list - savings + overhead = paid
saved_usd, adds_up: list - paid; whether the line above holds in every sum
blended_usd_per_mtok: paid for a million tokens, in and out; null of no tokens
days, month_usd: the calls' span in days; what 30 days at this pace cost, null where there is no span
daily: day, calls, list_usd, paid_usd, for days with calls
by_feature, by_model, by_user, by_key, by_team: name, calls, unpriced, list_usd, paid_usd, saved_usd, share (of what is
    paid, null of nothing), input_tokens, output_tokens, daily (day, paid_usd); they sum to the totals; calls without a
    label are "(no tag)" or "(no model)", further labels "(N more)"
advice, by dollars: number (as --explain takes it), strategy, title, how_sure (sure, likely, test first), saves_usd (in
    pipeline order), alone_usd, low_usd, high_usd (null where it is no estimate), bounds (what they are), share (of what
    is paid), calls, evidence, details (sentences), feature, model, candidates (model, provider, cost_usd, saves_usd,
    flags), examples
overhead_usd, together_usd, sure_usd: our own cost; what all advice saves after it; what the sure advice saves
logged_usd, logged_calls, logged_paid_usd: what logs say some calls cost, and our prices; null where they say nothing
flags: what to know of prices -> calls
logs: path, format, title, bytes, trouble (why not read to its end), same_as, preview (of columns), missing (untold)
outliers: call, times (the usual cost), over_usd (above it), reason
repetitions: kind (retry, loop), where, calls (after the first), paid_usd, reason, example
answers: feature, calls, p50, p90, p99, longest (tokens), truncated (calls)
prompt_cache: input_tokens, cached_tokens, written_tokens, reusable_tokens, known_calls (whose prompt is kept), breaks
    (feature, calls, of, at_byte, same_bytes, example)
sample: calls, of, paid_usd, low_usd, high_usd (95 % interval) of all; null where all calls were read
missing: sentences on what these logs cannot tell
ttl_seconds: how long an exact repeat may be answered from store

A call or example: file, line, time, feature, model, input_tokens, output_tokens, paid_usd, text (null if not asked).
"""

from __future__ import annotations

from typing import Any

from scrimp.audit.report import Example, Report
from scrimp.call import usd
from scrimp.report.json import each_text, fraction, group, told, written
from scrimp.report.json import tree as spend_tree
from scrimp.report.numbers import Group

TABLES = ("feature", "model", "user", "key", "team")
KEYS = {
    "Log": "path format title bytes=size trouble same_as preview missing",
    "Advice": "strategy title how_sure=sure saves_usd=saves alone_usd=alone low_usd=low high_usd=high bounds"
    " share=saves calls evidence details feature model candidates examples",
    "Candidate": "model provider cost_usd=cost saves_usd=saves flags",
    "Example": "file line time=at feature model input_tokens=input output_tokens=output paid_usd=paid text",
    "Outlier": "call times over_usd=over reason",
    "Repetition": "kind where calls paid_usd=paid reason example",
    "Answers": "feature calls p50 p90 p99 longest truncated",
    "Prefixes": "input_tokens=input cached_tokens=cached written_tokens=written reusable_tokens=reusable"
    " known_calls=known breaks",
    "Break": "feature calls of at_byte=at same_bytes=same example",
    "Sampled": "calls of paid_usd=paid low_usd=low high_usd=high",
}
"""Struct of what was found -> its keys, each `key` or `key=field`."""


def render(report: Report) -> str:
    """The report as indented JSON. Half surrogate pairs, as file names may hold, are shown as question marks."""
    return written(each_text(tree(report), lambda text: text.encode("utf-8", "replace").decode()))


def tree(report: Report) -> dict[str, Any]:
    """The report as plain data, keys as in the module's docstring."""
    sums = spend_tree(report.spend)
    sums["recorded_overhead_usd"] = sums.pop("overhead_usd")
    del sums["by"], sums["groups"]
    tables: dict[str, list[Group]] = {table.by: table.groups for table in report.spend.tables}
    advice = [
        {"number": number, **plain(one), "share": fraction(one.saves, report.paid_nano)}
        for number, one in enumerate(report.advice, 1)
    ]
    return {
        **sums,
        **_counts(report),
        **{f"by_{by}": [group(report.spend, row) for row in tables.get(by, [])] for by in TABLES},
        "advice": advice,
        **told(report, "overhead_usd=overhead together_usd=avoidable sure_usd=surely"),
        **plain(told(report, "logs outliers repetitions answers prompt_cache=prefixes sample=sampled missing")),
    }


def _counts(report: Report) -> dict[str, Any]:
    logged = told(report, "logged_usd=logged logged_calls logged_paid_usd=logged_paid")
    if not report.logged_calls:
        logged.update(logged_usd=None, logged_paid_usd=None)
    return {
        **told(report, "untimed skipped"),
        "skipped_rows": _rows(report.skipped_rows, "file", "line", "reason"),
        "skipped_reasons": _rows(report.skipped_reasons, "reason", "rows"),
        "unpriced_reasons": _rows(report.unpriced_reasons, "reason", "calls"),
        **told(report, "duplicates overlap others left_out=left"),
        "blended_usd_per_mtok": None if report.blended is None else usd(round(report.blended * 10**9)),
        "days": round(report.days, 6),
        "month_usd": None if report.month is None else usd(report.month),
        **logged,
        "flags": report.flags,
        "ttl_seconds": report.ttl / 10**9,
    }


def _rows(rows: list[Any], *keys: str) -> list[dict[str, Any]]:
    return [dict(zip(keys, row, strict=True)) for row in rows]


def plain(found: Any) -> Any:
    """What was found as plain data: structs by their KEYS, fractions to three decimals."""
    if isinstance(found, list):
        return [plain(part) for part in found]
    if isinstance(found, dict):
        return {key: plain(part) for key, part in found.items()}
    if keys := KEYS.get(type(found).__name__):
        return plain({**told(found, keys), **({"text": found.text or None} if isinstance(found, Example) else {})})
    return round(found, 3) if isinstance(found, float) else found
