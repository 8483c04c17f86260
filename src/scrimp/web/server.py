"""The application under uvicorn: in the foreground for `scrimp serve`, in a thread for `scrimp.gateway`."""

from __future__ import annotations

import logging
import socket
from collections.abc import Mapping

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from scrimp.config import Config, is_loopback
from scrimp.errors import ConfigError
from scrimp.providers.flight import Flight
from scrimp.web.app import FLIGHT, App, drop_cut
from scrimp.world import World, build_providers


def check_exposure(config: Config, env: Mapping[str, str], upstream: str = "") -> None:
    """Refuse to lend a provider's key to a whole network. Raises ConfigError."""
    host = config.serve.host
    if is_loopback(host):
        return
    for name, provider in build_providers(config, env, upstream).items():
        if provider.supplies_key:
            raise ConfigError(
                f"serve.host: listening on {host} would lend the key of providers.{name} to whoever reaches it, "
                "as there are no virtual keys",
                hint="Listen on 127.0.0.1, or take api_key out so that clients send their own",
            )


def bind(host: str, port: int) -> socket.socket:
    """A listening socket. Raises ConfigError where the port is in use or not ours, naming the next step."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise ConfigError(
            f"cannot listen on {host}:{port}: {error.strerror}",
            hint="Name another with --port, or --port 0 for a free one",
        ) from None
    listener.set_inheritable(True)
    return listener


def open_world(config: Config, env: Mapping[str, str], upstream: str) -> tuple[socket.socket, World]:
    """A listening socket and the world to serve on it. Raises ConfigError, leaving neither behind."""
    check_exposure(config, env, upstream)
    listener = bind(config.serve.host, config.serve.port)
    try:
        return listener, World(config, env, upstream)
    except BaseException:
        listener.close()
        raise


class Watching(HttpToolsProtocol):
    """uvicorn's protocol, which also ends the flight of a call whose client has left.

    The ASGI way, a task a call that waits in `receive` for the disconnect, costs a tenth of a call's CPU.
    """

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        cycle = self.cycle
        if cycle is None or cycle.response_complete:
            return
        flight = cycle.scope.get(FLIGHT)
        if isinstance(flight, Flight):
            flight.end("client-left")

    def on_message_complete(self) -> None:
        super().on_message_complete()
        # a large body has paused reading, and a paused connection would not notice that the client leaves
        self.flow.resume_reading()


def make_server(world: World) -> uvicorn.Server:
    """The server; `serve` or `run` it with the socket of `open_world`."""
    words = logging.getLogger("uvicorn.error")
    words.addFilter(drop_cut)
    words.setLevel(logging.ERROR)  # what clients do wrong on the wire is theirs to hear, not the operator's
    settings = uvicorn.Config(
        App(world), http=Watching, ws="none", lifespan="on", backlog=2048, log_config=None, access_log=False,
        server_header=False, date_header=False, proxy_headers=False,
        timeout_graceful_shutdown=round(world.config.serve.drain),
        timeout_keep_alive=75  # longer than clients keep theirs, so that no request meets our closing
    )  # fmt: skip
    return uvicorn.Server(settings)
