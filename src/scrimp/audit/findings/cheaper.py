"""The cheaper models that heavy workloads could be tried on, with what exactly their calls would have cost there.

A workload is a feature on a model. All of its calls move or none: a router decides by the kind of task, before anybody
knows what a call will cost; so a call that is dearer on the new model counts as that.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import msgspec

from scrimp.audit.findings.candidates import Name, Stand, answers_text, current, fitting, nearest, read_name, thin
from scrimp.audit.findings.examples import MOST_EXAMPLES, examples
from scrimp.audit.findings.repricing import COLUMNS, Lump, Offer, cost_sql, estimate, fits, flags, lumps, offer, used
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
_SINGLE = "c.aggregate = 0 AND c.unpriced = '' AND c.paid > 0"
_HEAVIEST = f"""
SELECT c.feature, c.price_model, MAX(c.input_total + c.output_total) FROM calls AS c
WHERE {_SINGLE} GROUP BY 1, 2 HAVING SUM(c.left) > 0 AND SUM(c.left) * {LEAST_SHARE} >=
  (SELECT SUM(left) FROM calls AS c WHERE {_SINGLE})
ORDER BY SUM(c.left) DESC, 1, 2
"""
_COPY = f"""
CREATE TEMP TABLE heavy AS SELECT c.id, w.number, c.at, c.tier, {", ".join(f"c.{name}" for name in COLUMNS.values())},
  c.more, c.input_total AS size, c.output_total AS answer, c.paid, c.left, NULL AS cost
FROM calls AS c CROSS JOIN temp.workloads AS w ON w.feature = c.feature AND w.price_model = c.price_model
WHERE {_SINGLE} ORDER BY c.id
"""
_MOVE = """
UPDATE calls SET left = h.cost, moved = w.moved FROM temp.heavy AS h CROSS JOIN temp.workloads AS w
WHERE calls.id = h.id AND h.cost IS NOT NULL AND w.number = h.number
"""
_OF_LEFT = ("COUNT(*)", "SUM(left)", "SUM(size)", "SUM(answer)", f"SUM(answer < {SHORT_ANSWER})")


class Workload(msgspec.Struct, frozen=True):
    """A feature's calls to one model of the price list. `same` and `servers`: who might take them (`fitting`).

    `provider` and `model` name its price, `seller` is where `same` are sold.
    """

    number: int
    feature: str
    provider: str
    model: str
    seller: str
    name: Name
    largest: int
    same: list[str]
    servers: list[str]

    @property
    def where(self) -> str:
        """Its rows in temp.heavy."""
        return f"number = {self.number:d}"


class Facts(msgspec.Struct, frozen=True):
    """What a workload's calls are. `paid`, `lumps`, `reasoning`: of all; the others of those with something left.

    `today`: what all of them would cost where they are on `day`; None where that has no price any more.
    """

    day: int
    today: int | None
    lumps: list[Lump]
    paid: int
    reasoning: int
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
    day = time.time_ns() // DAY * DAY
    workloads = _workloads(work, world.book)
    if not workloads:
        return []
    db = work.db
    db.execute("DROP TABLE IF EXISTS temp.workloads")
    db.execute("DROP TABLE IF EXISTS temp.heavy")
    db.execute(
        "CREATE TEMP TABLE workloads (feature TEXT, price_model TEXT, number INTEGER, moved TEXT,"
        " PRIMARY KEY (feature, price_model)) WITHOUT ROWID"
    )
    rows = ((one.feature, f"{one.provider}/{one.model}", one.number) for one in workloads)
    db.executemany("INSERT INTO temp.workloads VALUES (?, ?, ?, '')", rows)
    db.execute(_COPY)
    advice = [found for one in workloads if (found := _advise(work, world.book, one, day)) is not None]
    db.execute(_MOVE)
    db.execute("DROP TABLE temp.heavy")
    db.execute("DROP TABLE temp.workloads")
    titles = Counter(found.title for found in advice)
    for found in advice:
        if titles[found.title] > 1:
            found.title += f" (now {_short(found.model)})"
    return advice


def _workloads(work: Work, book: Book) -> list[Workload]:
    """The heaviest ones that some model might take."""
    found: list[Workload] = []
    for feature, price_model, largest in work.rows(_HEAVIEST):
        provider, _, model = price_model.partition("/")
        seller, bare = provider, model
        if provider == "user":
            seller, _, bare = model.rpartition("/")
            seller = seller or book.owner(bare)
        name = read_name(bare)
        same, servers = fitting(book, name, seller, largest) if answers_text(name) else ([], [])
        if set(same) - {model} or servers:
            found.append(Workload(len(found), feature, provider, model, seller, name, largest, same, servers))
        if len(found) == MOST_WORKLOADS:
            break
    return found


def _advise(work: Work, book: Book, one: Workload, day: int) -> Advice | None:
    tiers = [tier for (tier,) in work.rows(f"SELECT DISTINCT tier FROM temp.heavy WHERE {one.where} ORDER BY 1")]
    now = offer(book, one.model, one.provider, tiers)
    same = [found for model in one.same if (found := offer(book, model, one.seller, tiers)) is not None]
    servers = [found for model in one.servers if (found := offer(book, model, "user", tiers)) is not None]
    edges = {edge for model in (*same, *servers, *((now,) if now else ())) for edge in model.cliffs(day)}
    facts = _facts(work, one, now, edges, day)
    if not facts.left:
        return None
    stands = current(_cheaper(same, facts, one.largest))
    own = current(_cheaper(servers, facts, one.largest, True))[-MOST_SERVERS:]
    if not stands and not own:
        return None
    first, why = nearest(stands or own, facts.paid, one.name)
    chosen = [*(thin(stands, first) if stands else ()), *own]
    priced = _priced(work, one, facts, chosen)
    if not any(stand is first for stand in priced):
        return None
    _move(work, one, facts, first)
    return _tell(work, one, facts, priced, first, why)


def _facts(work: Work, one: Workload, now: Offer | None, edges: set[int], day: int) -> Facts:
    """Two queries over the workload's rows."""
    found = lumps(work, "temp.heavy", one.where, edges)
    sums = work.one(
        f"SELECT SUM(paid), SUM(reasoning), {', '.join(f'{what} FILTER (WHERE left > 0)' for what in _OF_LEFT)}"
        f" FROM temp.heavy WHERE {one.where}"
    )
    return Facts(day, estimate(now, found, day) if now else None, found, *(total or 0 for total in sums))


