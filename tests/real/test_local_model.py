"""The real model behind the gateway, driven by the official clients: no mock on either side."""

from __future__ import annotations

import asyncio
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anthropic
import httpx2
import openai
import pytest

import scrimp
from scrimp.demo.local_model import NAME, LocalModel
from scrimp.demo.replay import configuration
from scrimp.store import open_store
from scrimp.store.base import Record

pytestmark = pytest.mark.real_model
PRICE = {"input": 0.15, "cached_input": 0.075, "output": 0.60}
SYSTEM = "You answer the customers of a bank, in one short sentence, politely. " * 6
ASK: list[Any] = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": "The ATM ate my card."}]
TOLD: list[Any] = [{"role": "user", "content": "The exchange rates are?"}]
SHORT: dict[str, Any] = {"model": NAME, "max_tokens": 12}


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("real") / "calls.db"


@pytest.fixture(scope="session")
def gateway(model: LocalModel, store: Path) -> Iterator[scrimp.Gateway]:
    config = tomllib.loads(configuration(model.base_url, NAME, PRICE, str(store)))
    with scrimp.gateway(config=config) as running:
        yield running


@pytest.fixture(scope="session")
def chat(gateway: scrimp.Gateway) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=gateway.openai_base_url, api_key="sk-none") as client:
        yield client


@pytest.fixture(scope="session")
def claude(gateway: scrimp.Gateway) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=gateway.anthropic_base_url, api_key="none") as client:
        yield client


def record_of(headers: Any, gateway: scrimp.Gateway, store: Path) -> Record:
    """The record of the call whose answer had these headers, once it is settled."""
    until = time.monotonic() + 5
    while time.monotonic() < until:
        assert gateway.flush()
        opened = open_store(store, read_only=True)
        try:
            found = opened.record(headers["x-scrimp-id"])
        finally:
            opened.close()
        if found is not None:
            return found
        time.sleep(0.02)
    raise AssertionError("the call was not written down within 5 s")


def test_a_chat_is_recorded_as_the_client_saw_it(chat: openai.OpenAI, gateway: scrimp.Gateway, store: Path) -> None:
    raw = chat.chat.completions.with_raw_response.create(messages=ASK, **SHORT)
    used = raw.parse().usage
    kept = record_of(raw.headers, gateway, store)
    assert used is not None and used.prompt_tokens_details is not None
    assert (kept.ending, kept.basis, kept.model) == ("ok", "exact", NAME)
    assert kept.usage.input_total == used.prompt_tokens
    assert kept.usage.cached == used.prompt_tokens_details.cached_tokens
    assert kept.usage.output_total == used.completion_tokens
    assert kept.first_byte_ns > 0 and kept.total_ns >= kept.first_byte_ns


@pytest.mark.parametrize("asked", [True, False])
def test_a_streamed_chat_is_exact_whether_or_not_usage_was_asked(
    chat: openai.OpenAI, gateway: scrimp.Gateway, store: Path, asked: bool
) -> None:
    options: dict[str, Any] = {"stream_options": {"include_usage": True}} if asked else {}
    with chat.chat.completions.create(messages=ASK, stream=True, **SHORT, **options) as stream:
        chunks = list(stream)
        kept = record_of(stream.response.headers, gateway, store)
    usages = [chunk.usage for chunk in chunks if chunk.usage]
    assert len(usages) == asked
    assert all(chunk.choices for chunk in chunks) is not asked
    assert (kept.ending, kept.basis, kept.stream) == ("ok", "exact", True)
    assert kept.usage.input_total > 80 and 0 < kept.usage.output_total <= 12
    if asked:
        assert kept.usage.output_total == usages[0].completion_tokens


def test_the_async_clients_get_their_streams_side_by_side(gateway: scrimp.Gateway, store: Path) -> None:
    async def chat() -> Any:
        async with openai.AsyncOpenAI(base_url=gateway.openai_base_url, api_key="none") as client:
            stream = await client.chat.completions.create(messages=TOLD, stream=True, **SHORT)
            text = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])
            return text, stream.response.headers

    async def message() -> Any:
        async with anthropic.AsyncAnthropic(base_url=gateway.anthropic_base_url, api_key="none") as client:
            async with client.messages.stream(messages=TOLD, system=SYSTEM, **SHORT) as stream:
                final = await stream.get_final_message()
            return final, stream.response.headers

    async def both() -> Any:
        return await asyncio.gather(chat(), message())

    (text, chat_headers), (final, message_headers) = asyncio.run(both())
    assert text and record_of(chat_headers, gateway, store).basis == "exact"
    kept = record_of(message_headers, gateway, store)
    assert kept.usage.output_total == final.usage.output_tokens
    assert kept.usage.cached == final.usage.cache_read_input_tokens
    assert kept.usage.input == final.usage.input_tokens


def test_the_async_clients_get_whole_answers(gateway: scrimp.Gateway) -> None:
    async def both() -> tuple[Any, Any]:
        async with openai.AsyncOpenAI(base_url=gateway.openai_base_url, api_key="none") as client:
            answer = await client.chat.completions.create(messages=TOLD, **SHORT)
        async with anthropic.AsyncAnthropic(base_url=gateway.anthropic_base_url, api_key="none") as other:
            return answer, await other.messages.create(messages=TOLD, **SHORT)

    answer, message = asyncio.run(both())
    assert answer.choices[0].message.content and message.content[0].text


