"""Where logs come from: files, folders, standard input; plain, gzip or Zstandard, told by their first bytes.

A source is read once, from its beginning, in blocks; nothing is unpacked to disk and no file is held in memory.
"""

from __future__ import annotations

import os
import re
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import zstandard

from scrimp.errors import ScrimpError

STDIN = "-"
LOGS = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".log", ".db", ".sqlite")
SQLITE = b"SQLite format 3\0"
UNPACKERS: dict[bytes, Callable[[], Any]] = {
    b"\x1f\x8b": lambda: zlib.decompressobj(zlib.MAX_WBITS | 16),
    b"\x28\xb5\x2f\xfd": lambda: zstandard.ZstdDecompressor().decompressobj(),
}
"""First bytes of packed files -> what unpacks a member of them."""
BLOCK = 64 * 1024
PACKED_BLOCK = 512
"""Bytes unpacked at a time: what repeats itself unpacks to ten thousand times as much."""
_PACKED_OR_ROTATED = re.compile(r"(\.\d[\d._-]*)?(\.gz|\.zst)?$")


class Source:
    """One log. `name` is what reports call it, `size` its bytes on disk (0: unknown). `trouble` says why reading ended
    before the end, "" while it did not: what came until then counts. ScrimpError where the log cannot be opened."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.name = "standard input" if path == STDIN else path
        self.trouble = ""
        self._taken = 0
        self._ready = memoryview(b"")
        try:
            self._file = sys.stdin.buffer if path == STDIN else open(path, "rb")  # noqa: SIM115
            self.size = 0 if path == STDIN else os.fstat(self._file.fileno()).st_size
            first = self._file.read(len(SQLITE))
        except (OSError, ValueError) as error:
            message = f"{path} cannot be read: {getattr(error, 'strerror', error)}"
            raise ScrimpError(message, hint="Name log files, or - for standard input") from None
        self.is_database = first == SQLITE
        begin = next((one for magic, one in UNPACKERS.items() if first.startswith(magic)), None)
        blocks = self._taking(first, PACKED_BLOCK if begin else BLOCK)
        self._blocks = _unpacked(blocks, begin) if begin else blocks

    def read(self, size: int) -> bytes:
        """At most `size` more bytes, unpacked; b"" only at the end."""
        try:
            while not self._ready:
                self._ready = memoryview(next(self._blocks))
        except StopIteration:
            return b""
        except (OSError, EOFError, zlib.error, zstandard.ZstdError) as error:
            self.trouble = f"{self.name} cannot be read to its end ({error}); what came before counts"
            return b""
        data = bytes(self._ready[:size])
        self._ready = self._ready[size:]
        return data

    def position(self) -> int:
        """How many bytes on disk are read."""
        return self._taken

    def close(self) -> None:
        """Let go of the file."""
        if self.path != STDIN:
            self._file.close()

    def _taking(self, block: bytes, size: int) -> Iterator[bytes]:
        """Bytes as they are on disk, the ones first that are already read."""
        while block:
            self._taken += len(block)
            yield block
            block = self._file.read(size)


def _unpacked(blocks: Iterator[bytes], begin: Callable[[], Any]) -> Iterator[bytes]:
    """What members (gzip) or frames (Zstandard) hold, one after another; `begin` makes what unpacks one of them. After
    what came before: EOFError where the last one is cut off, the unpacker's own error for damage."""
    unpacker = None
    for packed in blocks:
        while packed:
            unpacker = unpacker or begin()
            yield unpacker.decompress(packed)
            packed = unpacker.unused_data
            if unpacker.eof:
                unpacker = None
    if unpacker is not None:
        raise EOFError("it is cut off")


def expand(paths: Iterable[str]) -> Iterator[str]:
    """The logs that paths name: a folder means the log files below it, by name; a path named twice counts once."""
    seen: set[str] = set()
    for path in paths:
        found = _below(Path(path)) if path != STDIN and os.path.isdir(path) else [path]
        if not found:
            raise ScrimpError(f"{path} holds no log files", hint=f"Looked for {', '.join(LOGS)}, packed or not")
        for one in found:
            place = one if one == STDIN else os.path.realpath(one)
            if place not in seen:
                seen.add(place)
                yield one


def _below(folder: Path) -> list[str]:
    """The files below a folder whose names are logs', packed or not, rotated ones too (app.log.1.gz)."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return sorted(str(path) for path in files if _PACKED_OR_ROTATED.sub("", path.name.lower()).endswith(LOGS))
