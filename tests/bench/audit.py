"""A million calls made from the shared traces, audited; beside DuckDB reading the same file and summing its tokens.

Run as `./dev python tests/bench/audit.py [--calls N] [--kind csv|jsonl|pairs] [--rounds N]`. Prints seconds, calls a
second, the most memory that all processes held together, and the ratio to DuckDB's time. DuckDB (a C++ column engine)
only groups and sums; the audit prices every call, names its feature and looks for repeats, breaks and outliers.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

TRACES = Path(__file__).resolve().parents[3] / "shared" / "data" / "traces"
MODELS = ("gpt-4o", "gpt-4o-mini", "gpt-4.1", "claude-sonnet-4-5", "claude-haiku-4-5")
FEATURES = ("support-chat", "doc-search", "classify", "nightly-eval", "summaries", "")
WORDS = [
    "the",
    "order",
    "was",
    "sent",
    "to",
    "another",
    "address",
    "and",
    "when",
    "will",
    "it",
    "come",
    "back",
    "again",
]


def lengths() -> list[tuple[float, int, int]]:
    """(seconds from the start of its trace, input tokens, output tokens) of every call of the shared traces."""
    found: list[tuple[float, int, int]] = []
    for name in ("azure2023_code_first60.csv", "azure2023_conv_first60.csv"):
        with open(TRACES / name, newline="") as file:
            rows = list(csv.DictReader(file))
        times = [datetime.fromisoformat(row["TIMESTAMP"][:26]) for row in rows]
        for row, when in zip(rows, times, strict=True):
            found.append(((when - times[0]).total_seconds(), int(row["ContextTokens"]), int(row["GeneratedTokens"])))
    with open(TRACES / "mooncake_conversation_first60.jsonl") as lines:
        for line in lines:
            row = json.loads(line)
            found.append((row["timestamp"] / 1000, row["input_length"], row["output_length"]))
    return sorted(found)


def calls(number: int) -> Iterator[tuple[datetime, int, int, random.Random]]:
    """So many calls: the traces' hour over and over, an hour each, in order of time."""
    hour = lengths()
    dice = random.Random(14)
    start = datetime(2026, 10, 1, tzinfo=UTC)
    for place in range(number):
        turn, at = divmod(place, len(hour))
        seconds, asked, said = hour[at]
        yield start + timedelta(hours=turn, seconds=min(seconds, 3599.0)), asked, said, dice


def write(path: Path, kind: str, number: int) -> None:
    """Write the log."""
    with open(path, "w") as file:
        if kind == "csv":
            file.write("TIMESTAMP,ContextTokens,GeneratedTokens\n")
        for place, (when, asked, said, dice) in enumerate(calls(number)):
            if kind == "csv":
                file.write(f"{when:%Y-%m-%d %H:%M:%S.%f}0,{asked},{said}\n")
                continue
            feature, user = dice.choice(FEATURES), f"u-{int(dice.expovariate(1 / 400))}"
            row = {
                "id": hashlib.blake2b(b"%d" % place, digest_size=12).hexdigest(),
                "timestamp": when.isoformat(),
                "feature": feature,
                "user": user,
            }
            model = MODELS[place * 7 % len(MODELS)]
            if kind == "jsonl":
                row |= {"model": model, "input_tokens": asked, "output_tokens": said, "duration_ms": said * 12}
            else:
                row |= pair(feature, model, asked, said, dice)
            file.write(json.dumps(row) + "\n")


