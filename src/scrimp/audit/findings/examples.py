"""Calls that stand as examples behind a number, with the log and the line that they are from."""

from __future__ import annotations

import json
from collections.abc import Sequence

from scrimp.audit.report import Example
from scrimp.audit.work import Work

MOST_EXAMPLES = 3
_CALLS = """
SELECT COALESCE(f.path, ''), c.line, c.at, c.feature, c.model, c.input_total, c.output_total, c.paid
FROM json_each(?) AS asked CROSS JOIN calls AS c ON c.id = asked.value LEFT JOIN files AS f ON f.number = c.file
ORDER BY asked.key
"""


def examples(work: Work, ids: Sequence[int]) -> list[Example]:
    """The calls with these ids, in this order; an id without a call is left out."""
    return [Example(*call) for call in work.rows(_CALLS, (json.dumps(ids),))]
