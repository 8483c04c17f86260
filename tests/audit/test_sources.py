"""Logs are read plain or packed, from files, folders and standard input, and what cannot be read says so."""

from __future__ import annotations

import gzip
import io
import os
import random
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from scrimp.audit.sources import Source, expand
from scrimp.errors import ScrimpError

TEXT = b"".join(b'{"id": "%d", "said": "%x"}\n' % (at, random.Random(at).getrandbits(256)) for at in range(5_000))


def packed_gzip(data: bytes) -> bytes:
    """Three members, one of them empty."""
    third = len(data) // 3
    return b"".join(gzip.compress(part) for part in (data[:third], b"", data[third:]))


def packed_zstandard(data: bytes) -> bytes:
    """Three frames, one of them empty, and a frame to be skipped."""
    third = len(data) // 3
    frames = [zstandard.ZstdCompressor().compress(part) for part in (data[:third], b"", data[third:])]
    return frames[0] + b"\x50\x2a\x4d\x18\x03\x00\x00\x00abc" + b"".join(frames[1:])


PACKED = (bytes, packed_gzip, packed_zstandard)


def all_of(source: Source, size: int = 10_000) -> bytes:
    parts = []
    while data := source.read(size):
        assert len(data) <= size
        parts.append(data)
    return b"".join(parts)


@pytest.mark.parametrize("pack", PACKED)
@pytest.mark.parametrize("size", [7, 10_000, 10_000_000])
def test_a_file_is_read_whole_however_it_is_packed(tmp_path: Path, pack: Callable[[bytes], bytes], size: int) -> None:
    path = tmp_path / "log"
    path.write_bytes(pack(TEXT))
    source = Source(str(path))
    assert all_of(source, size) == TEXT
    assert (source.trouble, source.name, source.is_database) == ("", str(path), False)
    assert source.size == source.position() == path.stat().st_size
    source.close()


@pytest.mark.parametrize("pack", PACKED)
def test_standard_input_is_read_from_a_pipe_that_gives_a_byte_at_a_time(pack: Callable[[bytes], bytes]) -> None:
    code = (
        "import sys; from scrimp.audit.sources import Source\n"
        "source = Source('-')\n"
        "while data := source.read(1000): sys.stdout.buffer.write(data)\n"
        "sys.stderr.write(f'{source.name} {source.size} {source.position()} {source.trouble}')"
    )
    data = pack(TEXT)
    child = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
    )
    assert child.stdin is not None
    for at in range(20):
        child.stdin.write(data[at : at + 1])
    out, told = child.communicate(data[20:])
    assert out == TEXT
    assert told.decode() == f"standard input 0 {len(data)} "


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.ZstdCompressor().compress])
def test_of_a_packed_file_that_is_cut_off_what_came_before_counts(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    whole = pack(TEXT)
    path = tmp_path / "log"
    path.write_bytes(whole[: len(whole) * 2 // 3])
    source = Source(str(path))
    found = all_of(source)
    assert len(TEXT) // 2 < len(found) < len(TEXT)
    assert TEXT.startswith(found)
    assert source.trouble == f"{path} cannot be read to its end (it is cut off); what came before counts"
    assert source.read(10) == b""
    source.close()


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.ZstdCompressor(write_checksum=True).compress])
def test_of_a_packed_file_that_is_damaged_what_came_before_counts(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    first = pack(TEXT)
    second = bytearray(pack(TEXT))
    second[5_000:5_100] = b"\xff" * 100
    path = tmp_path / "log"
    path.write_bytes(first + second)
    source = Source(str(path))
    assert all_of(source).startswith(TEXT)
    assert "cannot be read to its end (" in source.trouble
    source.close()


def test_something_else_behind_a_packed_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "log.gz"
    path.write_bytes(gzip.compress(TEXT) + b"and more")
    source = Source(str(path))
    assert all_of(source) == TEXT and source.trouble
    source.close()


@pytest.mark.parametrize(
    "pack", [gzip.compress, lambda data: zstandard.ZstdCompressor(level=19).compress(data)], ids=["gzip", "zstd"]
)
def test_memory_is_flat_though_a_log_unpacks_to_very_much(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    part = pack(b'{"id": 1, "model": "gpt-4o", "input_tokens": 5, "output_tokens": 5}\n' * 300_000)
    path = tmp_path / "log"
    path.write_bytes(part * 5)
    source = Source(str(path))
    tracemalloc.start()
    length = 0
    while data := source.read(1 << 20):
        length += len(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    source.close()
    assert length == 5 * 300_000 * 68
    assert peak < 20_000_000


def test_an_empty_file_gives_nothing_and_is_no_trouble(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.touch()
    source = Source(str(path))
    assert (source.read(10), source.size, source.trouble) == (b"", 0, "")
    source.close()


def test_a_database_is_told(tmp_path: Path) -> None:
    path = tmp_path / "scrimp.db"
    path.write_bytes(b"SQLite format 3\0" + b"\0" * 100)
    source = Source(str(path))
    assert source.is_database and source.read(16) == b"SQLite format 3\0"
    source.close()


def test_what_cannot_be_opened_is_an_error_that_says_why(tmp_path: Path) -> None:
    with pytest.raises(ScrimpError, match="nothing.jsonl cannot be read: No such file or directory"):
        Source(str(tmp_path / "nothing.jsonl"))
    with pytest.raises(ScrimpError, match="cannot be read: Is a directory"):
        Source(str(tmp_path))
    with pytest.raises(ScrimpError, match="cannot be read: embedded null byte"):
        Source("a\0b")


def test_standard_input_stays_open(monkeypatch: pytest.MonkeyPatch) -> None:
    given = io.TextIOWrapper(io.BytesIO(TEXT))
    monkeypatch.setattr(sys, "stdin", given)
    source = Source("-")
    source.close()
    assert all_of(source) == TEXT and not given.closed


def test_a_folder_means_the_logs_below_it_by_name(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    logs = ["a.jsonl", "b.CSV", "c.json.gz", "d.log.2", "deep/e.ndjson.zst", "deep/f.log.2026-11-01.gz", "g.db"]
    for name in [*logs, "notes.txt", "h.gz", "deep/picture.png"]:
        (tmp_path / name).touch()
    assert [os.path.relpath(path, tmp_path) for path in expand([str(tmp_path)])] == logs


def test_a_log_named_twice_counts_once(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.touch()
    (tmp_path / "again.jsonl").symlink_to(path)
    named = [str(path), str(tmp_path / "again.jsonl"), str(tmp_path), "-", "-", str(tmp_path / "missing")]
    assert list(expand(named)) == [str(path), "-", str(tmp_path / "missing")]


def test_a_folder_without_logs_is_an_error_that_says_what_was_looked_for(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(ScrimpError, match=r"holds no log files. Looked for .jsonl, "):
        list(expand([str(tmp_path)]))
