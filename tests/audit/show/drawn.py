"""Reports to draw: a fixed one of an invented team, and whatever hypothesis makes of one, hostile labels included."""

from __future__ import annotations

from hypothesis import strategies as st

from scrimp.audit.reading import Log
from scrimp.audit.report import (
    Advice,
    Answers,
    Break,
    Candidate,
    Example,
    Outlier,
    Prefixes,
    Repetition,
    Report,
    Sampled,
)
from scrimp.report.numbers import Report as Spend
from scrimp.report.numbers import gather
from scrimp.store.base import HOUR, Rollup

NANO = 10**9
FIRST_OF_NOVEMBER = 1_793_491_200_000_000_000
HOSTILE = "\x1b[31mred\x1b[0m\u202e<script>|`@team"
TABLES = ("feature", "model", "user", "key", "team")


def example(line: int, **fields: object) -> Example:
    """A call in the team's log."""
    told = {"at": FIRST_OF_NOVEMBER + line * HOUR, "feature": "classify", "model": "gpt-5", "input": 1842,
            "output": 211, "paid": 13_900_000, **fields}  # fmt: skip
    return Example("logs/november.jsonl.gz", line, **told)


def spend() -> Spend:
    """What the team spent in three days: five features, two models, one of them without a price."""

    def cell(day: int, feature: str, model: str, calls: int, dollars: float, **fields: object) -> Rollup:
        paid = round(dollars * NANO)
        told = {"list_nano": paid, "input_tokens": calls * 1800, "output_tokens": calls * 210, **fields}
        return Rollup(hour=(20_758 + day) * 24 + 9, feature=feature, model=model, provider="openai", calls=calls,
                      paid_nano=paid, **told)  # fmt: skip

    cache = ("provider_cache", "measured")
    return gather(
        [
            cell(0, "support-chat", "gpt-5", 40_118, 70.30, user="u-22", failed=12),
            cell(1, "support-chat", "gpt-5", 41_002, 81.00, list_nano=91 * NANO, cached_tokens=9_000_000,
                 savings={cache: 10 * NANO}),
            cell(1, "doc-search", "gpt-5", 31_940, 98.40, user="u-09"),
            cell(2, "classify", "gpt-5-mini", 388_002, 92.75),
            cell(2, HOSTILE, "gpt-5-mini", 8_350, 58.10, user="u-381"),
            cell(2, "", "house-model", 312, 0, unpriced=312),
            cell(2, "", "gpt-5-mini", 1_921, 12.35),
        ],
        TABLES,
    )  # fmt: skip


def advice() -> list[Advice]:
    """What the team might change."""
    return [
        Advice(
            "route", "Try gpt-5-mini for support-chat", "test first", 84_104_000_000, 90_000_000_000, 81_120,
            "61% answers < 300 tok",
            details=["Priced with the same token counts and answers of the same length."],
            examples=[example(1), example(2, paid=2_100_000, text="Where is\nmy parcel?")],
            candidates=[Candidate("gpt-5-mini", "openai", 67_196_000_000, 84_104_000_000, ("deprecated",)),
                        Candidate("gpt-5-nano", "openai", 13_439_200_000, 137_860_800_000)],
            feature="support-chat", model="gpt-5",
        ),
        Advice(
            "prompt_cache", "Keep prefixes stable in doc-search", "likely", 61_203_500_000, 61_203_500_000, 31_940,
            "88% of input is a stable prefix",
            low=40_000_000_000, high=66_100_000_000, bounds="a cache that lives 5 minutes, and one of an hour",
        ),
        Advice("cached", "Serve exact repeats from cache", "sure", 38_404_600_000, 38_404_600_000, 61_815,
               "14.2% repeat within 24 h", examples=[example(9)]),
        Advice("cached", f"Serve repeats of {HOSTILE}", "test first", 50_000, 50_000, 3, "3 repeat"),
    ]  # fmt: skip


def sample() -> Report:
    """The report of the team's log."""
    sums = spend()
    return Report(
        logs=[Log("logs/november.jsonl.gz", "litellm", "LiteLLM spend logs", ("who called",), 1_048_576)],
        spend=sums,
        calls=sums.total.calls,
        failed=12,
        duplicates=40,
        overlap=30,
        left=7,
        others=2,
        skipped=6,
        skipped_rows=[("logs/november.jsonl.gz", line, "no valid JSON") for line in (17, 18, 19, 40)],
        skipped_reasons=[("no valid JSON", 5), ("a negative count of tokens", 1)],
        unpriced_reasons=[("no price for house-model", 312)],
        flags={"earliest-known": 12, "derived:batch": 7, "user": 3},
        logged=400 * NANO,
        logged_calls=500_000,
        logged_paid=412_900_000_000,
        days=2.25,
        month=5_505_333_333_333,
        ttl=24 * HOUR,
        advice=advice(),
        overhead=4_600_000_000,
        outliers=[
            Outlier(example(31, output=31_000, paid=840_000_000), 27.4, 809_000_000, "an answer of 31,000 tokens"),
            Outlier(example(32, feature="", at=None, paid=90_000_000), 3.2, 60_000_000, "a prompt of 90,000 tokens"),
        ],
        repetitions=[
            Repetition("retry", "classify", 1_200, 1_210_000_000, "sent again after 429", example(51)),
            Repetition("loop", HOSTILE, 41, 930_000_000, "the same tool call 42 times", example(52)),
        ],
        answers=[Answers("support-chat", 81_108, 180, 402, 1_900, 31_000, 41), Answers("classify", 388_002, 3, 4, 9, 64, 0)],
        prefixes=Prefixes(900_000_000, 9_000_000, 0, 500_000, 612_000_000,
                          [Break("doc-search", 30_662, 31_940, 213, 4_100, example(61))]),
        missing=["Not told by LiteLLM spend logs: who called."],
    )  # fmt: skip


