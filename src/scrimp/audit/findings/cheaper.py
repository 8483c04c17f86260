"""The cheaper models that heavy workloads could be tried on, with what exactly their calls would have cost there.

A workload is a feature on a model. All of its calls move or none: a router decides by the kind of task, before anybody
knows what a call will cost; so a call that is dearer on the new model counts as that.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from scrimp.audit.findings.candidates import Name, Stand, current, fitting, nearest, read_name, short, thin
from scrimp.audit.findings.examples import MOST_EXAMPLES, examples
from scrimp.audit.findings.repricing import COLUMNS, Lump, cost_sql, estimate, lumps, offers
from scrimp.audit.reading import Wanted
from scrimp.audit.report import Advice, Candidate
from scrimp.audit.work import Work
from scrimp.call import NANO
from scrimp.prices.book import Book
from scrimp.prices.table import DAY
from scrimp.report.money import dollars
from scrimp.world import World

MOST_WORKLOADS = 8
LEAST_SHARE = 100
"""A workload is heavy from one part in so many of all that is left to be saved."""
CHEAPER = 0.9
"""A candidate costs at most this part of what was paid, and of what the calls would cost today where they are."""
SHORT_ANSWER = 300
_SINGLE = "aggregate = 0 AND unpriced = '' AND paid > 0"
_HEAVIEST = f"""
SELECT feature, price_model, MAX(input_total + output_total) FROM calls WHERE {_SINGLE}
GROUP BY 1, 2 HAVING SUM(left) > 0 AND SUM(left) * {LEAST_SHARE} >= (SELECT SUM(left) FROM calls WHERE {_SINGLE})
ORDER BY SUM(left) DESC, 1, 2
"""
_COPY = f"""
CREATE TEMP TABLE heavy AS WITH w AS MATERIALIZED (
  SELECT key AS number, json_extract(value, '$[0]') AS feature, json_extract(value, '$[1]') AS model FROM json_each(?)
) SELECT c.id, w.number, c.at, c.file, c.line, c.tier, {", ".join(COLUMNS.values())}, c.more, c.input_total AS size,
  c.output_total AS answer, c.paid, c.left
FROM calls AS c CROSS JOIN w ON w.feature = c.feature AND w.model = c.price_model WHERE {_SINGLE} ORDER BY c.id
"""
_FACTS = f"""
SELECT SUM(paid), SUM(left > 0), SUM(left), SUM(size * (left > 0)), SUM(answer * (left > 0)),
  SUM(answer < {SHORT_ANSWER} AND left > 0) FROM
