"""How a call ended, told apart by what there is of it, and counted once."""

import pytest
from step_samples import a_call, a_world

from scrimp.call import Answer
from scrimp.steps.settle import settle


@pytest.mark.parametrize(
    ("call", "ending"),
    [
        (a_call(Answer(200, whole=True)), "ok"),
        (a_call(Answer(200)), "broken"),
        (a_call(Answer(429, whole=True)), "provider-error"),
        (a_call(Answer(500)), "provider-error"),
        (a_call(None), "no-answer"),
        (a_call(None, tries=[]), "refused"),
        (a_call(None, left=True), "client-left"),
        (a_call(Answer(200), left=True), "client-left"),
    ],
)
def test_the_ending_says_whose_it_was(call, ending):
    world = a_world()
    call.error = "why"
    settle(call, world)
    assert (call.outcome.ending, call.outcome.error) == (ending, "why")
    assert [sums.endings for sums in world.meter.series.values()] == [{ending: 1}]
