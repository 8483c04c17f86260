"""Where calls are written down: one interface (base), in memory and in SQLite.

`open_store` is the way in; what it needs is imported when it is called.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from scrimp.errors import ConfigError

if TYPE_CHECKING:
    from scrimp.store.base import Store


def open_store(
    path: str | Path, *, read_only: bool = False, on_trouble: Callable[[str], object] | None = None
) -> Store:
    """The store at `path`; ":memory:" keeps it in this process only.

    `on_trouble` is told, in a sentence, what went wrong and what was done about it (default: a logged warning).
    Raises StoreError where the file cannot be used, ConfigError where `path` is a URL of a kind we do not know.
    """
    if str(path) == ":memory:":
        from scrimp.store.memory import MemoryStore

        return MemoryStore()
    scheme, separator, _ = str(path).partition("://")
    if separator:
        raise ConfigError(
            f"store: {scheme}:// is not a kind of store we know", hint='Name a file (scrimp.db) or ":memory:".'
        )
    from scrimp.store.sqlite import SqliteStore

    return SqliteStore(path, read_only=read_only, on_trouble=on_trouble or logging.getLogger(__name__).warning)
