"""The rules of the house, checked: file and function caps, a test file for every source file, no stray output."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILE_CAP, FUNCTION_CAP, TOTAL_CAP = 400, 50, 18_000
NO_TEST_NEEDED = {"__init__.py", "__main__.py"}


def findings() -> list[str]:
    """Every rule that does not hold, one line each."""
    rows: list[str] = []
    total = 0
    tests = {path.name for path in (ROOT / "tests").rglob("test_*.py")}
    for path in sorted((ROOT / "src").rglob("*.py")):
        name = path.relative_to(ROOT)
        text = path.read_text()
        lines = text.count("\n")
        total += sum(bool(line.strip()) for line in text.splitlines())  # blank lines are air, not Python
        tree = ast.parse(text)
        if lines > FILE_CAP:
            rows.append(f"{name}: {lines} lines (cap {FILE_CAP})")
        if not ast.get_docstring(tree):
            rows.append(f"{name}: the file does not tell its story at the top")
        rows += [f"{name}:{line} {what}" for line, what in long_functions(tree)]
        if path.name not in NO_TEST_NEEDED and not mirrored(path, tests):
            rows.append(f"{name}: no test file mirrors it")
    if total > TOTAL_CAP:
        rows.append(f"src holds {total} lines that are not blank (cap {TOTAL_CAP})")
    return rows + machine_paths()


def long_functions(tree: ast.AST) -> list[tuple[int, str]]:
    """Functions over the cap."""
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    lengths = [(f, (f.end_lineno or f.lineno) - f.lineno + 1) for f in functions]
    return [(f.lineno, f"{f.name}: {n} lines (cap {FUNCTION_CAP})") for f, n in lengths if n > FUNCTION_CAP]


def mirrored(path: Path, tests: set[str]) -> bool:
    """tests/<same path>/test_<name>.py, or test_<folder>_<name>.py where names would clash."""
    return bool({f"test_{path.stem}.py", f"test_{path.parent.name}_{path.stem}.py"} & tests)


def machine_paths() -> list[str]:
    """Tracked text that names a path of one machine."""
    needle = "/" + "work/"
    found = subprocess.run(
        ["git", "grep", "-nI", needle, "--", ".", ":!tests/house.py"], cwd=ROOT, capture_output=True, text=True
    )
    return [f"machine path: {line[:120]}" for line in found.stdout.splitlines()]


if __name__ == "__main__":
    broken = findings()
    print("\n".join(broken) or "the house is in order")
    sys.exit(bool(broken))
