"""Models that may take another one's place: told by their names, thinned to what an expert would look at."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrimp.audit.findings.candidates import (
    MOST,
    NEAREST,
    NEWER_OF_LINE,
    Stand,
    current,
    fitting,
    nearest,
    read_name,
    short,
    thin,
)
from scrimp.audit.findings.repricing import Offer
from scrimp.config import ModelConfig
from scrimp.prices.book import Book


@pytest.fixture(scope="module")
def book() -> Book:
    return Book.load()


def stand(model: str, cost: int) -> Stand:
    return Stand(read_name(model), Offer("maker", model, {}), cost)


def names(stands: list[Stand]) -> list[str]:
    return [one.offer.model for one in stands]


@pytest.mark.parametrize(
    ("model", "family", "line", "version"),
    [
        ("gpt-4o", "gpt", (), 4.0),
        ("gpt-4o-mini-2024-07-18", "gpt", ("mini",), 4.0),
        ("gpt-5.4-nano", "gpt", ("nano",), 5.4),
        ("gpt-4-32k", "gpt", (), 4.0),
        ("gpt-3.5-turbo-0125", "gpt", ("turbo",), 3.5),
        ("gpt-oss-120b", "oss", ("120b",), None),
        ("o3", "gpt", ("o",), 4.3),
        ("o4-mini", "gpt", ("o", "mini"), 4.4),
        ("claude-3-5-haiku-latest", "claude", ("haiku",), 3.5),
        ("claude-haiku-4-5-20251001", "claude", ("haiku",), 4.5),
        ("claude-opus-5", "claude", ("opus",), 5.0),
        ("global.anthropic.claude-opus-4-6-v1:0", "claude", ("opus",), 4.6),
        ("anthropic/claude-sonnet-4.5", "claude", ("sonnet",), 4.5),
        ("gemini-3.1-flash-lite-preview", "gemini", ("flash", "lite"), 3.1),
        ("mistral-large-2512", "mistral", ("large",), None),
        ("ministral-14b-2512", "mistral", ("ministral", "14b"), None),
        ("mixtral-8x7b", "mistral", ("mixtral", "8x7b"), None),
        ("mistral-small-3.2-24b-instruct", "mistral", ("small", "24b"), 3.2),
        ("deepseek-v4-flash", "deepseek", ("flash",), 4.0),
        ("grok-4-0709", "grok", (), 4.0),
        ("grok-4.20", "grok", (), 4.2),
        ("meta-llama/Llama-3.3-70B-Instruct-Turbo", "llama", ("70b", "turbo"), 3.3),
        ("qwen3-235b-a22b-2507", "qwen", ("235b", "a22b"), 3.0),
    ],
)
def test_a_name_tells_family_line_and_version(
    model: str, family: str, line: tuple[str, ...], version: float | None
) -> None:
    name = read_name(model)
    assert (name.family, name.line, name.version) == (family, line, version)


def test_what_stands_before_and_after_a_name_is_kept_apart() -> None:
    assert read_name("us.anthropic.claude-opus-5").place == ("us.anthropic.", "")
    assert read_name("accounts/fireworks/models/qwen3-8b").place == ("accounts/fireworks/models/", "")
    assert read_name("deepseek/deepseek-chat:free").place == ("deepseek/", "free")
    assert read_name("anthropic.claude-3-haiku-20240307-v1:0").place == ("anthropic.", "")
    assert short("us.anthropic.claude-opus-5") == "claude-opus-5"
    assert short("meta-llama/Llama-3.3-70B") == "Llama-3.3-70B"


@given(st.text(max_size=300))
def test_any_name_can_be_read(model: str) -> None:
    assert read_name(model).line is not None


@pytest.mark.parametrize(
    "model",
    ["text-embedding-3-small", "gpt-4o-audio-preview", "gpt-realtime", "gpt-image-1", "gpt-4o-search-preview",
     "o3-deep-research", "whisper-1", "mistral-ocr-latest", "ft:gpt-4o"],
)  # fmt: skip
def test_nothing_stands_in_for_what_does_not_simply_answer(model: str) -> None:
    own = {"qwen3-32b": ModelConfig(input=0.1, output=0.1, context=40_000)}
    assert fitting(Book.load(own), read_name(model), "openai", 100) == []


def fit(book: Book, model: str, provider: str, largest: int = 10_000) -> list[str]:
    return [name for _, name in fitting(book, read_name(model), provider, largest)]


def test_the_same_maker_where_the_calls_go_now(book: Book) -> None:
    same = fit(book, "claude-opus-4-8", "anthropic")
    assert {"claude-sonnet-5-5", "claude-haiku-5-5"} <= set(same)
    assert all(read_name(model).family == "claude" for model in same)
    sold = fit(book, "anthropic/claude-opus-4.8", "openrouter")
    assert "anthropic/claude-sonnet-5.5" in sold
    assert not [model for model in sold if ":" in model or not model.startswith("anthropic/")]


@pytest.mark.parametrize("model", ["gpt-4o", "gpt-5.4", "o3", "gpt-6-astra"])
def test_only_models_that_answer_text_and_are_current(book: Book, model: str) -> None:
    same = fit(book, model, "openai")
    words = {word for one in same for word in read_name(one).words}
    assert not words & {"audio", "realtime", "codex", "search", "image", "oss", "davinci", "cyber", "ft", "chatgpt"}
    assert not {"gpt-3.5-turbo", "gpt-3.5-turbo-16k"} & set(same)
    assert {"gpt-6-luna", "gpt-6.1-terra"} <= set(same)


def test_a_deprecated_model_is_none(book: Book) -> None:
    same = fit(book, "gemini-2.0-pro", "google")
    assert "gemini-2.5-flash" in same
    assert "gemini-2.0-flash" not in same


def test_the_newest_of_a_line_may_be_a_generation_behind(book: Book) -> None:
    same = fit(book, "gemini-4-argon", "google")
    assert "gemini-3.8-flash" in same
    assert not {"gemini-3.6-flash", "gemini-2.5-flash"} & set(same)


def test_an_older_model_on_trial_is_none(book: Book) -> None:
    assert "gemini-3-flash-preview" in fit(book, "gemini-2.5-pro", "google")
    assert "gemini-3-flash-preview" not in fit(book, "gemini-3.8-flash", "google")


def test_a_line_without_successors_is_old_in_the_next_generation(book: Book) -> None:
    assert "o4-mini" in fit(book, "o3", "openai")
    assert not {"o3", "o4-mini"} & set(fit(book, "gpt-5", "openai"))


def test_the_largest_call_must_fit_the_context_window(book: Book) -> None:
    assert "gpt-4o-mini" in fit(book, "gpt-4o", "openai", 128_000)
    same = fit(book, "gpt-4o", "openai", 128_001)
    assert "gpt-4o-mini" not in same
    assert "gpt-4.1-mini" in same


def test_the_users_own_servers_and_prices_may_take_calls_too() -> None:
    own = {
        "qwen3-32b": ModelConfig(input=0.1, output=0.1, context=40_000),
        "bge-m3-embed": ModelConfig(input=0.01),
        "gpt-4.1-mini": ModelConfig(input=0.3, output=1.2, context=1_000_000),
    }
    takers = fitting(Book.load(own), read_name("gpt-4o"), "openai", 33_000)
    assert [model for provider, model in takers if provider == "user"] == ["gpt-4.1-mini", "qwen3-32b"]
    assert fitting(Book.load(own), read_name("gpt-4o"), "", 50_000) == [("user", "gpt-4.1-mini")]


def test_what_a_newer_model_of_its_line_undercuts_is_left_out() -> None:
    stands = [stand("gpt-4.1-mini", 50), stand("gpt-5-mini", 45), stand("gpt-5.4-mini", 90), stand("gpt-5-nano", 10)]
    assert names(current(stands)) == ["gpt-5.4-mini", "gpt-5-mini", "gpt-5-nano"]


def test_of_one_model_the_undated_name_stays() -> None:
    stands = [stand("gpt-4o-2024-08-06", 50), stand("gpt-4o", 50), stand("gpt-4o-2024-05-13", 100)]
    assert names(current(stands)) == ["gpt-4o"]


def test_a_newer_model_of_the_same_line_is_tried_first() -> None:
    stands = [stand("claude-fable-5", 60), stand("claude-opus-5", 50), stand("claude-sonnet-5", 20)]
    assert nearest(stands, 100, read_name("claude-opus-4-1")).offer.model == "claude-opus-5"


def test_else_the_nearest_step_that_saves_well_and_of_it_the_newest() -> None:
    stands = [stand("gpt-5.5", 80), stand("o4-mini", 44), stand("gpt-6-terra", 43), stand("gpt-5-nano", 3)]
    assert nearest(stands, 100, read_name("gpt-4-turbo")).offer.model == "gpt-6-terra"


def test_an_older_generation_only_where_there_is_no_other() -> None:
    stands = [stand("gpt-5.5", 50), stand("gpt-6-terra", 10)]
    assert nearest(stands, 100, read_name("gpt-6-astra")).offer.model == "gpt-6-terra"
    assert nearest(stands[:1], 100, read_name("gpt-6-astra")).offer.model == "gpt-5.5"


def test_the_cheapest_where_none_saves_well() -> None:
    stands = [stand("gpt-6-sol", 85), stand("gpt-6-terra", 70)]
    assert nearest(stands, 100, read_name("gpt-5")).offer.model == "gpt-6-terra"


lines = st.sampled_from(["mini", "nano", "pro", "sol", "terra", "luna", "max"])
many = st.lists(
    st.builds(lambda line, version, cost: stand(f"gpt-{version}-{line}", cost), lines, st.integers(4, 9), st.integers(1, 90)),
    min_size=1,
    max_size=30,
    unique_by=lambda one: one.offer.model,
)  # fmt: skip


@given(many, st.randoms())
def test_a_few_price_steps_are_left_in_any_order_the_same(stands: list[Stand], random) -> None:
    fresh = current(stands)
    first = nearest(fresh, 100, read_name("gpt-5"))
    chosen = thin(fresh, first)
    assert 1 <= len(chosen) <= MOST
    assert first in chosen
    assert len(set(names(chosen))) == len(chosen)
    assert [one.cost for one in chosen] == sorted((one.cost for one in chosen), reverse=True)
    assert first.cost <= 100 * max(NEAREST, NEWER_OF_LINE) or first is fresh[-1]
    random.shuffle(stands)
    again = current(stands)
    assert names(again) == names(fresh)
    assert names(thin(again, nearest(again, 100, read_name("gpt-5")))) == names(chosen)
