"""The frames between the audit and its processes."""

from __future__ import annotations

import io

from scrimp.audit.framing import Piece
from scrimp.audit.piece import Result
from scrimp.audit.worker import receive, send


def test_frames_come_out_as_they_went_in() -> None:
    pipe = io.BytesIO()
    send(pipe, Piece(7, b"\x00\xff" * 100_000))
    send(pipe, Result(calls=3, shown=[(1, "no JSON")]))
    pipe.seek(0)
    assert receive(pipe, Piece) == Piece(7, b"\x00\xff" * 100_000)
    assert receive(pipe, Result) == Result(calls=3, shown=[(1, "no JSON")])
    assert receive(pipe, Result) is None


def test_an_end_within_a_length_is_the_end() -> None:
    assert receive(io.BytesIO(b"\0\0"), Piece) is None
