"""The row of a call: bodies only where they are wanted and never what is to be blanked; nothing overlong."""

import json

from hypothesis import given
from hypothesis import strategies as st
from step_samples import CHAT, a_call, a_world

from scrimp.call import Answer, Ask, Call, Cost, Outcome, Saving, Usage
from scrimp.steps.record import record, row


def test_bodies_are_kept_only_where_they_are_asked_for():
    call = a_call(Answer(200, body=b"the answer"))
    assert (row(call, a_world()).request_body, row(call, a_world()).answer_body) == (None, None)
    kept = row(call, a_world({"record": {"bodies": True}}))
    assert (kept.request_body, kept.answer_body) == (CHAT, b"the answer")


def test_what_matches_a_pattern_is_blanked_in_both_bodies_and_nothing_else_is():
    world = a_world({"record": {"bodies": True, "redact": [r"\d{3}-\d{4}", "(?i)secret"]}})
    call = a_call(Answer(200, body=b"Call 555-1234, SECRET."), raw=b'{"a":"555-9999 and 55-1"}')
    kept = row(call, world)
    assert kept.request_body == b'{"a":"[redacted] and 55-1"}'
    assert kept.answer_body == b"Call [redacted], [redacted]."


def test_a_body_that_streamed_through_leaves_none():
    kept = row(a_call(raw=None), a_world({"record": {"bodies": True}}))
    assert kept.request_body is None
    assert kept.answer_body == b""


def test_a_row_has_the_money_the_labels_and_the_facts_of_its_call():
    call = a_call(Answer(200, model="gpt-4o-mini-2024-07-18", whole=True, finish="stop", first_byte_at=5))
    call.who.feature, call.who.tags = "search", ("a", "b")
    call.cost = Cost(list=10, paid=7, basis="exact", usage=Usage(input=3), price_model="openai/gpt-4o-mini")
    call.savings = [Saving("provider_cache", 3)]
    call.outcome = Outcome("ok")
    call.fact("cap", {"applied": True})
    world = a_world()
    record(call, world)
    (kept,) = world.store.records()
    assert (kept.model_asked, kept.model) == ("gpt-4o-mini", "gpt-4o-mini-2024-07-18")
    assert (kept.list_nano, kept.paid_nano, kept.usage, kept.basis) == (10, 7, Usage(input=3), "exact")
    assert [(s.strategy, s.nano, s.kind) for s in kept.savings] == [("provider_cache", 3, "measured")]
    assert (kept.feature, kept.tags, kept.first_byte_ns, kept.tries) == ("search", ("a", "b"), 5, 1)
    assert json.loads(kept.facts) == {"cap": {"applied": True}}


def test_a_call_that_was_never_planned_still_has_a_row():
    kept = row(Call(id="c", at=1, mono=0), a_world())
    assert (kept.ending, kept.provider, kept.model, kept.paid_nano, kept.tries) == ("no-answer", "", "", 0, 0)


@given(st.text(max_size=2000), st.integers(0, 10**6), st.integers(0, 10**6))
def test_no_field_of_a_client_or_provider_is_kept_overlong_and_no_duration_is_negative(text, mono, sent):
    ask = Ask(api="openai.chat", model=text)
    call = a_call(
        Answer(200, model=text, request_id=text, first_byte_at=sent), ask=ask, path=text, mono=mono, sent_at=sent
    )
    call.outcome = Outcome("broken", text)
    kept = row(call, a_world())
    assert max(map(len, (kept.path, kept.model_asked, kept.model, kept.request_id))) <= 200
    assert len(kept.error) <= 500
    assert min(kept.first_byte_ns, kept.overhead_ns, kept.total_ns) >= 0