def _cheaper(offers: Sequence[Offer], facts: Facts, largest: int, server: bool = False) -> list[Stand]:
    """Those that are worth a try, each model once."""
    most = CHEAPER * min(facts.paid, facts.paid if facts.today is None else facts.today)
    found: dict[tuple[str, str], Stand] = {}
    for model in offers:
        cost = estimate(model, facts.lumps, facts.day)
        if cost is not None and cost <= most and fits(model, facts.lumps, largest, facts.day):
            found[model.provider, model.model] = Stand(read_name(model.model), model, cost, server=server)
    return list(found.values())


def _priced(work: Work, one: Workload, facts: Facts, stands: list[Stand]) -> list[Stand]:
    """Price every call on each of them; those that are cheaper for the calls that are left, too."""
    costs = [cost_sql(stand.offer, used(facts.lumps), facts.day) for stand in stands]
    columns = ", ".join(f"{cost} AS c{number}" for number, cost in enumerate(costs))
    sums = (f"SUM(c{at}), SUM({_of_left(f'c{at}')}) FILTER (WHERE left > 0)" for at in range(len(costs)))
    found = work.one(f"SELECT {', '.join(sums)} FROM (SELECT paid, left, {columns} FROM temp.heavy WHERE {one.where})")
    for at, stand in enumerate(stands):
        stand.cost, stand.of_left = found[2 * at : 2 * at + 2]
    return [stand for stand in stands if stand.of_left <= facts.left * CHEAPER]


def _of_left(cost: str) -> str:
    """A call's cost on another model, in place of what is left of it: as much as the same part of it would cost."""
    return f"CASE WHEN left = paid THEN {cost} ELSE CAST(ROUND(1.0 * {cost} * left / paid) AS INTEGER) END"


def _move(work: Work, one: Workload, facts: Facts, pick: Stand) -> None:
    """Note what its calls cost on the model, and where they go."""
    cost = cost_sql(pick.offer, used(facts.lumps), facts.day)
    work.db.execute(f"UPDATE temp.heavy SET cost = {_of_left(cost)} WHERE {one.where} AND left > 0")
    moved = f"{pick.offer.provider}/{pick.offer.model}"
    work.db.execute(f"UPDATE temp.workloads SET moved = ? WHERE {one.where}", (moved,))


def _tell(work: Work, one: Workload, facts: Facts, stands: Sequence[Stand], pick: Stand, why: str) -> Advice:
    dearest = f"SELECT h.id FROM temp.heavy AS h JOIN calls AS c ON c.id = h.id WHERE {one.where} AND h.left > 0"
    order = f"ORDER BY h.left DESC, h.at, c.file, c.line, h.id LIMIT {MOST_EXAMPLES}"
    share = 100 * facts.short // facts.calls
    mean = f"mean answer {facts.answer // facts.calls:,} tokens"
    return Advice(
        strategy="route",
        title=f"Try {_short(pick.offer.model)} for {one.feature or NO_LABEL}",
        sure="test first",
        saves=facts.left - pick.of_left,
        alone=max(facts.paid - pick.cost, 0),
        calls=facts.calls,
        evidence=f"{share}% answers < {SHORT_ANSWER} tok" if share >= 50 else mean,
        details=[*_details(one, facts, pick, why)],
        examples=examples(work, [ident for (ident,) in work.rows(f"{dearest} {order}")]),
        candidates=[
            Candidate(
                stand.offer.model,
                stand.offer.provider,
                stand.of_left,
                facts.left - stand.of_left,
                flags(stand.offer, facts.lumps, facts.day),
            )
            for stand in sorted(stands, key=lambda stand: (stand.server, -stand.of_left, stand.offer.model))
        ],
        feature=one.feature,
        model=one.model,
    )


def _details(one: Workload, facts: Facts, pick: Stand, why: str) -> Iterator[str]:
    """What was compared, and what that takes for granted."""
    there, here = _short(pick.offer.model), _short(one.model)
    day = datetime.fromtimestamp(facts.day // NANO, UTC).date()
    calls = f"{facts.calls:,} call{'' if facts.calls == 1 else 's'}"
    yield (
        f"{calls} to {here} with {facts.input:,} input and {facts.answer:,} output tokens cost"
        f" ${dollars(facts.left)}, on {there} ${dollars(pick.of_left)}. {why}"
    )
    yield (
        "Assumed: the same token counts, and answers as long as these. Each call keeps its size, tier and cache use, at"
        f" the prices of {day}."
    )
    yield "How good the answers would be no log can tell: test first."
    if pick.server:
        yield f"{there} is of your own: its tokens may be counted otherwise, and its price holds at the load you gave."
    if not facts.reasoning:
        yield "The log shows no reasoning tokens here; a model that reasons before it answers adds some."
    if facts.today is not None and abs(facts.today - facts.paid) * 100 > facts.paid:
        yield f"On {here} itself the same calls cost {facts.today / facts.paid:.0%} of that today."


def _short(model: str) -> str:
    """A model's name without its maker or region."""
    return model[len(read_name(model).place) :]
