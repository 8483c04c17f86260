"""`scrimp export` as a person calls it."""

from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path

import pytest

from scrimp.cli import main
from scrimp.store import open_store
from scrimp.store.base import HOUR, Record


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Three calls, one of them with a formula for a feature."""
    path = tmp_path / "scrimp.db"
    store = open_store(path)
    for number, feature in enumerate(["chat", "=HYPERLINK(1)", "東京"]):
        store.add(Record(id=f"c{number}", at=(number + 1) * 24 * HOUR, feature=feature, list_nano=5, paid_nano=5))
    store.flush()
    store.close()
    return path


def export(capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch, *words: str) -> bytes:
    monkeypatch.setattr(sys, "argv", ["scrimp", "export", *words])
    with pytest.raises(SystemExit) as end:
        main()
    assert not end.value.code
    return capfdbinary.readouterr().out


def test_csv_is_utf8_with_crlf_and_no_formulas(capfdbinary, monkeypatch, database: Path) -> None:
    out = export(capfdbinary, monkeypatch, "--store", str(database))
    assert out.count(b"\r\n") == out.count(b"\n") == 4
    rows = list(csv.DictReader(io.StringIO(out.decode(), newline="")))
    assert [row["feature"] for row in rows] == ["chat", "'=HYPERLINK(1)", "東京"]
    assert rows[0]["paid_usd"] == "0.000000005"


def test_a_span_and_json_lines(capfdbinary, monkeypatch, database: Path) -> None:
    out = export(
        capfdbinary,
        monkeypatch,
        "--store",
        str(database),
        "--jsonl",
        "--since",
        "1970-01-02T00:00",
        "--until",
        "1970-01-04",
    )
    assert [json.loads(line)["feature"] for line in out.splitlines()] == ["chat", "=HYPERLINK(1)"]


def test_it_writes_to_a_file(capfdbinary, monkeypatch, database: Path, tmp_path: Path) -> None:
    assert export(capfdbinary, monkeypatch, "--store", str(database), "--out", str(tmp_path / "calls.csv")) == b""
    assert (tmp_path / "calls.csv").read_bytes().count(b"\r\n") == 4
