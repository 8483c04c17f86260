"""The benchmark of recorded exchanges in a clone that stands alone."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path


def test_without_the_recordings_it_says_so_in_one_line(tmp_path: Path) -> None:
    alone = tmp_path / "clone" / "tests" / "bench"
    alone.mkdir(parents=True)
    script = shutil.copy(Path(__file__).with_name("recorded.py"), alone)
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout) == (2, "")
    assert "../shared/data/traces" in done.stderr and done.stderr.count("\n") == 1
