"""`scrimp audit` as a person calls it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIMP = [sys.executable, "-c", "from scrimp.cli import main; main()"]
QUESTION = "what is the secret plan"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Forty calls, each question asked twice."""
    path = tmp_path / "pairs.jsonl"
    with open(path, "w") as file:
        for place in range(40):
            messages = [{"role": "user", "content": f"{QUESTION} {place // 2}"}]
            usage = {"prompt_tokens": 1_000_000, "completion_tokens": 100}
            answer = {"model": "gpt-4o", "usage": usage, "choices": [{"finish_reason": "stop"}]}
            request = {"model": "gpt-4o", "temperature": 0, "messages": messages}
            row = {"time": f"2026-11-01T10:{place:02}:00Z", "feature": "search", "request": request, "response": answer}
            file.write(json.dumps(row) + "\n")
    return path


def audit(*words: object, stdin: bytes = b"") -> subprocess.CompletedProcess[str]:
    command = [*SCRIMP, "audit", *map(str, words)]
    done = subprocess.run(command, input=stdin, capture_output=True, timeout=60)
    return subprocess.CompletedProcess(command, done.returncode, done.stdout.decode(), done.stderr.decode())


def test_json_is_one_object_and_nothing_else(log: Path) -> None:
    done = audit(log, "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert (told["calls"], told["skipped"], told["unpriced"], told["list_usd"]) == (40, 0, 0, "100.04")
    assert [row["name"] for row in told["by_feature"]] == ["search"]
    assert [row["name"] for row in told["by_model"]] == ["gpt-4o"]
    assert told["advice"][0]["how_sure"] in ("sure", "likely", "test first")


def test_every_form_tells_the_same_paid(log: Path) -> None:
    assert all("100.04" in audit(log, *form).stdout for form in ((), ("--json",), ("--md",), ("--html",)))


def test_prompts_are_shown_only_where_it_is_asked(log: Path) -> None:
    for form in (("--json",), ("--md",), ("--html",), ("--explain", 1), ()):
        assert QUESTION not in audit(log, *form).stdout
    assert QUESTION in audit(log, "--json", "--show-text").stdout
    assert QUESTION in audit(log, "--explain", 1, "--show-text").stdout


def test_standard_input_is_a_log_like_any_other(log: Path) -> None:
    told = json.loads(audit("-", "--json", stdin=log.read_bytes()).stdout)
    assert (told["calls"], told["logs"][0]["path"]) == (40, "standard input")


def test_more_than_was_allowed_is_exit_code_1(log: Path) -> None:
    assert audit(log, "--fail-over", "1000").returncode == 0
    done = audit(log, "--fail-over", "10")
    assert done.returncode == 1
    assert "more than --fail-over 10" in done.stderr
    assert "100.04" in done.stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--map", "input"], "--map: 'input' is not MEANING=COLUMN"),
        (["--ttl", "soon"], "--ttl: 'soon' is no span"),
        (["--fail-over", "much"], "--fail-over: 'much' is no amount"),
        (["--json", "--md"], "--json and --md: one form at a time"),
        (["--format", "csvv"], "--format: there is no format 'csvv'"),
        (["--explain", "99"], "--explain 99: there are"),
        (["--since", "2026-12-01", "--until", "2026-11-01"], "--since: lies after --until"),
        (["--feature", "nobody"], "none of the 40 calls"),
    ],
)
def test_what_cannot_be_meant_is_told_in_a_line(log: Path, words: list[str], told: str) -> None:
    done = audit(log, *words)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_log_that_is_not_there_is_told(tmp_path: Path) -> None:
    done = audit(tmp_path / "nowhere.jsonl")
    assert (done.returncode, done.stdout) == (2, "")
    assert "nowhere.jsonl" in done.stderr
