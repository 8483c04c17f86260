"""What prices cost: `./dev python tests/bench/prices.py` prints load times and microseconds a look-up."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable

from scrimp.call import Usage
from scrimp.prices.book import Book

USAGE = Usage(input=1000, cached=200, output=300, reasoning=50)
WHEN = 1_795_000_000 * 10**9
CASES = (
    ("gpt-4o-2024-08-06", "openai"),
    ("gpt-5.6-sol", "openai"),
    ("claude-haiku-5-5", "anthropic"),
    ("deepseek-v4-flash", "deepseek"),
)


def best(run: Callable[[], object], times: int, rounds: int = 5) -> float:
    """Seconds a run, the best round."""
    seconds = []
    for _ in range(rounds):
        begun = time.perf_counter()
        for _ in range(times):
            run()
        seconds.append((time.perf_counter() - begun) / times)
    return min(seconds)


def main() -> None:
    """Print every measurement."""
    Book.load()
    cold = """
import time
from scrimp.prices.book import Book
begun = time.perf_counter()
Book.load()
print(time.perf_counter() - begun)
"""
    first = min(float(subprocess.check_output([sys.executable, "-c", cold])) for _ in range(5))
    print(f"load, new process       {first * 1e3:8.2f} ms")
    print(f"load, again             {best(Book.load, 20) * 1e3:8.2f} ms")
    book = Book.load()
    for model, provider in CASES:
        begun = time.perf_counter()
        book.price(model, USAGE, provider=provider, when=WHEN, tier="default")
        once = time.perf_counter() - begun
        hot = best(lambda m=model, p=provider: book.price(m, USAGE, provider=p, when=WHEN, tier="default"), 20_000)  # type: ignore[misc]
        print(f"{model:20}    {hot * 1e6:8.2f} us hot   {once * 1e3:6.2f} ms at first use")
    names = iter(range(10**9))
    for provider in ("openai", "openrouter"):
        new = best(lambda p=provider: book.price(f"made-up-{next(names)}", USAGE, provider=p), 500)  # type: ignore[misc]
        print(f"unknown name, {provider:10}{new * 1e6:8.2f} us")


if __name__ == "__main__":
    main()
