"""What outlives a call: store, prices, providers, session, secret, meter. Built in one place, closed in order.

Nothing here stops the gateway from serving: a store that cannot be opened is replaced by memory and said so; prices
that have still to be compiled are waited for by the settling of calls, not by the calls.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib
import inspect
import logging
import os
import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]

import aiohttp
import msgspec

from scrimp.call import Call, Mode
from scrimp.config import SECRET, Config, ProviderConfig, check_url
from scrimp.errors import ConfigError, StoreError
from scrimp.prices.book import Book
from scrimp.prices.user import rows as check_prices
from scrimp.providers.base import SKIP, Provider
from scrimp.providers.flight import Tower
from scrimp.store import open_store
from scrimp.store.base import Store
from scrimp.store.meter import Meter
from scrimp.wire.tokens import warm

log = logging.getLogger("scrimp")
OPENAI = ProviderConfig("https://api.openai.com/v1", "openai")
ANTHROPIC = ProviderConfig("https://api.anthropic.com", "anthropic")
MOST_TROUBLE = 100
QUIET = 2.0
"""Seconds after the start from which a quiet moment is looked for."""
Step = Callable[[Call, "World"], Awaitable[None] | None]


class Bounded(OrderedDict[bytes, str]):
    """A memo of at most `most` entries; the oldest goes first."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def put(self, key: bytes, value: str) -> None:
        """Keep a value."""
        self[key] = value
        if len(self) > self._most:
            self.popitem(last=False)


class Extension(msgspec.Struct, frozen=True):
    """A `[[step]]` of the configuration, imported."""

    name: str
    after: str
    run: Step


class World:
    """One running scrimp. `open` needs a running event loop; `close` may be called once whatever happened."""

    def __init__(self, config: Config, env: Mapping[str, str], upstream: str = "") -> None:
        self.config = config
        self.meter = Meter()
        self.tower = Tower()
        self.fingerprints = Bounded(4096)
        self.pending = Bounded(4096)
        self.trouble: list[str] = []
        self.redactions = tuple(re.compile(pattern.encode()) for pattern in config.record.redact)
        self.providers = build_providers(config, env, upstream)
        self.candidates = {dialect: _speaking(dialect, config) for dialect in ("openai", "anthropic")}
        self.declared = _declared(config)
        self.extensions = tuple(_import(step.title, step.after, step.run) for step in config.step)
        check_prices(config.models)  # before anything is opened: a wrong price is told at the start
        self.store = self._open_store(config.store)
        self._secret = read_secret(config.store, env, self.warn)
        self._tasks: set[asyncio.Task[None]] = set()
        self._owners: dict[str, str] = {}
        self._book: Book | None = None
        self._booking: asyncio.Task[None] | None = None
        self._chores: tuple[asyncio.Task[None], ...] = ()
        self.session: aiohttp.ClientSession
        self.ready = False

    def warn(self, message: str) -> None:
        """Say once on the log what is wrong with scrimp itself, and keep it for /readyz."""
        if message not in self.trouble and len(self.trouble) < MOST_TROUBLE:
            self.trouble.append(message)
            log.warning("%s", message)

    def _open_store(self, path: str) -> Store:
        try:
            return open_store(path, on_trouble=self.warn)
        except StoreError as error:
            self.warn(f"{error}; until then calls pass and are recorded in memory only")
            return open_store(":memory:", on_trouble=self.warn)

    async def open(self) -> None:
        """Start what needs the event loop."""
        connector = aiohttp.TCPConnector(limit=0, ttl_dns_cache=60, keepalive_timeout=30)
        self.session = aiohttp.ClientSession(
            connector=connector, auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar(), skip_auto_headers=SKIP
        )
        self.tower.open()
        loop = asyncio.get_running_loop()
        if Book.compiled():
            self._book = self._read_book()
        else:
            self._booking = loop.create_task(self._load_book())
        self._chores = (loop.create_task(self._keep()), loop.create_task(self._warm()))
        self.ready = True

    async def _keep(self) -> None:
        """Drop stored bodies that are older than the configuration keeps them, now and every hour."""
        while True:
            before = time.time_ns() - self.config.record.retention_days * 86_400 * 1_000_000_000
            try:
                await asyncio.to_thread(self.store.forget, before)
            except StoreError as error:
                self.warn(f"old bodies could not be dropped: {error}")
            await asyncio.sleep(3600)

    async def _warm(self) -> None:
        """Read the vocabulary for counting in the first quiet moment: nothing else runs while it is read (0.5 s)."""
        await asyncio.sleep(QUIET)
        while self.tower.flights:
            await asyncio.sleep(QUIET / 8)
        await asyncio.to_thread(warm)

    async def _load_book(self) -> None:
        self._book = await asyncio.to_thread(self._read_book)

    def _read_book(self) -> Book:
        book = Book.load(self.config.models, self.config.hosts)
        if book.trouble:
            self.warn(book.trouble)
        return book

    @property
    def book(self) -> Book:
        """The prices; only where `priced` is true."""
        if self._book is None:
            self._book = self._read_book()
        return self._book

    @property
    def priced(self) -> bool:
        """Whether the price table is loaded."""
        return self._book is not None

    async def wait_for_prices(self) -> None:
        """Wait until the price table is compiled (once an installation), or it is clear that it cannot be."""
        if self._booking is not None:
            await asyncio.wait((self._booking,))

    def owner(self, model: str) -> str:
        """The configured provider that the price list names as the maker of a model, or ""."""
        known = self._owners.get(model)
        if known is None and self._book is not None:
            known = self._book.owner(model)
            if len(self._owners) < 4096:
                self._owners[model] = known
        return known or ""

    def tenant(self, credential: bytes) -> str:
        """A keyed hash that names whoever holds a credential; equal in every process that shares the secret."""
        if not credential:
            return "anonymous"
        return hashlib.blake2b(credential, key=self._secret, digest_size=12).hexdigest()

    def mode(self, step: str, feature: str) -> Mode:
        """The mode of a step for a feature."""
        return self.config.mode(step, feature)

    def go_on(self, work: Coroutine[Any, Any, None]) -> None:
        """Let something finish after its call is over; closing waits for it."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """End what flies, finish what settles, write everything down, let go."""
        self.ready = False
        await self.tower.close()
        for chore in self._chores:
            chore.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=10.0)
        await self.session.close()
        self.store.close()  # nothing else runs on this loop by now, and at exit there are no threads to lend


def build_providers(config: Config, env: Mapping[str, str], upstream: str) -> dict[str, Provider]:
    """Every provider by name: the configured ones, and OpenAI and Anthropic at their own addresses or at `upstream`."""
    if upstream:
        check_url("upstream", upstream)
    origin = upstream.rstrip("/").removesuffix("/v1")
    configs: dict[str, ProviderConfig] = {"openai": OPENAI, "anthropic": ANTHROPIC, **config.providers}
    if upstream:
        for name, suffix in (("openai", "/v1"), ("anthropic", "")):
            configs[name] = msgspec.structs.replace(configs[name], base_url=origin + suffix)
    return {name: Provider(name, found, _key(name, found, env), _proxy(found, env)) for name, found in configs.items()}


def _key(name: str, config: ProviderConfig, env: Mapping[str, str]) -> str:
    match = SECRET.fullmatch(config.api_key)
    if match is None:
        return ""
    key = env.get(match[1], "")
    if not key:
        raise ConfigError(
            f"providers.{name}.api_key: the environment has no {match[1]}", hint="Set it, or leave api_key out"
        )
    return key


def _proxy(config: ProviderConfig, env: Mapping[str, str]) -> str:
    """The HTTP proxy for a provider by the usual variables (HTTPS_PROXY, HTTP_PROXY, NO_PROXY), or ""."""
    scheme, _, rest = config.base_url.partition("://")
    host = rest.partition("/")[0]
    if host.partition(":")[0] in ("localhost", "127.0.0.1") or host.startswith("[::1]"):
        return ""  # a proxy elsewhere cannot reach this machine's own loopback
    found = {k.lower(): v for k, v in env.items()}
    if not found.get(f"{scheme}_proxy") or proxy_bypass_environment(host, {"no": found.get("no_proxy", "")}):
        return ""
    return found[f"{scheme}_proxy"]


def _speaking(dialect: str, config: Config) -> list[str]:
    """The providers a plain model name may go to: the configured ones of the dialect, else the dialect's own."""
    return [name for name, found in config.providers.items() if found.api == dialect] or [dialect]


