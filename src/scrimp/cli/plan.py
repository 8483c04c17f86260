"""`scrimp plan REQUEST.json`: the PLAN half of the pipeline on one request, said step by step; no call is made."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import IO, Any

import click

from scrimp.errors import ConfigError


@click.command()
@click.argument("request_file", type=click.File("rb"), metavar="[REQUEST]", default="-")
@click.option("--path", default="", help="The path it would go to.  [default: by the shape of the request]")
@click.option(
    "--header", "headers", multiple=True, metavar="NAME:VALUE", help="A header it would carry; may be repeated."
)
@click.option("--store", metavar="PATH", help="The store whose secret names the tenant.")
@click.option("--config", "config_path", metavar="FILE", help="Configuration.  [default: scrimp.toml if there is one]")
@click.option("-s", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a setting; may be repeated.")
@click.option("--json", "as_json", is_flag=True, help="The plan as JSON.")
def plan(
    request_file: IO[bytes], path: str, headers: tuple[str, ...], store: str | None, config_path: str | None,
    overrides: tuple[str, ...], as_json: bool
) -> None:  # fmt: skip
    """Say what would happen to a request, step by step, with prices; no call is made.

    REQUEST is a file with the JSON body, or - for standard input.
    """
    import msgspec

    from scrimp.config import load

    env = dict(os.environ)
    config = load(config_path, overrides, env)
    env = with_secret(env, store or config.store)
    config = msgspec.structs.replace(config, store=":memory:")
    body = request_file.read()
    rows = asyncio.run(_plan(config, env, body, path, headers))
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    for step, decided in rows.items():
        said = "  ".join(f"{name}={value}" for name, value in decided.items())
        click.echo(f" {step:<10} {said}")
    sys.stdout.flush()


def with_secret(env: dict[str, str], store: str) -> dict[str, str]:
    """The environment with the secret that a store already has, so that tenants get the names they have in it."""
    secret = Path(f"{store}.secret")
    if env.get("SCRIMP_SECRET") or not secret.is_file():
        return env
    try:
        return {**env, "SCRIMP_SECRET": secret.read_text(encoding="ascii").strip()}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{secret}: cannot be read: {error}", hint="Name another store with --store") from None


async def _plan(config: Any, env: dict[str, str], body: bytes, path: str, headers: tuple[str, ...]) -> dict[str, Any]:
    from scrimp.pipeline import plan as plan_call
    from scrimp.web.app import new_call
    from scrimp.wire.paths import api_of
    from scrimp.wire.request import read_request
    from scrimp.world import World

    world = World(config, env)
    await world.open()
    try:
        await world.wait_for_prices()
        fields = [(name.strip().lower().encode(), value.strip().encode()) for name, _, value in map(_split, headers)]
        where = path or guess_path(body)
        scope = {"raw_path": where.encode(), "method": "POST", "query_string": b"", "headers": fields}
        call = new_call(scope)
        call.ask = read_request(api_of("POST", where), body)
        call.raw = body
        await plan_call(call, world)
        return describe(call, world)
    finally:
        await world.close()


def _split(header: str) -> tuple[str, str, str]:
    name, colon, value = header.partition(":")
    if not colon:
        raise click.UsageError(f"--header {header!r}: write NAME:VALUE")
    return name, colon, value


def guess_path(body: bytes) -> str:
    """The path a body belongs to, by its fields; chat completions where nothing says otherwise."""
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        return "/v1/chat/completions"
    if "messages" in fields:
        anthropic = "system" in fields or str(fields.get("model", "")).rpartition("/")[2].startswith("claude")
        return "/v1/messages" if anthropic else "/v1/chat/completions"
    if "input" in fields:
        return "/v1/responses"
    return "/v1/completions" if "prompt" in fields else "/v1/chat/completions"


def describe(call: Any, world: Any) -> dict[str, Any]:
    """What each step decided, in the order of the pipeline."""
    from scrimp.steps.price import weigh
    from scrimp.wire.tokens import count_request

    who, target = call.who, call.targets[0]
    provider = world.providers[target.provider]
    labels = {name: getattr(who, name) for name in ("user", "team", "session", "environment") if getattr(who, name)}
    named = {"feature": who.feature or "(no tag)", "from": who.feature_from, **labels, "tenant": who.tenant}
    key = "scrimp's" if provider.supplies_key else "the client's own"
    where = {"provider": target.provider, "model": target.model, "to": provider.base, "key": key}
    rows: dict[str, Any] = {"attribute": named, "route": where}
    for extension in world.extensions:
        rows[extension.name] = {"mode": world.mode(extension.name, who.feature), "after": extension.after}
    tokens = count_request(call.ask.api, call.raw, target.model)
    rows["price"] = _forecast(call, world, weigh, tokens)
    return rows


def _forecast(call: Any, world: Any, weigh: Any, tokens: int) -> dict[str, Any]:
    """What it would cost: the input as counted, the output at nothing and at the client's own cap."""
    from scrimp.call import Usage, usd

    target = call.targets[0]
    found: dict[str, Any] = {"input_tokens": tokens}
    for label, output in (("input_usd", 0), ("most_usd", call.ask.cap)):
        if output is None:
            continue
        usage = Usage(input=tokens, output=output * call.ask.n)
        cost, _ = weigh(world, target.model, target.model, target.provider, usage, "estimated", call.ask.tier, call.at)
        if cost.unpriced:
            return {**found, "unpriced": cost.unpriced}
        found[label] = usd(cost.paid)
    return {**found, "output_cap": call.ask.cap or "none set"}
