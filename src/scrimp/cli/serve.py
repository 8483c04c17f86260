"""`scrimp serve`: the gateway in the foreground."""

from __future__ import annotations

import gc
import logging
import os
import sys

import click
import msgspec


@click.command()
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 takes a free one.  [default: 4100]")
@click.option(
    "--upstream", default="", metavar="URL", help="Send both dialects to this origin instead of the providers."
)
@click.option("--store", metavar="PATH", help="Where records are kept.  [default: scrimp.db]")
@click.option("--config", "config_path", metavar="FILE", help="Configuration.  [default: scrimp.toml if there is one]")
@click.option("-s", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a setting; may be repeated.")
def serve(
    host: str | None, port: int | None, upstream: str, store: str | None, config_path: str | None,
    overrides: tuple[str, ...]
) -> None:  # fmt: skip
    """Put scrimp in front of OpenAI and Anthropic clients.

    Point OpenAI clients at http://HOST:PORT/v1 and Anthropic ones at http://HOST:PORT; nothing else changes.
    """
    from scrimp.config import check_url, is_loopback, load
    from scrimp.web.server import make_server, open_world

    env = dict(os.environ)
    config = load(config_path, overrides, env)
    listen = {k: v for k, v in (("host", host), ("port", port)) if v is not None}
    config = msgspec.structs.replace(config, serve=msgspec.structs.replace(config.serve, **listen))
    if not config.serve.host:
        raise click.UsageError("--host: is empty; name an address, or 0.0.0.0 for every one of this machine")
    if store:
        config = msgspec.structs.replace(config, store=store)
    if upstream:
        check_url("--upstream", upstream)
    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )
    listener, world = open_world(config, env, upstream)
    name = config.serve.host
    address = f"{f'[{name}]' if ':' in name else name}:{listener.getsockname()[1]}"
    server = make_server(world)
    where = f"  upstream {upstream}" if upstream else ""
    click.echo(f"scrimp  http://{address}/v1  report http://{address}/  store {config.store}{where}")
    if not is_loopback(name):
        click.echo("        the page and /metrics answer only to loopback names, this host and those in [serve] hosts")
    calm_collector()
    server.run(sockets=[listener])
    if not server.started:
        sys.exit(2)


def calm_collector() -> None:
    """Leave what start-up made out of garbage collection, and collect less often: a call makes few cycles.

    For a process of our own only; the library never touches the settings of the application it lives in.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
