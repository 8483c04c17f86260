"""The cheaper models that heavy workloads could be tried on, with what exactly their calls would have cost there.

A workload is a feature on a model. All of its calls move or none: a router decides by the kind of task, before anybody
knows what a call will cost; so a call that is dearer on the new model counts as that.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice

import msgspec

from scrimp.audit.findings.candidates import Name, Stand, current, fitting, nearest, read_name, thin
from scrimp.audit.findings.examples import MOST_EXAMPLES, examples
from scrimp.audit.findings.repricing import COLUMNS, Lump, Offer, cost_sql, estimate, lumps, offers
from scrimp.audit.reading import Wanted
from scrimp.audit.report import Advice, Candidate
from scrimp.audit.work import Work
from scrimp.call import NANO
from scrimp.prices.book import Book
from scrimp.prices.table import DAY
from scrimp.report.money import dollars
from scrimp.report.numbers import NO_LABEL
from scrimp.world import World

MOST_WORKLOADS = 8
LEAST_SHARE = 100
"""A workload is heavy from one part in so many of all that is left to be saved."""
CHEAPER = 0.9
"""A candidate costs at most this part of what was paid, and of what the calls would cost today where they are."""
MOST_SERVERS = 2
SHORT_ANSWER = 300
_SINGLE = "aggregate = 0 AND unpriced = '' AND paid > 0"
_HEAVIEST = f"""
SELECT feature, price_model, MAX(input_total + output_total) FROM calls WHERE {_SINGLE}
GROUP BY 1, 2 HAVING SUM(left) > 0 AND SUM(left) * {LEAST_SHARE} >= (SELECT SUM(left) FROM calls WHERE {_SINGLE})
ORDER BY SUM(left) DESC, 1, 2
"""
_COPY = f"""
CREATE TEMP TABLE heavy AS SELECT c.id, w.number, c.at, c.file, c.line, c.tier, {", ".join(COLUMNS.values())}, c.more,
  c.input_total AS size, c.output_total AS answer, c.paid, c.left
FROM calls AS c CROSS JOIN temp.workloads AS w ON w.feature = c.feature AND w.price_model = c.price_model
WHERE {_SINGLE} ORDER BY c.id
"""
_SUMS = ", ".join(
    f"SUM({what}) FILTER (WHERE left > 0)" for what in ("1", "left", "size", "answer", f"answer < {SHORT_ANSWER}")
)


class Workload(msgspec.Struct, frozen=True):
    """A feature's calls to one model of the price list. `same` and `servers`: who might take them (`fitting`).

    `model` names its price ("provider/model"), `seller` is where `same` are sold.
    """

    number: int
    feature: str
    model: str
    seller: str
    name: Name
    same: list[str]
    servers: list[str]

    @property
    def rows(self) -> str:
        """Its calls, as a FROM clause."""
        return f"temp.heavy WHERE number = {self.number:d}"


class Facts(msgspec.Struct, frozen=True):
    """What a workload's calls are. `paid` and `lumps`: of all; the others of those with something left.

    `today`: what all of them would cost where they are on `day`; None where that has no price any more.
    """

    day: int
    today: int | None
    lumps: list[Lump]
    paid: int
    calls: int
    left: int
    input: int
    answer: int
    short: int


def advise(work: Work, world: World, wanted: Wanted) -> list[Advice]:
    """A cheaper model for each heavy workload that has one, dearest workload first; lowers `left`, sets `moved`.

    `saves` is what the one to try first saves of what is `left` (where a call was saved in part, in that proportion);
    `candidates` are all, dearest first, at the same token counts and today's prices.
    """
    workloads = list(islice(_workloads(work, world.book), MOST_WORKLOADS))
    if not workloads:
        return []
    db = work.db
    db.execute("DROP TABLE IF EXISTS temp.workloads")
    db.execute("DROP TABLE IF EXISTS temp.heavy")
    db.execute("CREATE TEMP TABLE workloads (number INTEGER, feature TEXT, price_model TEXT)")
    rows = ((one.number, one.feature, one.model) for one in workloads)
    db.executemany("INSERT INTO temp.workloads VALUES (?, ?, ?)", rows)
    db.execute(_COPY)
    day = time.time_ns() // DAY * DAY
    advice = [found for one in workloads if (found := _advise(work, world.book, one, day)) is not None]
    db.execute("DROP TABLE temp.heavy")
    titles = Counter(found.title for found in advice)
    for found in advice:
        if titles[found.title] > 1:
            found.title += f" (now {_short(found.model)})"
    return advice


def _workloads(work: Work, book: Book) -> Iterator[Workload]:
    """Those that some model might take, heaviest first."""
    for number, (feature, price_model, largest) in enumerate(list(work.rows(_HEAVIEST))):
        seller, _, model = price_model.partition("/")
        if seller == "user":
            seller, _, model = model.rpartition("/")
            seller = seller or book.owner(model)
        name = read_name(model)
        same, servers = fitting(book, name, seller, largest)
        if same or servers:
            yield Workload(number, feature, price_model, seller, name, same, servers)


def _advise(work: Work, book: Book, one: Workload, day: int) -> Advice | None:
    tiers = [tier for (tier,) in work.rows(f"SELECT DISTINCT tier FROM {one.rows} ORDER BY 1")]
    provider, _, model = one.model.partition("/")
    now = list(offers(book, [model], provider, tiers))
    same = list(offers(book, one.same, one.seller, tiers))
    servers = list(offers(book, one.servers, "user", tiers))
    edges = {edge for found in (*now, *same, *servers) for edge in found.cliffs(day)}
    calls = lumps(work, one.rows, edges)
    paid, *sums = work.one(f"SELECT SUM(paid), {_SUMS} FROM {one.rows}")
    if not sums[0]:
        return None
    today = estimate(now[0], calls, day) if now else None
    facts = Facts(day, today[0] if today else None, calls, paid, *sums)
    stands = current(_cheaper(same, facts))
    own = current(_cheaper(servers, facts, server=True))[-MOST_SERVERS:]
    if not stands and not own:
        return None
    first, why = nearest(stands or own, paid, one.name)
    chosen = [*(thin(stands, first) if stands else ()), *own]
    _price(work, one, facts, chosen)
    # no integer: SQLite goes on in floating point where a price is larger than its integers
    chosen = [stand for stand in chosen if isinstance(stand.cost, int) and stand.of_left <= facts.left * CHEAPER]
    if first not in chosen:
        return None
    _move(work, one, facts, first)
    return _told(work, one, facts, chosen, first, why)


def _cheaper(found: Iterable[Offer], facts: Facts, server: bool = False) -> Iterator[Stand]:
    """Those that are worth a try."""
    most = CHEAPER * min(facts.paid, facts.paid if facts.today is None else facts.today)
    for model in found:
        cost = estimate(model, facts.lumps, facts.day)
        if cost is not None and cost[0] <= most:
            yield Stand(read_name(model.model), model, *cost, server)


def _price(work: Work, one: Workload, facts: Facts, stands: list[Stand]) -> None:
    """Price every call on each of them, and what is left of it."""
    costs = [cost_sql(stand.offer, facts.lumps, facts.day) for stand in stands]
    columns = ", ".join(f"{cost} AS c{number}" for number, cost in enumerate(costs))
    sums = (f"SUM(c{at}), SUM({_of_left(f'c{at}')}) FILTER (WHERE left > 0)" for at in range(len(costs)))
    found = work.one(f"SELECT {', '.join(sums)} FROM (SELECT paid, left, {columns} FROM {one.rows})")
    for at, stand in enumerate(stands):
        stand.cost, stand.of_left = found[2 * at : 2 * at + 2]


def _of_left(cost: str) -> str:
    """A call's cost on another model, in place of what is left of it: as much as the same part of it would cost."""
    return f"CASE WHEN left = paid THEN {cost} ELSE CAST(ROUND(1.0 * {cost} * left / paid) AS INTEGER) END"


