"""The audit as one JSON object with stable keys. Amounts are exact decimal strings of dollars, times ISO 8601 in UTC.

Amounts are those of the calls with a price. Keys that may grow: readers must ignore what they do not know.

from, to              the span of the calls, whole hours; `to` is not in it; null of calls without times
calls, failed, untimed, estimated     calls in the sums; failed ones; those without a time; with tokens counted by us
input_tokens, cached_tokens, output_tokens        tokens; `cached` ones are part of the input
skipped               rows that could not be read; skipped_rows: the first of them (file, line, reason);
                      skipped_reasons: reason, rows
unpriced              calls without a known price; unpriced_reasons: reason, calls; unpriced_models: model, provider,
                      calls
duplicates, overlap   rows of calls that were there already; calls that stood in more than one log
others, left_out      rows that are no calls; calls outside of --since, --until, --feature
list_usd, savings (strategy, usd, kind), recorded_overhead_usd, paid_usd      list - savings + overhead = paid
saved_usd, adds_up    list - paid; whether the line above holds in every sum
blended_usd_per_mtok  paid for a million tokens, in and out; null of no tokens
days, month_usd       the calls' span in days; what 30 days at this pace cost, null where there is no span
daily                 day, calls, list_usd, paid_usd, for days with calls
by_feature, by_model, by_user, by_key, by_team    name, calls, unpriced, list_usd, paid_usd, saved_usd, share (of what
                      is paid, null of nothing), input_tokens, output_tokens, daily (day, paid_usd); they sum to the
                      totals; calls without a label are "(no tag)" or "(no model)", further labels "(N more)"
advice                by dollars: number (as --explain takes it), strategy, title, how_sure (sure, likely, test first),
                      saves_usd (in pipeline order), alone_usd, low_usd, high_usd (null where it is no estimate), bounds
                      (what they are), share (of what is paid), calls, evidence, details (sentences), feature, model,
                      candidates (model, provider, cost_usd, saves_usd, flags), examples
overhead_usd, together_usd, sure_usd      our own cost; what all advice saves after it; what the sure advice saves
logged_usd, logged_calls, logged_paid_usd     what the logs say some calls cost, and what they cost by our prices;
                      null where they say nothing
flags                 what to know of prices -> calls
logs                  path, format, title, bytes, trouble (why it was not read to its end), same_as, preview (columns as
                      they are understood), missing (what such logs cannot tell)
outliers              call, times (the usual cost), over_usd (above it), reason
repetitions           kind (retry, loop), where, calls (after the first), paid_usd, reason, example
answers               feature, calls, p50, p90, p99, longest (tokens), truncated (calls)
prompt_cache          input_tokens, cached_tokens, written_tokens, reusable_tokens, known_calls (whose prompt is kept),
                      breaks (feature, calls, of, at_byte, same_bytes, example)
sample                calls, of, paid_usd, low_usd, high_usd (95 % interval) of all; null where all calls were read
missing               sentences on what these logs cannot tell
ttl_seconds           how long an exact repeat may be answered from store

A call or example is file, line, time, feature, model, input_tokens, output_tokens, paid_usd, text (null where it was
not asked for).
"""

from __future__ import annotations

from typing import Any

import msgspec

from scrimp.audit.report import Advice, Example, Prefixes, Report, Sampled
from scrimp.audit.show.words import per_million
from scrimp.call import usd
from scrimp.report.json import group
from scrimp.report.json import tree as spend_tree
from scrimp.report.numbers import Group, share
from scrimp.report.times import stamp

TABLES = ("feature", "model", "user", "key", "team")


def render(report: Report) -> str:
    """The report as indented JSON. Half surrogate pairs, as file names may hold, are shown as question marks."""
    return msgspec.json.format(msgspec.json.encode(_whole(tree(report))), indent=2).decode() + "\n"


def tree(report: Report) -> dict[str, Any]:
    """The report as plain data, keys as in the module's docstring."""
    sums = spend_tree(report.spend)
    sums["recorded_overhead_usd"] = sums.pop("overhead_usd")
    del sums["by"], sums["groups"]
    tables: dict[str, list[Group]] = {table.by: table.groups for table in report.spend.tables}
    return {
        **sums,
        **_counts(report),
        **{f"by_{by}": [group(report.spend, row) for row in tables.get(by, [])] for by in TABLES},
        "advice": [_advice(report, number, one) for number, one in enumerate(report.advice, 1)],
        "overhead_usd": usd(report.overhead),
        "together_usd": usd(report.avoidable),
        "sure_usd": usd(report.surely),
        **_findings(report),
    }


