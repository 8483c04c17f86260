"""Every recorded exchange that carries a usage is read as its provider says."""

import runpy
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[1] / "bench" / "recorded.py"
TRACES = Path(__file__).parents[3] / "shared" / "data" / "traces"


@pytest.mark.shared
def test_every_recorded_usage_is_read_as_the_provider_says():
    if not TRACES.is_dir():
        pytest.skip("needs shared/data/traces beside the clone")
    rows = list(runpy.run_path(str(BENCH), run_name="recorded")["rows"](TRACES))
    carried = [row for row in rows if row.said is not None]
    assert len(carried) > 500
    assert [row.source for row in carried if not row.consistent] == []
    assert [row.source for row in rows if row.said is None and row.reading.usage is not None] == []
    assert [row.source for row in rows if row.reading.usage is None and not row.reason] == []
