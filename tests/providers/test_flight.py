"""Time limits: each ends a flight once and says which it was; a limit of 0 is none."""

import asyncio

import pytest

from scrimp.providers.flight import SWEEP, Flight, Tower


async def a_flight(upstream=False, **limits):
    """A flight whose task sleeps; started and last seen at second 0."""
    flight = Flight(asyncio.ensure_future(asyncio.sleep(60)))
    flight.started = flight.last = 0.0
    flight.upstream = upstream
    for name, seconds in limits.items():
        setattr(flight, name, seconds)
    return flight


def checked(now, **settings):
    async def run():
        flight = await a_flight(**settings)
        flight.check(now)
        cancelled = flight.task.cancelling() > 0
        flight.task.cancel()
        return flight.why, cancelled

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("now", "settings", "why"),
    [
        (9.0, {"first_token": 10}, ""),
        (11.0, {"first_token": 10}, "first-token"),
        (11.0, {"first_token": 10, "upstream": True}, ""),
        (11.0, {"idle": 10}, ""),
        (11.0, {"idle": 10, "upstream": True}, "idle"),
        (11.0, {"total": 10, "upstream": True}, "total"),
        (11.0, {"total": 10, "idle": 5, "upstream": True}, "total"),
        (1e9, {}, ""),
        (1e9, {"upstream": True}, ""),
    ],
)
def test_a_limit_ends_a_flight_when_it_has_passed_and_says_so(now, settings, why):
    assert checked(now, **settings) == (why, bool(why))


def test_what_arrives_puts_the_idle_limit_off_and_the_total_one_not():
    async def run():
        flight = await a_flight(upstream=True, idle=10, total=25)
        whys = []
        for now in (9.0, 18.0, 24.0, 26.0):
            flight.check(now)
            flight.last = now
            whys.append(flight.why)
        flight.task.cancel()
        return whys

    assert asyncio.run(run()) == ["", "", "", "total"]


def test_the_first_reason_stays_and_the_task_is_cancelled_once():
    async def run():
        flight = await a_flight()
        flight.end("client-left")
        flight.end("idle")
        return flight.why, flight.task.cancelling()

    assert asyncio.run(run()) == ("client-left", 1)


def test_the_tower_looks_at_every_flight_and_ends_what_still_flies_when_it_closes():
    async def run():
        tower = Tower()
        tower.open()
        late, fine = await a_flight(first_token=0.001), await a_flight()
        tower.flights |= {late, fine}
        await asyncio.wait([late.task], timeout=10 * SWEEP)
        tower.flights.discard(late)
        before = (late.why, fine.why)
        await tower.close()
        return before, fine.why, fine.task.cancelled()

    assert asyncio.run(run()) == (("first-token", ""), "shutdown", True)


def test_a_tower_that_never_opened_closes():
    asyncio.run(Tower().close())
