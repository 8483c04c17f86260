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
    for key, value in leaves(tree):
        plain = key.replace('"', "")
        source = loaded.origins.get(plain) or next(
            (origin for known, origin in loaded.origins.items() if plain.startswith(f"{known}.")), "default"
        )
        line = f"{key} = {_toml(value)}"
        click.echo(f"{line:<58} # {source}")


def leaves(tree: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted TOML keys and values; an empty section is shown as one."""
    for key, value in tree.items():
        name = key if re.fullmatch(r"[\w-]+", key) else f'"{key}"'
        if isinstance(value, dict) and value:
            yield from leaves(value, f"{prefix}{name}.")
        elif value is not None:
            yield f"{prefix}{name}", value


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + " }" if value else "{}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)
