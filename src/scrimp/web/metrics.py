"""Prometheus metrics, made from the meter's sums when somebody scrapes; nothing here runs while calls do."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from scrimp.call import NANO, TOKEN_CLASSES
from scrimp.store.meter import BUCKETS
from scrimp.world import World

CONTENT_TYPE = CONTENT_TYPE_LATEST


class _Collector:
    def __init__(self, world: World) -> None:
        self._world = world

    def collect(self) -> Iterator[Metric]:
        yield from _sums(self._world)
        yield _overhead(self._world)
        yield from _store(self._world)


def _sums(world: World) -> Iterator[Metric]:
    meter = world.meter
    calls = CounterMetricFamily("scrimp_calls", "Calls by ending.", labels=("provider", "model", "ending"))
    tokens = CounterMetricFamily("scrimp_tokens", "Billed tokens by class.", labels=("provider", "model", "class"))
    money = CounterMetricFamily("scrimp_cost_usd", "Dollars by kind.", labels=("provider", "model", "kind"))
    for place, sums in meter.series.items():
        for ending, count in sums.endings.items():
            calls.add_metric((*place, ending), count)
        for name, count in zip(TOKEN_CLASSES, sums.tokens, strict=True):
            if count:
                tokens.add_metric((*place, name), count)
        for kind, nano in (("list", sums.list), ("paid", sums.paid), ("overhead", sums.overhead)):
            money.add_metric((*place, kind), nano / NANO)
    yield from (calls, tokens, money)
    # savings can be negative (a cache write costs more than it saves), so this is a gauge
    savings = GaugeMetricFamily("scrimp_savings_usd", "Dollars saved by strategy.", labels=("strategy", "kind"))
    for saving, value in meter.savings.items():
        savings.add_metric(saving, value / NANO)
    yield savings
    yield CounterMetricFamily("scrimp_unpriced_calls", "Calls without a known price.", value=meter.unpriced)


def _overhead(world: World) -> Metric:
    meter = world.meter
    total = 0
    buckets = []
    for bound, value in zip((*map(str, BUCKETS), "+Inf"), meter.buckets, strict=True):
        total += value
        buckets.append((bound, total))
    family = HistogramMetricFamily("scrimp_overhead_seconds", "scrimp's own time before a call leaves it.")
    family.add_metric((), buckets, meter.seconds)
    return family


def _store(world: World) -> Iterator[Metric]:
    for name, value in world.store.health().items():
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield GaugeMetricFamily(f"scrimp_store_{name}", f"The store's {name.replace('_', ' ')}.", value=value)
    yield GaugeMetricFamily("scrimp_calls_in_flight", "Calls under way.", value=len(world.tower.flights))


def render_metrics(world: World) -> bytes:
    """The metrics in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(world))
    return generate_latest(registry)