text = st.text(max_size=30) | st.sampled_from(
    [HOSTILE, "東京の検索" * 8, "a" * 90, "`|*_", "x" * 20 + "\n# h", "(no tag)"]
)
size = st.one_of(st.just(0), st.integers(1, 10**6), st.integers(1, 10**10), st.integers(1, 10**16))
count = st.integers(0, 10**9)
calls_behind = st.builds(
    Example, text, st.integers(1, 10**9), st.none() | st.integers(0, 2 * 10**18), text, text, count, count, size, text
)
candidates = st.builds(Candidate, text, text, size, size, st.lists(text, max_size=2).map(tuple))


@st.composite
def advices(draw: st.DrawFn, paid: int) -> Advice:
    """One advice for what cost `paid`; its bounds are around what it saves, or absent."""
    saves = draw(st.integers(1, max(1, paid)))
    low, high = draw(st.sampled_from([(None, None), (saves // 2, saves * 2)]))
    return Advice(
        draw(st.sampled_from(["cached", "route", "prompt_cache", "else"])), draw(text),
        draw(st.sampled_from(["sure", "likely", "test first"])), saves, draw(size), draw(count), draw(text),
        draw(st.lists(text, max_size=2)), draw(st.lists(calls_behind, max_size=2)),
        draw(st.lists(candidates, max_size=2)), low, high, draw(text), draw(text), draw(text),
    )  # fmt: skip


@st.composite
def reports(draw: st.DrawFn) -> Report:
    """Any report whose money adds up: list - savings = paid in every cell."""
    cells = []
    for _ in range(draw(st.integers(1, 8))):
        paid, saving, calls = draw(size), draw(size), draw(st.integers(1, 10**6))
        cells.append(
            Rollup(hour=draw(st.integers(490_000, 490_100)), feature=draw(text), user=draw(text), team=draw(text),
                   model=draw(text), provider=draw(text), key=draw(text), calls=calls,
                   unpriced=0 if paid or saving else draw(st.sampled_from([0, calls])),
                   input_tokens=draw(count), output_tokens=draw(count), list_nano=paid + saving, paid_nano=paid,
                   savings={("provider_cache", "measured"): saving} if saving else {})
        )  # fmt: skip
    sums = gather(cells, TABLES)
    rows = sorted(draw(st.lists(advices(sums.total.paid_nano), max_size=5)), key=lambda one: -one.saves)
    return Report(
        logs=[Log(draw(text), "generic", "CSV or JSON lines", (), draw(count), draw(text), draw(text), draw(text))],
        spend=sums, calls=sums.total.calls, untimed=draw(st.integers(0, 3)), duplicates=draw(count), overlap=draw(count),
        left=draw(count), others=draw(count), skipped=draw(count), advice=rows, overhead=draw(st.integers(0, sums.total.paid_nano)),
        skipped_rows=draw(st.lists(st.tuples(text, count, text), max_size=2)),
        skipped_reasons=draw(st.lists(st.tuples(text, count), max_size=2)),
        unpriced_reasons=draw(st.lists(st.tuples(text, count), max_size=2)),
        flags=draw(st.dictionaries(text, count, max_size=2)), logged=draw(size), logged_calls=draw(count),
        logged_paid=draw(size), days=draw(st.floats(0, 10**4)), month=draw(st.none() | size), ttl=draw(size),
        outliers=draw(st.lists(st.builds(Outlier, calls_behind, st.floats(1, 10**9), size, text), max_size=2)),
        repetitions=draw(st.lists(st.builds(Repetition, st.sampled_from(["retry", "loop"]), text, count, size, text,
                                            calls_behind), max_size=2)),
        answers=draw(st.lists(st.builds(Answers, text, count, count, count, count, count, count), max_size=2)),
        prefixes=Prefixes(draw(count), draw(count), draw(count), draw(count), draw(count),
                          draw(st.lists(st.builds(Break, text, count, count, count, count, calls_behind), max_size=2))),
        sampled=draw(st.none() | st.builds(Sampled, count, count, size, size, size)),
        missing=draw(st.lists(text, max_size=2)), shows_text=draw(st.booleans()),
    )  # fmt: skip
