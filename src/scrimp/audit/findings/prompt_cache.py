"""Providers' prompt caches: how far they are used, which prompts break their own prefix, what stable ones would save.

The caches are played through over all calls (prompt_caches.py), into a table of what each call could have saved. Each
feature at a model then gets the way to cache that nets most of those that somebody can follow; what loses money at it
is no advice. All of it is estimated: nobody knows what a provider really kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from scrimp.audit.cache_rules import MINUTE, Rule
from scrimp.audit.findings.examples import examples
from scrimp.audit.findings.prefix_breaks import breaks, told
from scrimp.audit.findings.prefix_claims import (
    MENDED,
    REPEATED,
    Load,
    Rest,
    claim,
    dearest,
    dearest_of_rest,
    play,
    rest,
    top,
)  # fmt: skip
from scrimp.audit.prompt_caches import rule_of
from scrimp.audit.reading import Wanted
from scrimp.audit.report import Advice, Break, Prefixes
from scrimp.audit.work import Work
from scrimp.report.money import dollars
from scrimp.world import World

MOST_WORKLOADS = 5
"""Workloads with a row of their own."""
_KEPT = "(prompt > 0 OR length(prefix) > 0)"


class Place(NamedTuple):
    """Where a workload's calls went; `moved` is where an advice moves them, "provider/model" or ""."""

    feature: str
    provider: str
    model: str
    price_model: str
    moved: str


def advise(work: Work, world: World, wanted: Wanted) -> list[Advice]:
    """What stable prefixes would have saved, by workload; lowers `left` of each call by what is claimed of it."""
    if not play(work, world):
        return []
    loads = [(load, _place(work, load)) for load in top(work, MOST_WORKLOADS)]
    broken = {found.feature: found for found in breaks(work, [place.feature for _, place in loads])}
    advice = [_advice(work, world, load, place, broken.get(place.feature)) for load, place in loads]
    titles = Counter(one.title for one in advice)
    for one in advice:
        if titles[one.title] > 1:
            one.title += f" ({one.model})"
    others = rest(work, MOST_WORKLOADS)
    if others.workloads:
        advice.append(_others(work, others))
    claim(work)
    return advice


def _place(work: Work, load: Load) -> Place:
    found = work.one("SELECT feature, provider, model, price_model, moved FROM calls WHERE id = ?", (load.call,))
    return Place(*found)


def find(work: Work) -> Prefixes:
    """How far prompt caches are used, and prompts that break their own prefix. `reusable`: only after `advise`."""
    found = work.one(
        "SELECT COALESCE(SUM(input_total), 0), COALESCE(SUM(cached), 0), COALESCE(SUM(written + written_1h), 0),"
        f" COALESCE(SUM(aggregate = 0 AND {_KEPT}), 0) FROM calls"
    )
    total, cached, written, known = found
    played = work.db.execute("SELECT 1 FROM sqlite_temp_master WHERE name = 'readable'").fetchone()
    reusable = cached + work.one("SELECT tokens FROM temp.readable")[0] if played else 0
    return Prefixes(total, cached, written, known, reusable, breaks(work))


def missing(work: Work) -> str:
    """What the logs do not tell of prompt caches; "" where every call keeps its prompt and its time."""
    calls, known, timed = work.one(
        f"SELECT COUNT(*), COALESCE(SUM({_KEPT}), 0), COALESCE(SUM({_KEPT} AND at IS NOT NULL), 0)"
        " FROM calls WHERE aggregate = 0"
    )
    if not calls:
        return "Stable prompt prefixes cannot be told: these logs hold sums, no single calls."
    if not known:
        return "Stable prompt prefixes cannot be told: these logs keep no prompts."
    if not timed:
        return "What prompt caching would have saved cannot be told: these logs keep no times."
    if timed < calls:
        return f"Prompt caching is computed for the {timed:,} of {calls:,} calls that keep their prompt and their time."
    return ""


