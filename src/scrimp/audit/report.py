"""What an audit found, as plain data: made once, so that terminal, Markdown, HTML and JSON cannot disagree.

Money is nanodollars, times are ns since the epoch (UTC), tokens and calls are whole numbers. In every sum of `spend`:
list - savings + overhead = paid. What `advice` saves is counted in pipeline order, each row of what the rows before it
left, so the rows add up and are never more than what was paid.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from scrimp.audit.reading import Log
from scrimp.call import usd
from scrimp.report.numbers import Group
from scrimp.report.numbers import Report as Spend

Sure = Literal["sure", "likely", "test first"]


class Example(msgspec.Struct):
    """A call behind a number: where it stands, and what it was. `text` only where it was asked for."""

    file: str
    line: int
    at: int | None = None
    feature: str = ""
    model: str = ""
    input: int = 0
    output: int = 0
    paid: int = 0
    text: str = ""


class Candidate(msgspec.Struct):
    """A cheaper model for a workload: what exactly these calls would have cost on it, at the same token counts."""

    model: str
    provider: str
    cost: int
    saves: int
    flags: tuple[str, ...] = ()


class Advice(msgspec.Struct):
    """One thing to change. `saves` is in pipeline order, `alone` what it would save if nothing else were changed.

    `low` and `high` bound `saves` where it is an estimate, `bounds` says what they are. `evidence` fits a table's cell
    (at most 30 characters); `details` are whole sentences.
    """

    strategy: str
    title: str
    sure: Sure
    saves: int
    alone: int
    calls: int
    evidence: str
    details: list[str] = []
    examples: list[Example] = []
    candidates: list[Candidate] = []
    low: int | None = None
    high: int | None = None
    bounds: str = ""
    feature: str = ""
    model: str = ""

    @property
    def saves_usd(self) -> str:
        """What it saves in dollars as an exact decimal string."""
        return usd(self.saves)


class Outlier(msgspec.Struct):
    """A call that cost `times` what is usual for its feature; `reason` in words, `over` the nanodollars above usual."""

    call: Example
    times: float
    over: int
    reason: str


class Repetition(msgspec.Struct):
    """Calls made again: `kind` "retry" (the same request soon after it failed) or "loop" (one act again and again).

    `calls` are those after the first, `paid` what they cost, `where` the session or feature.
    """

    kind: Literal["retry", "loop"]
    where: str
    calls: int
    paid: int
    reason: str
    example: Example


class Answers(msgspec.Struct):
    """How long a feature's answers are, in tokens, and how many were cut at the limit."""

    feature: str
    calls: int
    p50: int
    p90: int
    p99: int
    longest: int
    truncated: int


class Break(msgspec.Struct):
    """A prompt prefix that changes early: `calls` of a feature left their predecessor at byte `at`, after which `same`
    bytes were the same again, so that a provider's cache could not be used for them."""

    feature: str
    calls: int
    of: int
    at: int
    same: int
    example: Example


class Prefixes(msgspec.Struct):
    """The use of providers' prompt caches. Tokens: `input` in all, `cached` read, `written`; `reusable` might be read.

    `known` is how many calls the log keeps a prompt or its block ids of.
    """

    input: int = 0
    cached: int = 0
    written: int = 0
    known: int = 0
    reusable: int = 0
    breaks: list[Break] = []


class Sampled(msgspec.Struct):
    """That only `calls` of `of` calls were looked at; the estimate of what all of them cost, with its 95 % interval."""

    calls: int
    of: int
    paid: int
    low: int
    high: int


class Report(msgspec.Struct):
    """The whole audit. `calls` are those that `spend` sums; rows read = calls + duplicates + left + skipped, and
    `others` were rows that are no calls.

    `unpriced_reasons`: (reason, calls) of those without a price, in no amount; `flags`: what one should
    know of prices -> calls. `logged` is what the logs themselves say `logged_calls` calls cost, and `logged_paid` what
    scrimp computes for the same calls. `days` is the span in days; `month` what 30 days at this pace cost.
    `missing`: sentences on what these logs cannot tell.
    """

    logs: list[Log]
    spend: Spend
    calls: int = 0
    failed: int = 0
    untimed: int = 0
    duplicates: int = 0
    overlap: int = 0
    left: int = 0
    others: int = 0
    skipped: int = 0
    skipped_rows: list[tuple[str, int, str]] = []
    skipped_reasons: list[tuple[str, int]] = []
    unpriced_reasons: list[tuple[str, int]] = []
    flags: dict[str, int] = {}
    unpriced_tokens: int = 0
    logged: int = 0
    logged_calls: int = 0
    logged_paid: int = 0
    days: float = 0.0
    month: int | None = None
    ttl: int = 0
    advice: list[Advice] = []
    overhead: int = 0
    outliers: list[Outlier] = []
    repetitions: list[Repetition] = []
    answers: list[Answers] = []
    prefixes: Prefixes = msgspec.field(default_factory=Prefixes)
    sampled: Sampled | None = None
    missing: list[str] = []
    shows_text: bool = False

    @property
    def unpriced(self) -> int:
        """Calls without a known price."""
        return self.spend.total.unpriced

    @property
    def list_usd(self) -> str:
        """The list price in dollars as an exact decimal string."""
        return usd(self.list_nano)

    @property
    def paid_usd(self) -> str:
        """What was paid, likewise."""
        return usd(self.paid_nano)

    @property
    def by_feature(self) -> list[Group]:
        """Spend by feature, the dearest first."""
        return self.spend.tables[0].groups

    @property
    def by_model(self) -> list[Group]:
        """Spend by model, the dearest first."""
        return self.spend.tables[1].groups

    @property
    def list_nano(self) -> int:
        """The list price of all calls with a price."""
        return self.spend.total.list_nano

    @property
    def paid_nano(self) -> int:
        """What they cost."""
        return self.spend.total.paid_nano

    @property
    def avoidable(self) -> int:
        """What all advice together saves, after our own cost."""
        return sum(one.saves for one in self.advice) - self.overhead

    @property
    def surely(self) -> int:
        """What the advice that is sure saves."""
        return sum(one.saves for one in self.advice if one.sure == "sure")

    @property
    def examples(self) -> list[Example]:
        """Every example call in the report."""
        rows = [example for one in self.advice for example in one.examples]
        rows += [one.call for one in self.outliers] + [one.example for one in self.repetitions]
        return rows + [one.example for one in self.prefixes.breaks]

    @property
    def blended(self) -> float | None:
        """Dollars paid for a million tokens, in and out, of calls with a price; None of no tokens."""
        total = self.spend.total
        tokens = total.input_tokens + total.output_tokens - self.unpriced_tokens
        return self.paid_nano / 1000 / tokens if tokens else None
