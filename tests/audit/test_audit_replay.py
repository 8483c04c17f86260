"""A recorded call through the PLAN: its labels, its price, its hashes."""

from __future__ import annotations

import json

import pytest

from scrimp.audit.entry import Entry
from scrimp.audit.prefix import Memory
from scrimp.audit.replay import CallRow, Replay, audit_config
from scrimp.call import Usage
from scrimp.config import Config, ModelConfig, ProviderConfig, StepConfig
from scrimp.prices.book import Price, price

NOON = 1_790_000_000 * 10**9
ASKED = {"model": "gpt-4o", "temperature": 0, "messages": [{"role": "user", "content": "Where is my order?"}]}


@pytest.fixture(scope="module")
def replay() -> Replay:
    """One replay for all: it keeps nothing between calls that a test could see."""
    return Replay(Config(), "gpt-4o", Memory())


def asked(**changes: object) -> bytes:
    """A request's body."""
    return json.dumps(ASKED | changes).encode()


def test_a_call_costs_what_the_price_book_says(replay: Replay) -> None:
    usage = Usage(input=900, cached=300, output=80)
    row = replay.row(Entry(at=NOON, model="gpt-4o", usage=usage), 0, 2)
    listed, paid = price("gpt-4o", Usage(input=1200, output=80), when=NOON), price("gpt-4o", usage, when=NOON)
    assert isinstance(listed, Price) and isinstance(paid, Price)
    assert (row.list, row.paid) == (listed.total, paid.total)
    assert json.loads(row.savings) == [["provider_cache", listed.total - paid.total, "measured"]]


def test_the_given_model_is_for_calls_that_name_none(replay: Replay) -> None:
    usage = Usage(input=10, output=10)
    assert replay.row(Entry(usage=usage), 0, 1).model == "gpt-4o"
    assert replay.row(Entry(usage=usage, model="o3"), 0, 1).model == "o3"
    assert replay.row(Entry(usage=usage, answered="gpt-5"), 0, 1).model == "gpt-5"


def test_labels_are_cleaned_as_the_gateway_cleans_them(replay: Replay) -> None:
    row = replay.row(
        Entry(usage=Usage(input=1), feature="sup\x1bport\u202e", user="u" * 500, tags=("b", "a", "b")), 0, 1
    )
    assert (row.feature, len(row.user), row.tags) == ("support", 120, "a,b")


def test_calls_that_share_a_system_prompt_are_one_feature(replay: Replay) -> None:
    def feature(question: str) -> str:
        system = {"role": "system", "content": "Classify the support ticket as billing, shipping or other."}
        body = asked(messages=[system, {"role": "user", "content": question}])
        return replay.row(Entry(api="openai.chat", request=body, usage=Usage(input=9)), 0, 1).feature

    assert feature("Where is it?") == feature("I was billed twice") != ""


def test_headers_that_the_log_kept_are_read(replay: Replay) -> None:
    entry = Entry(usage=Usage(input=1), headers=(("Helicone-User-Id", "u-7"), ("X-Scrimp-Feature", "search")))
    row = replay.row(entry, 0, 1)
    assert (row.user, row.feature) == ("u-7", "search")


def test_an_answer_of_the_loggers_own_cache_was_not_paid(replay: Replay) -> None:
    row = replay.row(Entry(usage=Usage(input=1_000_000), from_cache=True, at=NOON), 0, 1)
    assert row.paid == 0 < row.list
    assert json.loads(row.savings) == [["log_cache", row.list, "measured"]]


def test_a_failed_call_costs_nothing_and_is_not_unpriced(replay: Replay) -> None:
    row = replay.row(Entry(api="openai.chat", request=asked(), status=429, error="rate limit"), 0, 1)
    assert (row.paid, row.unpriced, row.error) == (0, "", "rate limit")


def test_a_call_without_any_count_says_so(replay: Replay) -> None:
    assert replay.row(Entry(model="gpt-4o"), 0, 1).unpriced == "the log has no token counts"


def test_a_model_without_a_price_says_which(replay: Replay) -> None:
    row = replay.row(Entry(model="our-own-7b", usage=Usage(input=5)), 0, 1)
    assert (row.list, row.unpriced) == (0, "no price for our-own-7b")


def test_texts_without_a_usage_are_counted_and_marked_as_estimated(replay: Replay) -> None:
    answer = json.dumps({"choices": [{"message": {"content": "It was sent on Monday."}}]}).encode()
    row = replay.row(Entry(api="openai.chat", request=asked(), answer=answer, at=NOON), 0, 1)
    assert row.basis == "estimated"
    assert 5 <= row.input_total <= 20
    assert 4 <= row.output_total <= 8


