"""An entry says only what its log says."""

from __future__ import annotations

import msgspec

from scrimp.audit.entry import BadRecord, Entry


def test_an_entry_of_nothing_claims_no_price_no_time_and_no_tokens() -> None:
    said = msgspec.structs.asdict(Entry())
    assert (said["usage"], said["at"], said["logged"], said["model"]) == (None, None, None, "")
    assert (said["calls"], said["aggregate"], said["from_cache"]) == (1, False, False)


def test_a_bad_record_is_its_reason() -> None:
    assert str(BadRecord("no JSON")) == "no JSON"
