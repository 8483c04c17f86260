"""The audit, whole: every row is accounted for, money adds up, nothing is saved twice."""

from __future__ import annotations

import csv
import json
import random
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scrimp.audit.reading import Wanted
from scrimp.audit.report import Report
from scrimp.audit.run import run, working_file
from scrimp.audit.show.json import render
from scrimp.call import usd
from scrimp.config import Config
from scrimp.errors import ScrimpError

TRACES = Path(__file__).resolve().parents[3] / "shared" / "data" / "traces"
SAMPLES = Path(__file__).parent / "samples"


def audit(*paths: Path | str, **asked: object) -> Report:
    return run([str(path) for path in paths], Wanted(**asked), Config())  # type: ignore[arg-type]


def pair(place: int, question: str, system: str = "Be brief.", **more: object) -> str:
    """A request with its answer, a minute after the one before."""
    messages = [{"role": "system", "content": system}, {"role": "user", "content": question}]
    usage = {"prompt_tokens": 40 + 10 * place, "completion_tokens": 20, "total_tokens": 60 + 10 * place}
    answer = {"model": "gpt-4o", "usage": usage, "choices": [{"index": 0, "finish_reason": "stop", "message": {}}]}
    request = {"model": "gpt-4o", "temperature": 0, "messages": messages}
    when = f"2026-11-{1 + place // 1440:02}T{place // 60 % 24:02}:{place % 60:02}:00Z"
    return json.dumps({"id": f"call-{place:012}", "timestamp": when, "request": request, "response": answer} | more)


@pytest.mark.parametrize("name", ["azure2023_code_first60.csv", "azure2023_conv_first60.csv"])
def test_the_azure_traces_cost_their_tokens_times_the_price(name: str) -> None:
    if not TRACES.is_dir():
        pytest.skip("the shared traces are not beside this clone (../shared/data/traces)")
    with open(TRACES / name, newline="") as file:
        rows = [(int(row["ContextTokens"]), int(row["GeneratedTokens"])) for row in csv.DictReader(file)]
    report = audit(TRACES / name, model="gpt-4o")
    exact = sum(Decimal(asked) * Decimal("2.50") + Decimal(said) * Decimal("10.00") for asked, said in rows) / 10**6
    assert Decimal(json.loads(render(report))["list_usd"]) == exact
    assert report.calls == len(rows)


def test_calls_older_than_the_first_price_are_priced_at_it_and_flagged(tmp_path: Path) -> None:
    log = tmp_path / "old.csv"
    log.write_text("time,model,input_tokens,output_tokens\n2020-01-01,gpt-4o,1000000,0\n2026-11-01,gpt-4o,1000000,0\n")
    report = audit(log)
    assert report.list_nano == 2 * 2_500_000_000
    assert report.flags == {"earliest-known": 1}


