"""`scrimp serve` as a process: ready in a moment, clear when it cannot start, serving whatever its store does, gone at once."""

import contextlib
import json
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from scrimp.cli import main
from scrimp.providers.fake import Fake, Turn

SCRIMP = [sys.executable, "-c", "from scrimp.cli import main; main()"]
CHAT = b'{"model":"gpt-4o-mini","messages":[{"role":"user","content":"hi"}]}'


class Serving:
    """A running `scrimp serve --port 0`."""

    def __init__(self, folder, *words):
        self._errors = (folder / "stderr").open("w+")
        self.process = subprocess.Popen(
            [*SCRIMP, "serve", "--port", "0", *words],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        self.line = self.process.stdout.readline()
        found = re.match(r"scrimp  (http://[^/]+)/v1  report ", self.line)
        self.address = found[1] if found else ""
        if found:
            self.wait_until_ready()

    def wait_until_ready(self, seconds=10.0):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with contextlib.suppress(OSError):
                return self.get("/readyz")
        raise AssertionError("not ready")

    def get(self, path):
        with urllib.request.urlopen(self.address + path, timeout=5) as answer:
            return answer.read()

    def chat(self, body=CHAT):
        request = urllib.request.Request(
            f"{self.address}/v1/chat/completions", body, {"content-type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.read()

    def stop(self, how=signal.SIGTERM):
        """Seconds it took to end."""
        started = time.monotonic()
        self.process.send_signal(how)
        self.process.wait(15)
        return time.monotonic() - started

    def errors(self):
        self._errors.seek(0)
        return self._errors.read()

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(5)
        self.process.stdout.close()
        self._errors.close()


@pytest.fixture
def fake():
    with Fake() as running:
        yield running


@pytest.fixture
def serve(tmp_path):
    """Starts `scrimp serve` in a directory of the test's own."""
    with contextlib.ExitStack() as stack:

        def start(*words):
            running = Serving(tmp_path, *words)
            stack.callback(running.close)
            return running

        yield start


@pytest.fixture
def refused(capsys, monkeypatch, tmp_path):
    """Runs a `scrimp serve` that cannot start; what it says on standard error, with exit code 2."""
    monkeypatch.chdir(tmp_path)

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["scrimp", "serve", *words])
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capsys.readouterr()
        assert (end.value.code, out) == (2, "")
        return err

    return run


def test_it_says_where_it_is_answers_there_and_writes_down_what_passed(serve, fake, tmp_path):
    running = serve("--upstream", f"{fake.origin}/v1", "--store", "calls.db")
    assert running.line.startswith(f"scrimp  {running.address}/v1  report {running.address}/  store calls.db")
    assert json.loads(running.chat())["object"] == "chat.completion"
    assert fake.requests[0].path == "/v1/chat/completions"
    assert running.stop() < 4
    assert running.errors() == ""
    told = subprocess.run(
        [*SCRIMP, "report", "--json", "--store", "calls.db"], cwd=tmp_path, capture_output=True, check=True, timeout=20
    )
    assert json.loads(told.stdout)["calls"] == 1


def test_it_is_ready_within_two_seconds(serve):
    started = time.monotonic()
    running = serve("--store", ":memory:")
    took = time.monotonic() - started
    assert json.loads(running.get("/readyz"))["ready"]
    assert took < 2  # twice what is promised: other tests share the machine


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_at_once_where_clients_only_keep_a_connection(serve, fake, how):
    running = serve("--upstream", fake.origin)
    host, _, port = running.address.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port))) as idle:
        idle.sendall(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")
        assert idle.recv(4096).startswith(b"HTTP/1.1 200")
        assert running.stop(how) < 4
    assert "Traceback" not in running.errors()


def test_a_stream_that_does_not_end_is_given_up_after_the_drain(serve, fake, tmp_path):
    fake.otherwise = Turn(stall_after=1)
    running = serve("--upstream", fake.origin, "-s", "serve.drain=1")
    host, _, port = running.address.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port))) as client:
        body = b'{"model":"gpt-4o-mini","stream":true,"messages":[]}'
        client.sendall(
            b"POST /v1/chat/completions HTTP/1.1\r\nhost: h\r\ncontent-type: application/json\r\n"
            b"content-length: %d\r\n\r\n%s" % (len(body), body)
        )
        assert client.recv(4096).startswith(b"HTTP/1.1 200")
        assert running.stop() < 4
    exported = subprocess.run([*SCRIMP, "report", "--json"], cwd=tmp_path, capture_output=True, check=True, timeout=20)
    assert json.loads(exported.stdout)["calls"] == 1


