"""Reports of usage in buckets of time, as providers' admin APIs give them, taken apart into their single results.

A page holds buckets, a bucket holds results, or a row has its groups and figures apart; a console's CSV is flat.
Results have no id, so they are known by all that they say: one that two exports have counts once.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from scrimp.audit.entry import BadRecord, Entry
from scrimp.audit.formats.base import Row

TIMES = ("start_time", "end_time", "starting_at", "ending_at")
"""A bucket's own members that its results need."""
MISSING = (
    "what single calls were (outliers, retries, loops, repeats, prompts)",
    "how long single answers are, and how often they are cut",
)
"""What no sum over many calls can tell."""


def entries(row: Row, read: Callable[[Row], Entry | None], kind: str) -> Iterator[Entry]:
    """The entries of a page, a bucket or a single result; `read` gives the one of a result, None where it is empty.

    Results that cannot be read cost only themselves: BadRecord says at the end how many they were.
    """
    reasons: list[str] = []
    seen: Counter[str] = Counter()
    read_so_far = 0
    for result in _results(row):
        read_so_far += 1
        try:
            entry = read(result)
        except BadRecord as error:
            reasons.append(str(error))
            continue
        if entry is not None:
            name = _identity(kind, result)
            seen[name] += 1
            entry.id = f"{name}:{seen[name]}"
            yield entry
    if reasons:
        raise BadRecord(reasons[0] if read_so_far == 1 else f"{len(reasons)} of {read_so_far} results: {reasons[0]}")


def _results(row: Row) -> Iterator[Row]:
    """Each result with its bucket's times in it."""
    times = {name: row[name] for name in TIMES if name in row}
    if "data" in row:
        for bucket in _objects(row["data"], "data"):
            yield from _results(bucket)
    elif "results" in row:
        for result in _objects(row["results"], "results"):
            yield {**times, **result}
    elif isinstance(row.get("group"), dict):
        figures = row.get("usage") or row.get("cost")
        if not isinstance(figures, dict):
            raise BadRecord("it has groups but no figures")
        yield {**row["group"], **figures, **times}
    else:
        yield row


def _objects(found: Any, name: str) -> list[dict[str, Any]]:
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise BadRecord(f"{name}: no list of objects")
    return found


def _identity(kind: str, result: Row) -> str:
    """A name that the same result has in another export.

    Its figures count too: exports of two organizations, or of one filtered in two ways, have the same groups. So a day
    that was not over in one export is another result than the whole day in the next.
    """
    said = "|".join(f"{name}={value}" for name, value in sorted(result.items()))
    return f"{kind}:{hashlib.blake2b(said.encode(errors='replace'), digest_size=12).hexdigest()}"


def is_bucket(row: Row, start: str) -> bool:
    """Whether a row is a bucket whose time is under `start`, or a page of them."""
    held = row.get("data")
    if isinstance(held, list):
        return any(isinstance(bucket, dict) and is_bucket(bucket, start) for bucket in held)
    return start in row and (isinstance(row.get("results"), list) or isinstance(row.get("group"), dict))


def first_result(row: Row) -> Row:
    """The first result of a page or bucket, the row itself where it is one; {} where there is none."""
    for name in ("data", "results"):
        held = row.get(name)
        if isinstance(held, list):
            return next((found for one in held if isinstance(one, dict) and (found := first_result(one))), {})
    figures = row.get("usage") or row.get("cost")
    return figures if "group" in row and isinstance(figures, dict) else row