@settings(max_examples=15)
@given(st.lists(st.sampled_from(["ok", "twice", "cut", "other", "nameless"]), min_size=1, max_size=40))
def test_every_row_is_accounted_for_and_money_adds_up(
    tmp_path_factory: pytest.TempPathFactory, kinds: list[str]
) -> None:
    lines = []
    for place, kind in enumerate(kinds):
        whole = pair(place, f"question {place % 3}")
        lines += [whole] * (2 if kind == "twice" else 1)
        if kind == "cut":
            lines[-1] = whole[: len(whole) // 2]
        elif kind == "other":
            lines[-1] = json.dumps(
                {"request": {"url": "https://api.openai.com/v1/files", "method": "GET"}, "response": {}}
            )
        elif kind == "nameless":
            lines[-1] = whole.replace("gpt-4o", "nobody-knows-it")
    log = tmp_path_factory.mktemp("run") / "pairs.jsonl"
    log.write_text("\n".join([pair(10_000, "the first one"), *lines]))
    report = audit(log)
    assert report.calls + report.duplicates + report.skipped + report.others == len(lines) + 1
    assert (report.skipped, report.duplicates) == (kinds.count("cut"), kinds.count("twice"))
    assert report.spend.total.unpriced == kinds.count("nameless")
    assert report.spend.adds_up
    assert sum(one.saves for one in report.advice) <= report.paid_nano
    told = json.loads(render(report))
    for by in ("by_feature", "by_model"):
        assert sum(Decimal(row["paid_usd"]) for row in told[by]) == Decimal(told["paid_usd"])


def test_five_in_a_hundred_lines_damaged_cost_only_themselves(tmp_path: Path) -> None:
    dice = random.Random(5)
    lines = [pair(place, f"question {place}") for place in range(2_000)]
    damaged = set(dice.sample(range(2_000), 100))
    for place in damaged:
        cut = dice.randrange(1, len(lines[place]) - 1)
        lines[place] = dice.choice([lines[place][:cut], lines[place][cut:], lines[place][:cut] + '"\\' + "\udcff"])
    log = tmp_path / "damaged.jsonl"
    log.write_text("\n".join(lines), errors="surrogateescape")
    report = audit(log)
    assert (report.calls, report.skipped) == (1_900, 100)
    assert {line - 1 for _, line, _ in report.skipped_rows} <= damaged


def test_a_repeat_is_not_saved_again_by_a_cheaper_model(tmp_path: Path) -> None:
    log = tmp_path / "pairs.jsonl"
    log.write_text("\n".join(pair(place, f"question {place % 50}") for place in range(400)))
    report = audit(log)
    by = {one.strategy: one for one in report.advice}
    assert by["cached"].calls == 350
    assert by["cached"].sure == "sure"
    assert by["route"].saves < by["route"].alone
    assert sum(one.saves for one in report.advice) <= report.paid_nano
    assert [one.saves for one in report.advice] == sorted((one.saves for one in report.advice), reverse=True)


def test_what_is_asked_for_but_not_there_is_an_error_in_words(tmp_path: Path) -> None:
    log = tmp_path / "pairs.jsonl"
    log.write_text("\n".join(pair(place, "hello", feature="search") for place in range(4)))
    with pytest.raises(ScrimpError, match="none of the 4 calls in .* is within"):
        audit(log, feature="another")
    log.write_text('{"request": {"model": "m", "messages": []}, "response": {"usage": {}}}\n{broken\n')
    log.write_text("\n".join(['{"request": {"model": "m"}, "response": {"usage": {}}', "{broken"] * 3))
    with pytest.raises(ScrimpError):
        audit(log)


def test_a_sample_states_its_error(tmp_path: Path) -> None:
    log = tmp_path / "calls.csv"
    rows = [f"2026-11-01,gpt-4o,{100 + place % 700},10" for place in range(5_000)]
    log.write_text("time,model,input_tokens,output_tokens\n" + "\n".join(rows))
    whole, part = audit(log), audit(log, sample=500)
    assert part.sampled is not None
    assert (part.calls, part.sampled.calls, part.sampled.of) == (500, 500, 5_000)
    assert part.sampled.low < whole.paid_nano < part.sampled.high
    assert part.sampled.high - part.sampled.low < whole.paid_nano // 5
    assert audit(log, sample=500).paid_nano == part.paid_nano
    assert audit(log, sample=9_000).sampled is None


def test_small_logs_leave_nothing_on_disk(tmp_path: Path) -> None:
    log = tmp_path / "a.jsonl"
    log.write_text(pair(1, "hello"))
    assert working_file([str(log)], Wanted(), Config()) is None


@pytest.mark.parametrize("sample", sorted(SAMPLES.iterdir()), ids=lambda path: path.name)
def test_every_sample_is_audited_to_the_end(sample: Path) -> None:
    report = audit(sample, model="gpt-4o")
    told = json.loads(render(report))
    assert told["list_usd"] == usd(report.list_nano)
    assert report.spend.adds_up
    assert not report.skipped or report.skipped_rows


def test_every_recorded_answer_is_priced_or_named_with_its_reason() -> None:
    if not TRACES.is_dir():
        pytest.skip("the shared traces are not beside this clone (../shared/data/traces)")
    report = audit(TRACES / "recorded_exchanges.jsonl", TRACES / "provider_fixtures.jsonl")
    assert report.calls + report.duplicates + report.others + report.skipped == 580
    assert sum(calls for _, calls in report.unpriced_reasons) == report.unpriced
    assert all(reason for reason, _ in report.unpriced_reasons)
