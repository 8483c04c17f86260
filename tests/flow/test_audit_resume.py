"""An audit that is killed and started again with --resume tells what it would have told undisturbed."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

SCRIMP = [sys.executable, "-c", "from scrimp.cli import main; main()"]
ROWS = 2_400


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log large enough that what was read of it is kept: 2,400 rows of 15 kB."""
    path = tmp_path_factory.mktemp("audit") / "calls.jsonl"
    with open(path, "w") as file:
        for place in range(ROWS):
            row = {"id": f"call-{place % 2_000:012}", "time": f"2026-11-{place % 28 + 1:02}", "model": "gpt-4o"}
            row |= {"input_tokens": place, "output_tokens": place % 90, "feature": f"f{place % 7}"}
            file.write(json.dumps(row | {"notes": "x" * 15_000}) + "\n" if place % 50 else '{"broken\n')
    return path


def audit(log: Path, cache: Path, *more: str) -> list[str]:
    return [*SCRIMP, "audit", str(log), "--json", *more]


def env(cache: Path) -> dict[str, str]:
    return {**os.environ, "XDG_CACHE_HOME": str(cache)}


def pieces(cache: Path) -> int:
    """How many pieces are in the working file; 0 while there is none."""
    for path in (cache / "scrimp").glob("audit-*.db"):
        try:
            with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=1) as db:
                return int(db.execute("SELECT COUNT(*) FROM pieces").fetchone()[0])
        except sqlite3.Error:
            return 0
    return 0


@pytest.mark.parametrize("after", [1, 5, 9])
def test_a_killed_audit_goes_on_where_it_stood(log: Path, tmp_path: Path, after: int) -> None:
    undisturbed = subprocess.run(audit(log, tmp_path), env=env(tmp_path), capture_output=True, check=True).stdout
    assert not list((tmp_path / "scrimp").glob("audit-*"))
    process = subprocess.Popen(audit(log, tmp_path), env=env(tmp_path), stdout=subprocess.DEVNULL)
    until = time.monotonic() + 30
    while pieces(tmp_path) < after and process.poll() is None and time.monotonic() < until:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    read_before = pieces(tmp_path)
    assert read_before >= after
    resumed = subprocess.run(audit(log, tmp_path, "--resume"), env=env(tmp_path), capture_output=True, check=True)
    assert resumed.stdout == undisturbed
    assert not list((tmp_path / "scrimp").glob("audit-*"))
    told = json.loads(undisturbed)
    assert told["calls"] + told["duplicates"] + told["skipped"] == ROWS


def test_what_an_interrupted_audit_read_is_kept_and_told(log: Path, tmp_path: Path) -> None:
    process = subprocess.Popen(audit(log, tmp_path), env=env(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while pieces(tmp_path) < 2 and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 130
    assert b"--resume" in told
    assert b"Traceback" not in told
