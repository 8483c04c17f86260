"""Which journals belong to living processes: each is claimed by a lock that dies with its process.

Beside the database `calls.db` a writing process keeps `calls.db.TOKEN.journal`, perhaps `calls.db.TOKEN.spill`, and
`calls.db.TOKEN.lock`. The lock is SQLite's own exclusive file lock on an empty database: it works on every platform,
across containers on one host, and process ids (all 1 in containers) play no part.
"""

from __future__ import annotations

import contextlib
import glob
import os
import secrets
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from scrimp.store.journal import create_private


class Claim:
    """The right to the journal and the spill of one token; held until `release` or the end of the process."""

    def __init__(self, base: Path, token: str) -> None:
        self.journal = base.with_name(f"{base.name}.{token}.journal")
        self.spill = base.with_name(f"{base.name}.{token}.spill")
        self._path = base.with_name(f"{base.name}.{token}.lock")
        with contextlib.suppress(FileExistsError):
            os.close(create_private(self._path))
        self._lock: sqlite3.Connection | None = None

    def take(self) -> bool:
        """Take the lock; False where a living process has it (or another user, whose file we may not open)."""
        try:
            self._lock = sqlite3.connect(self._path, timeout=0, isolation_level=None, check_same_thread=False)
            self._lock.execute("PRAGMA journal_mode = MEMORY")  # no file of its own beside the lock
            self._lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            self._unlock()
            return False
        return True

    def release(self, *, remove: bool) -> None:
        """Let go; with `remove` the lock file goes first, so that nobody can claim what is no longer there."""
        if remove:
            try:
                self._path.unlink(missing_ok=True)
            except OSError:  # Windows does not unlink an open file
                self._unlock()
                self._path.unlink(missing_ok=True)
        self._unlock()

    def _unlock(self) -> None:
        if self._lock is not None:
            self._lock.close()


def new_claim(base: Path) -> Claim:
    """A claim on names that nobody has used. OSError or sqlite3.Error where the directory cannot be written."""
    claim = Claim(base, secrets.token_hex(4))
    claim.take()
    return claim


def companions(base: Path, kind: str) -> list[Path]:
    """The files of one kind ("journal", "spill") beside the database `base`, of every process."""
    return sorted(base.parent.glob(f"{glob.escape(base.name)}.*.{kind}"))


def abandoned(base: Path) -> Iterator[Claim]:
    """Claims on what dead processes left, each taken over."""
    tokens = {path.name.split(".")[-2] for path in (*companions(base, "journal"), *companions(base, "spill"))}
    for token in sorted(tokens):
        claim = Claim(base, token)
        if claim.take():
            yield claim
