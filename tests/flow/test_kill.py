"""`kill -9` of a gateway under load: at most the calls in flight are lost, the sums still agree, and it goes on."""

import contextlib
import http.client
import re
import signal
import subprocess
import sys
import threading
import time

import pytest

from scrimp.providers.fake import Fake, Turn
from scrimp.store import open_store

SCRIMP = [sys.executable, "-c", "from scrimp.cli import main; main()"]
CLIENTS = 16
PLAIN = b'{"model":"gpt-4o-mini","messages":[{"role":"user","content":"hi"}]}'
STREAM = b'{"model":"gpt-4o-mini","stream":true,"messages":[{"role":"user","content":"hi"}]}'


def serve(folder, origin):
    """A `scrimp serve` on calls.db in the folder, and its port."""
    process = subprocess.Popen(
        [*SCRIMP, "serve", "--port", "0", "--store", "calls.db", "--upstream", origin],
        cwd=folder, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    return process, int(re.search(r"127\.0\.0\.1:(\d+)/v1", process.stdout.readline())[1])


def call(port, body):
    """The id of a call whose whole answer came; OSError or HTTPException where it did not."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    with contextlib.closing(connection):
        connection.request("POST", "/v1/chat/completions", body, {"content-type": "application/json"})
        response = connection.getresponse()
        answer = response.read()
        whole = answer.endswith(b"data: [DONE]\n\n") if body is STREAM else answer.endswith(b"}")
        assert whole and response.status == 200
        return response.headers["x-scrimp-id"]


def load(port, answered):
    """Sixteen clients that call until the gateway is gone; half of them stream."""

    def client(body):
        with contextlib.suppress(OSError, http.client.HTTPException):
            while True:
                answered.append(call(port, body))

    threads = [threading.Thread(target=client, args=((PLAIN, STREAM)[i % 2],)) for i in range(CLIENTS)]
    for thread in threads:
        thread.start()
    return threads


@pytest.mark.parametrize("seconds", [0.3, 1.0])
def test_a_kill_under_load_loses_at_most_the_calls_in_flight(tmp_path, seconds):
    answered = []
    with Fake(otherwise=Turn(input=20, output=5, gap=0.002)) as fake:
        process, port = serve(tmp_path, fake.origin)
        threads = load(port, answered)
        while len(answered) < 50:
            time.sleep(0.01)
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        for thread in threads:
            thread.join(15)
        process.wait(5)
        process.stdout.close()
        assert not any(thread.is_alive() for thread in threads)

        store = open_store(tmp_path / "calls.db")  # writing: what the journal holds is taken in
        kept = [row.id for row in store.records()]
        store.close()
        assert len(set(kept)) == len(kept)
        lost = set(answered) - set(kept)
        assert len(lost) <= CLIENTS, f"{len(lost)} of {len(answered)}"
        assert len(set(kept) - set(answered)) <= CLIENTS
        verified = report(tmp_path, "--verify")
        assert "OK" in verified
        assert str(len(kept)) in verified.replace(",", "")

        process, port = serve(tmp_path, fake.origin)
        again = call(port, PLAIN)
        process.send_signal(signal.SIGTERM)
        process.wait(10)
        process.stdout.close()
    store = open_store(tmp_path / "calls.db", read_only=True)
    assert {row.id for row in store.records()} == {*kept, again}
    store.close()


def report(folder, *words):
    """What `scrimp report` prints on calls.db."""
    told = subprocess.run(
        [*SCRIMP, "report", "--store", "calls.db", *words], cwd=folder, capture_output=True, text=True, timeout=60
    )
    assert told.returncode == 0, told.stdout + told.stderr
    return told.stdout