def _counts(report: Report) -> dict[str, Any]:
    said = report.logged_calls > 0
    return {
        "untimed": report.untimed,
        "skipped": report.skipped,
        "skipped_rows": [{"file": file, "line": line, "reason": reason} for file, line, reason in report.skipped_rows],
        "skipped_reasons": [{"reason": reason, "rows": rows} for reason, rows in report.skipped_reasons],
        "unpriced_reasons": [{"reason": reason, "calls": calls} for reason, calls in report.unpriced],
        "duplicates": report.duplicates,
        "overlap": report.overlap,
        "others": report.others,
        "left_out": report.left,
        "blended_usd_per_mtok": None if report.blended is None else usd(per_million(report)),
        "days": round(report.days, 6),
        "month_usd": _usd(report.month),
        "logged_usd": usd(report.logged) if said else None,
        "logged_calls": report.logged_calls,
        "logged_paid_usd": usd(report.logged_paid) if said else None,
        "flags": report.flags,
        "ttl_seconds": report.ttl / 10**9,
    }


def _findings(report: Report) -> dict[str, Any]:
    return {
        "logs": [
            {
                "path": log.path,
                "format": log.format,
                "title": log.title,
                "bytes": log.size,
                "trouble": log.trouble,
                "same_as": log.same_as,
                "preview": log.preview,
                "missing": list(log.missing),
            }
            for log in report.logs
        ],
        "outliers": [
            {"call": _call(row.call), "times": round(row.times, 3), "over_usd": usd(row.over), "reason": row.reason}
            for row in report.outliers
        ],
        "repetitions": [
            {
                "kind": row.kind,
                "where": row.where,
                "calls": row.calls,
                "paid_usd": usd(row.paid),
                "reason": row.reason,
                "example": _call(row.example),
            }
            for row in report.repetitions
        ],
        "answers": [msgspec.to_builtins(row) for row in report.answers],
        "prompt_cache": _prompt_cache(report.prefixes),
        "sample": None if report.sampled is None else _sample(report.sampled),
        "missing": report.missing,
    }


def _prompt_cache(found: Prefixes) -> dict[str, Any]:
    return {
        "input_tokens": found.input,
        "cached_tokens": found.cached,
        "written_tokens": found.written,
        "reusable_tokens": found.reusable,
        "known_calls": found.known,
        "breaks": [
            {
                "feature": row.feature,
                "calls": row.calls,
                "of": row.of,
                "at_byte": row.at,
                "same_bytes": row.same,
                "example": _call(row.example),
            }
            for row in found.breaks
        ],
    }


def _sample(found: Sampled) -> dict[str, Any]:
    return {
        "calls": found.calls,
        "of": found.of,
        "paid_usd": usd(found.paid),
        "low_usd": usd(found.low),
        "high_usd": usd(found.high),
    }


def _advice(report: Report, number: int, one: Advice) -> dict[str, Any]:
    part = share(one.saves, report.paid_nano)
    return {
        "number": number,
        "strategy": one.strategy,
        "title": one.title,
        "how_sure": one.sure,
        "saves_usd": usd(one.saves),
        "alone_usd": usd(one.alone),
        "low_usd": _usd(one.low),
        "high_usd": _usd(one.high),
        "bounds": one.bounds,
        "share": None if part is None else round(part, 6),
        "calls": one.calls,
        "evidence": one.evidence,
        "details": one.details,
        "feature": one.feature,
        "model": one.model,
        "candidates": [
            {
                "model": row.model,
                "provider": row.provider,
                "cost_usd": usd(row.cost),
                "saves_usd": usd(row.saves),
                "flags": list(row.flags),
            }
            for row in one.candidates
        ],
        "examples": [_call(row) for row in one.examples],
    }


def _call(one: Example) -> dict[str, Any]:
    return {
        "file": one.file,
        "line": one.line,
        "time": None if one.at is None else stamp(one.at),
        "feature": one.feature,
        "model": one.model,
        "input_tokens": one.input,
        "output_tokens": one.output,
        "paid_usd": usd(one.paid),
        "text": one.text or None,
    }


def _usd(nano: int | None) -> str | None:
    return None if nano is None else usd(nano)


def _whole(value: Any) -> Any:
    """Plain data of text that UTF-8 can hold."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, list):
        return [_whole(part) for part in value]
    if isinstance(value, dict):
        return {_whole(name): _whole(part) for name, part in value.items()}
    return value
