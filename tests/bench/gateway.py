"""What the gateway adds to a call, beside the same call made directly:  ./dev python tests/bench/gateway.py

Rounds of direct calls and calls through `scrimp serve` alternate against the same scripted provider, on one keep-alive
connection each; latencies in microseconds, the ratio formed round by round, so that the machine's mood cancels out.
Prints medians with min-max over the rounds, and n. (The C rig beside nginx and others measures capacity.)
"""

from __future__ import annotations

import http.client
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS, CALLS = 12, 150
BODY = {"model": "gpt-4o-mini", "messages": [{"role": "system", "content": "You sort invoices. " * 40}]}
UPSTREAM = """
import time
from scrimp.providers.fake import Fake, Turn
with Fake(otherwise=Turn(input=200, output=100, text="word " * 30)) as fake:
    print(fake.origin, flush=True)
    time.sleep(3600)
"""


def latencies(port: int, body: bytes) -> list[float]:
    """One round: the time of each call to its last byte, in microseconds."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    taken = []
    for _ in range(CALLS):
        start = time.perf_counter()
        connection.request("POST", "/v1/chat/completions", body, {"content-type": "application/json"})
        connection.getresponse().read()
        taken.append((time.perf_counter() - start) * 1e6)
    connection.close()
    return taken


def cpu(pid: int) -> float:
    """CPU seconds of a process so far (Linux), else 0."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def compare(name: str, direct: int, through: int, pid: int, body: bytes) -> None:
    """Alternate rounds, print one row."""
    ratios, added, base, used = [], [], [], []
    for _ in range(ROUNDS):
        one = statistics.median(latencies(direct, body))
        before = cpu(pid)
        two = statistics.median(latencies(through, body))
        used.append((cpu(pid) - before) / CALLS * 1e6)
        ratios.append(two / one)
        added.append(two - one)
        base.append(one)
    middle = statistics.median
    print(
        f"{name:8} direct {middle(base):6.0f} us   through/direct {middle(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
        f"   added {middle(added):.0f} us ({min(added):.0f}-{max(added):.0f})   gateway CPU {middle(used):.0f} us a call"
        f"   n={ROUNDS}x{CALLS}"
    )


def main() -> None:
    """Start provider and gateway, compare plain and streamed calls."""
    with tempfile.TemporaryDirectory() as folder:
        upstream = subprocess.Popen([sys.executable, "-c", UPSTREAM], stdout=subprocess.PIPE, text=True)
        assert upstream.stdout is not None
        origin = upstream.stdout.readline().strip()
        words = ["scrimp", "serve", "--port", "0", "--upstream", origin, "--store", f"{folder}/scrimp.db"]
        started = time.perf_counter()
        gateway = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        assert gateway.stdout is not None
        found = re.search(r":(\d+)/v1", gateway.stdout.readline())
        assert found is not None
        through, direct = int(found[1]), int(origin.rpartition(":")[2])
        try:
            latencies(through, json.dumps(BODY).encode())
            print(f"start to the {CALLS}th answer: {time.perf_counter() - started:.2f} s")
            compare("plain", direct, through, gateway.pid, json.dumps(BODY).encode())
            compare("stream", direct, through, gateway.pid, json.dumps({**BODY, "stream": True}).encode())
        finally:
            gateway.terminate()
            gateway.wait()
            upstream.kill()
            upstream.wait()


if __name__ == "__main__":
    main()