def test_messages_are_recorded_as_the_client_saw_them(
    claude: anthropic.Anthropic, gateway: scrimp.Gateway, store: Path
) -> None:
    raw = claude.messages.with_raw_response.create(messages=TOLD, system=SYSTEM, **SHORT)
    used = raw.parse().usage
    kept = record_of(raw.headers, gateway, store)
    assert (kept.api, kept.basis) == ("anthropic.messages", "exact")
    assert kept.usage.input == used.input_tokens
    assert kept.usage.cached == (used.cache_read_input_tokens or 0)
    assert kept.usage.output_total == used.output_tokens


def test_a_message_stream_gives_text(claude: anthropic.Anthropic) -> None:
    with claude.messages.stream(messages=TOLD, **SHORT) as stream:
        assert "".join(stream.text_stream)


def test_responses_are_recorded_whole_and_streamed(chat: openai.OpenAI, gateway: scrimp.Gateway, store: Path) -> None:
    asked: dict[str, Any] = {"model": NAME, "input": "The exchange rates are?", "max_output_tokens": 12}
    raw = chat.responses.with_raw_response.create(**asked)
    used = raw.parse().usage
    assert used is not None
    kept = record_of(raw.headers, gateway, store)
    assert (kept.usage.input_total, kept.usage.output_total) == (used.input_tokens, used.output_tokens)
    assert kept.usage.cached == used.input_tokens_details.cached_tokens
    with chat.responses.create(**asked, stream=True) as stream:
        last = list(stream)[-1]
        kept = record_of(stream.response.headers, gateway, store)
    assert last.type in ("response.completed", "response.incomplete")
    assert kept.usage.output_total == last.response.usage.output_tokens


def test_counting_tokens_costs_nothing(claude: anthropic.Anthropic, gateway: scrimp.Gateway, store: Path) -> None:
    raw = claude.messages.with_raw_response.count_tokens(model=NAME, messages=TOLD)
    assert raw.parse().input_tokens > 5
    kept = record_of(raw.headers, gateway, store)
    assert (kept.paid_nano, kept.unpriced, kept.basis) == (0, "", "none")


def test_the_models_own_prefix_cache_is_a_measured_saving(
    chat: openai.OpenAI, gateway: scrimp.Gateway, store: Path
) -> None:
    for question in ("My top up failed.", "Where is my card?"):
        ask: Any = [ASK[0], {"role": "user", "content": question}]
        raw = chat.chat.completions.with_raw_response.create(messages=ask, **SHORT)
    used = raw.parse().usage
    assert used is not None and used.prompt_tokens_details is not None
    cached = used.prompt_tokens_details.cached_tokens
    assert cached is not None and cached > 60
    kept = record_of(raw.headers, gateway, store)
    assert kept.usage.cached == cached
    saving = cached * 75  # nanodollars: a cached token is 0.15 - 0.075 dollars a million cheaper
    assert [(row.strategy, row.nano, row.kind) for row in kept.savings] == [("provider_cache", saving, "measured")]
    assert kept.list_nano - saving == kept.paid_nano > 0


def is_busy(model: LocalModel) -> bool:
    """Whether any of the server's slots generates; asked past the gateway."""
    slots = httpx2.get(f"{model.origin}/slots", trust_env=False).json()
    return any(slot["is_processing"] for slot in slots)


def test_a_dropped_stream_stops_the_model_and_is_estimated(
    chat: openai.OpenAI, model: LocalModel, gateway: scrimp.Gateway, store: Path
) -> None:
    ask: Any = [{"role": "user", "content": "Count from one to a thousand, in words."}]
    # ignore_eos: the model shall not end by itself while it is watched
    stream = chat.chat.completions.create(
        model=NAME, messages=ask, max_tokens=1500, stream=True, extra_body={"ignore_eos": True}
    )
    got = [next(stream).choices[0].delta.content or "" for _ in range(8)]
    assert is_busy(model)
    stream.close()
    left = time.monotonic()
    while is_busy(model):
        assert time.monotonic() - left < 2, "the model goes on for a client that left"
        time.sleep(0.02)
    kept = record_of(stream.response.headers, gateway, store)
    assert (kept.ending, kept.basis) == ("client-left", "estimated")
    assert kept.usage.input_total > 5
    assert kept.usage.output_total >= scrimp.count("".join(got), NAME) > 0


def test_an_overflow_of_the_context_passes_untouched(
    chat: openai.OpenAI, model: LocalModel, gateway: scrimp.Gateway, store: Path
) -> None:
    ask: Any = [{"role": "user", "content": "one two three four five " * 1200}]
    with pytest.raises(openai.BadRequestError) as refused:
        chat.chat.completions.create(messages=ask, **SHORT)
    answer = refused.value.response
    direct = httpx2.post(
        f"{model.base_url}/chat/completions", json={"messages": ask, **SHORT}, trust_env=False, timeout=30
    )
    assert (answer.status_code, answer.content) == (direct.status_code, direct.content)
    assert b"exceed_context_size_error" in answer.content
    kept = record_of(answer.headers, gateway, store)
    assert (kept.status, kept.ending, kept.paid_nano, kept.basis) == (400, "provider-error", 0, "none")


def test_a_wrapped_client_goes_through_the_gateway_of_this_process(
    model: LocalModel, gateway: scrimp.Gateway, store: Path
) -> None:
    with scrimp.wrap(openai.OpenAI(base_url=model.base_url, api_key="none"), gateway) as client:
        raw = client.chat.completions.with_raw_response.create(messages=TOLD, **SHORT)
    assert record_of(raw.headers, gateway, store).provider == "local"
