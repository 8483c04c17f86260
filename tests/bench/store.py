"""What the store costs: `add` on the event loop, the writer's CPU a row, a row on disk; beside a commit for each row.

Run: ./dev python tests/bench/store.py [ROWS]
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from scrimp.call import Usage
from scrimp.store.base import Record, SavingRow
from scrimp.store.journal import encode
from scrimp.store.opening import open_to_write
from scrimp.store.rows import RecordWriter
from scrimp.store.sqlite import SqliteStore

START = 1_764_000_000_000_000_000


def sample(number: int, users: int = 100) -> Record:
    """A call as a busy gateway records it."""
    return Record(
        id=f"01K{number:023d}",
        at=START + number * 2_000_000,
        provider="openai",
        api="openai.chat",
        path="/v1/chat/completions",
        model_asked="gpt-4o-mini",
        model="gpt-4o-mini-2024-07-18",
        status=200,
        finish="stop",
        tenant="t-0123456789abcdef",
        feature=f"feature-{number % 7}",
        feature_from="header",
        user=f"user-{number % users}",
        team="core",
        usage=Usage(input=1_000 + number % 99, cached=500, output=200),
        basis="exact",
        price_model="gpt-4o-mini",
        list_nano=123_456,
        paid_nano=100_000,
        savings=(SavingRow("prompt-cache", 23_456, "measured"),),
        first_byte_ns=300_000_000,
        total_ns=900_000_000,
        overhead_ns=150_000,
        tries=1,
        request_id="req_0123456789abcdef01234567",
    )


def microseconds(samples: list[int]) -> str:
    """Quantiles of nanosecond samples."""
    samples.sort()
    picks = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999, "max": 1.0}
    at = {name: samples[min(len(samples) - 1, int(share * len(samples)))] / 1e3 for name, share in picks.items()}
    return "  ".join(f"{name} {value:.1f}" for name, value in at.items())


def cost_of_add(folder: Path, records: list[Record], rate: int) -> None:
    """`add` at `rate` records a second, the writer running beside it, and the CPU of the whole process."""
    store = SqliteStore(folder / "add.db", on_trouble=print)
    samples: list[int] = []
    cpu, begin = time.process_time(), time.perf_counter()
    for number, record in enumerate(records):
        before = time.perf_counter_ns()
        store.add(record)
        samples.append(time.perf_counter_ns() - before)
        ahead = begin + number / rate - time.perf_counter()
        if ahead > 0.001:
            time.sleep(ahead)
    store.flush()
    cpu = time.process_time() - cpu
    in_add = sum(samples) / 1e3 / len(records)
    print(f"add at {rate}/s: mean {in_add:.1f} us  {microseconds(samples)}")
    print(f"  whole process: {cpu / len(records) * 1e6:.1f} us CPU a record; {store.health()}")
    store.close()
    print(f"  on disk: {(folder / 'add.db').stat().st_size / len(records):.0f} bytes a record")


def cost_of_rows(folder: Path, records: list[Record], batch: int, name: str) -> float:
    """CPU microseconds a row of committing `batch` rows at a time, rollups included."""
    connection = open_to_write(folder / f"{name}.db", check=False, on_trouble=print)
    writer = RecordWriter(connection)
    worst = 0.0
    cpu, wall = time.thread_time(), time.perf_counter()
    for first in range(0, len(records), batch):
        begin = time.perf_counter()
        connection.execute("BEGIN IMMEDIATE")
        writer.write(records[first : first + batch])
        connection.execute("COMMIT")
        worst = max(worst, time.perf_counter() - begin)
    cpu, wall = time.thread_time() - cpu, time.perf_counter() - wall
    connection.close()
    each = cpu / len(records) * 1e6
    print(
        f"{name}: {each:.1f} us CPU, {wall / len(records) * 1e6:.1f} us wall a row; worst commit {worst * 1e3:.1f} ms"
    )
    return each


def timed(name: str, work: Callable[[], object], times: int = 20_000) -> None:
    """One small thing by itself."""
    begin = time.perf_counter_ns()
    for _ in range(times):
        work()
    print(f"{name}: {(time.perf_counter_ns() - begin) / times / 1e3:.2f} us")


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    records = [sample(number) for number in range(rows)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        timed("encode one record", lambda: encode(records[0]))
        cost_of_add(folder, records, 2_000)
        batched = cost_of_rows(folder, records, 250, "batches of 250")
        cost_of_rows(folder, [sample(number, users=rows) for number in range(rows)], 250, "a cell for each row")
        single = cost_of_rows(folder, records[: rows // 4], 1, "a commit for each row")
        print(f"a commit for each row costs {single / batched:.1f} x the CPU of batches")
        store = SqliteStore(folder / "count.db", on_trouble=print)
        timed("count, three keys, three limits", lambda: store.count(KEYS, LIMITS))
        store.close()


KEYS = {"org/day": 1_000, "team/day": 1_000, "user/day": 1_000}
LIMITS = dict.fromkeys(KEYS, 1 << 60)

if __name__ == "__main__":
    main()
