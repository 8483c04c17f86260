"""The compiled price table: what it holds, where it lies, how it is read.

One msgpack file a version of the price library, in the user's cache folder. Each provider's rows stay packed until
the first call that needs them, so reading it takes milliseconds. Prices are whole femtodollars: of a token (a dollar
a million tokens is 10**9), of a search, of a request.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from operator import contains, eq
from pathlib import Path

import msgspec

FORMAT = 2
"""Raised whenever the structs below change; part of the file's name."""

DAY = 86_400_000_000_000
"""Nanoseconds in a day."""


_TESTS: dict[str, Callable[[str, str], bool]] = {
    "equals": eq, "starts": str.startswith, "ends": str.endswith, "contains": contains
}  # fmt: skip


class Clause(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A test on a lower-case name. `op`: equals, starts, ends, contains, regex (of `text`); or, and (of `parts`).

    The exact names of an `or` stand in `names`: the list is mostly that, and looking for an unknown name reads it all.
    """

    op: str
    text: str = ""
    parts: tuple[Clause, ...] = ()
    names: tuple[str, ...] = ()

    def fits(self, name: str) -> bool:
        """Whether the name passes."""
        if self.op == "or":
            return name in self.names or any(part.fits(name) for part in self.parts)
        if self.op == "and":
            return all(part.fits(name) for part in self.parts)
        if self.op == "regex":
            return re.search(self.text, name) is not None
        return _TESTS[self.op](name, self.text)


class Cliff(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A price by the size of the whole input: `base`, or that of the last step (above tokens, price) passed."""

    base: int
    steps: tuple[tuple[int, int], ...]

    def at(self, input_total: int) -> int:
        """The price of every token of a request with so many input tokens."""
        price = self.base
        for above, step in self.steps:
            if input_total > above:
                price = step
        return price


class Term(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """When a price holds: from `start` on (ns since the epoch), or daily between two times (ns of the UTC day)."""

    start: int | None = None
    opens: int | None = None
    closes: int = 0

    def holds(self, when: int) -> bool:
        """Whether the price is in force at `when` (ns since the epoch)."""
        if self.start is not None and when < self.start:
            return False
        if self.opens is None:
            return True
        time = when % DAY
        if self.closes < self.opens:
            return time >= self.opens or time < self.closes
        return self.opens <= time < self.closes


class Dated(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Prices by class while a term holds (None: always)."""

    term: Term | None
    rates: dict[str, int | Cliff]


class Variant(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Prices that replace the standard ones, class by class, in a context such as {"service_tier": "flex"}."""

    context: dict[str, str]
    term: Term | None
    rates: dict[str, int | Cliff]


class Row(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One model of one provider. Of `prices` the last one in force counts. `flat`: one price whatever the tier."""

    id: str
    match: Clause
    prices: tuple[Dated, ...]
    variants: tuple[Variant, ...] = ()
    context: int | None = None
    deprecated: bool = False
    flat: bool = False


class Listed(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One provider. `rows` is a packed tuple of Row; `fallback` names providers whose models it sells too."""

    id: str
    api_pattern: str
    model_match: Clause | None
    provider_match: Clause | None
    fallback: tuple[str, ...]
    rows: msgspec.Raw


class Table(msgspec.Struct, array_like=True, frozen=True):
    """The whole list. `version` is the price library's; `date` and `since` its newest and oldest date, "YYYY-MM-DD"."""

    version: str
    date: str
    providers: tuple[Listed, ...]
    since: str = ""


def library_version() -> str:
    """The installed version of genai-prices, "" where it is not installed.

    Read off the name of its metadata folder: neither the package (0.7 s) nor importlib.metadata (0.03 s) is imported.
    """
    for place in sys.path:
        try:
            names = os.listdir(place or ".")
        except OSError:
            continue
        for name in names:
            if name.startswith("genai_prices-") and name.endswith(".dist-info"):
                return name.removeprefix("genai_prices-").removesuffix(".dist-info")
    return ""


def folders() -> Iterator[Path]:
    """Where a table may lie, best first: the user's cache folder, else a private one below the temporary one."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA", "")
    else:
        base = os.environ.get("XDG_CACHE_HOME", "") or os.path.expanduser("~/.cache")
    if os.path.isabs(base):
        yield Path(base, "scrimp")
    import tempfile

    user = os.getuid() if hasattr(os, "getuid") else 0
    yield Path(tempfile.gettempdir(), f"scrimp-{user}")


def file_name(version: str) -> str:
    """The table's file name for a version of the price library."""
    return f"prices-{version}-{FORMAT}.msgpack"


def stored(version: str) -> Path | None:
    """The compiled table of a version, None where there is none that only its owner could have written."""
    for folder in folders():
        path = folder / file_name(version)
        if path.is_file() and is_private(folder):
            return path
    return None


def is_private(folder: Path) -> bool:
    """Whether nobody but us may write into a folder (always said of Windows, which keeps it in the profile)."""
    if not hasattr(os, "getuid"):
        return True
    facts = folder.stat()
    return facts.st_uid in (os.getuid(), 0) and not facts.st_mode & 0o022


def write(content: bytes, version: str) -> Path:
    """Store a table atomically in the first folder that takes it; OSError from the last one where none does."""
    trouble: OSError | None = None
    for folder in folders():
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not is_private(folder):
                raise PermissionError(f"{folder} can be written by others")
            path = folder / file_name(version)
            draft = folder / f"{path.name}.{os.getpid()}"
            draft.write_bytes(content)
            os.replace(draft, path)
            return path
        except OSError as error:
            trouble = error
    raise trouble or OSError("no folder to store prices in")


def read(path: Path) -> Table:
    """The table in a file; OSError or msgspec.DecodeError where it cannot be read."""
    return msgspec.msgpack.decode(path.read_bytes(), type=Table)
