"""Starting costs next to nothing: what is heavy is loaded by what uses it, never by `import scrimp` or `--help`."""

import subprocess
import sys
import time

import pytest

HEAVY = (
    "aiohttp", "genai_prices", "httptools", "jinja2", "msgspec", "prometheus_client", "quicktok", "rich", "sqlite3",
    "uvicorn", "uvloop",
)  # fmt: skip
"""What `import scrimp` must not load, directly or not."""
NOT_FOR_HELP = ("aiohttp", "genai_prices", "jinja2", "prometheus_client", "quicktok", "sqlite3", "uvicorn", "uvloop")
LOADED = "import sys; print(*sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)"
HELP = "import sys; sys.argv = ['scrimp', '--help']; from scrimp.cli import main; main()"
ONCE = "import sys; sys.argv = ['scrimp', *sys.argv[1:]]; from scrimp.cli import main\ntry: main()\nfinally: "
LOADED_MACHINE = 2
"""The promised times are for a machine that does nothing else; the suite shares it with other tests."""


def python(code, *words):
    """Run code in a fresh process; what it printed."""
    return subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True, timeout=30)


def best_of_five(code):
    """Seconds of the quickest of five runs; the first one has compiled the bytecode for the others."""
    took = []
    for _ in range(5):
        started = time.perf_counter()
        python(code)
        took.append(time.perf_counter() - started)
    return min(took)


def test_importing_scrimp_loads_nothing_heavy():
    loaded = set(python(f"import scrimp; {LOADED}").stderr.split())
    assert "scrimp" in loaded
    assert not loaded & set(HEAVY)


@pytest.mark.parametrize("words", [("--help",), ("--version",)])
def test_help_loads_nothing_heavy(words):
    loaded = set(python(ONCE + LOADED, *words).stderr.split())
    assert "click" in loaded
    assert not loaded & set(NOT_FOR_HELP)


@pytest.mark.parametrize("verb", ["serve", "report", "export", "plan", "models", "config", "demo"])
def test_the_help_of_a_verb_loads_no_server_and_no_prices(verb):
    loaded = set(python(ONCE + LOADED, verb, "--help").stderr.split())
    assert not loaded & {"aiohttp", "genai_prices", "jinja2", "prometheus_client", "quicktok", "uvicorn"}


def test_importing_scrimp_takes_less_than_150_milliseconds():
    alone = best_of_five("pass")
    assert best_of_five("import scrimp") - alone < 0.15 * LOADED_MACHINE


def test_help_takes_less_than_250_milliseconds():
    assert best_of_five(HELP) < 0.25 * LOADED_MACHINE
