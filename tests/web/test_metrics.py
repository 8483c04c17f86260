"""The metrics as Prometheus reads them: real sums, dollars, a histogram that adds up, nobody's own words."""

from prometheus_client.parser import text_string_to_metric_families

from scrimp.call import Call, Cost, Outcome, Saving, Try, Usage
from scrimp.config import Config
from scrimp.web.metrics import CONTENT_TYPE, render_metrics
from scrimp.world import World


def scraped(*calls):
    """Sample name -> {label values in the order of their names: value}, of a world that settled these calls."""
    world = World(Config(store=":memory:"), {})
    for call in calls:
        world.meter.add(call)
    families = text_string_to_metric_families(render_metrics(world).decode())
    samples = [sample for family in families for sample in family.samples]
    found = {}
    for sample in samples:
        labels = tuple(value for _, value in sorted(sample.labels.items()))
        found.setdefault(sample.name, {})[labels] = sample.value
    return found


def a_call(took_ms=0.7, **cost):
    return Call(
        id="c",
        at=0,
        mono=1_000,
        sent_at=1_000 + round(took_ms * 1e6),
        tries=[Try("openai", "gpt-4o-mini", 0)],
        cost=Cost(basis="exact", price_model="openai/gpt-4o-mini", usage=Usage(input=10, output=5), **cost),
        savings=[Saving("provider_cache", -2_000_000_000)],
        outcome=Outcome("ok"),
    )


def test_before_the_first_call_everything_is_there_and_nothing_is_counted():
    found = scraped()
    assert found["scrimp_unpriced_calls_total"] == {(): 0.0}
    assert found["scrimp_overhead_seconds_count"] == {(): 0.0}
    assert found["scrimp_calls_in_flight"] == {(): 0.0}
    assert found["scrimp_store_queued"] == {(): 0.0}
    assert "version=" in CONTENT_TYPE


def test_calls_tokens_dollars_and_savings_have_their_labels():
    found = scraped(a_call(list=3_000_000_000, paid=5_000_000_000), a_call(paid=1))
    assert found["scrimp_calls_total"] == {("ok", "gpt-4o-mini", "openai"): 2.0}
    assert found["scrimp_tokens_total"][("input", "gpt-4o-mini", "openai")] == 20.0
    dollars = found["scrimp_cost_usd_total"]
    assert dollars["list", "gpt-4o-mini", "openai"] == 3.0
    assert dollars["paid", "gpt-4o-mini", "openai"] == 5.000000001
    assert found["scrimp_savings_usd"] == {("measured", "provider_cache"): -4.0}


def test_the_histogram_of_our_own_time_is_cumulative():
    found = scraped(a_call(0.4), a_call(0.7), a_call(3), a_call(5_000))
    buckets = {labels[0]: value for labels, value in found["scrimp_overhead_seconds_bucket"].items()}
    assert (buckets["0.0005"], buckets["0.001"], buckets["0.002"], buckets["0.004"]) == (1, 2, 2, 3)
    assert buckets["+Inf"] == found["scrimp_overhead_seconds_count"][()] == 4
    assert list(buckets.values()) == sorted(buckets.values())
    assert abs(found["scrimp_overhead_seconds_sum"][()] - 5.0041) < 1e-6


def test_a_feature_named_by_prompt_words_is_in_no_metric():
    call = a_call()
    call.who.feature, call.who.user, call.ask.model = "salary-letters", "alice", "secret-model"
    world = World(Config(store=":memory:"), {})
    world.meter.add(call)
    text = render_metrics(world).decode()
    assert not any(word in text for word in ("salary", "alice", "secret-model"))
