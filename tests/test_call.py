"""The call: one writer a part, money exact, classes disjoint and complete."""

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrimp.call import INPUT_CLASSES, NANO, OUTPUT_CLASSES, TOKEN_CLASSES, WRITERS, Call, Usage, usd

STEPS = Path(__file__).resolve().parent.parent / "src" / "scrimp" / "steps"


def test_every_token_class_is_input_or_output_in_the_order_of_the_fields():
    assert (*TOKEN_CLASSES, "searches") == Usage.__struct_fields__
    assert not set(INPUT_CLASSES) & set(OUTPUT_CLASSES)


def test_the_totals_leave_no_class_out():
    usage = Usage(**{name: 10**index for index, name in enumerate(TOKEN_CLASSES)})
    assert usage.input_total == sum(getattr(usage, name) for name in INPUT_CLASSES)
    assert usage.output_total == sum(getattr(usage, name) for name in OUTPUT_CLASSES)


@given(st.integers(-(10**15), 10**15))
def test_dollars_are_exact_strings(nano):
    text = usd(nano)
    whole, _, part = text.lstrip("-").partition(".")
    assert (int(whole) * NANO + int(part.ljust(9, "0"))) * (-1 if nano < 0 else 1) == nano
    assert len(part) >= 2


def test_a_fact_is_written_once():
    call = Call(id="c", at=0, mono=0)
    call.fact("cap", {"applied": True})
    assert call.applied == ("cap",)
    with pytest.raises(ValueError, match="cap"):
        call.fact("cap", 1)


def written_parts(path: Path) -> set[str]:
    """The parts of the call that a step's source assigns to: `call.part = ...`."""
    parts = set()
    for node in ast.walk(ast.parse(path.read_text())):
        targets = node.targets if isinstance(node, ast.Assign) else []
        for target in targets:
            for place in target.elts if isinstance(target, ast.Tuple) else [target]:
                if isinstance(place, ast.Attribute) and isinstance(place.value, ast.Name) and place.value.id == "call":
                    parts.add(place.attr)
    return parts


def test_every_part_of_the_call_has_exactly_one_writer():
    owner = {part: step for phase in WRITERS.values() for part, step in phase.items()}
    for path in STEPS.glob("[a-z]*.py"):
        for part in written_parts(path):
            assert owner[part] == path.stem, f"{path.name} writes call.{part}, which belongs to {owner[part]}"
