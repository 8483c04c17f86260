"""The official Python clients, sync and async, against the real server; what they see is what the provider said."""

import asyncio

import anthropic
import openai
import pytest

import scrimp
from scrimp.providers.fake import Turn

ASK = [{"role": "user", "content": "What is the capital of France?"}]


@pytest.fixture
def client(gateway):
    with openai.OpenAI(base_url=gateway.openai_base_url, api_key="k", max_retries=0) as made:
        yield made


@pytest.fixture
def claude(gateway):
    with anthropic.Anthropic(base_url=gateway.anthropic_base_url, api_key="k", max_retries=0) as made:
        yield made


def test_chat_completions_plain_and_streamed_cost_the_same(client, fake, records):
    fake.otherwise = Turn(input=100, cached=40, output=9)
    raw = client.chat.completions.with_raw_response.create(model="gpt-4o-mini", messages=ASK)
    assert raw.parse().usage.prompt_tokens == 100
    chunks = list(client.chat.completions.create(model="gpt-4o-mini", messages=ASK, stream=True))
    assert all(chunk.choices for chunk in chunks)
    asked = client.chat.completions.create(
        model="gpt-4o-mini", messages=ASK, stream=True, stream_options={"include_usage": True}
    )
    assert list(asked)[-1].usage.prompt_tokens == 100
    rows = records(3)
    assert {row.usage for row in rows} == {scrimp.Usage(input=60, cached=40, output=9)}
    # 100 x 150 + 9 x 600 nanodollars without the cache; the 40 cached ones at half of it
    assert {(row.list_nano, row.paid_nano) for row in rows} == {(20_400, 17_400)}
    assert raw.headers["x-scrimp-cost"] == "0.0000174"
    assert [(s.strategy, s.nano, s.kind) for s in rows[0].savings] == [("provider_cache", 3_000, "measured")]


def test_tools_schema_choices_embeddings_responses_and_completions(client, fake, records):
    fake.otherwise = Turn(tool="lookup", arguments='{"city":"Paris"}')
    tools = [{"type": "function", "function": {"name": "lookup", "parameters": {"type": "object"}}}]
    with client.chat.completions.stream(model="gpt-4o-mini", messages=ASK, tools=tools) as stream:
        call = stream.get_final_completion().choices[0].message.tool_calls[0]
    assert (call.function.name, call.function.arguments) == ("lookup", '{"city":"Paris"}')
    fake.otherwise = Turn()
    assert len(client.chat.completions.create(model="gpt-4o-mini", messages=ASK, n=2).choices) == 2
    assert client.embeddings.create(model="text-embedding-3-small", input="hello").data[0].embedding
    assert client.responses.create(model="gpt-5-mini", input="hi").output_text
    with client.responses.stream(model="gpt-5-mini", input="hi") as responses:
        assert responses.get_final_response().output_text
    assert client.completions.create(model="gpt-3.5-turbo-instruct", prompt="hi").choices[0].text
    rows = records(6)
    apis = [row.api for row in rows]
    assert apis == ["openai.chat"] * 2 + ["openai.embeddings"] + ["openai.responses"] * 2 + ["openai.completions"]
    assert all(row.basis == "exact" and not row.unpriced and row.paid_nano > 0 for row in rows)


def test_messages_plain_streamed_and_counted(claude, fake, records):
    fake.otherwise = Turn(input=50, output=7)
    ask = {"model": "claude-sonnet-5", "max_tokens": 64, "messages": ASK}
    assert claude.messages.create(**ask).usage.output_tokens == 7
    with claude.messages.stream(**ask) as stream:
        assert stream.get_final_message().usage.output_tokens == 7
    assert claude.messages.count_tokens(model="claude-sonnet-5", messages=ASK).input_tokens > 0
    rows = records(3)
    assert [row.provider for row in rows] == ["anthropic"] * 3
    assert {(row.usage.input, row.usage.output) for row in rows[:2]} == {(50, 7)}
    assert rows[0].paid_nano == rows[1].paid_nano == 50 * 2_000 + 7 * 10_000
    assert (rows[2].basis, rows[2].paid_nano, rows[2].unpriced) == ("none", 0, "")


def test_errors_arrive_as_the_clients_own_exceptions(client, claude, fake):
    fake.otherwise = Turn(status=429, retry_after="7")
    with pytest.raises(openai.RateLimitError) as limited:
        client.chat.completions.create(model="gpt-4o-mini", messages=ASK)
    assert limited.value.response.headers["retry-after"] == "7"
    fake.otherwise = Turn(status=529)
    with pytest.raises(anthropic.APIStatusError):
        claude.messages.create(model="claude-sonnet-5", max_tokens=5, messages=ASK)


def test_a_stream_that_breaks_raises_in_the_client(client, fake):
    fake.otherwise = Turn(break_after=3)
    stream = client.chat.completions.create(model="gpt-4o-mini", messages=ASK, stream=True)
    received = []
    with pytest.raises(openai.APIConnectionError):
        for chunk in stream:
            received.append(chunk)
    assert len(received) >= 2


def test_forty_async_calls_of_both_clients_at_once(gateway, fake, records):
    fake.otherwise = Turn(input=10, output=5, gap=0.002)

    async def both() -> None:
        async with (
            openai.AsyncOpenAI(base_url=gateway.openai_base_url, api_key="a") as client,
            anthropic.AsyncAnthropic(base_url=gateway.anthropic_base_url, api_key="b") as claude,
        ):

            async def chat(i: int) -> None:
                stream = await client.chat.completions.create(
                    model="gpt-4o-mini", messages=ASK, stream=True, extra_headers={"x-scrimp-user": f"u{i % 3}"}
                )
                assert [c async for c in stream]

            async def message(i: int) -> None:
                await claude.messages.create(model="claude-sonnet-5", max_tokens=9, messages=ASK)

            await asyncio.gather(*(work(i) for i in range(20) for work in (chat, message)))

    asyncio.run(both())
    rows = records(40)
    assert {row.ending for row in rows} == {"ok"}
    assert {row.user for row in rows} == {"u0", "u1", "u2", ""}
    assert len({row.tenant for row in rows}) == 2


def test_a_wrapped_client_goes_through_the_gateway_of_this_process(gateway, fake, records):
    client = scrimp.wrap(openai.OpenAI(api_key="k"), gateway)
    assert client.chat.completions.create(model="gpt-4o-mini", messages=ASK).choices[0].message.content
    wrapped = scrimp.wrap(anthropic.AsyncAnthropic(api_key="k"))
    assert str(wrapped.base_url).rstrip("/") == gateway.anthropic_base_url
    assert len(records()) == 1
    with pytest.raises(TypeError, match="openai or anthropic client"):
        scrimp.wrap(object())
