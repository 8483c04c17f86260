"""A built wheel in an empty environment: everything it needs is inside or declared, and it does the main job there."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
import zipfile
from pathlib import Path

import pytest

from scrimp.providers.fake import Fake

ROOT = Path(__file__).resolve().parents[2]
INSIDE = (
    r"scrimp/py\.typed",
    r"scrimp/store/schema/001_\w+\.sql",
    r"scrimp/store/queries/\w+\.sql",
    r"scrimp/report/templates/report\.html\.j2",
    r"scrimp/report/templates/report\.css",
    r"scrimp/demo/requests\.jsonl",
    r"scrimp/demo/local_model\.lock",
    r"scrimp-[\d.]+\.dist-info/licenses/LICENSE",
)


def uv() -> str:
    """The uv of this environment, or any."""
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.exists() else shutil.which("uv")
    if not found:
        pytest.skip("uv is not installed: no wheel can be built")
    return found


def run(*words: object, seconds: float = 60, **more: object) -> subprocess.CompletedProcess[str]:
    """A command that has to end well."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=seconds, **more)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of a copy of the tree."""
    folder = tmp_path_factory.mktemp("tree")
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder / name)
    run(uv(), "build", "--wheel", "--no-build-isolation", "--offline", "--python", sys.executable, "--out-dir",
        folder / "dist", folder)  # fmt: skip
    (built,) = (folder / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `scrimp` of an environment that holds the wheel and what it declares, and nothing else."""
    venv = tmp_path_factory.mktemp("empty") / "venv"
    run(uv(), "venv", "--offline", "--python", sys.executable, venv)
    command = [uv(), "pip", "install", "--python", venv / "bin" / "python", "-c", ROOT / "requirements.lock", wheel]
    for more in (["--offline"], []):
        try:
            done = subprocess.run([str(word) for word in command + more], capture_output=True, text=True, timeout=90)
        except subprocess.TimeoutExpired:
            pytest.skip("the registry did not deliver the wheel's dependencies within 90 s")
        if done.returncode == 0:
            return venv / "bin" / "scrimp"
    if re.search(r"Failed to fetch|error sending request|dns|connect|timed out", done.stderr):
        pytest.skip(f"the registry is out of reach: {done.stderr.strip()[-300:]}")
    raise AssertionError(done.stderr)


@pytest.mark.parametrize("pattern", INSIDE)
def test_what_belongs_to_the_package_is_inside(wheel: Path, pattern: str) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert any(re.fullmatch(pattern, name) for name in names), names


def test_every_file_of_the_package_and_nothing_else_is_inside(wheel: Path) -> None:
    source = wheel.parents[1] / "src"
    files = [path.relative_to(source).as_posix() for path in (source / "scrimp").rglob("*") if path.is_file()]
    own = {name for name in files if "__pycache__" not in name}
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if not name.endswith("/")}
    assert {name for name in inside if ".dist-info/" not in name} == own


def clean(folder: Path) -> dict[str, str]:
    """An environment that points at nothing of this one; prices are compiled anew."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "SYSTEMROOT")}
    return {**kept, "HOME": str(folder), "XDG_CACHE_HOME": str(folder / "cache")}


def test_it_helps_prices_serves_and_reports_there(installed: Path, tmp_path: Path) -> None:
    env = clean(tmp_path)
    assert "serve" in run(installed, "--help", env=env, cwd=tmp_path).stdout
    assert "gpt-4o-mini" in run(installed, "models", "gpt-4o-mini", env=env, cwd=tmp_path).stdout
    with Fake() as fake, contextlib.ExitStack() as stack:
        serving = subprocess.Popen(
            [installed, "serve", "--port", "0", "--upstream", fake.origin],
            env=env, cwd=tmp_path, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        stack.callback(serving.stdout.close)
        stack.callback(serving.kill)
        address = re.search(r"http://127\.0\.0\.1:\d+", serving.stdout.readline())[0]
        ask = urllib.request.Request(
            f"{address}/v1/chat/completions",
            b'{"model":"gpt-4o-mini","messages":[{"role":"user","content":"hi"}]}',
            {"content-type": "application/json"},
        )
        with urllib.request.urlopen(ask, timeout=10) as answer:
            assert json.loads(answer.read())["choices"]
        with urllib.request.urlopen(f"{address}/", timeout=10) as page:
            assert b"<html" in page.read()
        with urllib.request.urlopen(f"{address}/metrics", timeout=10) as metrics:
            assert b"scrimp_calls_total" in metrics.read()
        serving.send_signal(signal.SIGTERM)
        serving.wait(10)
    told = json.loads(run(installed, "report", "--json", env=env, cwd=tmp_path).stdout)
    assert told["calls"] == 1
    assert float(told["paid_usd"]) > 0


def test_the_library_works_there_without_the_clients_it_can_wrap(installed: Path, tmp_path: Path) -> None:
    code = (
        "import scrimp, importlib.util as u\n"
        "assert not u.find_spec('openai') and not u.find_spec('pytest')\n"
        "assert scrimp.count('hello world', 'gpt-4o') == 2\n"
        "assert scrimp.price('gpt-4o-mini', scrimp.Usage(input=1000)).total > 0\n"
        "with scrimp.gateway(store=':memory:') as g: assert g.port"
    )
    run(installed.with_name("python"), "-c", code, env=clean(tmp_path), cwd=tmp_path)
