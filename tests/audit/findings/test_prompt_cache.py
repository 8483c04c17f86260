"""What stable prefixes would have saved: advice that nets out, claims that add up, breaks that are named."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rows import filled, row

from scrimp.audit.findings.prompt_cache import MOST_BREAKS, MOST_LOADS, NEAR, advise, breaks, find, missing
from scrimp.audit.prefix import hashes
from scrimp.audit.reading import Reading, Wanted
from scrimp.audit.replay import CallRow, audit_config
from scrimp.audit.report import Advice
from scrimp.audit.work import Work
from scrimp.call import Usage
from scrimp.config import Config
from scrimp.prices.book import Price
from scrimp.world import World

WORLD = World(audit_config(Config()), {"SCRIMP_SECRET": "x"}, "")
NOON = 1_790_000_000 * 10**9
TRACES = Path(__file__).resolve().parents[4] / "shared" / "data" / "traces"
MODELS = {
    "gpt-4o": "openai",
    "gpt-4.1": "openai",
    "gpt-5.6-sol": "openai",
    "claude-sonnet-4-5": "anthropic",
    "claude-opus-5": "anthropic",
}


def cost(model: str, **usage: int) -> int:
    """What a usage costs by the book, in nanodollars."""
    price = WORLD.book.price(model, Usage(**usage), when=NOON)
    assert isinstance(price, Price)
    return price.total


def call(at: float | None = 0, blocks: str = "ABCD", model: str = "gpt-4o", **more: Any) -> CallRow:
    """A call at a second whose prompt is texts of 4,096 bytes, one for each letter; a token for four bytes."""
    prompt = b"".join(letter.encode() * 4096 for letter in blocks)
    tokens = len(prompt) // 4
    usage = {name: more.get(name, 0) for name in ("cached", "written", "written_1h")}
    usage["input"] = tokens - sum(usage.values())
    classes = {"written": "cache_write", "written_1h": "cache_write_1h"}
    paid = cost(model, output=50, **{classes.get(name, name): count for name, count in usage.items()})
    values = {
        "at": None if at is None else NOON + round(at * 10**9), "model": model, "provider": MODELS[model],
        "price_model": f"{MODELS[model]}/{model}", "output": 50, "prefix": hashes(prompt), "prompt": len(prompt),
        "paid": paid, "list": paid,
    }  # fmt: skip
    return row(**{**values, **usage, **more})


def advised(*calls: CallRow) -> list[Advice]:
    return advise(filled(calls), WORLD, Wanted())


def claimed(work: Work) -> int:
    """What all calls together were lowered by."""
    return int(work.one("SELECT SUM(paid - left) FROM calls")[0])


def test_prompts_that_begin_alike_are_read_from_a_cache_that_works_by_itself() -> None:
    work = filled(call(60 * at, f"ABC{at}", feature="support") for at in range(5))
    (one,) = advise(work, WORLD, Wanted())
    assert (
        one.saves
        == one.alone
        == one.low
        == claimed(work)
        == 4 * (cost("gpt-4o", input=3072) - cost("gpt-4o", cached=3072))
    )
    assert (one.strategy, one.title) == ("prompt_cache", "Reuse stable prefixes of support on openai/gpt-4o")
    assert (one.sure, one.calls, one.feature, one.model) == ("likely", 4, "support", "openai/gpt-4o")
    assert one.evidence == "60% of input: stable prefix"
    assert one.bounds == "kept 5 min after the last use; kept 60 min"
    assert one.details[0] == (
        "4 of 5 calls could have read 12,288 tokens more from OpenAI's cache than they did, of 20,480 in all. No token"
        " was read from a cache: check that the log keeps that count before acting on this."
    )
    assert "prompt_cache_key" in one.details[1]


def test_calls_further_apart_than_the_short_life_are_the_upper_bound() -> None:
    near, far = [call(0), call(60)], [call(1000), call(2000)]
    (one,) = advised(*near, *far)
    each = cost("gpt-4o", input=4096) - cost("gpt-4o", cached=4096)
    assert (one.low, one.saves, one.high) == (each, each, 3 * each)
    assert advised(*far) == []


def test_what_the_provider_read_already_is_not_advised() -> None:
    assert advised(call(0), *(call(at, cached=4096) for at in range(1, 9))) == []


def test_where_a_cache_has_to_be_asked_writes_are_in_the_sum() -> None:
    model = "claude-sonnet-4-5"
    work = filled(call(at, f"ABC{at}" + str(at) * 2, model=model) for at in range(5))
    (one,) = advise(work, WORLD, Wanted())
    plain, read, write = (cost(model, **{name: 3072}) for name in ("input", "cached", "cache_write"))
    everything = 4 * (plain - read) - (cost(model, cache_write=18_432) - cost(model, input=18_432))
    assert one.saves == one.high == claimed(work) == 3 * (plain - read) - (write - plain)
    assert one.low == everything
    assert one.title == "Mark stable prefixes of untagged calls on anthropic/claude-sonnet-4-5"
    assert one.details[0].endswith("with marks on what came before within 5 min, writes included.")


def test_growing_conversations_are_marked_whole() -> None:
    turns = [call(30 * at, "ABCDEFGH"[: at + 1], model="claude-opus-5") for at in range(8)]
    (one,) = advised(*turns)
    assert one.low is not None and one.low < one.saves == one.high
    assert one.details[0].endswith("with marks on all of every prompt, writes included.")


def test_prompts_that_do_not_come_again_in_time_get_no_advice() -> None:
    assert advised(*(call(400 * at, model="claude-sonnet-4-5") for at in range(2))) == []
    assert advised(*(call(at, f"{at}BCD") for at in range(9))) == []


def test_a_broken_prefix_is_worth_what_stopping_it_saves_and_has_to_be_tried() -> None:
    calls = [call(10 * at, f"{at}BCD", feature="triage", broke=213, same=12_000) for at in range(1, 9)]
    work = filled([call(0, "0BCD", feature="triage"), *calls])
    (one,) = advise(work, WORLD, Wanted())
    tokens = 11 * 256  # 11 whole blocks of 12,213 bytes
    assert one.saves == one.high == claimed(work) == 8 * (cost("gpt-4o", input=tokens) - cost("gpt-4o", cached=tokens))
    assert (one.sure, one.low, one.calls) == ("test first", 0, 8)
    assert (one.title, one.evidence) == (
        "Stop breaking the prefix of triage on openai/gpt-4o", "breaks at byte 213 in 89%",
    )  # fmt: skip
    assert one.details[0].endswith("if what changes stood at the end of the prompt.")
    assert "12,000 bytes after the break are the same: move what changes to the end." in one.details


@pytest.mark.parametrize(
    "steady, broken, sure",
    [
        (7, 3, "likely"),  # not in most of its calls
        (0, 10, "test first"),
    ],
)
def test_mending_has_to_be_worth_it(steady: int, broken: int, sure: str) -> None:
    calls = [call(10 * at, f"ABC{at}", feature="f") for at in range(steady)]
    calls += [call(100 + 10 * at, f"{at}BCD", feature="f", broke=100, same=12_000) for at in range(broken)]
    (one,) = advised(*calls)
    assert one.sure == sure
    assert advised(*(call(at, f"ABC{at}", broke=12_288, same=2_500) for at in range(9)))[0].sure == "likely"


def test_the_dearest_workloads_have_a_row_and_the_rest_has_one() -> None:
    work = filled(
        call(at, "ABCD"[: 2 + size % 3], feature=f"f{size}", key=f"k{size}")
        for size in range(9)
        for at in range(2 + size)
    )
    rows = advise(work, WORLD, Wanted())
    assert len(rows) == 6
    assert [one.saves for one in rows[:5]] == sorted((one.saves for one in rows[:5]), reverse=True)
    assert rows[5].title == "Reuse prefixes of 4 other workloads"
    assert sum(one.saves for one in rows) == claimed(work)
    assert all(len(one.evidence) <= 30 and one.examples for one in rows)


def test_two_models_of_one_name_are_told_apart() -> None:
    model = "claude-sonnet-4-5"
    google = {"provider": "google", "price_model": f"google/{model}", "model": model}
    titles = {
        one.title for one in advised(*(call(at, **more) for at in range(3) for more in ({"model": model}, google)))
    }
    assert len(titles) == 2


def test_many_workloads_are_summed_and_the_order_of_equals_is_always_the_same() -> None:
    def rows() -> list[CallRow]:
        return [call(at, feature=f"f{nth}", key=f"k{nth}", id=2 * nth + at + 1) for nth in range(40) for at in range(2)]

    work = filled(rows())
    first = advise(work, WORLD, Wanted())
    each = cost("gpt-4o", input=4096) - cost("gpt-4o", cached=4096)
    assert [one.saves for one in first] == [each] * MOST_LOADS + [each * (40 - MOST_LOADS)]
    assert first == advise(filled(reversed(rows())), WORLD, Wanted())
    assert claimed(work) == 40 * each
    assert work.one("SELECT MAX(paid - left) FROM calls") == (each,)


def test_the_calls_that_save_most_are_the_examples() -> None:
    work = filled(call(at, "ABCDEF"[: 3 + at % 3], line=at + 1) for at in range(9))
    (one,) = advise(work, WORLD, Wanted())
    assert [shown.line for shown in one.examples] == [6, 9, 3]
    assert one.examples[0].file == "log.jsonl"


@pytest.mark.parametrize(
    "other",
    [{"aggregate": 1}, {"unpriced": "no price"}, {"prefix": b""}, {"paid": 0}],
)
def test_calls_without_a_price_a_time_or_a_prompt_have_no_part(other: dict[str, Any]) -> None:
    assert advised(*(call(at, **other) for at in range(5))) == []
    assert advised(*(call(None) for _ in range(5))) == []


def test_what_an_advice_before_it_answers_from_store_is_not_sent() -> None:
    work = filled([call(0), call(1), call(2), call(500)])
    work.db.execute("UPDATE calls SET left = 0 WHERE at > ?", (NOON,))
    assert advise(work, WORLD, Wanted()) == []
    work.db.execute("UPDATE calls SET left = paid WHERE at <> ?", (NOON + 10**9,))
    (one,) = advise(work, WORLD, Wanted())
    each = cost("gpt-4o", input=4096) - cost("gpt-4o", cached=4096)
    assert (one.saves, one.alone, one.calls) == (each, 2 * each, 1)


def test_calls_that_are_moved_are_counted_where_they_go() -> None:
    calls = [call(at, feature="f") for at in range(4)]
    work = filled(calls)
    there = cost("gpt-4.1", input=4096, output=50)
    work.db.execute("UPDATE calls SET moved = 'openai/gpt-4.1', left = ?", (there,))
    (one,) = advise(work, WORLD, Wanted())
    assert one.saves == 3 * (cost("gpt-4.1", input=4096) - cost("gpt-4.1", cached=4096))
    assert one.alone == 3 * (cost("gpt-4o", input=4096) - cost("gpt-4o", cached=4096))
    assert (one.title, one.model) == ("Reuse stable prefixes of f on openai/gpt-4.1", "openai/gpt-4.1")
    assert any(sentence.startswith("Counted on openai/gpt-4.1") for sentence in one.details)


def test_no_more_is_saved_of_a_call_than_is_left_of_it() -> None:
    work = filled(call(at) for at in range(3))
    work.db.execute("UPDATE calls SET left = 7 WHERE at > ?", (NOON,))
    (one,) = advise(work, WORLD, Wanted())
    assert one.saves == 14 == claimed(work) - work.one("SELECT SUM(paid - 7) FROM calls WHERE at > ?", (NOON,))[0]


CALLS = st.lists(
    st.builds(
        lambda at, path, model, **more: call(at, path, model, **more),
        st.integers(0, 2000),
        st.text("AB", min_size=1, max_size=5),
        st.sampled_from(sorted(MODELS)),
        feature=st.sampled_from("fgh"),
        key=st.sampled_from(["", "k"]),
        broke=st.sampled_from([None, None, 100]),
        same=st.sampled_from([0, 6000]),
    ),
    max_size=14,
)


@given(CALLS, st.data())
def test_claims_add_up_and_never_exceed_what_was_paid(calls: list[CallRow], data: st.DataObject) -> None:
    work = filled(calls)
    for one in calls:
        left = data.draw(st.sampled_from([one.paid, one.paid, 0, one.paid // 3]))
        moved = data.draw(st.sampled_from(["", "", "openai/gpt-4.1", "anthropic/claude-opus-5"]))
        work.db.execute("UPDATE calls SET left = ?, moved = ? WHERE id = ?", (left, moved, one.id))
    before = dict(work.rows("SELECT id, left FROM calls"))
    rows = advise(work, WORLD, Wanted())
    after = dict(work.rows("SELECT id, left FROM calls"))
    assert all(left >= 0 for left in after.values())
    assert sum(one.saves for one in rows) == sum(before.values()) - sum(after.values()) <= sum(before.values())
    for one in rows:
        assert one.low is not None and one.high is not None
        assert one.low <= one.saves <= one.high
        assert one.saves > 0 and len(one.evidence) <= 30
        assert one.calls <= len(calls)


@given(CALLS, st.randoms(use_true_random=False))
def test_the_answer_does_not_depend_on_the_order_of_reading(calls: list[CallRow], mix: random.Random) -> None:
    for line, one in enumerate(calls):
        one.line = line
    mixed = list(calls)
    mix.shuffle(mixed)
    one, other = filled(calls), filled(mixed)
    assert advise(one, WORLD, Wanted()) == advise(other, WORLD, Wanted())
    assert find(one) == find(other)


def test_the_use_of_caches_is_summed_and_what_might_be_read_with_it() -> None:
    work = filled(
        [call(0, cached=1024), call(1, written=2048), call(2, prefix=b"", prompt=0), row(aggregate=1, cached=5)]
    )
    advise(work, WORLD, Wanted())
    found = find(work)
    assert (found.input, found.cached, found.written, found.known) == (3 * 4096 + 105, 1029, 2048, 2)
    assert found.reusable == 1029 + 4096
    nothing = filled([row()])
    assert advise(nothing, WORLD, Wanted()) == []
    assert find(nothing).reusable == 0


def test_what_logs_do_not_tell_is_said() -> None:
    assert missing(filled([call(0)])) == ""
    assert "0 of 0 single calls" in missing(filled([row(aggregate=1)]))
    assert "0 of 1 single calls" in missing(filled([row()]))
    assert "0 of 1 single calls" in missing(filled([call(None)]))
    assert "1 of 3 single calls" in missing(filled([call(0), call(None), row()]))


def broken(feature: str = "triage", broke: int | None = 213, same: int = 8_000, **more: Any) -> CallRow:
    """A call of 3,000 tokens in 12,000 bytes that broke its prefix."""
    values = {"input": 3000, "prompt": 12_000, "prefix": b"12345678", **more}
    return row(feature=feature, broke=broke, same=same, **values)


def test_a_break_is_told_with_its_place_and_its_share() -> None:
    (found,) = breaks(filled([broken(broke=None), *(broken() for _ in range(23)), broken(same=6_000)]))
    assert (found.feature, found.calls, found.of, found.at, found.same) == ("triage", 24, 25, 213, 6_000)


def test_digits_of_a_clock_are_one_place_that_begins_where_the_first_of_them_changes() -> None:
    (found,) = breaks(filled(broken(broke=broke) for broke in (127, 128, 130, 130, 127, 130)))
    assert (found.calls, found.at) == (6, 127)
    (found,) = breaks(filled(broken(broke=broke) for broke in (200, 200, 200, 200 + 2 * NEAR, 9000)))
    assert (found.calls, found.at) == (3, 200)


@pytest.mark.parametrize(
    "cheap",
    [
        {"same": 4_000},  # 1,000 tokens
        {"broke": None},
        {"aggregate": 1},
        {"prefix": b"", "input": 90_000},  # most of what is billed is not shown
        {"same": 1_500, "input": 90_000},
    ],
)
def test_what_costs_nothing_is_no_break(cheap: dict[str, Any]) -> None:
    assert breaks(filled(broken(**cheap) for _ in range(5))) == []


def test_a_break_here_and_there_is_no_habit() -> None:
    assert breaks(filled([broken(), broken(broke=None), broken(broke=None)])) == []
    assert breaks(filled([*(broken() for _ in range(2)), *(broken(broke=None) for _ in range(19))])) == []
    assert len(breaks(filled([*(broken() for _ in range(2)), *(broken(broke=None) for _ in range(18))]))) == 1


def test_breaks_that_touch_most_money_come_first_and_only_so_many() -> None:
    work = filled(broken(feature=f"f{number}", paid=number * 10) for number in range(1, 30) for _ in range(2))
    assert [found.feature for found in breaks(work)] == [f"f{29 - nth}" for nth in range(MOST_BREAKS)]


def test_the_dearest_call_is_the_example_and_of_equals_the_first() -> None:
    (found,) = breaks(filled(broken(line=line, paid=paid) for line, paid in ((1, 5), (3, 9), (2, 9))))
    assert (found.example.file, found.example.line) == ("log.jsonl", 2)


def test_from_the_bytes_of_a_log_to_the_advice(tmp_path: Path) -> None:
    def asked(number: int, clock: str) -> str:
        body = {
            "model": "gpt-4o",
            "messages": [
                {"role": "system", "content": f"You sort mail. {clock}" + "Rules come first. " * 600},
                {"role": "user", "content": f"Letter {number}"},
            ],
        }
        answer = {
            "object": "chat.completion", "model": "gpt-4o",
            "choices": [{"message": {"role": "assistant", "content": "ok"}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 2700, "completion_tokens": 2, "total_tokens": 2702},
        }  # fmt: skip
        when = f"2026-09-21T10:00:{number:02}Z"
        return json.dumps({"timestamp": when, "feature": "mail", "request": body, "response": answer})

    def audited(clocks: list[str]) -> tuple[Advice, Work]:
        log = tmp_path / f"{len(clocks[1])}.jsonl"
        log.write_text("\n".join(asked(number, clock) for number, clock in enumerate(clocks)))
        work = Work()
        Reading(work, Wanted(), Config(), None).read([str(log)])
        work.begin_advice()
        (one,) = advise(work, WORLD, Wanted())
        return one, work

    steady, _ = audited([""] * 40)
    assert steady.sure == "likely" and steady.calls == 39
    assert steady.saves == 39 * (cost("gpt-4o", input=2432) - cost("gpt-4o", cached=2432))
    broken, work = audited([f"It is 10:00:{number:02}. " for number in range(40)])
    assert (broken.sure, broken.calls) == ("test first", 39)
    (found,) = find(work).breaks
    assert (found.calls, found.of) == (39, 40)
    system = msgspec.json.encode({"role": "system", "content": "You sort mail. It is 10:00:"})
    assert found.at == len(system) - 2
    assert steady.saves * 0.95 < broken.saves <= steady.saves * 1.05


@pytest.mark.shared
@pytest.mark.parametrize("model", ["gpt-4o", "claude-sonnet-4-5"])
def test_a_real_trace_reads_what_brute_force_says(model: str) -> None:
    trace = TRACES / "mooncake_conversation_first60.jsonl"
    step = 128 if model == "gpt-4o" else 1
    last: dict[int, int] = {}
    tokens = written = total = 0
    for line in trace.read_text().splitlines():
        one = json.loads(line)
        alive = 0
        for block in one["hash_ids"]:
            if one["timestamp"] - last.get(block, -(10**9)) > 300_000:
                break
            alive += 1
        reads = min(alive * 512, one["input_length"])
        reads = reads // step * step if reads >= 1024 else 0
        tokens += reads
        total += one["input_length"]
        written += one["input_length"] - reads if one["input_length"] >= 1024 else 0
        last |= dict.fromkeys(one["hash_ids"], one["timestamp"])
    work = Work()
    Reading(work, Wanted(model=model), Config(), None).read([str(trace)])
    work.begin_advice()
    (found,) = advise(work, WORLD, Wanted(model=model))
    assert f"{tokens:,} tokens more" in found.details[0]
    assert found.evidence == f"{tokens / total:.0%} of input: stable prefix"
    assert find(work).reusable == tokens
    rates = WORLD.book.rates(model, when=0)
    assert not hasattr(rates, "reason")
    femto = msgspec.to_builtins(rates)["femto"]
    gain = tokens * (femto["input"] - femto["cached"]) - written * (femto["cache_write"] - femto["input"])
    assert found.low == pytest.approx(gain / 10**6, abs=len(trace.read_text().splitlines()))
