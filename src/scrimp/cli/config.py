"""`scrimp config`: the effective configuration as TOML, each value with where it came from."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from typing import Any

import click
import msgspec


@click.command()
@click.option("--config", "config_path", metavar="FILE", help="Configuration.  [default: scrimp.toml if there is one]")
@click.option("-s", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a setting; may be repeated.")
@click.option("--json", "as_json", is_flag=True, help="The effective tree as JSON, with `origins`.")
def config(config_path: str | None, overrides: tuple[str, ...], as_json: bool) -> None:
    """Show the effective configuration and where each value came from.

    Values come from the defaults, then the file, then SCRIMP_SET (key=value;key=value), then -s. Secrets stay names.
    """
    from scrimp.config import load_with_origins

    loaded = load_with_origins(config_path, overrides, dict(os.environ))
    tree = msgspec.to_builtins(loaded.config)
    if as_json:
        click.echo(json.dumps({"config": tree, "origins": loaded.origins, "file": loaded.path or None}, indent=2))
        return
    click.echo(f"# file: {loaded.path or 'none (no ./scrimp.toml, no --config)'}")
    for path, value in leaves(tree):
        plain = ".".join(path)
        source = loaded.origins.get(plain) or next(
            (origin for known, origin in loaded.origins.items() if plain.startswith(f"{known}.")), "default"
        )
        line = assignment(path, value)
        click.echo(f"{line:<58} # {source}")


def leaves(tree: dict[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Paths and values; an empty section is shown as one."""
    for key, value in tree.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, (*above, key))
        elif value is not None:
            yield (*above, key), value


def assignment(path: tuple[str, ...], value: Any) -> str:
    """A line of TOML that sets the value at the path."""
    return f"{'.'.join(map(_key, path))} = {_toml(value)}"


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _text(name)


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        pairs = (f"{_key(key)} = {_toml(item)}" for key, item in value.items())
        return "{ " + ", ".join(pairs) + " }" if value else "{}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return _text(value) if isinstance(value, str) else json.dumps(value)


def _text(value: str) -> str:
    """A string of TOML: that of JSON, but for a control character that JSON lets stand."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
