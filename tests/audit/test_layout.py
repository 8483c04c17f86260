"""A layout goes to other processes as it is."""

from __future__ import annotations

import msgspec

from scrimp.audit.layout import Layout, Piece


def test_a_layout_and_a_piece_arrive_in_another_process_as_they_were() -> None:
    layout = Layout("csv", ("time", "input"), "\t", 3, "", "tn", True)
    piece = Piece(7, b'\x1e\xff"')
    sent = msgspec.msgpack.encode((layout, piece))
    assert msgspec.msgpack.decode(sent, type=tuple[Layout, Piece]) == (layout, piece)
