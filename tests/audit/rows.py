"""Rows of a working file, made by hand: for the tests of what is found in it."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count
from typing import Any

from scrimp.audit.piece import Result
from scrimp.audit.replay import CallRow
from scrimp.audit.work import Work

_numbers = count(1)
_DEFAULTS: dict[str, Any] = {
    "file": 0, "line": 1, "at": 1_790_000_000 * 10**9, "calls": 1, "aggregate": 0, "feature": "", "user": "",
    "team": "", "key": "", "session": "", "tags": "", "provider": "openai", "model": "gpt-4o",
    "price_model": "openai/gpt-4o", "api": "openai.chat", "status": 200, "error": "", "finish": "stop", "tier": "",
    "basis": "exact", "unpriced": "", "flags": "", "input": 100, "cached": 0, "written": 0, "written_1h": 0,
    "output": 10, "reasoning": 0, "more": "", "list": 350_000, "paid": 350_000, "overhead": 0, "savings": "",
    "logged": None, "duration": 0, "exact": None, "deterministic": 0, "action": None, "prefix": b"", "unit": 0,
    "prompt": 0, "broke": None, "same": 0,
}  # fmt: skip


def row(**fields: Any) -> CallRow:
    """A call with these fields; what is not given is an ordinary call of its own id. Totals follow the parts."""
    values = {"id": next(_numbers)} | _DEFAULTS | fields
    values.setdefault("input_total", values["input"] + values["cached"] + values["written"] + values["written_1h"])
    values.setdefault("output_total", values["output"] + values["reasoning"])
    return CallRow(**values)


def filled(rows: Iterable[CallRow]) -> Work:
    """A working file in memory with these calls, from one file named log.jsonl, ready for advice."""
    work = Work()
    calls = list(rows)
    work.add(0, 0, b"", Result(rows=calls, calls=len(calls)))
    work.note_file(0, "log.jsonl", "generic", "")
    work.begin_advice()
    return work
