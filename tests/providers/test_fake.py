"""The scripted provider is answered to by the official clients as the real ones are."""

from __future__ import annotations

import time
from collections.abc import Iterator

import anthropic
import openai
import pytest

import scrimp
from scrimp.providers.fake import Fake, Turn

ASK = [{"role": "user", "content": "Say it."}]


@pytest.fixture(scope="module")
def fake() -> Iterator[Fake]:
    with Fake() as running:
        yield running


@pytest.fixture
def chat(fake: Fake) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=fake.base_url, api_key="sk-test", max_retries=0) as client:
        yield client


@pytest.fixture
def claude(fake: Fake) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=fake.origin, api_key="sk-ant-test", max_retries=0) as client:
        yield client


def play(fake: Fake, *turns: Turn) -> None:
    fake.requests.clear()
    fake.script[:] = turns


def test_chat_gives_text_and_usage(fake: Fake, chat: openai.OpenAI) -> None:
    play(fake, Turn(text="yes", input=20, cached=12))
    answer = chat.chat.completions.create(model="m", messages=ASK)
    assert answer.choices[0].message.content == "yes"
    assert answer.usage is not None and answer.usage.prompt_tokens == 20
    assert answer.usage.prompt_tokens_details and answer.usage.prompt_tokens_details.cached_tokens == 12


@pytest.mark.parametrize("asked", [True, False])
def test_chat_streams_usage_only_where_asked(fake: Fake, chat: openai.OpenAI, asked: bool) -> None:
    play(fake)
    options = {"stream_options": {"include_usage": True}} if asked else {}
    chunks = list(chat.chat.completions.create(model="m", messages=ASK, stream=True, **options))
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == Turn().text
    assert [bool(c.usage) for c in chunks] == [False] * (len(chunks) - 1) + [asked]


def test_several_choices_are_all_answered(fake: Fake, chat: openai.OpenAI) -> None:
    play(fake)
    assert len(chat.chat.completions.create(model="m", messages=ASK, n=3).choices) == 3
    chunks = chat.chat.completions.create(model="m", messages=ASK, n=2, stream=True)
    assert {choice.index for chunk in chunks for choice in chunk.choices} == {0, 1}


def test_the_cap_cuts_the_answer(fake: Fake, chat: openai.OpenAI, claude: anthropic.Anthropic) -> None:
    play(fake)
    answer = chat.chat.completions.create(model="m", messages=ASK, max_tokens=2)
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage is not None and answer.usage.completion_tokens == 2
    assert claude.messages.create(model="m", messages=ASK, max_tokens=2).stop_reason == "max_tokens"  # type: ignore


def test_a_tool_is_called_in_every_dialect(fake: Fake, chat: openai.OpenAI, claude: anthropic.Anthropic) -> None:
    play(fake, *[Turn(tool="look", arguments='{"at":"sky"}')] * 6)
    answer = chat.chat.completions.create(model="m", messages=ASK)
    assert answer.choices[0].message.tool_calls[0].function.arguments == '{"at":"sky"}'  # type: ignore
    with chat.chat.completions.stream(model="m", messages=ASK) as stream:
        final = stream.get_final_completion()
    assert final.choices[0].message.tool_calls[0].function.name == "look"  # type: ignore
    assert chat.responses.create(model="m", input="go").output[0].type == "function_call"
    events = list(chat.responses.create(model="m", input="go", stream=True))
    assert events[-1].response.output[0].name == "look"  # type: ignore
    assert claude.messages.create(model="m", messages=ASK, max_tokens=9).content[0].input == {"at": "sky"}  # type: ignore
    with claude.messages.stream(model="m", messages=ASK, max_tokens=9) as told:  # type: ignore
        assert told.get_final_message().content[0].input == {"at": "sky"}  # type: ignore


def test_messages_stream_adds_up_to_the_message(fake: Fake, claude: anthropic.Anthropic) -> None:
    play(fake, Turn(input=30, cached=10), Turn(input=30, cached=10))
    whole = claude.messages.create(model="m", messages=ASK, max_tokens=99)  # type: ignore
    with claude.messages.stream(model="m", messages=ASK, max_tokens=99) as stream:  # type: ignore
        final = stream.get_final_message()
    assert final.content[0].text == whole.content[0].text == Turn().text  # type: ignore
    assert final.usage.output_tokens == whole.usage.output_tokens
    assert (final.usage.input_tokens, final.usage.cache_read_input_tokens) == (20, 10)


def test_tokens_are_counted(fake: Fake, claude: anthropic.Anthropic) -> None:
    play(fake)
    assert claude.messages.count_tokens(model="m", messages=ASK).input_tokens > 0  # type: ignore


