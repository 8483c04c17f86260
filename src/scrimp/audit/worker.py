"""A process of the audit: `python -m scrimp.audit.worker`. Jobs come on standard input, results go to standard output.

A process of its own program, not a fork: the audit may run in a program with threads, or in one without a main guard.
Frames are a length (4 bytes, big endian) and msgpack.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import IO, TypeVar

import msgspec

from scrimp.audit.framing import Piece
from scrimp.audit.piece import Filter, Job, Reader, Result
from scrimp.config import Config

T = TypeVar("T")


class Start(msgspec.Struct, frozen=True):
    """The first frame: what all pieces share."""

    config: Config
    model: str
    chosen: Filter


def send(file: IO[bytes], value: object) -> None:
    """Write one frame."""
    data = msgspec.msgpack.encode(value)
    file.write(len(data).to_bytes(4, "big"))
    file.write(data)
    file.flush()


def receive(file: IO[bytes], kind: type[T]) -> T | None:
    """Read one frame; None at the end."""
    head = file.read(4)
    if len(head) < 4:
        return None
    return msgspec.msgpack.decode(file.read(int.from_bytes(head, "big")), type=kind)


def main() -> None:
    """Work until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started us decides when we end
    given, taken = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # nothing else may write between the frames
    start = receive(given, Start)
    if start is None:
        return
    reader = Reader(start.config, start.model, start.chosen)
    send(taken, Result())  # ready
    while True:
        task = receive(given, tuple[Job, Piece])
        if task is None:
            return
        send(taken, reader.read(*task))


if __name__ == "__main__":
    main()
