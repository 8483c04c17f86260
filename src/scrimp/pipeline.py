"""The straight line: a call is planned, sent, settled and written down. Nothing goes back.

A step is `step(call, world)`, plain or async; the lists below are the whole order. Extensions of the configuration
stand after the step they name, and obey their mode: in `shadow` they work on a copy, of which only the facts are kept.
"""

from __future__ import annotations

import asyncio
import copy
import inspect
import logging
from collections.abc import AsyncIterator

from scrimp.call import Call
from scrimp.errors import ScrimpError
from scrimp.providers.flight import Flight
from scrimp.steps.attribute import attribute
from scrimp.steps.price import must_count, price
from scrimp.steps.record import record
from scrimp.steps.route import route
from scrimp.steps.send import Deliver, send
from scrimp.steps.settle import settle
from scrimp.world import Step, World

log = logging.getLogger("scrimp")
PLAN: tuple[tuple[str, Step], ...] = (("attribute", attribute), ("route", route))
SETTLE: tuple[tuple[str, Step], ...] = (("price", price), ("settle", settle), ("record", record))


async def run(
    call: Call, world: World, flight: Flight, deliver: Deliver, upload: AsyncIterator[bytes] | None = None
) -> None:
    """One call, whole. Raises Refused, ProviderError or CancelledError after settling it."""
    try:
        await plan(call, world)
        await send(call, world, flight, deliver, upload, lambda call: _price_now(call, world))
    except ScrimpError as error:
        call.error = call.error or error.message
        raise
    finally:
        call.left = flight.why == "client-left"
        if flight.why and not call.left:
            call.error = call.error or f"time limit: {flight.why}"
        end(call, world)


async def plan(call: Call, world: World) -> None:
    """The PLAN half: who pays, and where it may go."""
    for name, step in PLAN:
        waiting = step(call, world)
        if waiting is not None:
            await waiting
        if world.extensions:
            await extend(call, world, name)


def end(call: Call, world: World) -> None:
    """The SETTLE half: always runs, also when the client left; in one go unless prices or an extension must wait."""
    if world.extensions or not world.priced or must_count(call):
        world.go_on(_end_later(call, world))
        return
    for name, step in SETTLE:
        _settle_one(name, step, call, world)


async def _end_later(call: Call, world: World) -> None:
    await world.wait_for_prices()
    if must_count(call):
        await asyncio.to_thread(_settle_one, "price", price, call, world)
    for name, step in SETTLE:
        _settle_one(name, step, call, world)
        try:
            await extend(call, world, name)
        except ScrimpError:
            log.exception("an extension after %s refused call %s, too late", name, call.id)


def _settle_one(name: str, step: Step, call: Call, world: World) -> None:
    try:
        step(call, world)
    except Exception:
        log.exception("step %s failed on call %s", name, call.id)


def _price_now(call: Call, world: World) -> None:
    if world.priced and not must_count(call):
        _settle_one("price", price, call, world)


async def extend(call: Call, world: World, after: str) -> None:
    """Run the extensions that stand after a step, each in its mode; a failing one is logged and left out."""
    for extension in world.extensions:
        if extension.after != after:
            continue
        mode = world.mode(extension.name, call.who.feature)
        if mode == "off":
            continue
        subject = call if mode == "on" else scratch(call)
        try:
            waiting = extension.run(subject, world)
            if inspect.isawaitable(waiting):
                await waiting
        except ScrimpError as error:
            if mode == "on":
                raise
            subject.facts.setdefault(extension.name, {"would_refuse": error.message})
        except Exception:
            log.exception("step %s failed on call %s", extension.name, call.id)
        if mode == "shadow":
            for name in subject.facts.keys() - call.facts.keys():
                call.facts[f"shadow:{name}"] = subject.facts[name]
        await extend(call, world, extension.name)


def scratch(call: Call) -> Call:
    """A copy whose parts can be written without touching the call's."""
    twin = copy.copy(call)
    twin.ask, twin.who = copy.copy(call.ask), copy.copy(call.who)
    twin.targets = [copy.copy(target) for target in call.targets]
    twin.facts = dict(call.facts)
    twin.headers = list(call.headers)
    twin.savings = list(call.savings)
    twin.tries = [copy.copy(attempt) for attempt in call.tries]
    twin.answer, twin.cost, twin.outcome = copy.copy(call.answer), copy.copy(call.cost), copy.copy(call.outcome)
    return twin