def test_responses_stream_ends_with_usage(fake: Fake, chat: openai.OpenAI) -> None:
    play(fake)
    assert chat.responses.create(model="m", input="go").output_text == Turn().text
    with chat.responses.stream(model="m", input="go") as stream:
        final = stream.get_final_response()
    assert final.output_text == Turn().text
    assert final.usage is not None and final.usage.output_tokens == 11


def test_embeddings_come_as_base64_and_as_numbers(fake: Fake, chat: openai.OpenAI) -> None:
    play(fake)
    packed = chat.embeddings.create(model="m", input=["a", "b"])
    plain = chat.embeddings.create(model="m", input=["a", "b"], encoding_format="float")
    assert [e.embedding for e in packed.data] == [e.embedding for e in plain.data]
    assert len(packed.data) == 2 and packed.data[0].embedding != packed.data[1].embedding


def test_legacy_completions_answer(fake: Fake, chat: openai.OpenAI) -> None:
    play(fake)
    assert chat.completions.create(model="m", prompt="go").choices[0].text == Turn().text
    parts = chat.completions.create(model="m", prompt="go", stream=True)
    assert "".join(part.choices[0].text for part in parts if part.choices) == Turn().text


def test_errors_speak_the_dialect(fake: Fake, chat: openai.OpenAI, claude: anthropic.Anthropic) -> None:
    play(fake, Turn(status=429, retry_after="7"), Turn(status=529, retry_after="3"))
    with pytest.raises(openai.RateLimitError) as busy:
        chat.chat.completions.create(model="m", messages=ASK)
    assert busy.value.response.headers["retry-after"] == "7"
    with pytest.raises(anthropic.APIStatusError) as over:
        claude.messages.create(model="m", messages=ASK, max_tokens=9)  # type: ignore
    assert over.value.status_code == 529 and over.value.body["error"]["type"] == "overloaded_error"  # type: ignore


def test_a_stream_breaks_off(fake: Fake, chat: openai.OpenAI) -> None:
    play(fake, Turn(break_after=3))
    got = []
    with pytest.raises(openai.APIConnectionError):
        got.extend(chat.chat.completions.create(model="m", messages=ASK, stream=True))
    play(fake, Turn(break_after=3))
    stream = chat.chat.completions.create(model="m", messages=ASK, stream=True)
    assert [next(stream).id for _ in range(3)]


def test_a_stream_stalls_until_the_client_leaves(fake: Fake, chat: openai.OpenAI) -> None:
    play(fake, Turn(stall_after=2))
    before = fake.left
    stream = chat.chat.completions.create(model="m", messages=ASK, stream=True)
    assert [next(stream).id for _ in range(2)]
    stream.close()
    until = time.monotonic() + 5
    while fake.left == before and time.monotonic() < until:
        time.sleep(0.01)
    assert fake.left == before + 1


def test_what_was_sent_is_kept(fake: Fake, chat: openai.OpenAI) -> None:
    play(fake)
    chat.chat.completions.create(model="m", messages=ASK, extra_headers={"x-own": "1"}, extra_query={"a": "b"})
    seen = fake.requests[-1]
    assert (seen.method, seen.path) == ("POST", "/v1/chat/completions?a=b")
    assert seen.header("X-Own") == "1" and b'"Say it."' in seen.body


def test_the_same_request_gets_the_same_bytes(fake: Fake, chat: openai.OpenAI) -> None:
    play(fake)
    ask = chat.chat.completions.with_raw_response.create
    assert ask(model="m", messages=ASK).content == ask(model="m", messages=ASK).content


def test_repeating_says_it_again(fake: Fake, chat: openai.OpenAI) -> None:
    play(fake, Turn(text="no", repeat=50))
    text = chat.chat.completions.create(model="m", messages=ASK).choices[0].message.content
    assert text == " ".join(["no"] * 50)


def test_other_paths_are_told_back_and_any_body_can_be_given(fake: Fake, chat: openai.OpenAI) -> None:
    play(fake)
    assert chat.models.list().data[0].id == "fake"
    assert chat.get("/batches/b1", cast_to=object) == {"object": "echo", "method": "GET", "path": "/v1/batches/b1"}
    play(fake, Turn(body=b'{"odd": true}', headers=(("x-more", "1"),)))
    odd = chat.chat.completions.with_raw_response.create(model="m", messages=ASK)
    assert odd.content == b'{"odd": true}' and odd.headers["x-more"] == "1"


def test_its_usage_is_read_by_scrimp(fake: Fake, chat: openai.OpenAI) -> None:
    pytest.importorskip("scrimp.wire.answer")
    play(fake, Turn(input=40, cached=16, output=9, reasoning=4))
    body = chat.chat.completions.with_raw_response.create(model="m", messages=ASK).content
    used = scrimp.usage(body)
    assert used is not None
    assert (used.input, used.cached, used.output, used.reasoning) == (24, 16, 5, 4)