def _declared(config: Config) -> dict[str, list[str]]:
    """Plain model name -> the providers that `[models."provider/NAME"]` says have it."""
    declared: dict[str, list[str]] = {}
    for name in config.models:
        prefix, slash, rest = name.partition("/")
        if slash and prefix in config.providers:
            declared.setdefault(rest, []).append(prefix)
    return declared


def _import(name: str, after: str, run: str) -> Extension:
    module, _, attribute = run.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"step.{name}.run: {run!r} cannot be imported: {error}") from None
    if not callable(found) or len(inspect.signature(found).parameters) != 2:
        raise ConfigError(f"step.{name}.run: {run!r} is not a function of (call, world)")
    return Extension(name, after, found)


def read_secret(store: str, env: Mapping[str, str], warn: Callable[[str], None]) -> bytes:
    """The tenant secret: SCRIMP_SECRET, else a file of mode 0600 beside the store, made at first use."""
    given = env.get("SCRIMP_SECRET", "")
    if given:
        return hashlib.blake2b(given.encode(), digest_size=32).digest()
    if store == ":memory:":
        return secrets.token_bytes(32)
    path = Path(f"{store}.secret")
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_hex(32).encode())
    except FileExistsError:
        pass
    except OSError as error:
        warn(f"{path}: the tenant secret cannot be kept ({error.strerror}); tenants are named anew at each start")
        return secrets.token_bytes(32)
    for _ in range(50):
        try:
            text = path.read_bytes().strip()
        except OSError as error:
            raise ConfigError(f"{path}: the tenant secret cannot be read: {error.strerror}") from None
        if len(text) >= 32:
            return hashlib.blake2b(text, digest_size=32).digest()
        time.sleep(0.01)  # another process is just writing it
    raise ConfigError(f"{path}: holds no secret", hint="Delete the file; a new one is made")
