"""The model's server never outlives whoever started it, and Ctrl-C is not its business."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import httpx2
import pytest

from scrimp.demo.local_model import SERVER, WEIGHTS, LocalModel, install
from scrimp.demo.model_server import parameters

pytestmark = pytest.mark.real_model


def is_up(origin: str) -> bool:
    """Whether the server answers, asked without any proxy."""
    try:
        return httpx2.get(f"{origin}/health", trust_env=False).status_code == 200
    except httpx2.ConnectError:
        return False


def test_it_ends_with_its_owner(model: LocalModel) -> None:
    with LocalModel(slots=1, context=512) as second:
        assert is_up(second.origin)
    assert not is_up(second.origin)


def test_it_ends_when_its_owner_is_killed(model: LocalModel) -> None:
    program = (
        "import os, signal\n"
        "from scrimp.demo.local_model import LocalModel\n"
        "with LocalModel(slots=1, context=512) as model:\n"
        "    print(model.origin, flush=True)\n"
        "    os.kill(os.getpid(), getattr(signal, 'SIGKILL', signal.SIGTERM))\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    origin = ran.stdout.strip()
    assert origin.startswith("http://127.0.0.1:")
    until = time.monotonic() + 5
    while is_up(origin):
        assert time.monotonic() < until, "the server outlives its owner"
        time.sleep(0.05)


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to one process")
def test_ctrl_c_leaves_it_up_for_those_who_drain(model: LocalModel) -> None:
    place = install()
    command = [sys.executable, "-I", str(SERVER), str(place), str(place / WEIGHTS), "tiny", "1", "512"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdin is not None and process.stdout is not None
    with process.stdout, process.stdin:
        origin = process.stdout.readline().decode().strip()
        process.send_signal(signal.SIGINT)
        time.sleep(0.2)
        assert is_up(origin)
        process.stdin.close()
        assert process.wait(5) == 0


def test_its_cache_is_bounded_and_it_takes_one_thread(model: LocalModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(install()))
    chosen = parameters(pytest.importorskip("xllamacpp"), "weights.gguf", "tiny", 2, 4096)
    assert (chosen.cache_ram_mib, chosen.n_parallel, chosen.n_ctx) == (128, 2, 8192)
    assert (chosen.cpuparams.n_threads, chosen.cpuparams_batch.n_threads) == (1, 1)
    assert chosen.hostnames == ["127.0.0.1"]
