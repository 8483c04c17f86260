"""Heavy workloads on cheaper models: exact costs, nothing saved twice, the same in whatever order the calls came."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rows import filled, row

from scrimp.audit.findings.cheaper import MOST_WORKLOADS, advise
from scrimp.audit.reading import Wanted
from scrimp.audit.replay import CallRow, audit_config
from scrimp.audit.report import Advice
from scrimp.audit.work import Work
from scrimp.call import Usage
from scrimp.config import Config, ModelConfig
from scrimp.prices.book import Unpriced
from scrimp.prices.table import DAY
from scrimp.world import World

WANTED = Wanted()
NOON = time.time_ns() // DAY * DAY - DAY // 2
"""Yesterday noon: the prices of today, but for a change last night."""


def world_with(**models: ModelConfig) -> World:
    return World(audit_config(Config(models=models)), {"SCRIMP_SECRET": "x"}, "")


@pytest.fixture(scope="module")
def world() -> World:
    return world_with()


def paid(world: World, provider: str, model: str, usage: Usage, tier: str = "", at: int = NOON) -> int:
    price = world.book.price(model, usage, provider=provider, tier=tier, when=at)
    assert not isinstance(price, Unpriced), price
    return price.total


def call(world: World, model: str = "openai/gpt-4o", feature: str = "classify", **fields: object) -> CallRow:
    """A call priced by the book."""
    fields = {"input": 1000, "output": 100, "cached": 0, "reasoning": 0, "tier": "", "at": NOON} | fields
    provider, _, name = model.partition("/")
    usage = Usage(
        *(fields[part] for part in ("input", "cached")), output=fields["output"], reasoning=fields["reasoning"]
    )  # type: ignore[arg-type]
    cost = paid(world, provider, name, usage, str(fields["tier"]), int(fields["at"]))  # type: ignore[call-overload]
    return row(provider=provider, model=name, price_model=model, feature=feature, paid=cost, list=cost, **fields)


def left(work: Work) -> int:
    return work.one("SELECT SUM(left) FROM calls")[0]


def only(found: list[Advice]) -> Advice:
    assert len(found) == 1, found
    return found[0]


def test_a_heavy_workload_gets_a_model_to_test_first(world: World) -> None:
    work = filled([call(world, input=size) for size in (1000, 2000, 5000, 3000)])
    one = only(advise(work, world, WANTED))
    assert (one.strategy, one.sure, one.calls, one.feature, one.model) == (
        "route",
        "test first",
        4,
        "classify",
        "gpt-4o",
    )
    assert one.title.startswith("Try gpt-")
    assert one.title.endswith(" for classify")
    assert one.evidence == "100% answers < 300 tok"
    assert [example.input for example in one.examples] == [5000, 3000, 2000]
    assert one.details[0].startswith(
        "4 calls to gpt-4o, 11,000 tokens in and 400 out: $0.0315; with the same tokens on"
    )


def test_every_candidate_costs_what_the_book_says_of_each_call(world: World) -> None:
    sizes = [(1, 1), (250_000, 3), (12_345, 678), (199_999, 1), (7, 9_999)]
    calls = [
        call(world, "anthropic/claude-opus-4-8", input=put_in, cached=put_in // 3, output=out, tier=tier)
        for put_in, out in sizes
        for tier in ("standard", "batch")
    ]
    one = only(advise(filled(calls), world, WANTED))
    assert {"claude-sonnet-5-5", "claude-haiku-5-5"} <= {candidate.model for candidate in one.candidates}
    total = sum(one.paid for one in calls)
    for candidate in one.candidates:
        cost = sum(
            paid(
                world,
                "anthropic",
                candidate.model,
                Usage(one.input, one.cached, output=one.output),
                one.tier,
                NOON + DAY,
            )
            for one in calls
        )
        assert candidate.cost == cost
        assert candidate.saves == total - cost


def test_what_is_saved_is_taken_from_what_is_left_and_the_calls_are_moved(world: World) -> None:
    calls = [
        call(world, "openai/gpt-5.5"),
        call(world, "openai/gpt-5.5", output=900),
        call(world, feature="x", output=1),
    ]
    work = filled([*calls, row(aggregate=1, price_model="openai/gpt-5.5", feature="classify", paid=10**9)])
    before = left(work)
    found = advise(work, world, WANTED)
    assert before - left(work) == sum(one.saves for one in found) > 0
    first = found[0]
    model = next(one for one in first.candidates if one.saves == first.saves)
    moved = set(work.rows("SELECT moved FROM calls WHERE feature = 'classify' AND aggregate = 0"))
    assert moved == {(f"{model.provider}/{model.model}",)}
    assert work.one("SELECT SUM(left) FROM calls WHERE moved = ?", moved.pop())[0] == model.cost
    assert work.one("SELECT left, moved FROM calls WHERE aggregate = 1") == (10**9, "")


def test_calls_that_the_cache_saved_are_not_saved_again(world: World) -> None:
    work = filled(call(world, line=line) for line in range(4))
    whole = only(advise(work, world, WANTED))
    work.begin_advice()
    work.db.execute("UPDATE calls SET left = 0 WHERE line < 3")
    one = only(advise(work, world, WANTED))
    assert one.calls == 1
    assert one.saves * 4 == whole.saves
    assert one.alone == whole.alone == whole.saves
    assert work.one("SELECT COUNT(*) FROM calls WHERE moved <> ''") == (1,)


def test_of_a_call_that_was_saved_in_part_the_rest_is_saved_in_proportion(world: World) -> None:
    work = filled([call(world)])
    whole = only(advise(work, world, WANTED))
    work.begin_advice()
    work.db.execute("UPDATE calls SET left = paid / 2")
    half = only(advise(work, world, WANTED))
    assert half.saves == pytest.approx(whole.saves / 2, abs=2)
    assert half.alone == whole.saves


def test_nothing_is_left_nothing_is_advised(world: World) -> None:
    work = filled([call(world)])
    work.db.execute("UPDATE calls SET left = 0")
    assert advise(work, world, WANTED) == []
    assert advise(Work(), world, WANTED) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"price_model": "openai/text-embedding-3-small"},
        {"price_model": "openai/gpt-4o-audio-preview"},
        {"aggregate": 1},
        {"unpriced": "no price for it"},
        {"price_model": "nobody/something"},
        {"price_model": ""},
    ],
)
def test_no_model_is_advised_for_what_none_could_take(world: World, fields: dict[str, object]) -> None:
    assert advise(filled([row(feature="f", **fields)]), world, WANTED) == []


def test_a_workload_of_less_than_a_hundredth_is_left_alone(world: World) -> None:
    heavy = [call(world, feature="heavy", input=10_000) for _ in range(100)]
    found = advise(filled([*heavy, call(world, feature="light")]), world, WANTED)
    assert [one.feature for one in found] == ["heavy"]


def test_the_eight_heaviest_workloads_in_order(world: World) -> None:
    calls = [call(world, feature=f"f{number:02}", input=1000 + number) for number in range(12)]
    found = advise(filled(calls), world, WANTED)
    assert [one.feature for one in found] == [f"f{number:02}" for number in range(11, 11 - MOST_WORKLOADS, -1)]


def test_a_feature_on_two_models_is_two_workloads(world: World) -> None:
    found = advise(filled([call(world), call(world, "anthropic/claude-opus-5")]), world, WANTED)
    assert sorted(one.model for one in found) == ["claude-opus-5", "gpt-4o"]
    assert all(candidate.provider == "anthropic" for candidate in found[0].candidates)


def test_the_same_advice_for_two_models_says_which_is_which(world: World) -> None:
    found = advise(
        filled([call(world, "anthropic/claude-opus-5"), call(world, "anthropic/claude-opus-4-8")]), world, WANTED
    )
    assert sorted(one.title for one in found) == [
        "Try claude-sonnet-5-5 for classify (now claude-opus-4-8)",
        "Try claude-sonnet-5-5 for classify (now claude-opus-5)",
    ]


def test_calls_without_a_feature_are_named_so(world: World) -> None:
    assert only(advise(filled([call(world, feature="")]), world, WANTED)).title.endswith(" for untagged calls")


def test_the_evidence_fits_its_cell(world: World) -> None:
    one = only(advise(filled([call(world, output=123_456)]), world, WANTED))
    assert one.evidence == "mean answer 123,456 tokens"
    assert len(one.evidence) <= 30


def test_a_call_too_large_for_a_model_rules_it_out(world: World) -> None:
    small = only(advise(filled([call(world, "openai/gpt-5.5")]), world, WANTED))
    large = only(
        advise(filled([call(world, "openai/gpt-5.5"), call(world, "openai/gpt-5.5", input=900_000)]), world, WANTED)
    )
    assert {"gpt-5.4-nano"} <= {one.model for one in small.candidates}
    windows = {one.model: world.book.rates(one.model).context for one in large.candidates}  # type: ignore[union-attr]
    assert windows
    assert min(window or 0 for window in windows.values()) > 900_000


def test_a_price_that_is_not_exact_is_no_candidate() -> None:
    world = world_with(**{"gpt-9-mini": ModelConfig(input=1.0, output=1.0, context=10**16)})
    assert advise(filled([row(input=10**15, paid=10**18)]), world, WANTED) == []
    assert only(advise(filled([row(input=10**9, paid=10**15)]), world, WANTED)).saves == 10**15 - 10**12 - 10_000


def test_servers_of_ones_own_stand_beside_the_makers_models() -> None:
    own = {
        f"qwen{number}": ModelConfig(gpu_hour_usd=number, tokens_per_second=9000, context=32_768)
        for number in (1, 2, 900)
    }
    world = world_with(**own)
    one = only(advise(filled([call(world)]), world, WANTED))
    mine = {candidate.model: candidate for candidate in one.candidates if candidate.provider == "user"}
    assert mine.keys() == {"qwen1", "qwen2"}, "the third is no cheaper"
    assert mine["qwen1"].flags == ("user",)
    assert mine["qwen1"].cost == paid(world, "", "qwen1", Usage(1000, output=100))
    assert "gpt" in one.title
    costs = [candidate.cost for candidate in one.candidates]
    assert costs == sorted(costs, reverse=True)


def test_a_server_of_ones_own_is_tried_first_where_the_maker_has_nothing_cheaper() -> None:
    world = world_with(qwen=ModelConfig(input=0.001, output=0.001, context=32_768))
    work = filled([call(world, "deepseek/deepseek-v4-flash")])
    one = only(advise(work, world, WANTED))
    assert one.title == "Try qwen for classify"
    assert any("of your own" in sentence for sentence in one.details)
    assert work.one("SELECT moved, left FROM calls") == ("user/qwen", one.candidates[0].cost)


def test_a_price_of_ones_own_for_a_makers_model_counts() -> None:
    cheap = ModelConfig(input=0.5, output=1.0, context=400_000)
    world = world_with(**{"gpt-5.4-mini": cheap, "gpt-4o": ModelConfig(input=2.0, output=8.0)})
    price = paid(world, "openai", "gpt-4o", Usage(1000, output=100))
    one = only(
        advise(filled([row(feature="f", price_model="user/gpt-4o", input=1000, output=100, paid=price)]), world, WANTED)
    )
    mine = [candidate for candidate in one.candidates if candidate.provider == "user"]
    assert [(candidate.model, candidate.cost, candidate.flags) for candidate in mine] == [
        ("gpt-5.4-mini", 600_000, ("user",))
    ]
    assert {candidate.provider for candidate in one.candidates} == {"user", "openai"}


def test_what_became_cheaper_by_itself_is_told_and_no_reason_to_change(world: World) -> None:
    before_the_cut = int(datetime(2025, 6, 1, tzinfo=UTC).timestamp()) * 10**9
    old = call(world, "openai/o3", at=before_the_cut)
    today = paid(world, "openai", "o3", Usage(1000, output=100))
    assert today * 5 == old.paid
    one = only(advise(filled([old]), world, WANTED))
    assert any("On o3 itself the same calls cost 20% of that today." in sentence for sentence in one.details)
    assert all(candidate.cost <= 0.9 * today for candidate in one.candidates)
    recent = only(advise(filled([call(world, "openai/o3")]), world, WANTED))
    assert not any("itself" in sentence for sentence in recent.details)


def test_calls_without_a_time_are_priced_too(world: World) -> None:
    one = only(advise(filled([call(world), call(world, at=NOON)]), world, WANTED))
    work = filled([call(world), call(world)])
    work.db.execute("UPDATE calls SET at = NULL")
    assert only(advise(work, world, WANTED)).saves == one.saves


calls_drawn = st.lists(
    st.fixed_dictionaries(
        {
            "model": st.sampled_from(
                ["openai/gpt-4o", "openai/gpt-5.5", "anthropic/claude-opus-4-8", "google/gemini-2.5-pro"]
            ),
            "feature": st.sampled_from(["", "a", "b"]),
            "input": st.integers(1, 250_000),
            "cached": st.integers(0, 50_000),
            "output": st.integers(0, 5_000),
            "tier": st.sampled_from(["", "batch"]),
            "kept": st.sampled_from([0.0, 0.3, 1.0, 1.0]),
        }
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=40)
@given(calls_drawn, st.randoms())
def test_nothing_is_saved_twice_and_the_order_does_not_matter(world: World, drawn: list[dict], random) -> None:
    rows = [
        call(world, **{name: value for name, value in fields.items() if name != "kept"}, id=number, line=number)
        for number, fields in enumerate(drawn)
    ]
    kept = [(fields["kept"], number) for number, fields in enumerate(drawn)]

    def audited(some: list[CallRow]) -> tuple[list[Advice], list[tuple]]:
        work = filled(some)
        work.db.executemany("UPDATE calls SET left = CAST(paid * ? AS INTEGER) WHERE id = ?", kept)
        before = left(work)
        found = advise(work, world, WANTED)
        assert before - left(work) == sum(one.saves for one in found)
        assert all(0 < one.saves <= before for one in found)
        assert work.one("SELECT COUNT(*) FROM calls WHERE left < 0") == (0,)
        assert work.one("SELECT COUNT(*) FROM calls WHERE moved <> '' AND left > 0") <= (
            sum(one.calls for one in found),
        )
        return found, list(work.rows("SELECT id, left, moved FROM calls ORDER BY id"))

    first = audited(rows)
    random.shuffle(rows)
    assert audited(rows) == first
