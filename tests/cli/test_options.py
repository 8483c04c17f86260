"""Spans of time, where to read, where to write."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from scrimp.cli.options import LATEST, moment, output, reading, settings
from scrimp.errors import ScrimpError, StoreError
from scrimp.store import open_store

NOW = 1_793_491_200_000_000_000


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7d", NOW // 10**9 - 7 * 86_400),
        ("24h", NOW // 10**9 - 86_400),
        ("90m", NOW // 10**9 - 5_400),
        ("2026-11-01", NOW // 10**9),
        ("2026-11-01T10:00", NOW // 10**9 + 36_000),
        ("2026-11-01T10:00+02:00", NOW // 10**9 + 28_800),
        ("2026-11-01T10:00Z", NOW // 10**9 + 36_000),
        ("999999999d", 0),
        ("0001-01-01", 0),
    ],
)
def test_moments_are_so_long_ago_or_dates_in_utc(text: str, seconds: int) -> None:
    assert moment(text, NOW) == seconds * 10**9
    assert datetime.fromtimestamp(NOW // 10**9, UTC).isoformat() == "2026-11-01T00:00:00+00:00"


def test_a_moment_beyond_what_a_store_holds_is_its_last() -> None:
    assert moment("9999-01-01", NOW) == LATEST


@pytest.mark.parametrize("text", ["yesterdya", "", "7", "d", "-7d", "2026-13-01", "7d ago"])
def test_what_is_no_moment_says_what_would_be(text: str) -> None:
    with pytest.raises(ValueError, match="is neither 7d, 24h nor a date like 2026-11-01"):
        moment(text, NOW)


def test_the_option_goes_before_the_configuration(tmp_path: Path) -> None:
    file = tmp_path / "scrimp.toml"
    file.write_text('store = "of-the-file.db"')
    assert settings(None, str(file), ()).store == "of-the-file.db"
    assert settings(None, str(file), ("store=of-s.db",)).store == "of-s.db"
    assert settings("of-the-option.db", str(file), ("store=of-s.db",)).store == "of-the-option.db"


def test_no_store_names_the_path_and_the_next_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCRIMP_AS", "./dev scrimp")
    path = tmp_path / "none.db"
    with (
        pytest.raises(StoreError, match=r"there is no store at .*none\.db\. `\./dev scrimp serve` begins one"),
        reading(str(path)),
    ):
        pass
    assert not path.exists()


def test_a_store_is_read_without_a_change(tmp_path: Path) -> None:
    path = tmp_path / "scrimp.db"
    open_store(path).close()
    with reading(str(path)) as store:
        assert list(store.records()) == []
    assert [file.name for file in tmp_path.glob("*.toml")] == []


def test_a_file_gets_utf8_and_line_ends_as_they_are_written(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    with output(str(path)) as file:
        file.write("東\r\n")
    assert path.read_bytes() == "東\r\n".encode()
    with pytest.raises(ScrimpError, match="cannot be written"), output(str(tmp_path / "no" / "out.csv")):
        pass
