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
LATEST = 10**12
"""Milliseconds that a trace may last; a larger number is no time from its start."""


def _fits(sample: Sample) -> bool:
    return sample.has("timestamp", "input_length", "output_length", "hash_ids")


def read(row: Row) -> tuple[Entry]:
    """The entry of a row; its time is counted from the epoch, as the trace names no day."""
    ids = row.get("hash_ids")
    if not isinstance(ids, list) or not all(type(one) is int and 0 <= one < 2**63 for one in ids):
        raise BadRecord("hash_ids: no list of block ids")
    when = count(row.get("timestamp"), "timestamp")
    if when > LATEST:
        raise BadRecord(f"timestamp: {when} ms is no time from the start of a trace")
    asked, made = row.get("input_length"), row.get("output_length")
    if asked is None or made is None:
        raise BadRecord("it has no number of tokens")
    usage = Usage(input=count(asked, "input_length"), output=count(made, "output_length"))
    return (Entry(at=when * 1_000_000, usage=usage, blocks=tuple(ids), block_tokens=BLOCK),)


FORMATS = (
    Format(
        "mooncake", "Mooncake trace", _fits, each(read), missing=("who called", "exact repeats (it keeps no texts)")
    ),
)
