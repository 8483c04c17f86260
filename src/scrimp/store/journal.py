"""Where records wait for the database and survive a kill: a journal in mapped memory, and a spill file.

The journal has two segments. One takes records by plain memory writes (no system call); the pages belong to the
kernel, so they outlive the process. The other is being committed, then cleared by raising its generation.
A frame is `length, check, msgpack of a Record`; the check covers the generation, so torn and stale frames end a
segment. The spill is a plain file of the same frames, for when the database does not work for longer.
"""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from zlib import crc32

import msgspec

from scrimp.store.base import Record

SEGMENT = 4 << 20
"""Bytes of one segment: about 8,000 records without bodies."""
HEADER = 4096
GENERATION = struct.Struct("<I")
FRAME = struct.Struct("<II")
SPILL_GENERATION = 0
SPILL_BYTES = 256 << 20
"""The spill file grows to this and no further."""

encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Record).decode


def create_private(path: Path) -> int:
    """A file descriptor of a new file that only its owner may read; OSError where it exists."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)


class Journal:
    """A new journal file of this process. Not thread-safe: its owner locks. OSError where it cannot be made."""

    def __init__(self, path: Path, segment: int = SEGMENT) -> None:
        self._path = path
        self._segment = segment
        self._current = 0
        self._end = 0
        self._generations = [1, 1]
        file = create_private(path)
        try:
            _fill(file, HEADER + 2 * segment)
            self._map = mmap.mmap(file, HEADER + 2 * segment)
        except OSError:
            path.unlink()
            raise
        finally:
            os.close(file)
        self.clear(0)
        self.clear(1)

    def append(self, frame: bytes) -> bool:
        """Write a frame down; False where the segment is full."""
        size = len(frame)
        after = self._end + FRAME.size + size
        if after > self._segment:
            return False
        start = HEADER + self._current * self._segment + self._end
        body = start + FRAME.size
        self._map[body : body + size] = frame
        FRAME.pack_into(self._map, start, size, crc32(frame, self._generations[self._current]))
        self._end = after
        return True

    def swap(self) -> int:
        """Go on in the other segment (which must be clear); the number of the one to be committed."""
        left = self._current
        self._current = 1 - left
        self._end = 0
        return left

    def clear(self, segment: int) -> None:
        """Forget the frames of a segment."""
        self._generations[segment] = (self._generations[segment] + 1) & 0xFFFFFFFF
        GENERATION.pack_into(self._map, segment * GENERATION.size, self._generations[segment])

    def close(self, *, remove: bool) -> None:
        """Let go of the file, and remove it where nothing in it is needed."""
        self._map.close()
        if remove:
            self._path.unlink(missing_ok=True)


def _fill(file: int, size: int) -> None:
    """Take the blocks now: a write to a hole on a full disk would kill the process (SIGBUS)."""
    blank = bytes(1 << 20)
    while size > 0:
        size -= os.write(file, blank[:size])


def journal_frames(path: Path) -> Iterator[bytes]:
    """The frames of a dead process's journal, whatever state it was left in."""
    data = path.read_bytes()
    if len(data) <= HEADER:
        return
    segment = (len(data) - HEADER) // 2
    for number in (0, 1):
        (generation,) = GENERATION.unpack_from(data, number * GENERATION.size)
        start = HEADER + number * segment
        yield from _frames(data[start : start + segment], generation)


def _frames(data: bytes, generation: int) -> Iterator[bytes]:
    place = 0
    while place + FRAME.size < len(data):
        size, check = FRAME.unpack_from(data, place)
        place += FRAME.size
        frame = data[place : place + size]
        if size == 0 or len(frame) < size or crc32(frame, generation) != check:
            return
        yield frame
        place += size


class Spill:
    """A file of records that could not be committed and must not fill the memory; made when first needed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._size = 0
        self.count = 0

    def append(self, records: Iterable[Record]) -> bool:
        """Add records, all or none; False where the file has its full size or cannot be written."""
        frames = [encode(record) for record in records]
        data = b"".join(FRAME.pack(len(one), crc32(one, SPILL_GENERATION)) + one for one in frames)
        if self._size + len(data) > SPILL_BYTES:
            return False
        try:
            self._write(data)
        except OSError:
            return False
        self._size += len(data)
        self.count += len(frames)
        return True

    def _write(self, data: bytes) -> None:
        if not self.path.exists():
            os.close(create_private(self.path))
        with self.path.open("r+b") as file:
            file.truncate(self._size)  # what a write that failed half-way left behind
            file.seek(self._size)
            file.write(data)

    def clear(self) -> None:
        """Remove the file, everything in it being committed."""
        self.path.unlink(missing_ok=True)
        self._size = self.count = 0


def spill_frames(path: Path) -> Iterator[bytes]:
    """The frames of a spill file, one at a time."""
    with path.open("rb") as file:
        while True:
            head = file.read(FRAME.size)
            if len(head) < FRAME.size:
                return
            size, check = FRAME.unpack(head)
            frame = file.read(size)
            if len(frame) < size or crc32(frame, SPILL_GENERATION) != check:
                return
            yield frame


def decoded(frames: Iterable[bytes], unreadable: Callable[[str], object]) -> Iterator[Record]:
    """The records in frames; one that does not fit our Record is told to `unreadable` and left out."""
    for frame in frames:
        try:
            yield _decode(frame)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            unreadable(f"a record in the journal cannot be read: {error}")
