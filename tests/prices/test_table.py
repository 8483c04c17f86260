"""The stored table: where it lies, who may write it, what happens without it."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from scrimp.call import Usage
from scrimp.config import ModelConfig
from scrimp.prices.book import Book, Unpriced
from scrimp.prices.table import Clause, Cliff, Term, file_name, library_version, read, stored, write


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    return tmp_path / "cache"


def test_the_book_compiles_its_table_once_into_a_private_folder(cache: Path) -> None:
    assert not Book.compiled()
    book = Book.load()
    path = cache / "scrimp" / file_name(library_version())
    assert book.trouble == ""
    assert path.is_file() and Book.compiled()
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    before = path.stat().st_mtime_ns
    assert Book.load().date == book.date
    assert path.stat().st_mtime_ns == before


def test_a_broken_table_is_compiled_anew(cache: Path) -> None:
    path = write(b"\x93\xa50.2.3", library_version())
    assert Book.load().trouble == ""
    assert read(path).version == library_version()


def test_where_the_cache_cannot_be_written_the_temporary_folder_serves(cache: Path) -> None:
    cache.write_text("a file stands where the folder should be")
    assert Book.load().trouble == ""
    path = stored(library_version())
    assert path is not None
    assert path.parent.parent == cache.parent / "tmp"


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="POSIX permissions")
def test_a_table_that_others_could_have_planted_is_not_read(cache: Path) -> None:
    path = write(b"", library_version())
    path.parent.chmod(0o777)
    assert stored(library_version()) is None


def test_without_a_table_own_prices_still_hold(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(cache / "no-python"))
    book = Book.load({"m": ModelConfig(input=1.0)})
    assert book.trouble.startswith("no price table: ")
    assert book.price("gpt-4o", Usage(input=1)) == Unpriced(book.trouble)
    assert not isinstance(book.price("m", Usage(input=1)), Unpriced)
    assert (book.owner("gpt-4o"), book.date) == ("", "")


def test_reading_prices_never_imports_the_price_library() -> None:
    code = """
import sys, scrimp
scrimp.price("gpt-4o", scrimp.Usage(input=1))
assert not {"genai_prices", "pydantic", "importlib.metadata"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_cliffs_and_terms_hold_from_their_edge_on() -> None:
    assert [Cliff(1, ((100, 2), (200, 3))).at(size) for size in (0, 100, 101, 201)] == [1, 1, 2, 3]
    assert [Term(5).holds(when) for when in (4, 5)] == [False, True]
    assert [Term(None, 2, 4).holds(when) for when in (1, 2, 3, 4)] == [False, True, True, False]


def test_clauses_test_names() -> None:
    starts, ends = Clause("starts", "gpt-"), Clause("ends", "-mini")
    both = Clause("and", parts=(starts, ends))
    either = Clause("or", parts=(starts,), names=("o3",))
    assert [both.fits(name) for name in ("gpt-5-mini", "gpt-5")] == [True, False]
    assert [either.fits(name) for name in ("gpt-5", "o3", "o3-mini")] == [True, True, False]
    assert Clause("regex", "^o[134]").fits("o1-pro")
    assert Clause("contains", "claude").fits("us.claude-4")
    assert Clause("equals", "x").fits("x") and not Clause("equals", "x").fits("xy")
