"""Where logs come from: files, folders, standard input; plain, gzip or Zstandard, told by their first bytes.

A source is read once, from its beginning, in pieces; nothing is unpacked to disk and no file is held in memory.
"""

from __future__ import annotations

import gzip
import io
import os
import sys
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, cast

from scrimp.errors import ScrimpError

STDIN = "-"
LOGS = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".log", ".db", ".sqlite")
PACKED = (".gz", ".zst")
GZIP, ZSTANDARD, SQLITE = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"SQLite format 3\0"


class Source:
    """One log. `size` is its bytes on disk (0: unknown); `read` gives unpacked bytes, b"" at the end.

    `trouble` says why reading ended before the end, "" while it did not: what came until then counts.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.trouble = ""
        self._raw = _open(path)
        self.size = 0 if path == STDIN else os.fstat(self._raw.fileno()).st_size
        head = self._raw.peek(16)[:16]
        self.is_database = head == SQLITE
        self._bytes = _unpacked(self._raw, head)

    @property
    def name(self) -> str:
        """What the source is called in reports."""
        return "standard input" if self.path == STDIN else self.path

    def read(self, size: int) -> bytes:
        """At most `size` more bytes."""
        if self.trouble:
            return b""
        try:
            return self._bytes.read(size)
        except (OSError, EOFError, zlib.error, ValueError) as error:
            self.trouble = f"{self.name} cannot be read to its end ({error}); what came before counts"
        except Exception as error:
            if type(error).__name__ != "ZstdError":
                raise
            self.trouble = f"{self.name} cannot be read to its end ({error}); what came before counts"
        return b""

    def position(self) -> int:
        """How many bytes on disk are read."""
        try:
            return self._raw.tell()
        except (OSError, ValueError):
            return 0

    def close(self) -> None:
        """Let go of the file."""
        if self.path != STDIN:
            self._raw.close()


def _open(path: str) -> io.BufferedReader:
    if path == STDIN:
        return cast(io.BufferedReader, sys.stdin.buffer)
    try:
        return open(path, "rb")
    except OSError as error:
        raise ScrimpError(
            f"{path} cannot be read: {error.strerror}", hint="Name log files, or - for standard input"
        ) from None


def _unpacked(raw: io.BufferedReader, head: bytes) -> BinaryIO:
    if head.startswith(GZIP):
        return cast(BinaryIO, gzip.GzipFile(fileobj=raw))
    if head.startswith(ZSTANDARD):
        import zstandard

        return cast(BinaryIO, zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True))
    return raw


def expand(paths: Iterable[str]) -> Iterator[str]:
    """The logs that paths name: a folder means the log files below it, by name; a path named twice counts once."""
    seen: set[str] = set()
    for path in paths:
        found = _below(Path(path)) if path != STDIN and os.path.isdir(path) else [path]
        if not found:
            raise ScrimpError(
                f"{path} holds no log files", hint=f"Looked for {', '.join(LOGS)}, and these with .gz or .zst"
            )
        for one in found:
            place = one if one == STDIN else os.path.realpath(one)
            if place not in seen:
                seen.add(place)
                yield one


def _below(folder: Path) -> list[str]:
    return sorted(str(path) for path in folder.rglob("*") if path.is_file() and _is_log(path.name))


def _is_log(name: str) -> bool:
    for ending in PACKED:
        name = name.removesuffix(ending)
    return name.endswith(LOGS)
