"""Facts to money: what was used and how that is known; list, savings and paid; what is unknown is never 0 in silence."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from step_samples import CHAT, NOVEMBER, a_call, a_world

from scrimp.call import TOKEN_CLASSES, Answer, Ask, Cost, Try, Usage
from scrimp.steps.price import price, used, weigh, without_cache
from scrimp.wire.tokens import count, count_request

GROQ = {"providers": {"groq": {"base_url": "https://api.groq.com/openai/v1"}}}
SAID = "Once upon a time there was a gateway"
CHUNK = b'data: {"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"%s"}}]}\n\n' % SAID.encode()
MILLION = 1_000_000


@pytest.fixture(scope="module")
def world():
    return a_world()


def ask(api="openai.chat", **more):
    return Ask(api=api, model="gpt-4o-mini", parsed=True, **more)


def counted(model="gpt-4o-mini"):
    return count_request("openai.chat", CHAT, model), count(SAID, model)


def test_a_reported_usage_of_a_whole_answer_is_exact(world):
    usage = Usage(input=9, output=3)
    assert used(a_call(Answer(200, usage=usage, whole=True)), world) == (usage, "exact")


def test_a_whole_answer_that_reports_nothing_is_counted(world):
    tokens, said = counted()
    call = a_call(Answer(200, whole=True, body=CHUNK), ask=ask(stream=True))
    assert used(call, world) == (Usage(input=tokens, output=said), "estimated")


def test_a_cut_stream_is_counted_where_the_provider_stops_billing(world):
    tokens, said = counted()
    call = a_call(Answer(200, body=CHUNK), ask=ask(stream=True, cap=400))
    assert used(call, world) == (Usage(input=tokens, output=said), "estimated")


@pytest.mark.parametrize(
    ("tree", "provider"),
    [
        (GROQ, "groq"),
        ({"providers": {"p": {"base_url": "http://127.0.0.1:1/v1", "cut_bills": "full"}}}, "p"),
    ],
    ids=["by what the provider documents", "by the configuration"],
)
def test_a_cut_stream_is_taken_for_full_where_the_provider_goes_on(tree, provider):
    tokens, said = counted()
    call = a_call(Answer(200, body=CHUNK), provider, ask=ask(stream=True, cap=400))
    assert used(call, a_world(tree)) == (Usage(input=tokens, output=400), "assumed-full")
    uncapped = a_call(Answer(200, body=CHUNK), provider, ask=ask(stream=True))
    assert used(uncapped, a_world(tree)) == (Usage(input=tokens, output=said), "assumed-full")


def test_the_configuration_may_know_better_that_a_provider_stops():
    tree = {"providers": {"groq": {"base_url": "https://api.groq.com/openai/v1", "cut_bills": "stops"}}}
    assert used(a_call(Answer(200, body=CHUNK), "groq", ask=ask(stream=True, cap=400)), a_world(tree))[1] == "estimated"


def test_an_answer_that_does_not_stream_runs_to_its_end_without_its_client(world):
    tokens, _ = counted()
    for call in (a_call(None, ask=ask(cap=400)), a_call(Answer(200), ask=ask(cap=400))):
        assert used(call, world) == (Usage(input=tokens, output=400), "assumed-full")


def test_a_cut_stream_that_reported_its_input_keeps_it_and_counts_the_output(world):
    event = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"%s"}}\n\n'
    reported = Usage(input=25, cached=1000, output=1)
    call = a_call(
        Answer(200, model="claude-sonnet-5", usage=reported, body=event % SAID.encode()),
        "anthropic",
        ask=ask("anthropic.messages", stream=True, cap=400),
    )
    usage, basis = used(call, world)
    assert (usage.input, usage.cached, basis) == (25, 1000, "estimated")
    assert usage.output == count(SAID, "claude-sonnet-5") > 1


def test_a_stream_left_before_its_first_byte_costs_its_input(world):
    tokens, _ = counted()
    call = a_call(None, ask=ask(stream=True, cap=400), left=True)
    assert used(call, world) == (Usage(input=tokens), "estimated")


@pytest.mark.parametrize(
    "tries",
    [
        [],
        [Try("openai", "m", 0, error="refused")],
        [Try("openai", "m", 0, status=500)],
        [Try("openai", "m", 0, status=500), Try("openai", "m", 0, error="closed")],
    ],
    ids=["not sent", "no connection", "refused by the provider, then the client left", "two tries failed"],
)
def test_what_no_provider_answered_costs_nothing(world, tries):
    call = a_call(None, tries=tries)
    assert used(call, world) == (None, "none")
    price(call, world)
    assert call.cost == Cost()


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 529])
def test_an_error_costs_nothing_whatever_it_reports(world, status):
    call = a_call(Answer(status, usage=Usage(input=9), whole=True))
    price(call, world)
    assert call.cost == Cost()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/models"),
        ("GET", "/v1/responses/resp_1"),
        ("DELETE", "/v1/files/file-1"),
        ("POST", "/v1/files"),
        ("POST", "/v1/batches"),
        ("POST", "/v1/messages/batches"),
    ],
)
def test_what_costs_nothing_by_itself_is_free(world, method, path):
    call = a_call(Answer(200, whole=True), ask=Ask(), method=method, path=path)
    price(call, world)
    assert call.cost == Cost()


def test_counting_tokens_is_free(world):
    call = a_call(Answer(200, whole=True), ask=Ask(api="anthropic.count_tokens", model="claude-sonnet-5"))
    assert used(call, world) == (None, "none")


@pytest.mark.parametrize("answer", [Answer(200, whole=True), None], ids=["answered", "left"])
def test_a_paid_path_that_reports_no_usage_is_unpriced_and_says_so(world, answer):
    call = a_call(answer, ask=Ask(), path="/v1/images/generations")
    price(call, world)
    assert call.cost == Cost(unpriced="/v1/images/generations reports no usage")


def test_the_answers_own_model_is_priced_before_the_one_that_was_asked(world):
    usage = Usage(input=MILLION)
    answered = a_call(Answer(200, model="gpt-4o-2024-08-06", usage=usage, whole=True))
    price(answered, world)
    assert (answered.cost.price_model, answered.cost.paid) == ("openai/gpt-4o", 2_500_000_000)
    unknown = a_call(Answer(200, model="gpt-of-tomorrow", usage=usage, whole=True))
    price(unknown, world)
    assert (unknown.cost.price_model, unknown.cost.paid) == ("openai/gpt-4o-mini", 150_000_000)


def test_a_model_nobody_knows_is_unpriced_with_its_usage_kept(world):
    call = a_call(Answer(200, model="mystery", usage=Usage(input=5), whole=True), ask=Ask("openai.chat", "mystery-1"))
    price(call, world)
    assert call.cost.unpriced == "no price for mystery at openai"
    assert (call.cost.usage, call.cost.list, call.cost.paid, call.savings) == (Usage(input=5), 0, 0, [])
    cost, _ = weigh(world, "", "", "openai", Usage(input=5), "exact", "", NOVEMBER)
    assert cost.unpriced == "no model is named"


def test_a_model_of_ones_own_is_priced_at_ones_own_price():
    own = a_world(
        {
            "providers": {"local": {"base_url": "http://127.0.0.1:1/v1"}},
            "models": {"local/m": {"input": 1, "output": 2}},
        }
    )
    cost, _ = weigh(own, "m", "m", "local", Usage(input=10, output=10), "exact", "", NOVEMBER)
    assert (cost.paid, cost.flags) == (30_000, ("user",))


def test_the_providers_cache_and_its_tiers_are_the_first_two_savings(world):
    usage = Usage(input=MILLION, cached=MILLION, output=MILLION)
    cost, savings = weigh(world, "gpt-5-mini", "", "openai", usage, "exact", "flex", NOVEMBER)
    standard, _ = weigh(world, "gpt-5-mini", "", "openai", usage, "exact", "", NOVEMBER)
    assert [saving.strategy for saving in savings] == ["provider_cache", "service_tier"]
    assert savings[1].nano == standard.paid - cost.paid > 0
    assert cost.list == standard.list == cost.paid + savings[0].nano + savings[1].nano


def test_a_cache_write_and_a_faster_tier_are_savings_below_nothing(world):
    usage = Usage(input=10, cache_write=MILLION)
    _, (written,) = weigh(world, "claude-sonnet-5", "", "anthropic", usage, "exact", "standard", NOVEMBER)
    assert (written.strategy, written.nano < 0) == ("provider_cache", True)
    _, (hurried,) = weigh(world, "gpt-5-mini", "", "openai", Usage(input=MILLION), "exact", "priority", NOVEMBER)
    assert (hurried.strategy, hurried.nano < 0) == ("service_tier", True)


@pytest.mark.parametrize("tier", ["", "default", "standard", "auto"])
def test_the_usual_tier_by_any_name_saves_nothing(world, tier):
    cost, savings = weigh(world, "gpt-5-mini", "", "openai", Usage(input=100), "exact", tier, NOVEMBER)
    assert (cost.list, savings) == (cost.paid, [])


def test_a_tier_without_a_price_is_unpriced(world):
    cost, savings = weigh(world, "gpt-4o-mini", "", "openai", Usage(input=9), "exact", "warp", NOVEMBER)
    assert "tier warp is not priced" in cost.unpriced
    assert (cost.list, cost.paid, savings) == (0, 0, [])


def test_a_call_is_priced_once(world):
    call = a_call(Answer(200, usage=Usage(input=9), whole=True))
    price(call, world)
    first = call.cost
    call.answer.usage = Usage(input=900)
    price(call, world)
    assert call.cost is first


@given(st.builds(Usage, **{name: st.integers(0, MILLION) for name in TOKEN_CLASSES}))
def test_a_usage_without_its_cache_has_the_same_tokens(usage):
    bare = without_cache(usage)
    assert (bare.input_total, bare.output_total) == (usage.input_total, usage.output_total)
    assert bare.audio_input == usage.audio_input + usage.audio_cached
    assert not any(getattr(bare, name) for name in ("cached", "cache_write", "cache_write_1h", "cache_write_12h"))
    assert without_cache(bare) is bare
    assert msgspec.structs.replace(bare, input=0, audio_input=0).input_total == usage.image_input + usage.video_input
