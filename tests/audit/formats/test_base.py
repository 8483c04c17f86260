"""Times, counts, amounts and labels as logs write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrimp.audit.entry import BadRecord
from scrimp.audit.formats.base import Sample, amount, body, count, mapping, moment, parsed, text
from scrimp.wire.counts import MOST

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ZONES = st.none() | st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
TIMES = st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1), timezones=ZONES)
NOON = 1_795_521_600 * 10**9


@given(TIMES, st.sampled_from("T "), st.text("0123456789", max_size=12), st.sampled_from(".,"), st.booleans())
def test_a_written_time_is_read_to_the_microsecond(
    when: datetime, between: str, fraction: str, point: str, zulu: bool
) -> None:
    written = when.strftime(f"%Y-%m-%d{between}%H:%M:%S") + (point + fraction if fraction else "")
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
        written += "Z" if zulu else ""
    else:
        minutes = round(when.utcoffset().total_seconds() / 60)  # type: ignore[union-attr]
        written += f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    whole = (when.replace(microsecond=0) - EPOCH) // timedelta(seconds=1)
    assert moment(written) == whole * 10**9 + int(f"{fraction:0<6.6}") * 1_000


@given(st.integers(10**9, 9 * 10**9), st.integers(0, 999_999_999))
def test_a_number_is_a_time_in_the_unit_of_its_size(seconds: int, nanoseconds: int) -> None:
    exact = seconds * 10**9 + nanoseconds
    assert moment(exact) == exact
    assert moment(exact // 10**3) == moment(str(exact // 10**3)) == exact // 10**3 * 10**3
    assert moment(exact // 10**6) == exact // 10**6 * 10**6
    assert moment(seconds) == moment(float(seconds)) == seconds * 10**9
    assert moment(f"{seconds}.{nanoseconds:09}") == moment(Decimal(exact) / 10**9) == exact
    assert moment(seconds + 0.5) == exact - nanoseconds + 500_000_000


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-24T12:00:00Z", " 2026-11-24 12:00:00 ", "2026-11-24 12:00", "2026-11-24 12:00:00 UTC",
        "2026-11-24 12:00:00.0 +0000 UTC", "2026-11-24 13:00:00 +0100", "2026/11/24 12:00:00", "2026-11-24 12:00:00 GMT",
        "2026-11-24T12:00:00.000000000+00:00", "1795521600", "1.7955216e9",
    ],
)  # fmt: skip
def test_times_are_read_as_programs_write_them(written: str) -> None:
    assert moment(written) == NOON


def test_an_offset_of_seconds_is_no_part_of_the_fraction() -> None:
    assert moment("2026-11-24T13:00:00.12+01:00:00") == NOON + 120_000_000
    assert moment("2026-11-24T13:00:30.1+01:00:30") == NOON + 100_000_000


def test_no_time_is_none() -> None:
    assert moment(None) is moment("") is None
    assert moment("2026-11-24") == NOON - 12 * 3_600 * 10**9
    assert moment(0) == 0


@pytest.mark.parametrize(
    "value",
    ["yesterday", "24/11/2026", "11:30", True, [], {}, float("nan"), float("inf"), "NaN", "Infinity", "-5", -1, 10**30,
     9223372036854776.0, "1e999999", "-1e999999", "sNaN", "1969-12-31T23:59:59Z", "2400-01-01", "2026-13-01", "2026-11-24T25:00:00", "\ud800"],
)  # fmt: skip
def test_what_is_no_time_is_refused(value: Any) -> None:
    with pytest.raises(BadRecord, match="is no time|out of range"):
        moment(value)


@given(st.integers(0, MOST))
def test_a_count_is_read_as_number_and_as_text(number: int) -> None:
    assert count(number) == count(str(number)) == count(f" {number:,} ") == count(f"{number}.0") == number


def test_no_count_is_zero() -> None:
    assert count(None) == count("") == 0
    assert count(12.0) == count("1.2e1") == 12


@pytest.mark.parametrize("value", [-1, 1.5, "many", True, MOST + 1, "1e999999", float("nan"), [], "²", "9" * 30])
def test_what_is_no_count_is_refused_with_its_name(value: Any) -> None:
    with pytest.raises(BadRecord, match="^input: .* is no whole number"):
        count(value, "input")


def test_amounts_are_nanodollars() -> None:
    assert amount("0.000000123") == 123
    assert amount("$1,234.5") == 1_234_500_000_000
    assert amount(0.1) == 100_000_000
    assert amount("1.05e-7") == 105
    assert [amount(value) for value in (None, "", "free", "NaN", "1e999999", "10000000000", [])] == [None] * 7


def test_labels_are_text_or_numbers() -> None:
    assert [text(value) for value in (" a ", 5, 1.5, None, True, [], {})] == ["a", "5", "1.5", "", "", "", ""]


def test_cells_of_json_are_decoded() -> None:
    assert parsed('{"a": [1]}') == {"a": [1]}
    assert parsed({"a": 1}) == {"a": 1}
    assert parsed("plain") is parsed(" ") is parsed("[" * 100_000) is None
    assert mapping('{"a": 1}') == {"a": 1}
    assert mapping("[1]") == mapping(None) == {}


def test_a_body_is_json_and_nothing_is_no_body() -> None:
    assert body({"a": "é"}) == '{"a":"é"}'.encode()
    assert [body(value) for value in (None, "", {}, [])] == [b""] * 4
    assert body({"a": "\ud800"}) == b'{"a": "\\ud800"}'
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(BadRecord, match="nests too deep"):
        body(deep)


def test_a_sample_has_what_its_header_or_any_row_has() -> None:
    sample = Sample("log", "lines", ("a",), ({"a": 1}, {"b": 2}))
    assert sample.has("a", "b") and not sample.has("a", "c")


def test_a_time_as_an_entry_holds_it_fits_a_column() -> None:
    latest = moment(2**63 - 1)
    assert latest == 2**63 - 1
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(latest)) == latest
