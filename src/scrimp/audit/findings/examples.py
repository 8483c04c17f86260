"""Calls that stand as examples behind a number: looked up by their id, with the log and line they are from."""

from __future__ import annotations

from collections.abc import Iterable

from scrimp.audit.report import Example
from scrimp.audit.work import Work

MOST_EXAMPLES = 3
"""Enough to see what is meant."""


def examples(work: Work, ids: Iterable[int]) -> list[Example]:
    """The calls with these ids, in this order; an id without a call is left out."""
    found = (
        work.db.execute(
            "SELECT COALESCE(f.path, ''), c.line, c.at, c.feature, c.model, c.input_total, c.output_total, c.paid"
            " FROM calls AS c LEFT JOIN files AS f ON f.number = c.file WHERE c.id = ?",
            (ident,),
        ).fetchone()
        for ident in ids
    )
    return [Example(*call) for call in found if call is not None]
