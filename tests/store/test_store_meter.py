"""Sums for the metrics: right, bounded whatever clients send, and free of a client's own words."""

from hypothesis import given
from hypothesis import strategies as st

from scrimp.call import TOKEN_CLASSES, Ask, Call, Cost, Outcome, Saving, Try, Usage
from scrimp.store.meter import BUCKETS, MOST_SERIES, Meter


def settled(model="gpt-4o-mini", provider="openai", ending="ok", took=0.0, **cost):
    """A settled call whose own time in scrimp was `took` seconds."""
    price_model = f"openai/{model}" if model else ""
    return Call(
        id="c",
        at=0,
        mono=1_000,
        ask=Ask(model="a-clients-own-words"),
        tries=[Try(provider, "a-clients-own-words", 0)],
        cost=Cost(basis="exact", price_model=price_model, **cost),
        outcome=Outcome(ending),
        sent_at=1_000 + round(took * 1e9),
    )


def test_calls_tokens_money_and_savings_are_summed():
    meter = Meter()
    for _ in range(2):
        call = settled(list=10, paid=7, usage=Usage(input=3, cached=2, output=1))
        call.savings = [Saving("provider_cache", 4), Saving("service_tier", -1)]
        meter.add(call)
    sums = meter.series["openai", "gpt-4o-mini"]
    assert sums.endings == {"ok": 2}
    assert {name: count for name, count in zip(TOKEN_CLASSES, sums.tokens, strict=True) if count} == {
        "input": 6,
        "cached": 4,
        "output": 2,
    }
    assert (sums.list, sums.paid, sums.overhead) == (20, 14, 0)
    assert meter.savings == {("provider_cache", "measured"): 8, ("service_tier", "measured"): -2}
    assert meter.unpriced == 0


def test_a_call_without_a_price_is_counted_under_no_name_of_the_clients():
    meter = Meter()
    meter.add(settled(model="", unpriced="no price", usage=Usage(input=3)))
    assert meter.unpriced == 1
    assert meter.series["openai", "(unpriced)"].endings == {"ok": 1}
    assert "a-clients-own-words" not in repr(vars(meter))


def test_a_call_that_was_refused_or_never_settled_is_counted():
    meter = Meter()
    meter.add(Call(id="c", at=0, mono=0))
    assert meter.series["none", "(unpriced)"].endings == {"no-answer": 1}
    assert sum(meter.buckets) == 0


@given(st.lists(st.floats(0, 2), max_size=30))
def test_every_call_that_left_is_in_one_bucket_whose_bound_it_does_not_pass(durations):
    meter = Meter()
    for took in durations:
        before = list(meter.buckets)
        meter.add(settled(took=took))
        (index,) = [i for i, (old, new) in enumerate(zip(before, meter.buckets, strict=True)) if new > old]
        seconds = round(took * 1e9) / 1e9
        assert index == len(BUCKETS) or seconds <= BUCKETS[index]
        assert index == 0 or seconds > BUCKETS[index - 1]
    assert sum(meter.buckets) == len(durations)
    assert abs(meter.seconds - sum(durations)) < 1e-6


def test_series_are_bounded_and_nothing_is_lost_beyond_the_bound():
    meter = Meter()
    for number in range(3 * MOST_SERIES):
        meter.add(settled(model=f"m{number}", paid=1, usage=Usage(input=1)))
    assert len(meter.series) == MOST_SERIES + 1
    assert sum(sums.endings["ok"] for sums in meter.series.values()) == 3 * MOST_SERIES
    assert sum(sums.paid for sums in meter.series.values()) == 3 * MOST_SERIES
    assert meter.series["openai", "(other)"].endings == {"ok": 2 * MOST_SERIES}
