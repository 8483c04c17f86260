"""`scrimp demo` as a person runs it, with the scripted provider; tests/real has the real model."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

import scrimp
from scrimp.cli.demo import STAND_IN, STAND_IN_PRICE, _usual_port
from scrimp.config import ServeConfig
from scrimp.demo.replay import read_requests
from scrimp.store import open_store

COMMAND = [sys.executable, "-c", "from scrimp.cli import main; main()", "demo"]
CALLS = len(read_requests())


def test_without_a_model_it_says_so_and_goes_on(tmp_path: Path) -> None:
    blocked = tmp_path / "a-file"
    blocked.touch()
    store = tmp_path / "calls.db"
    ran = subprocess.run(
        [*COMMAND, "--store", str(store)],
        env={**os.environ, "XDG_CACHE_HOME": str(blocked), "SCRIMP_AS": "./dev scrimp"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr
    assert "NO REAL MODEL: the local model cannot be kept in" in ran.stdout
    assert ran.stdout.count("scripted provider") >= 2
    assert f"{CALLS} calls in" in ran.stdout
    assert f"Next:  ./dev scrimp report --by user --config {store}.toml" in ran.stdout
    long = [line for line in ran.stdout.splitlines() if len(line) > 80 and str(tmp_path) not in line]
    assert long == []
    opened = open_store(store, read_only=True)
    try:
        records = list(opened.records())
    finally:
        opened.close()
    assert len(records) == CALLS
    assert {record.ending for record in records} == {"ok"}
    assert "support-triage" in {record.feature for record in records}
    assert {record.feature_from for record in records} == {"header", "fingerprint", "none"}
    assert all(record.paid_nano > 0 for record in records)
    report = [*COMMAND[:-1], "report", "--verify", "--config", f"{store}.toml"]
    checked = subprocess.run(report, capture_output=True, text=True, timeout=30)
    assert checked.stdout.startswith("OK:"), checked.stdout


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to one process")
def test_it_stays_until_ctrl_c() -> None:
    process = subprocess.Popen([*COMMAND, "--scripted", "--stay"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout as output:
        page = ""
        for line in output:
            if "the report as a page:" in line:
                page = line.split()[-1]
            if "Ctrl-C stops everything" in line:
                break
        with urllib.request.urlopen(page, timeout=5) as answer:
            assert answer.status == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0


@pytest.fixture
def usual_port() -> Iterator[int]:
    """The port that `--stay` takes, held by somebody: by us, unless somebody else does."""
    port = ServeConfig().port
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            stack.enter_context(socket.create_server(("127.0.0.1", port)))
        yield port


def test_where_the_usual_port_is_taken_it_says_so_and_takes_another(usual_port: int) -> None:
    process = subprocess.Popen([*COMMAND, "--scripted", "--stay"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout as output:
        said = ""
        while "Gateway" not in said:
            said += output.readline()
        process.terminate()
    process.wait(10)
    assert f"Port {usual_port} is taken" in said
    assert "http://127.0.0.1:" in said and f"http://127.0.0.1:{usual_port} " not in said


def test_it_stays_on_the_port_that_the_tutorial_names(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        free = held.getsockname()[1]
    monkeypatch.setattr("scrimp.config.ServeConfig", lambda: ServeConfig(port=free))
    assert _usual_port() == free


def test_a_store_that_cannot_be_kept_is_told_before_anything_is_done(tmp_path: Path) -> None:
    wrong = str(tmp_path / "nowhere" / "calls.db")
    ran = subprocess.run([*COMMAND, "--store", wrong], capture_output=True, text=True, timeout=30)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert wrong in ran.stderr and "--store" in ran.stderr


def test_settings_of_somebody_else_are_left_as_they_are(tmp_path: Path) -> None:
    store, settings = tmp_path / "calls.db", tmp_path / "calls.db.toml"
    settings.write_text("[providers.mine]\n")
    ran = subprocess.run([*COMMAND, "--scripted", "--store", str(store)], capture_output=True, text=True, timeout=30)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert f"{settings} was not written by the demo" in ran.stderr and ran.stderr.count("\n") == 1
    assert settings.read_text() == "[providers.mine]\n" and not store.exists()


def test_the_stand_in_prices_are_the_price_lists() -> None:
    million = 1_000_000
    usages = {
        "input": scrimp.Usage(input=million),
        "cached_input": scrimp.Usage(cached=million),
        "output": scrimp.Usage(output=million),
    }
    for name, usage in usages.items():
        price = scrimp.price(STAND_IN, usage)
        assert price is not None and price.total == round(STAND_IN_PRICE[name] * 1_000_000_000)
