"""`scrimp report` as a person calls it."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scrimp.call import Usage
from scrimp.cli import main
from scrimp.prices.book import Book, Unpriced
from scrimp.steps.price import without_cache
from scrimp.store import open_store
from scrimp.store.base import HOUR, Record, SavingRow

SCRIMP = [sys.executable, "-c", "from scrimp.cli import main; main()"]
USAGE = Usage(input=900, cached=400, output=80)


def priced(number: int, at: int, feature: str) -> Record:
    """A call of a real model at its real price."""
    book = Book.load()
    paid = book.price("gpt-5", USAGE, provider="openai", when=at)
    listed = book.price("gpt-5", without_cache(USAGE), provider="openai", when=at)
    assert not isinstance(paid, Unpriced) and not isinstance(listed, Unpriced)
    return Record(
        id=f"c{number}", at=at, feature=feature, model="gpt-5", provider="openai", usage=USAGE, basis="exact",
        price_model=f"{paid.provider}/{paid.model}", list_nano=listed.total, paid_nano=paid.total,
        savings=(SavingRow("provider_cache", listed.total - paid.total, "measured"),),
    )  # fmt: skip


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Two calls of today, one of ten days ago, one without a price."""
    path = tmp_path / "scrimp.db"
    store = open_store(path)
    now = time.time_ns()
    for number, (ago, feature) in enumerate([(0, "chat"), (0, "docs"), (240, "chat")]):
        store.add(priced(number, now - ago * HOUR, feature))
    store.add(Record(id="c9", at=now, feature="docs", model="mystery", provider="groq", unpriced="no price"))
    store.flush()
    store.close()
    return path


class Said:
    """What a command printed and how it ended."""

    def __init__(self, capsys: pytest.CaptureFixture[str], *words: str) -> None:
        sys.argv = ["scrimp", *words]
        try:
            main()
            self.code: object = 0
        except SystemExit as end:
            self.code = end.code or 0
        self.out, self.err = capsys.readouterr()


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Runs scrimp with some words, in a directory of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [])
    monkeypatch.delenv("SCRIMP_AS", raising=False)
    return lambda *words: Said(capsys, *map(str, words))


def test_the_default_store_is_in_the_working_directory(run, database: Path) -> None:
    said = run("report")
    assert said.code == 0
    assert "Provider prompt cache" in said.out and "mystery at groq" in said.out
    assert "\x1b" not in said.out


def test_a_span_leaves_out_what_is_older(run, database: Path) -> None:
    assert json.loads(run("report", "--json").out)["calls"] == 4
    assert json.loads(run("report", "--json", "--since", "7d").out)["calls"] == 3
    assert json.loads(run("report", "--json", "--until", "7d").out)["calls"] == 1


@pytest.mark.parametrize("by", ["feature", "user", "team", "model", "key", "tag"])
def test_every_dimension_has_a_table(run, database: Path, by: str) -> None:
    told = json.loads(run("report", "--json", "--by", by).out)
    assert told["by"] == by
    assert told["groups"][-1]["name"] == ("mystery" if by == "model" else "(no tag)")


def test_markdown_and_html_go_where_they_are_sent(run, database: Path, tmp_path: Path) -> None:
    assert run("report", "--md").out.startswith("## Savings, ")
    said = run("report", "--html", "--out", tmp_path / "report.html")
    assert (said.code, said.out) == (0, "")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "By feature" in page and "By model" in page


def test_a_sound_database_is_verified_with_its_prices(run, database: Path) -> None:
    said = run("report", "--verify")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("OK: 4 calls (1 without a known price) in ")


def test_a_changed_price_is_a_finding_and_exit_code_1(run, database: Path) -> None:
    connection = sqlite3.connect(database)
    for table in ("calls", "rollups"):
        connection.execute(
            f"UPDATE {table} SET list_nano = list_nano + 1, paid_nano = paid_nano + 1 WHERE feature = 'chat'"
        )
    connection.commit()
    connection.close()
    said = run("report", "--verify")
    assert said.code == 1
    assert said.err == "4 findings in scrimp.db\n"
    assert "call c0: list is $" in said.out and "($0.000000001 off)" in said.out


@pytest.mark.parametrize("verb", ["report", "export"])
def test_no_store_is_said_with_its_path_and_exit_code_2(run, verb: str, tmp_path: Path) -> None:
    said = run(verb, "--store", "none.db")
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("scrimp: there is no store at none.db. `scrimp serve` begins one")
    assert not (tmp_path / "none.db").exists()


def test_an_empty_report_names_the_next_command_as_its_user_calls_it(run, tmp_path: Path, monkeypatch) -> None:
    open_store(tmp_path / "empty.db").close()
    monkeypatch.setenv("SCRIMP_AS", "./dev scrimp")
    assert "Next:  ./dev scrimp serve" in run("report", "--store", "empty.db").out
    assert "Next:  ./dev scrimp serve" in run("report", "--store", "empty.db", "--md").out
    assert "<pre>./dev scrimp serve</pre>" in run("report", "--store", "empty.db", "--html").out


def test_a_wrong_moment_names_its_option(run, database: Path) -> None:
    said = run("report", "--since", "yesterdya")
    assert said.code == 2
    assert "--since: 'yesterdya' is neither 7d, 24h nor a date like 2026-11-01" in said.err
    assert run("report", "--since", "2026-11-02", "--until", "2026-11-01").code == 2


def test_two_forms_at_once_are_a_usage_error(run, database: Path) -> None:
    said = run("report", "--json", "--md")
    assert (said.code, said.out) == (2, "")
    assert "--json and --md: one form at a time" in said.err
    assert run("report", "--verify", "--html").code == 2
    assert run("export", "--csv", "--jsonl").code == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full: writing to a full disk was not tried")
@pytest.mark.parametrize("words", [("report",), ("report", "--json"), ("export",)])
def test_an_output_that_cannot_be_written_is_one_line_and_exit_code_2(database: Path, words: tuple[str, ...]) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*SCRIMP, *words, "--store", str(database)], stdout=full, stderr=subprocess.PIPE, text=True, timeout=30
        )
    assert (done.returncode, done.stderr) == (2, "scrimp: standard output cannot be written: No space left on device\n")


def test_a_reader_that_goes_away_is_no_error(database: Path) -> None:
    command = [*SCRIMP, "report", "--json", "--store", str(database)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert (process.stderr.read(), process.wait(30)) == ("", 1)
    process.stderr.close()


def test_a_database_of_another_program_is_refused_untouched(run, tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    path.write_bytes(b"not a database at all, but a long enough file" * 100)
    before = path.read_bytes()
    said = run("report", "--store", path)
    assert said.code == 2 and "other.db" in said.err
    assert path.read_bytes() == before


def test_a_store_that_a_gateway_holds_open_is_verified_too(run, database: Path) -> None:
    store = open_store(database)
    try:
        assert run("report", "--verify").code == 0
    finally:
        store.close()
