"""What the verbs that read records have in common: the store, the configuration, a span of time, where to write."""

from __future__ import annotations

import io
import os
import re
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from scrimp.errors import ScrimpError, StoreError

if TYPE_CHECKING:
    from scrimp.config import Config
    from scrimp.store.base import Store

SECONDS = {"d": 86_400, "h": 3_600, "m": 60}
LATEST = 2**63 - 1
"""The last nanosecond that a store can hold."""
COLUMNS = (40, 80, 110)
"""Narrowest a report gets, what it takes where there is no terminal, widest it gets."""


class Moment(click.ParamType[int]):
    """A moment as ns since the epoch: so long ago (7d, 24h, 90m), or a date or time, UTC unless it says otherwise."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        try:
            return moment(str(value), time.time_ns())
        except ValueError as error:
            option = param.opts[0] if param is not None else "time"
            raise click.UsageError(f"{option}: {error}", ctx) from None


def moment(text: str, now: int) -> int:
    """Nanoseconds since the epoch of "7d" (that long before `now`), "2026-11-01" or "2026-11-01T10:00".

    Raises ValueError saying what would be understood. What is out of a store's range is cut to it.
    """
    ago = re.fullmatch(r"(\d{1,9})([dhm])", text)
    if ago:
        return max(0, now - int(ago[1]) * SECONDS[ago[2]] * 1_000_000_000)
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is neither 7d, 24h nor a date like 2026-11-01") from None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    microseconds = (when - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    return min(max(0, microseconds * 1000), LATEST)


store_option = click.option("--store", metavar="PATH", help="Where the records are.  [default: scrimp.db]")
config_option = click.option(
    "--config", "config_path", metavar="FILE", help="Configuration.  [default: scrimp.toml if there is one]"
)
override_option = click.option(
    "-s", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a setting; may be repeated."
)
since_option = click.option(
    "--since", type=Moment(), metavar="WHEN", help="From then on: 7d, 24h, 2026-11-01, 2026-11-01T10:00 (UTC)."
)
until_option = click.option("--until", type=Moment(), metavar="WHEN", help="Up to then, not included.  [default: now]")
out_option = click.option("--out", metavar="FILE", help="Write there instead of to standard output.")


def called() -> str:
    """How this user calls scrimp; `dev` says so, as its users have no `scrimp` of their own."""
    return os.environ.get("SCRIMP_AS") or "scrimp"


def screen(shown: bool) -> tuple[int, bool]:
    """The columns a report may take, and whether it is coloured; a file's where it is not `shown` on a terminal."""
    narrowest, plain, widest = COLUMNS
    if not (shown and sys.stdout.isatty()):
        return plain, False
    columns = min(max(shutil.get_terminal_size().columns, narrowest), widest)
    return columns, not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def settings(store: str | None, config_path: str | None, overrides: Sequence[str]) -> Config:
    """The configuration, with the store that is to be read: --store before the configuration's own."""
    import msgspec

    from scrimp.config import load

    config = load(config_path, overrides, dict(os.environ))
    return msgspec.structs.replace(config, store=store) if store else config


@contextmanager
def reading(path: str) -> Iterator[Store]:
    """The store at `path`, read only. Raises StoreError, with the next command, where there is none."""
    from scrimp.store import open_store

    if "://" not in path and not Path(path).is_file():
        raise StoreError(
            f"there is no store at {path}",
            hint=f"`{called()} serve` begins one when the first call comes; --store PATH names another",
        )
    store = open_store(path, read_only=True)
    try:
        yield store
    finally:
        store.close()


def check_span(since: int | None, until: int | None) -> None:
    """Raise UsageError where nothing can lie between the two."""
    if since is not None and until is not None and since >= until:
        raise click.UsageError("--since: lies after --until; times are UTC")


def cannot_print(error: OSError) -> Exception:
    """What to raise where standard output took no more: an error in words, or none of a pipe whose reader has gone.

    What is still buffered is let go, so that Python does not fail on it once more at exit.
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
    if isinstance(error, BrokenPipeError):
        return click.exceptions.Exit(1)
    return ScrimpError(f"standard output cannot be written: {error.strerror}")


def one_form(**asked: bool) -> str:
    """The only form of output that was asked for; "" for none. Raises UsageError where there are several."""
    forms = [name for name, wanted in asked.items() if wanted]
    if len(forms) > 1:
        raise click.UsageError(f"{' and '.join(f'--{name}' for name in forms)}: one form at a time")
    return "".join(forms)


@contextmanager
def output(path: str | None) -> Iterator[TextIO]:
    """Where to write: a file or standard output, in UTF-8, line ends as they are written."""
    if path is None:
        text = io.TextIOWrapper(sys.stdout.buffer, "utf-8", newline="")
        try:
            yield text
            text.flush()
        except OSError as error:
            raise cannot_print(error) from None
        finally:
            text.detach()
        return
    try:
        with open(path, "w", encoding="utf-8", newline="") as file:
            yield file
    except OSError as error:
        raise ScrimpError(f"--out: {path} cannot be written: {error.strerror}") from None