def test_usage_model_and_finish_are_read_off_a_recorded_answer(replay: Replay) -> None:
    answer = {
        "id": "chatcmpl-1", "object": "chat.completion", "model": "gpt-4o-2024-08-06",
        "choices": [{"index": 0, "finish_reason": "length", "message": {"role": "assistant", "content": "It"}}],
        "usage": {"prompt_tokens": 12, "completion_tokens": 1, "total_tokens": 13},
    }  # fmt: skip
    row = replay.row(Entry(api="openai.chat", request=asked(), answer=json.dumps(answer).encode()), 0, 1)
    assert (row.model, row.finish, row.input_total, row.output_total) == ("gpt-4o-2024-08-06", "length", 12, 1)
    assert row.basis == "exact"


def test_a_sum_of_calls_is_priced_at_the_size_of_one_of_them(replay: Replay) -> None:
    many = Usage(input=100_000 * 30, output=3_000)
    entry = Entry(provider="anthropic", model="claude-sonnet-4-5", usage=many, aggregate=True, calls=30, at=NOON)
    one = price("claude-sonnet-4-5", Usage(input=100_000, output=100), when=NOON)
    assert isinstance(one, Price)
    assert replay.row(entry, 0, 1).paid == 30 * one.total


def test_the_same_question_has_the_same_key(replay: Replay) -> None:
    def key(body: bytes, **more: object) -> int | None:
        return replay.row(Entry(api="openai.chat", request=body, usage=Usage(input=5), **more), 0, 1).exact  # type: ignore[arg-type]

    assert key(asked()) == key(asked(stream=True, metadata={"trace": "x"})) is not None
    assert key(asked()) != key(asked(temperature=0.5))
    assert key(asked()) != key(asked(), key="another tenant")
    assert key(asked(previous_response_id="resp_1")) is None


def test_short_ids_are_no_identity_by_themselves(replay: Replay) -> None:
    def identity(call_id: str, tokens: int) -> int:
        return replay.row(Entry(id=call_id, usage=Usage(input=9, output=tokens), at=NOON), 0, 1).id

    assert identity("17", 5) == identity("17", 5) != identity("17", 6)
    assert identity("chatcmpl-9xKdf82Lm", 5) == identity("chatcmpl-9xKdf82Lm", 6)  # an answer that was still growing


def test_rows_without_an_id_are_calls_of_their_own(replay: Replay) -> None:
    entry = Entry(usage=Usage(input=5), at=NOON)
    places = [(0, 1, 0), (0, 1, 1), (0, 2, 0), (1, 1, 0)]
    assert len({replay.row(entry, *place).id for place in places}) == len(places)


def test_the_audit_takes_prices_but_no_keys_no_store_and_no_steps() -> None:
    config = Config(
        store="elsewhere.db",
        providers={"own": ProviderConfig("http://127.0.0.1:9/v1", "openai", api_key="${NO_SUCH_KEY}")},
        models={"own/small": ModelConfig(input=0.1, output=0.2)},
        step=(StepConfig(after="route", run="nowhere:nothing"),),
    )
    kept = audit_config(config)
    assert (kept.store, kept.step, kept.providers["own"].api_key) == (":memory:", (), "")
    row: CallRow = Replay(config, "", Memory()).row(Entry(model="own/small", usage=Usage(input=10**6)), 0, 1)
    assert row.paid == 100_000_000


def test_a_key_in_the_clear_is_not_shown(replay: Replay) -> None:
    def key(said: str) -> str:
        return replay.row(Entry(usage=Usage(input=1), key=said), 0, 1).key

    assert key("sk-proj-abcdefghijklmnop1234") == "sk-...1234"
    assert key("billing-team") == "billing-team"


def test_names_that_no_database_takes_are_cleaned(replay: Replay) -> None:
    row = replay.row(Entry(usage=Usage(input=1), model="gpt\ud800-4o\n", finish="stop\x00", error="\x1b[31mred"), 0, 1)
    assert (row.model, row.finish, row.error) == ("gpt-4o", "stop", "red")


def test_model_and_finish_are_read_where_the_usage_stands_beside_the_answer(replay: Replay) -> None:
    answer = b'{"model": "gpt-4o-2024-08-06", "choices": [{"index": 0, "finish_reason": "length"}]}'
    row = replay.row(Entry(api="openai.chat", request=asked(), answer=answer, usage=Usage(input=7, output=3)), 0, 1)
    assert (row.model, row.finish, row.input_total) == ("gpt-4o-2024-08-06", "length", 7)


def test_amounts_that_a_cost_report_states_count_as_stated(replay: Replay) -> None:
    row = replay.row(Entry(aggregate=True, calls=0, logged=5_000), 0, 1)
    assert (row.unpriced, row.logged, row.list, row.paid, row.flags) == ("", None, 5_000, 5_000, "stated")


def test_a_key_that_strayed_into_another_column_is_not_shown(replay: Replay) -> None:
    row = replay.row(Entry(usage=Usage(input=1), model="sk-proj-abcdefghijklmnop1234"), 0, 1)
    assert (row.model, row.unpriced) == ("sk-...1234", "no price for sk-...1234")