def _move(work: Work, one: Workload, facts: Facts, pick: Stand) -> None:
    """Leave of each call what it costs on the model, and note where it goes."""
    cost = _of_left(cost_sql(pick.offer, facts.lumps, facts.day))
    work.db.execute(
        "UPDATE calls SET left = there.cost, moved = ?"
        f" FROM (SELECT id, {cost} AS cost FROM {one.rows} AND left > 0) AS there WHERE calls.id = there.id",
        (f"{pick.offer.provider}/{pick.offer.model}",),
    )


def _told(work: Work, one: Workload, facts: Facts, stands: list[Stand], pick: Stand, why: str) -> Advice:
    dearest = f"SELECT id FROM {one.rows} AND left > 0 ORDER BY left DESC, at, file, line, id LIMIT {MOST_EXAMPLES}"
    share = 100 * facts.short // facts.calls
    mean = f"mean answer {facts.answer // facts.calls:,} tokens"
    stands.sort(key=lambda stand: (stand.server, -stand.of_left, stand.offer.model))
    return Advice(
        strategy="route",
        title=f"Try {_short(pick.offer.model)} for {one.feature or NO_LABEL}",
        sure="test first",
        saves=facts.left - pick.of_left,
        alone=max(facts.paid - pick.cost, 0),
        calls=facts.calls,
        evidence=f"{share}% answers < {SHORT_ANSWER} tok" if share >= 50 else mean,
        details=[*_details(one, facts, pick, why)],
        examples=examples(work, [ident for (ident,) in work.rows(dearest)]),
        candidates=[
            Candidate(stand.offer.model, stand.offer.provider, stand.of_left, facts.left - stand.of_left, stand.flags)
            for stand in stands
        ],
        feature=one.feature,
        model=one.model.partition("/")[2],
    )


def _details(one: Workload, facts: Facts, pick: Stand, why: str) -> Iterator[str]:
    """What was compared, and what that takes for granted."""
    there, here = _short(pick.offer.model), _short(one.model.partition("/")[2])
    day = datetime.fromtimestamp(facts.day // NANO, UTC).date()
    calls = f"{facts.calls:,} call{'' if facts.calls == 1 else 's'}"
    yield (
        f"{calls} to {here} with {facts.input:,} input and {facts.answer:,} output tokens cost"
        f" ${dollars(facts.left)}; with the same tokens on {there}, at the prices of {day}, ${dollars(pick.of_left)}."
        f" {why}"
    )
    if pick.server:
        yield f"{there} is of your own: its tokens may be counted otherwise, and its price holds at the load you gave."
    if not any(lump.usage.reasoning for lump in facts.lumps):
        yield "The log shows no reasoning tokens here; a model that reasons before it answers adds some."
    if facts.today is not None and abs(facts.today - facts.paid) * 100 > facts.paid:
        yield f"On {here} itself the same calls cost {facts.today / facts.paid:.0%} of that today."


def _short(model: str) -> str:
    """A model's name without its maker or region."""
    return model[len(read_name(model).place) :]
