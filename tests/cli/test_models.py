"""`scrimp models`: exact prices, 80 columns, unknown is never 0."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from scrimp.cli.models import HEADS, models, rough, tabulate


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "own.toml"
    path.write_text(
        '[models."local/tiny"]\ninput = 0.15\noutput = 0.6\nbatch_input = 0.075\ncontext = 8192\ntier = "small"\n'
        "[models.mine]\ngpu_hour_usd = 2\ntokens_per_second = 1500\n"
    )
    return str(path)


def run(*words: str) -> Result:
    return CliRunner().invoke(models, list(words))


def test_a_table_is_80_columns_with_own_models_first_and_the_age_last(config: str) -> None:
    done = run("--config", config)
    lines = done.output.splitlines()
    assert done.exit_code == 0
    assert max(map(len, lines)) <= 100 and max(map(len, lines[:-1])) <= 80
    assert lines[0].split() == ["MODEL", "IN", "OUT", "CACHED", "BATCH", "CONTEXT", "TIER"]
    assert lines[1].split() == ["local/tiny", "0.15", "0.60", "0.15", "0.075/0.60", "8.19k", "small"]
    assert lines[2].split()[:2] == ["mine", "~0.3704"]
    assert "newest price of 20" in lines[-1]


def test_a_pattern_searches_every_provider_and_all_brings_the_retired(config: str) -> None:
    found = run("haiku-4-5", "--config", config).output
    assert "anthropic/claude-haiku-4-5" in found and "aws/" in found
    assert len(run("--all", "--config", config).output.splitlines()) > 2000


def test_json_holds_exact_strings_and_leaves_out_what_is_unknown(config: str) -> None:
    document = json.loads(run("--json", "--config", config, "--provider", "user").output)
    tiny = document["models"][0]
    assert (tiny["usd"]["input"], tiny["usd"]["output"], tiny["batch_usd"]["input"]) == ("0.15", "0.60", "0.075")
    assert (tiny["context"], tiny["tier"], tiny["flags"]) == (8192, "small", ["user"])
    mine = json.loads(run("mine", "--json", "--config", config, "--provider", "user").output)["models"][0]
    assert mine["usd"]["input"] == "0.37037037"
    embedding = json.loads(run("text-embedding-3-small", "--json", "--config", config, "--provider", "openai").output)
    assert "output" not in embedding["models"][0]["usd"]


def test_an_unknown_price_is_a_dash(config: str) -> None:
    row = run("text-embedding-3-small", "--provider", "openai", "--config", config).output.splitlines()[1]
    assert row.split()[:3] == ["openai/text-embedding-3-small", "0.02", "-"]


def test_no_match_says_what_to_do_next(config: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCRIMP_AS", "./dev scrimp")
    done = run("no-such-model", "--config", config)
    assert done.exit_code == 1
    assert "`./dev scrimp models --all`" in done.output


def test_the_width_is_that_of_columns_also_in_a_pipe(config: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert run("--config", config).output.split("\n")[0].split() == " ".join(HEADS).split()
    monkeypatch.setenv("COLUMNS", "50")
    assert max(map(len, run("--config", config).output.splitlines()[:-2])) <= 50


def test_a_hosted_model_shows_batch_context_and_tiers_in_80_columns(config: str) -> None:
    lines = run("gpt-5", "--provider", "openai", "--config", config).output.splitlines()
    row = next(line.split() for line in lines if line.startswith("openai/gpt-5 "))
    assert row == ["openai/gpt-5", "1.25", "10.00", "0.125", "0.625/5.00", "400k", "X,P,F"]
    assert "TIER: X flex, P priority, F fast" in lines[-2]


@pytest.mark.parametrize(
    ("tokens", "text"),
    [(512, "512"), (8192, "8.19k"), (400_000, "400k"), (999_499, "999k"), (999_999, "1M"), (1_050_000, "1.05M")],
)
def test_contexts_are_told_in_three_digits(tokens: int, text: str) -> None:
    assert rough(tokens) == text


def test_columns_of_least_worth_are_dropped_first_and_prices_never_cut() -> None:
    rows = [["a-provider/a-very-long-model-name", "1.00", "2.123456789", "0.10", *["-"] * 5]]
    wide, narrow = list(tabulate(rows, 200)), list(tabulate(rows, 36))
    assert wide[0].split()[-1] == "TIER"
    assert narrow[1].split()[1:] == ["1.00", "2.123456789"]
    assert narrow[1].startswith("a-provid…del-name")
    assert max(map(len, narrow)) <= 36
