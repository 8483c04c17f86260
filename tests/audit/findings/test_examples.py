"""Examples name the log and the line of a call, in the order asked for."""

from __future__ import annotations

from rows import filled, row

from scrimp.audit.findings.examples import examples
from scrimp.audit.report import Example


def test_examples_are_the_calls_asked_for_in_that_order() -> None:
    calls = [row(line=7, at=None, feature="a", input=3, output=2, paid=9), row(line=8, at=5, model="m")]
    work = filled(calls)
    found = examples(work, [calls[1].id, 0, calls[0].id])
    assert [one.line for one in found] == [8, 7]
    assert found[1] == Example("log.jsonl", 7, None, "a", "gpt-4o", 3, 2, 9)


def test_a_call_of_a_log_nobody_named_is_shown_without() -> None:
    work = filled([one := row(file=4)])
    assert examples(work, [one.id])[0].file == ""