def pair(feature: str, model: str, asked: int, said: int, dice: random.Random) -> dict[str, object]:
    """A request and its answer, its texts a tenth as long as its tokens would be; one in seven asked before."""
    question = " ".join(dice.choices(WORDS, k=max(4, asked // 40))) if dice.random() > 0.14 else "when will it come?"
    messages = [
        {"role": "system", "content": f"You answer for {feature or 'anyone'}. " + "Be brief and polite. " * 20},
        {"role": "user", "content": question},
    ]
    usage = {"prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said}
    answer = {"role": "assistant", "content": " ".join(dice.choices(WORDS, k=max(1, said // 10)))}
    return {
        "request": {"model": model, "temperature": 0, "messages": messages},
        "response": {
            "model": model,
            "choices": [{"index": 0, "finish_reason": "stop", "message": answer}],
            "usage": usage,
        },
    }


def memory(process: int) -> int:
    """Kilobytes that a process and all below it hold."""
    total = 0
    waiting = [process]
    while waiting:
        one = waiting.pop()
        try:
            status = Path(f"/proc/{one}/status").read_text()
            children = Path(f"/proc/{one}/task/{one}/children").read_text().split()
        except OSError:
            continue
        total += next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")), 0)
        waiting.extend(map(int, children))
    return total


def timed(command: list[str]) -> tuple[float, float, str]:
    """Seconds, the most megabytes held, and what was printed."""
    begun = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    most = 0

    def watch() -> None:
        nonlocal most
        while process.poll() is None:
            most = max(most, memory(process.pid))
            time.sleep(0.05)

    watching = threading.Thread(target=watch)
    watching.start()
    told, _ = process.communicate()
    watching.join()
    if process.returncode:
        sys.exit(f"audit.py: {' '.join(command[:6])} ended with {process.returncode}")
    return time.monotonic() - begun, most / 1024, told


DUCK = """
import duckdb, sys
path, kind = sys.argv[1:]
duckdb.sql("SET threads = 2")
if kind == "csv":
    query = "SELECT count(*), sum(ContextTokens), sum(GeneratedTokens) FROM read_csv(?)"
elif kind == "jsonl":
    query = "SELECT sum(c), sum(i), sum(o) FROM (SELECT model, feature, count(*) c, sum(input_tokens) i, sum(output_tokens) o FROM read_json(?) GROUP BY ALL)"
else:
    query = "SELECT sum(c), sum(i), sum(o) FROM (SELECT request.model m, feature, count(*) c, sum(response.usage.prompt_tokens) i, sum(response.usage.completion_tokens) o FROM read_json(?) GROUP BY ALL)"
print(*map(int, duckdb.execute(query, [path]).fetchone()))
"""


def duck(path: Path, kind: str) -> tuple[float, float, str] | None:
    """DuckDB over the same file, in an environment of its own; None where it cannot be had."""
    folder = Path(tempfile.gettempdir(), "scrimp-bench-duckdb")
    python = folder / "bin" / "python"
    if not python.exists():
        made = subprocess.run(["uv", "venv", "--quiet", str(folder)]).returncode
        got = made or subprocess.run(["uv", "pip", "install", "--quiet", "--python", str(python), "duckdb"]).returncode
        if got:
            return None
    return timed([str(python), "-c", DUCK, str(path), kind])


def main() -> int:
    """Print the figures; 2 without the traces."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--calls", type=int, default=1_000_000)
    asked.add_argument("--kind", choices=("csv", "jsonl", "pairs"), default="jsonl")
    asked.add_argument("--rounds", type=int, default=3)
    wanted = asked.parse_args()
    if not TRACES.is_dir():
        print("audit.py: the traces are not here; they belong in ../shared/data/traces", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"calls.{'csv' if wanted.kind == 'csv' else 'jsonl'}")
        write(path, wanted.kind, wanted.calls)
        size = path.stat().st_size / 1e6
        print(f"{wanted.calls:,} calls, {size:,.0f} MB of {wanted.kind}, {wanted.rounds} rounds")
        command = [str(Path(sys.executable).with_name("scrimp")), "audit", str(path), "--json"]
        command += ["--model", "gpt-4o"] if wanted.kind == "csv" else []
        ours, theirs = [], []
        for _ in range(wanted.rounds):
            seconds, megabytes, told = timed(command)
            report = json.loads(told)
            ours.append(seconds)
            print(
                f"audit   {seconds:6.1f} s  {wanted.calls / seconds:10,.0f} calls/s  {megabytes:6.0f} MB  calls {report['calls']:,}"
            )
            found = duck(path, wanted.kind)
            if found is None:
                print("DuckDB is not to be had here (uv could not install it)")
                continue
            theirs.append(found[0])
            print(
                f"DuckDB  {found[0]:6.1f} s  {wanted.calls / found[0]:10,.0f} calls/s  {found[1]:6.0f} MB  {found[2].strip()}"
            )
        if theirs:
            ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
            print(
                f"audit / DuckDB: {statistics.median(ratios):.1f} ({min(ratios):.1f}-{max(ratios):.1f}), n = {len(ratios)}"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
