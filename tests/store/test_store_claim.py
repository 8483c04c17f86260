"""Journals of the living are left alone, those of the dead are found; whatever their process ids."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from scrimp.store.claim import abandoned, companions, new_claim

HOLD = """
import sys
from pathlib import Path
from scrimp.store.claim import new_claim
claim = new_claim(Path(sys.argv[1]))
claim.journal.touch()
print(claim.journal, flush=True)
sys.stdin.read()
"""


def test_a_journal_is_abandoned_when_its_process_is_dead(tmp_path: Path) -> None:
    base = tmp_path / "calls[1].db"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(base)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        journal = Path(other.stdout.readline().strip())
        assert companions(base, "journal") == [journal]
        assert list(abandoned(base)) == []
        other.kill()
        other.wait()
    (claim,) = abandoned(base)
    assert claim.journal == journal
    assert list(abandoned(base)) == [], "one that was taken over is not taken again"
    claim.journal.unlink()
    claim.release(remove=True)
    assert list(tmp_path.iterdir()) == []


def test_claims_of_one_process_keep_apart(tmp_path: Path) -> None:
    base = tmp_path / "calls.db"
    first, second = new_claim(base), new_claim(base)
    for claim in (first, second):
        claim.journal.touch()
    assert first.journal != second.journal
    assert list(abandoned(base)) == []
    first.release(remove=False)
    assert [claim.journal for claim in abandoned(base)] == [first.journal]
    second.release(remove=True)
