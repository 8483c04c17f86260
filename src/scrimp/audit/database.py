"""Our own database as a log: its records as JSON lines, so that it is read the way every other log is."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from scrimp.store import open_store
from scrimp.store.base import Record


class RecordLines:
    """The records of a database as bytes, oldest first. Raises StoreError where it is no database of ours."""

    def __init__(self, path: str) -> None:
        self._store = open_store(path, read_only=True)
        self._lines = _lines(self._store.records())
        self._rest = b""

    def read(self, size: int) -> bytes:
        """At most `size` more bytes; b"" at the end."""
        parts = [self._rest]
        length = len(self._rest)
        while length < size and (line := next(self._lines, b"")):
            parts.append(line)
            length += len(line)
        data = b"".join(parts)
        self._rest = data[size:]
        return data[:size]

    def close(self) -> None:
        """Let go of the database."""
        self._store.close()


def _lines(records: Iterator[Record]) -> Iterator[bytes]:
    encode = msgspec.json.Encoder().encode
    for record in records:
        yield encode(record) + b"\n"