@pytest.mark.parametrize("place", ["none/calls.db", "a-file/calls.db"])
def test_a_store_that_cannot_be_written_is_said_and_calls_pass(serve, fake, tmp_path, place):
    (tmp_path / "a-file").write_text("no directory")
    running = serve("--upstream", fake.origin, "--store", place)
    assert json.loads(running.chat())["object"] == "chat.completion"
    assert "recorded in memory only" in " ".join(json.loads(running.get("/readyz"))["trouble"])
    running.stop()
    said = running.errors()
    assert "cannot be opened" in said
    assert "--store" in said
    assert "Traceback" not in said


def test_a_store_that_is_corrupt_is_kept_aside_and_calls_pass(serve, fake, tmp_path):
    (tmp_path / "calls.db").write_bytes(b"SQLite format 3\x00" + b"nonsense" * 1000)
    running = serve("--upstream", fake.origin, "--store", "calls.db")
    assert running.chat()
    running.stop()
    (kept,) = tmp_path.glob("calls.db.corrupt-*")
    assert kept.read_bytes().endswith(b"nonsense")
    assert "is corrupt" in running.errors()


def test_a_port_in_use_is_one_line_with_the_next_step(refused):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        said = refused("--port", port)
    assert re.fullmatch(rf"scrimp: cannot listen on 127\.0\.0\.1:{port}: .* --port 0 for a free one\n", said)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["-s", "serve.prot=1"], "serve.prot: unknown key; did you mean 'port'?"),
        (["-s", "rout.mode=on"], "rout: unknown key; did you mean 'route'?"),
        (["--config", "none.toml"], "none.toml: cannot be read: "),
        (["--upstream", "localhost:9"], "--upstream: 'localhost:9' is not an http or https address"),
        (["--upstream", "http://u:p@h"], "--upstream: keys do not belong in an address"),
        (["--store", "mongo://h"], "store: mongo:// is not a kind of store we know"),
        (
            ["-s", 'providers.p.base_url="http://h"', "-s", 'providers.p.api_key="${NO_SUCH_KEY_}"'],
            "providers.p.api_key: the environment has no NO_SUCH_KEY_",
        ),
    ],
)
def test_what_keeps_it_from_starting_is_one_line_that_names_it(refused, words, says):
    said = refused("--port", "0", *words)
    assert said.startswith(f"scrimp: {says}")
    assert said.count("\n") == 1


def test_an_empty_host_is_refused_as_it_would_be_every_address(refused):
    assert "--host: is empty" in refused("--host", "", "--port", "0")
    assert "--host: is empty" in refused("-s", 'serve.host=""', "--port", "0")


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here: its address was not listened on")
def test_an_ipv6_address_is_told_in_brackets(serve, fake):
    running = serve("--host", "::1", "--upstream", fake.origin)
    assert running.address.startswith("http://[::1]:")
    assert running.chat()


def test_who_listens_on_a_network_is_told_which_names_its_page_answers_to(serve):
    running = serve("--host", "0.0.0.0", "--store", ":memory:")
    assert running.process.stdout.readline().endswith("those in [serve] hosts\n")


def test_a_key_is_not_lent_to_a_network(refused, monkeypatch):
    monkeypatch.setenv("P_KEY", "sk-canary")
    words = ("-s", 'providers.p.base_url="http://h"', "-s", 'providers.p.api_key="${P_KEY}"')
    said = refused("--host", "0.0.0.0", "--port", "0", *words)
    assert "would lend the key of providers.p" in said
    assert "canary" not in said
    assert said.count("\n") == 1


def test_the_options_win_over_the_file(serve, fake, tmp_path):
    (tmp_path / "scrimp.toml").write_text('store = "no.db"\n[serve]\nport = 1\nhost = "203.0.113.1"\n')
    running = serve("--host", "127.0.0.1", "--store", "yes.db")
    assert running.address.startswith("http://127.0.0.1:")
    running.stop()
    assert (tmp_path / "yes.db").exists()
    assert not (tmp_path / "no.db").exists()
