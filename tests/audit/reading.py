"""A log read the way the audit reads it, without replaying it: for the tests of the formats."""

from __future__ import annotations

import io
from pathlib import Path

from scrimp.audit.detect import Known, detect
from scrimp.audit.entry import BadRecord, Entry
from scrimp.audit.formats.base import NO_OPTIONS, Options
from scrimp.audit.framing import pieces, rows

SAMPLES = Path(__file__).parent / "samples"


def read(
    log: str | bytes, forced: str = "", options: Options = NO_OPTIONS, name: str = "log"
) -> tuple[Known, list[Entry], list[tuple[int, str]]]:
    """What a log is, its entries, and the rows that cannot be read as (line, reason).

    `log`: the name of a file in tests/audit/samples, or the bytes themselves.
    """
    data = (SAMPLES / log).read_bytes() if isinstance(log, str) else log
    known = detect(log if isinstance(log, str) else name, data[: 256 * 1024], forced, options)
    reader = known.format.open(known.layout.columns or known.sample.columns, known.options)
    entries: list[Entry] = []
    bad: list[tuple[int, str]] = []
    for piece in pieces(known.layout, io.BytesIO(data).read):
        for line, row in rows(known.layout, piece):
            if isinstance(row, BadRecord):
                bad.append((line, str(row)))
                continue
            try:
                entries.extend(reader(row))
            except BadRecord as error:
                bad.append((line, str(error)))
    return known, entries, bad
