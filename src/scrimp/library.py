"""scrimp in one's own process: the same gateway in a background thread, and clients pointed at it."""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from scrimp.config import Config, ProviderConfig, convert, is_loopback, load
from scrimp.errors import ConfigError, ScrimpError

Client = TypeVar("Client")


class Gateway:
    """A running gateway. Use it as a context manager, or call `close` yourself; closing drains and writes down."""

    def __init__(self, config: Config, upstream: str = "", port: int = 0) -> None:
        from scrimp.web.server import make_server, open_world

        # a library opens no door to the network
        host = config.serve.host if is_loopback(config.serve.host) else "127.0.0.1"
        config = msgspec.structs.replace(config, serve=msgspec.structs.replace(config.serve, host=host, port=port))
        self._listener, self._world = open_world(config, dict(os.environ), upstream)
        self.port: int = self._listener.getsockname()[1]
        self.address = f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"
        self._server = make_server(self._world)
        self._thread = threading.Thread(target=self._run, name="scrimp-gateway", daemon=True)
        self._ended = threading.Event()
        self._failure: BaseException | None = None
        self._thread.start()
        while not self._server.started and not self._ended.wait(0.005):
            pass
        if not self._server.started:
            raise ScrimpError("the gateway did not start", hint=str(self._failure or "see the log above"))

    def _run(self) -> None:
        try:
            self._server.run(sockets=[self._listener])
        except (SystemExit, OSError, RuntimeError) as error:
            self._failure = error
        finally:
            self._ended.set()

    @property
    def openai_base_url(self) -> str:
        """The `base_url` of OpenAI clients."""
        return f"{self.address}/v1"

    @property
    def anthropic_base_url(self) -> str:
        """The `base_url` of Anthropic clients."""
        return self.address

    def flush(self) -> bool:
        """Wait until every settled call can be read from the store; False after ten seconds."""
        return self._world.store.flush()

    def close(self) -> None:
        """Drain, write everything down, stop. May be called twice."""
        if self in _Open.by_hand:
            _Open.by_hand.remove(self)
        self._server.should_exit = True
        self._thread.join()

    def __enter__(self) -> Gateway:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def gateway(
    config: Config | Mapping[str, Any] | str | None = None, store: str | None = None, *, upstream: str = "",
    port: int = 0
) -> Gateway:  # fmt: skip
    """Start the gateway in a background thread on a free loopback port (or on `port`).

    `config`: a Config, a mapping of the same shape, the path of a scrimp.toml, or None for ./scrimp.toml if there is
    one. `store`: where records are kept (":memory:" for nowhere). `upstream`: one origin for both dialects.
    Raises ConfigError where the configuration cannot be used.
    """
    if isinstance(config, Mapping):
        found = convert(dict(config))
    elif isinstance(config, Config):
        found = config
    else:
        found = load(config, (), os.environ)
    if store is not None:
        found = msgspec.structs.replace(found, store=str(store))
    opened = Gateway(found, upstream, port)
    _Open.by_hand.append(opened)
    return opened


class _Open:
    """The gateways of this process: those opened by hand, newest last, and those that `wrap` started by address."""

    lock = threading.Lock()
    by_hand: list[Gateway] = []
    by_address: dict[str, Gateway] = {}


USUAL = {"openai": "https://api.openai.com/v1", "anthropic": "https://api.anthropic.com"}


def wrap(client: Client, gateway: Gateway | None = None) -> Client:
    """The given openai or anthropic client (sync or async), pointed at a gateway in this process.

    The gateway is the given one, else the one opened last with `scrimp.gateway` and still open, else one that is
    started now, with ./scrimp.toml and scrimp.db, shared by the process and closed at exit; it sends the client's
    calls where the client sent them before. Raises TypeError for anything that is not such a client.
    """
    family = type(client).__module__.partition(".")[0]
    if family not in USUAL or not hasattr(client, "base_url"):
        raise TypeError(f"wrap takes an openai or anthropic client, not {type(client).__name__}")
    address = str(client.base_url).rstrip("/").removesuffix("/v1")
    if gateway is None and address in {known.address for known in (*_Open.by_hand, *_Open.by_address.values())}:
        return client  # wrapped already: a gateway behind a gateway would count its calls twice
    with _Open.lock:
        running = gateway or (_Open.by_hand[-1] if _Open.by_hand else _start(family, str(client.base_url).rstrip("/")))
    client.base_url = running.openai_base_url if family == "openai" else running.anthropic_base_url
    return client


def _start(family: str, address: str) -> Gateway:
    """The shared gateway for clients of one address; a usual one goes by the configuration as it stands."""
    place = "" if address in USUAL.values() else f"{family} {address}"
    if place not in _Open.by_address:
        config = load(None, (), os.environ)
        if place:
            own = ProviderConfig(address, "openai" if family == "openai" else "anthropic")
            name = address.partition("://")[2].partition("/")[0]  # not by the family, whose prices it would get
            # nobody else of its dialect: a client's calls never go where it did not send them
            others = {known: found for known, found in config.providers.items() if found.api != own.api}
            config = msgspec.structs.replace(config, providers={name: own, **others})
        started = _Open.by_address[place] = Gateway(config)
        atexit.register(started.close)
    return _Open.by_address[place]


__all__ = ["ConfigError", "Gateway", "gateway", "wrap"]
