"""Opening a database file: made private, checked, brought up to date; a corrupt one is kept aside, never deleted."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from scrimp.errors import StoreError
from scrimp.store.journal import create_private

SCHEMA = Path(__file__).parent / "schema"
APPLICATION = 1935897968
"""PRAGMA application_id of our files (schema/001_store.sql sets it)."""
CHECK_WHOLE = 8 << 20
"""A file up to this size, in bytes, is checked whole at every opening."""
BUSY_SECONDS = 5.0
_BROKEN = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def is_broken(error: sqlite3.Error) -> bool:
    """Whether the error says that the file is corrupt or no database."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _BROKEN


def open_to_write(path: Path, *, check: bool, on_trouble: Callable[[str], object]) -> sqlite3.Connection:
    """The one write connection, on a sound database with our newest schema; `check` asks for a check of all of it.

    Raises StoreError, with the path and the next step, where the file cannot be made, written or used.
    """
    if not path.parent.is_dir():
        raise StoreError(f"the store {path} cannot be opened: {path.parent} is not a directory", hint=_NEXT)
    try:
        return _open(path, check)
    except sqlite3.Error as error:
        if not is_broken(error):
            raise unusable(path, error) from error
        reason = error
    except OSError as error:
        raise unusable(path, error) from error
    try:
        kept = _keep_aside(path)
        on_trouble(f"the store {path} is corrupt ({reason}): it is kept as {kept}, and a new one is begun")
        return _open(path, False)
    except (OSError, sqlite3.Error) as error:
        raise unusable(path, error) from error


_NEXT = "See that this user may write there and that the disk has room, or name another file with --store"


def unusable(path: Path, error: Exception) -> StoreError:
    """The error of a store that cannot be opened."""
    return StoreError(f"the store {path} cannot be opened: {error}", hint=_NEXT)


def _open(path: Path, check: bool) -> sqlite3.Connection:
    with contextlib.suppress(FileExistsError):
        os.close(create_private(path))
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        _check(connection, path, check)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA journal_size_limit = 67108864")
        connection.execute("PRAGMA secure_delete = ON")
        migrate(connection, path)
        connection.execute("BEGIN IMMEDIATE")  # fails now, not at the first record, where we may not write
        connection.execute("ROLLBACK")
    except (sqlite3.Error, StoreError):
        connection.close()
        raise
    return connection


def _check(connection: sqlite3.Connection, path: Path, whole: bool) -> None:
    """Raise sqlite3.DatabaseError where the file is corrupt, StoreError where it is not ours to write."""
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    if tables and application != APPLICATION:
        raise StoreError(
            f"{path} is a database of another program; nothing in it was changed", hint="Name another file with --store"
        )
    if _version(connection) and (whole or path.stat().st_size <= CHECK_WHOLE):
        (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            error = sqlite3.DatabaseError(found)
            error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
            raise error


def _keep_aside(path: Path) -> Path:
    """Rename the database and its companions; the new name says when."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    kept = path.with_name(f"{path.name}.corrupt-{stamp}")
    number = 1
    while kept.exists():
        number += 1
        kept = path.with_name(f"{path.name}.corrupt-{stamp}-{number}")
    for companion in ("", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + companion).rename(kept.with_name(kept.name + companion))
    return kept


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Run the migrations (schema/NNN_name.sql) that the database does not have, each in a transaction.

    PRAGMA user_version holds the number of the last one. StoreError where it is beyond what we know.
    """
    for script in sorted(SCHEMA.glob("[0-9][0-9][0-9]_*.sql")):
        number = int(script.name[:3])
        if _version(connection) >= number:
            continue
        connection.execute("BEGIN IMMEDIATE")
        try:
            if _version(connection) < number:  # another process may have been quicker
                for statement in _statements(script.read_text(encoding="utf-8")):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {number}")
            connection.execute("COMMIT")
        except sqlite3.Error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
    check_version(connection, path)


def check_version(connection: sqlite3.Connection, path: Path) -> None:
    """StoreError unless the database has exactly the schema that we know."""
    known = max(int(script.name[:3]) for script in SCHEMA.glob("[0-9][0-9][0-9]_*.sql"))
    version = _version(connection)
    if version > known:
        hint = "Upgrade scrimp, or name another file with --store"
        raise StoreError(f"{path} has schema {version}, and this scrimp knows up to {known}", hint=hint)
    if version < known:
        hint = "Run `scrimp serve` on it once to bring it up to date"
        raise StoreError(f"{path} has schema {version}, and this scrimp reads {known}", hint=hint)


def _version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def _statements(script: str) -> Iterator[str]:
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def open_to_read(path: Path) -> sqlite3.Connection:
    """A read-only connection to an existing database of our schema; StoreError where there is none."""
    if not path.is_file():
        raise StoreError(f"there is no store {path}", hint="Start `scrimp serve`, or name the file with --store")
    try:
        connection = reader(path)
    except sqlite3.Error as error:
        raise unusable(path, error) from error
    try:
        check_version(connection, path)
    except StoreError:
        connection.close()
        raise
    return connection


def reader(path: Path) -> sqlite3.Connection:
    """A connection that cannot write. A file that nobody can be writing (read-only disk) is read without locks."""
    address = path.absolute().as_uri()
    try:
        return _probed(f"{address}?mode=ro")
    except sqlite3.OperationalError as error:
        cannot_lock = error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)
        if not cannot_lock or path.with_name(f"{path.name}-wal").exists():
            raise
        return _probed(f"{address}?mode=ro&immutable=1")


def _probed(address: str) -> sqlite3.Connection:
    connection = sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error:
        connection.close()
        raise
    return connection
