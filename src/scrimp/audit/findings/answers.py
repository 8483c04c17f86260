"""How long the answers of each feature are, and how many were cut at a limit: what a cap on output has to allow for.

Quantiles are exact, by nearest rank: the p90 is the shortest answer that at least 90 % of the answers do not exceed.
"""

from __future__ import annotations

from scrimp.audit.report import Answers
from scrimp.audit.work import Work

MOST_FEATURES = 20
CUT = ("length", "max_tokens", "max_output_tokens", "model_length", "model_context_window_exceeded")
"""How providers say that an answer was cut at a limit, in lower case: OpenAI; Anthropic and Gemini; OpenAI's Responses;
Mistral; Anthropic where the context was full."""
IS_CUT = f"lower(finish) IN {CUT}"
"""The same, of a row of calls in SQL."""
_ANSWERS = f"""
WITH lengths AS (
  SELECT feature, output_total AS length, COUNT(*) AS answers, SUM({IS_CUT}) AS cut FROM calls
  WHERE aggregate = 0 AND error = '' AND status < 300 AND basis <> 'none'
    AND api NOT IN ('openai.embeddings', 'anthropic.count_tokens')
  GROUP BY 1, 2
), ranked AS (
  SELECT *, SUM(answers) OVER (PARTITION BY feature ORDER BY length) AS reached,
    SUM(answers) OVER (PARTITION BY feature) AS calls FROM lengths
)
SELECT feature, calls, MIN(length) FILTER (WHERE reached * 2 >= calls),
  MIN(length) FILTER (WHERE reached * 10 >= calls * 9), MIN(length) FILTER (WHERE reached * 100 >= calls * 99),
  MAX(length), SUM(cut)
FROM ranked GROUP BY feature HAVING MAX(length) > 0 ORDER BY calls DESC, feature LIMIT {MOST_FEATURES}
"""


def find(work: Work) -> list[Answers]:
    """The answers of the features with most of them; what failed, sums, and calls without token counts have no part."""
    return [Answers(*row) for row in work.rows(_ANSWERS)]