def _advice(work: Work, world: World, load: Load, place: Place, found: Break | None) -> Advice:
    priced = place.moved or place.price_model
    rule = rule_of(world.book, place.provider, place.model, priced)
    assert rule is not None  # it was played by one
    reads = load.reads + (load.fixed if load.way == MENDED else 0)
    evidence = f"{reads / max(1, load.total):.0%} of input: stable prefix"
    if load.way == MENDED and found is not None:
        evidence = f"breaks at byte {found.at:,} in {found.calls / found.of:.0%}"
    details = list(_details(load, rule, place.moved))
    if found is not None:
        details.append(told(found))
    return Advice(
        strategy="prompt_cache",
        title=_title(load, place.feature, priced),
        sure="test first" if load.way == MENDED else "likely",
        saves=load.saves,
        alone=load.alone,
        calls=load.breaking if load.way == MENDED else load.reading,
        evidence=evidence,
        details=details,
        examples=examples(work, dearest(work, load.load)),
        low=load.low,
        high=load.high,
        bounds=_bounds(load, rule),
        feature=place.feature,
        model=priced,
    )


def _title(load: Load, feature: str, priced: str) -> str:
    what = "Mark stable prefixes" if load.asked else "Reuse stable prefixes"
    what = "Stop breaking the prefix" if load.way == MENDED else what
    return f"{what}{' of ' if feature else ''}{feature} on {priced.partition('/')[2]}"


def _details(load: Load, rule: Rule, moved: str) -> Iterator[str]:
    more = load.fixed + load.more if load.way == MENDED else load.more
    yield (
        f"{load.breaking if load.way == MENDED else load.reading:,} of {load.calls:,} calls could have read"
        f" {more:,} tokens more from {rule.maker}'s cache than they did, of {load.total:,} in all."
    )
    yield rule.how
    if load.way == MENDED:
        unmended = max(load.everything, load.repeated)
        without = f"saves ${dollars(unmended)}" if unmended > 0 else "saves nothing"
        yield f"Counted as if what changes stood at the end of the prompt; as it is, caching it {without}."
    elif load.asked and load.way == REPEATED:
        whole = f"saves ${dollars(load.everything)}" if load.everything > 0 else f"costs ${dollars(-load.everything)}"
        yield (
            f"Counted with marks on what came before within {span(rule.short)}, its writes included; marking all of"
            f" every prompt {whole}."
        )
    elif load.asked:
        yield "Counted with all of every prompt marked, its writes included."
    if load.asked and rule.long != rule.short:
        best = max(load.everything_long, load.repeated_long)
        if load.way != MENDED and best > load.saves:
            yield (
                f"Kept {span(rule.long)} instead of {span(rule.short)}, at the price of such writes, it saves"
                f" ${dollars(best)}."
            )
    if not load.asked and load.reads == load.more and load.way != MENDED:
        yield "These calls show no token read from a cache: check that the log keeps that count before acting on this."
    if moved:
        yield f"Counted on {moved}, where the advice before this one moves these calls."


def _bounds(load: Load, rule: Rule) -> str:
    if load.way == MENDED:
        return "left as it is; what changes moved to the end"
    if load.asked:
        return "all of every prompt marked; only what is read again"
    return f"kept {span(rule.short)} after the last use; kept {span(rule.long)}"


def span(milliseconds: int) -> str:
    """A life: "5 min", "2 h"."""
    minutes = milliseconds // MINUTE
    return f"{minutes} min" if minutes % 60 else f"{minutes // 60} h"


def _others(work: Work, others: Rest) -> Advice:
    """One row for all workloads that have none of their own."""
    return Advice(
        strategy="prompt_cache",
        title=f"Reuse prefixes of {others.workloads:,} other workload{'s' if others.workloads > 1 else ''}",
        sure="test first" if others.mended else "likely",
        saves=others.saves,
        alone=others.alone,
        calls=others.calls,
        evidence=f"{others.reads / max(1, others.total):.0%} of input: stable prefix",
        details=[f"{others.workloads:,} features at models that save less each, counted as the ones above."],
        examples=examples(work, dearest_of_rest(work, MOST_WORKLOADS)),
        low=others.low,
        high=others.high,
        bounds="as of each workload",
    )
