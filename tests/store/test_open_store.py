"""The way in: a file, memory, or a clear no."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from scrimp.errors import ConfigError
from scrimp.store import open_store
from scrimp.store.memory import MemoryStore
from scrimp.store.sqlite import SqliteStore


def test_a_path_is_a_file_and_memory_is_memory(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "calls.db"))
    assert isinstance(store, SqliteStore)
    store.close()
    assert isinstance(open_store(":memory:"), MemoryStore)


def test_an_unknown_kind_of_store_names_what_is_known() -> None:
    with pytest.raises(ConfigError, match="mongo:// is not a kind of store we know"):
        open_store("mongo://user:secret@host/db")


def test_importing_the_package_imports_no_store() -> None:
    code = (
        "import scrimp.store, sys; print([m for m in ('sqlite3', 'mmap', 'scrimp.store.sqlite') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
