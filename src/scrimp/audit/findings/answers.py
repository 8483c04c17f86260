"""How long the answers of each feature are, and how many were cut at a limit: what a cap on output has to allow for.

Quantiles are exact, by nearest rank: the p90 is the shortest answer that at least 90 % of the answers do not exceed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from scrimp.audit.report import Answers
from scrimp.audit.work import Work

MOST_FEATURES = 20
QUANTILES = (50, 90, 99)
CUT = ("length", "max_tokens", "max_output_tokens", "model_length", "model_context_window_exceeded")
"""How providers say that an answer was cut at a limit, in lower case: OpenAI; Anthropic and Gemini; OpenAI's Responses;
Mistral; Anthropic where the context was full."""
IS_CUT = f"lower(finish) IN {CUT}"
"""The same, of a row of calls in SQL."""
_ANSWERED = (
    "aggregate = 0 AND error = '' AND status < 300 AND basis <> 'none'"
    " AND api NOT IN ('openai.embeddings', 'anthropic.count_tokens')"
)
_LARGEST = f"""
SELECT feature, COUNT(*) FROM calls WHERE {_ANSWERED} GROUP BY 1 HAVING MAX(output_total) > 0 ORDER BY 2 DESC, 1 LIMIT ?
"""


def find(work: Work) -> list[Answers]:
    """The answers of the features with most of them; what failed, sums, and calls without token counts have no part."""
    calls = dict(work.rows(_LARGEST, (MOST_FEATURES,)))
    names = ", ".join("?" * len(calls))
    rows = work.rows(
        f"SELECT feature, output_total, COUNT(*), SUM({IS_CUT}) FROM calls"
        f" WHERE {_ANSWERED} AND feature IN ({names}) GROUP BY 1, 2 ORDER BY 1, 2",
        list(calls),
    )
    found = [_answers(feature, calls[feature], lengths) for feature, lengths in groupby(rows, lambda row: row[0])]
    return sorted(found, key=lambda one: (-one.calls, one.feature))


def _answers(feature: str, calls: int, lengths: Iterator[Sequence[Any]]) -> Answers:
    """`lengths`: (feature, tokens, answers, cut ones), shortest first."""
    ranks = [(calls * quantile + 99) // 100 for quantile in QUANTILES]
    reached: list[int] = []
    passed = cut = longest = 0
    for _, longest, answers, cut_ones in lengths:
        passed += answers
        cut += cut_ones
        while len(reached) < len(ranks) and passed >= ranks[len(reached)]:
            reached.append(longest)
    p50, p90, p99 = reached
    return Answers(feature, calls, p50, p90, p99, longest, cut)