"""


class Workload(msgspec.Struct):
    """A feature's calls to one model of the price list, and the models that might take them, as (provider, model).

    `rows`: the calls, as a FROM clause. `today`: what all would cost where they are, on `day`; None where that has no
    price any more. From `calls` on: only what has something left; `brief`: its short answers.
    """

    rows: str
    feature: str
    place: tuple[str, str]
    name: Name
    takers: list[tuple[str, str]]
    day: int
    lumps: list[Lump] = []
    today: int | None = None
    paid: int = 0
    calls: int = 0
    left: int = 0
    input: int = 0
    answer: int = 0
    brief: int = 0


def advise(work: Work, world: World, wanted: Wanted) -> list[Advice]:
    """A cheaper model for each heavy workload that has one, dearest workload first; lowers `left`, sets `moved`.

    `saves` is what the one to try first saves of what is `left` (where a call was saved in part, in that proportion);
    `candidates` are all, dearest first, at the same token counts and today's prices.
    """
    workloads = _workloads(work, world.book)
    work.db.execute("DROP TABLE IF EXISTS temp.heavy")
    work.db.execute(_COPY, (json.dumps([(one.feature, "/".join(one.place)) for one in workloads]),))
    advice = [found for one in workloads if (found := _advise(work, world.book, one)) is not None]
    work.db.execute("DROP TABLE temp.heavy")
    titles = Counter(found.title for found in advice)
    for found in advice:
        if titles[found.title] > 1:
            found.title += f" (now {short(found.model)})"
    return advice


def _workloads(work: Work, book: Book) -> list[Workload]:
    """The heaviest that some model might take, heaviest first."""
    found: list[Workload] = []
    day = time.time_ns() // DAY * DAY
    for feature, price_model, largest in work.rows(_HEAVIEST):
        provider, _, model = price_model.partition("/")
        seller, bare = provider, model
        if provider == "user":
            seller, _, bare = model.rpartition("/")
            seller = seller or book.owner(bare)
        name = read_name(bare)
        takers = fitting(book, name, seller, largest)
        if takers:
            rows = f"temp.heavy WHERE number = {len(found)}"
            found.append(Workload(rows, feature, (provider, model), name, takers, day))
    return found[:MOST_WORKLOADS]


def _advise(work: Work, book: Book, one: Workload) -> Advice | None:
    tiers = [tier for (tier,) in work.rows(f"SELECT DISTINCT tier FROM {one.rows} ORDER BY 1")]
    now, there = list(offers(book, [one.place], tiers)), list(offers(book, one.takers, tiers))
    one.lumps = lumps(work, one.rows, [*now, *there], one.day)
    one.paid, one.calls, one.left, one.input, one.answer, one.brief = work.one(_FACTS + one.rows)
    today = estimate(now[0], one.lumps, one.day) if now else None
    one.today = today[0] if today else None
    most = CHEAPER * min(one.paid, one.paid if one.today is None else one.today)
    costs = ((model, estimate(model, one.lumps, one.day)) for model in there)
    stands = current(Stand(read_name(model.model), model, *cost) for model, cost in costs if cost and cost[0] <= most)
    if not one.left or not stands:
        return None
    makers = [stand for stand in stands if stand.name.family == one.name.family]
    servers = [stand for stand in stands if stand.name.family != one.name.family]
    first = nearest(makers or servers, one.paid, one.name)
    chosen = [*(thin(makers, first) if makers else ()), *servers]
    _price(work, one, chosen)
    # no integer: SQLite goes on in floating point where a price is larger than its integers
    chosen = [stand for stand in chosen if isinstance(stand.cost, int) and stand.of_left <= one.left * CHEAPER]
    if first not in chosen:
        return None
    cost = _of_left(cost_sql(first.offer, one.lumps, one.day))
    work.db.execute(
        "UPDATE calls SET left = there.cost, moved = ?"
        f" FROM (SELECT id, {cost} AS cost FROM {one.rows} AND left > 0) AS there WHERE calls.id = there.id",
        (f"{first.offer.provider}/{first.offer.model}",),
    )
    return _told(work, one, chosen, first)


def _price(work: Work, one: Workload, stands: list[Stand]) -> None:
    """Price every call on each of them, and what is left of it."""
    costs = [cost_sql(stand.offer, one.lumps, one.day) for stand in stands]
    columns = ", ".join(f"{cost} AS c{number}" for number, cost in enumerate(costs))
    sums = ", ".join(f"SUM(c{number}), SUM({_of_left(f'c{number}')})" for number in range(len(costs)))
    found = work.one(f"SELECT {sums} FROM (SELECT paid, left, {columns} FROM {one.rows})")
    for number, stand in enumerate(stands):
        stand.cost, stand.of_left = found[2 * number : 2 * number + 2]


def _of_left(cost: str) -> str:
    """A call's cost on another model, in place of what is left of it: as much as the same part of it would cost."""
    return f"CASE WHEN left = paid THEN {cost} ELSE CAST(ROUND(1.0 * {cost} * left / paid) AS INTEGER) END"


def _told(work: Work, one: Workload, stands: list[Stand], pick: Stand) -> Advice:
    title = f"Try {short(pick.offer.model)} for {one.feature or 'untagged calls'}"
    saves, alone = one.left - pick.of_left, max(one.paid - pick.cost, 0)
    part = 100 * one.brief // one.calls
    mean = one.answer // one.calls
    evidence = f"{part}% answers < {SHORT_ANSWER} tok" if part >= 50 else f"mean answer {mean:,} tokens"
    dearest = f"SELECT id FROM {one.rows} AND left > 0 ORDER BY left DESC, at, file, line, id LIMIT {MOST_EXAMPLES}"
    shown = examples(work, [ident for (ident,) in work.rows(dearest)])
    found = Advice("route", title, "test first", saves, alone, one.calls, evidence, list(_details(one, pick)), shown)
    found.feature, found.model = one.feature, one.place[1]
    found.candidates = [
        Candidate(stand.offer.model, stand.offer.provider, stand.of_left, one.left - stand.of_left, stand.flags)
        for stand in sorted(stands, key=lambda stand: (-stand.of_left, stand.offer.model))
    ]
    return found


def _details(one: Workload, pick: Stand) -> Iterator[str]:
    """What was compared, and what that takes for granted."""
    there, here = short(pick.offer.model), short(one.place[1])
    day = datetime.fromtimestamp(one.day // NANO, UTC).date()
    yield (
        f"{one.calls:,} call{'' if one.calls == 1 else 's'} to {here}, {one.input:,} tokens in and {one.answer:,} out:"
        f" ${dollars(one.left)}; with the same tokens on {there} ${dollars(pick.of_left)}, at the prices of {day}."
    )
    if pick.name.family != one.name.family:
        yield f"{there} is of your own: its tokens may be counted otherwise, and its price holds at the load you gave."
    if not any(usage.reasoning for _, _, usage in one.lumps):
        yield "The log shows no reasoning tokens here; a model that reasons before it answers adds some."
    if one.today is not None and abs(one.today - one.paid) * 100 > one.paid:
        yield f"On {here} itself the same calls cost {one.today / one.paid:.0%} of that today."
