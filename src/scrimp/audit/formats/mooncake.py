"""Mooncake request traces: lengths and ids of prompt blocks, no texts.

timestamp (ms from the trace's start), input_length, output_length (tokens), hash_ids: an id for each block of 512
tokens, equal ids meaning an equal block and an equal prefix up to it, which is what a prefix cache can reuse.
https://github.com/kvcache-ai/Mooncake (FAST25-release/traces)
"""

from __future__ import annotations

from scrimp.audit.entry import BadRecord, Entry
from scrimp.audit.formats.base import Format, Row, Sample, count, each
from scrimp.call import Usage

BLOCK = 512
"""Tokens in a block."""


def _fits(sample: Sample) -> bool:
    return sample.has("timestamp", "input_length", "output_length", "hash_ids")


def read(row: Row) -> tuple[Entry]:
    """The entry of a row; its time is counted from the epoch, as the trace names no day."""
    ids = row.get("hash_ids") or ()
    if not isinstance(ids, list) or not all(type(one) is int for one in ids):
        raise BadRecord("hash_ids: no list of numbers")
    when = row.get("timestamp")
    usage = Usage(
        input=count(row.get("input_length"), "input_length"), output=count(row.get("output_length"), "output_length")
    )
    return (Entry(at=count(when, "timestamp") * 1_000_000, usage=usage, blocks=tuple(ids), block_tokens=BLOCK),)


FORMATS = (
    Format(
        "mooncake", "Mooncake trace", _fits, each(read), missing=("who called", "exact repeats (it keeps no texts)")
    ),
)
