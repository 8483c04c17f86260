"""How the call ended, said once, and counted for the metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrimp.call import Call, Ending, Outcome

if TYPE_CHECKING:
    from scrimp.world import World


def settle(call: Call, world: World) -> None:
    """Write `call.outcome` and count the call in the meter."""
    call.outcome = Outcome(_ending(call), call.error)
    world.meter.add(call)


def _ending(call: Call) -> Ending:
    answer = call.answer
    if call.left and not (answer is not None and answer.whole):
        return "client-left"
    if answer is None:
        return "refused" if not call.tries else "no-answer"
    if answer.status >= 300:
        return "provider-error"
    return "ok" if answer.whole else "broken"
