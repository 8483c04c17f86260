"""Where logs come from: files, folders, standard input; plain, gzip or Zstandard, told by their first bytes.

A source is read once, from its beginning, in pieces; nothing is unpacked to disk and no file is held in memory.
"""

from __future__ import annotations

import os
import re
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Protocol

import zstandard

from scrimp.errors import ScrimpError

STDIN = "-"
LOGS = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".log", ".db", ".sqlite")
PACKED = (".gz", ".zst")
GZIP, ZSTANDARD, SQLITE = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"SQLite format 3\0"
FED = (64, 8 * 1024)
"""Bytes unpacked at a time, at least and at most: what repeats itself unpacks to ten thousand times as much."""
UNPACKED = 256 * 1024
"""Bytes that they should unpack to."""
_ROTATED = re.compile(r"\.\d[\d._-]*$")


class Source:
    """One log. `size` is its bytes on disk (0: unknown); `read` gives unpacked bytes, b"" at the end.

    `trouble` says why reading ended before the end, "" while it did not: what came until then counts.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.trouble = ""
        self._taken = 0
        self._file = _open(path)
        try:
            self.size = 0 if path == STDIN else os.fstat(self._file.fileno()).st_size
            self._head = self._file.read(len(SQLITE))
        except OSError as error:
            self.close()
            raise ScrimpError(f"{path} cannot be read: {error.strerror}") from None
        self.is_database = self._head == SQLITE
        self._read = self._take
        if self._head.startswith(GZIP):
            self._read = _Unpacked(self._take, lambda: zlib.decompressobj(zlib.MAX_WBITS | 16)).read
        elif self._head.startswith(ZSTANDARD):
            self._read = _Unpacked(self._take, lambda: zstandard.ZstdDecompressor().decompressobj()).read

    @property
    def name(self) -> str:
        """What the source is called in reports."""
        return "standard input" if self.path == STDIN else self.path

    def read(self, size: int) -> bytes:
        """At most `size` more bytes; b"" only at the end."""
        if self.trouble:
            return b""
        try:
            return self._read(size)
        except (OSError, EOFError, zlib.error, zstandard.ZstdError) as error:
            self.trouble = f"{self.name} cannot be read to its end ({error}); what came before counts"
        return b""

    def position(self) -> int:
        """How many bytes on disk are read."""
        return self._taken

    def close(self) -> None:
        """Let go of the file."""
        if self.path != STDIN:
            self._file.close()

    def _take(self, size: int) -> bytes:
        """Bytes as they are on disk, the ones first that were looked at before."""
        data, self._head = self._head[:size], self._head[size:]
        data = data or self._file.read(size)
        self._taken += len(data)
        return data


class _Unpacker(Protocol):
    """What zlib and zstandard have in common: it unpacks one member or frame, and keeps what follows it."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, /) -> bytes: ...


class _Unpacked:
    """The bytes of packed members (gzip) or frames (Zstandard), one after another.

    EOFError where the last one is cut off, the unpacker's own error for damage: both after what came before.
    """

    def __init__(self, take: Callable[[int], bytes], begin: Callable[[], _Unpacker]) -> None:
        self._take = take
        self._begin = begin
        self._unpacker: _Unpacker | None = None
        self._packed = b""
        self._fed = FED[0]
        self._ready = memoryview(b"")

    def read(self, size: int) -> bytes:
        """At most `size` unpacked bytes; b"" at the end."""
        while not self._ready:
            self._packed = self._packed or self._take(self._fed)
            if not self._packed and self._unpacker is None:
                return b""
            if not self._packed:
                raise EOFError("it is cut off")
            self._unpack()
        data = bytes(self._ready[:size])
        self._ready = self._ready[size:]
        return data

    def _unpack(self) -> None:
        if self._unpacker is None:
            self._packed = self._packed.lstrip(b"\0")  # members may be padded to the blocks of a tape
            if not self._packed:
                return
            self._unpacker = self._begin()
        packed, self._packed = self._packed[: self._fed], self._packed[self._fed :]
        self._ready = memoryview(self._unpacker.decompress(packed))
        fit = UNPACKED * len(packed) // max(1, len(self._ready))
        self._fed = max(FED[0], min(fit, 2 * self._fed, FED[1]))
        if self._unpacker.eof:
            self._packed = self._unpacker.unused_data + self._packed
            self._unpacker = None


def _open(path: str) -> IO[bytes]:
    if path == STDIN:
        if sys.stdin is None:
            raise ScrimpError("standard input is closed", hint="Name log files instead of -")
        return sys.stdin.buffer
    try:
        return open(path, "rb")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ScrimpError(f"{path} cannot be read: {reason}", hint="Name log files, or - for standard input") from None


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
    """Whether a name is a log's, packed or not; a rotated one has a number or a day behind (app.log.1.gz)."""
    name = name.lower()
    for ending in PACKED:
        name = name.removesuffix(ending)
    return _ROTATED.sub("", name).endswith(LOGS)
