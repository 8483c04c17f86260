"""Reports of sums over many calls, as providers' admin APIs and consoles give them, taken apart into single results.

A page holds buckets of time, a bucket holds results; a console's CSV is flat. Results have no id, so they are known by
all that they say: one that two exports have counts once.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from scrimp.audit.entry import BadRecord, Entry
from scrimp.audit.formats.base import Format, Row, Sample, amount, each, text
from scrimp.audit.formats.fields import entries_of, objects

TIMES = ("start_time", "end_time", "starting_at", "ending_at")
"""A bucket's own members that its results need."""
MISSING = (
    "what single calls were (outliers, retries, loops, repeats, prompts)",
    "how long single answers are, and how often they are cut",
)
"""What no sum over many calls can tell."""

ReadResult = Callable[[Row], Entry | None]
"""The entry of a result, None where it is empty."""


def entries(row: Row, read: ReadResult, kind: str) -> Iterator[Entry]:
    """The entries of a page, a bucket or a single result, with ids that begin with `kind`.

    Figures are part of what names a result: exports filtered in two ways have the same groups. So a day that was not
    over in one export is another result than the whole day in the next.
    """
    seen: Counter[str] = Counter()

    def named(result: Row) -> Iterator[Entry]:
        if (entry := read(result)) is not None:
            said = "|".join(f"{name}={value}" for name, value in sorted(result.items()))
            name = f"{kind}:{hashlib.blake2b(said.encode(errors='replace'), digest_size=12).hexdigest()}"
            seen[name] += 1
            entry.id = f"{name}:{seen[name]}"
            yield entry

    return entries_of(_results(row), named, "results")


def _results(row: Row) -> list[Row]:
    """Each result with its bucket's times in it."""
    if "data" in row:
        return [result for bucket in objects(row["data"], "data") for result in _results(bucket)]
    if "results" in row:
        times = {name: row[name] for name in TIMES if name in row}
        return [{**times, **result} for result in objects(row["results"], "results")]
    return [row]


def billed(entry: Entry, value: Any, currency: Any) -> Entry | None:
    """The entry with what was billed, or None where that is nothing. BadRecord where it is no amount of US dollars."""
    if value is None or value == "":
        return None
    entry.logged = amount(value)
    if entry.logged is None:
        raise BadRecord(f"amount: {str(value)[:40]!r} is no amount")
    if text(currency).lower() not in ("", "usd"):
        raise BadRecord(f"its amount is in {text(currency)[:8]}, not in US dollars")
    return entry if entry.logged else None


def kind_of(sample: Sample, starts: tuple[str, ...], is_flat: Callable[[Row], bool], amounts: tuple[str, ...]) -> str:
    """Whether a log is a report of "usage" or, with `amounts` in its results, of "costs"; "" for another log.

    Buckets have their time under one of `starts`; a flat row has too, and is known by `is_flat`.
    """
    rows: Any = sample.rows or (dict.fromkeys(sample.columns, ""),)
    parts = [part for row in rows for part in (row["data"] if isinstance(row.get("data"), list) else [row])]
    names: set[str] = set()
    for part in parts:
        if isinstance(part, dict) and not part.keys().isdisjoint(starts):
            results = part.get("results")
            if isinstance(results, list):
                names.update(part, *(result for result in results if isinstance(result, dict)))
            elif is_flat(part):
                names.update(part)
    return "" if not names else "usage" if names.isdisjoint(amounts) else "costs"


def reports(name: str, title: str, kind: Callable[[Sample], str], read: ReadResult, *lacks: str) -> tuple[Format, ...]:
    """The two formats of a provider's reports, which `kind` tells apart; `lacks` is what its usage cannot tell."""
    missing = {"usage": (*MISSING, *lacks), "costs": ("how many calls and tokens the amounts are for", *MISSING)}

    def of(what: str) -> Format:
        full = f"{title} {what} (API or console)"
        open_ = each(lambda row: entries(row, read, name))
        return Format(f"{name}_{what}", full, lambda sample: kind(sample) == what, open_, missing=missing[what])

    return of("usage"), of("costs")
