"""The gateway as a raw ASGI application: no framework stands between a client's bytes and its provider.

Everything below /v1 is a call. Pages, probes and metrics are few and checked apart (`pages`). The client is watched
from the first byte on (`server.Watching`): when it leaves, the call is cancelled at once, upstream too.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any, Literal

from scrimp.call import Call
from scrimp.errors import ProviderError, Refused, ScrimpError, Slow, render
from scrimp.pipeline import end, run
from scrimp.providers.flight import Flight
from scrimp.web import pages
from scrimp.wire.paths import api_of, dialect_of, has_dot_segments
from scrimp.wire.request import read_request
from scrimp.world import World

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
log = logging.getLogger("scrimp")
FLIGHT = "scrimp.flight"
"""The key in the scope under which the server finds the flight to end when the client leaves."""


class ClientLeft(ConnectionError):
    """The client closed its connection. (A connection error, so that an upload under way is broken off, not ended.)"""


class App:
    """The ASGI application over one World, which it opens and closes with the server's life."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind == "http":
            path: str = scope["path"]
            if path.startswith("/v1/"):
                await self._call(scope, receive, send)
            else:
                await pages.answer(self.world, scope, send)
        elif kind == "lifespan":
            await self._live(receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008, "reason": "scrimp speaks HTTP only"})

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await self.world.open()
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await self.world.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _call(self, scope: Scope, receive: Receive, send: Send) -> None:
        world = self.world
        call = new_call(scope)
        begun = False

        def deliver(message: dict[str, Any]) -> Awaitable[None]:
            nonlocal begun
            begun = True
            return send(message)

        task = asyncio.current_task()
        assert task is not None
        flight = Flight(task)
        world.tower.flights.add(flight)
        scope[FLIGHT] = flight
        planned = False
        try:
            check(call, scope, world)
            upload = None
            if call.ask.api == "other" and _has_body(call):
                upload = _upload(receive, flight)
            else:
                await _receive_body(call, receive, world)
            planned = True
            await run(call, world, flight, deliver, upload)
        except asyncio.CancelledError:
            if not flight.why:
                raise
            await _tell(call, send, begun, _timed_out(flight))
        except ClientLeft:
            pass
        except ScrimpError as error:
            if not planned:  # refused at the door, and written down all the same
                call.error = error.message
                end(call, world)
            await _tell(call, send, begun, error)
        finally:
            world.tower.flights.discard(flight)


class Cut(Exception):
    """Raised out of the application so that the server closes the connection without a clean end."""


def new_call(scope: Scope) -> Call:
    """The call of a request, with its clock and its id: 12 hex digits of milliseconds, 16 of chance."""
    now = time.time_ns()
    headers = scope["headers"]
    path = scope["raw_path"].decode("latin-1")
    return Call(
        id=f"{now // 1_000_000:012x}{random.getrandbits(64):016x}", at=now, mono=time.monotonic_ns(),
        method=scope["method"], path=path, query=scope["query_string"], headers=headers,
        dialect=dialect_of(path, {name for name, _ in headers})
    )  # fmt: skip


def check(call: Call, scope: Scope, world: World) -> None:
    """Refuse what no provider should see: a foreign web page's request, a path that climbs."""
    origin = call.header(b"origin")
    if origin is not None and origin.decode("latin-1") not in world.config.serve.origins:
        hint = 'List it in the configuration: [serve] origins = ["https://..."]'
        raise Refused("this browser origin may not use the gateway", hint=hint, status=403, code="origin_not_allowed")
    if has_dot_segments(call.path):
        raise Refused("the path has dot segments", hint="Write it out in full", code="bad_path")
    call.ask.api = api_of(call.method, call.path)


async def _receive_body(call: Call, receive: Receive, world: World) -> None:
    """Take the whole body, read what it asks for. Raises Refused for a wrong type, size or JSON."""
    limit = world.config.serve.max_body_mb * 1024 * 1024
    length = call.header(b"content-length")
    if length is not None and length.isdigit() and int(length) > limit:
        raise _too_large(limit)
    message = await receive()
    if message["type"] != "http.request":
        raise ClientLeft
    body = message.get("body", b"")
    if message.get("more_body"):
        whole = bytearray(body)
        while message.get("more_body"):
            message = await receive()
            if message["type"] != "http.request":
                raise ClientLeft
            whole += message.get("body", b"")
            if len(whole) > limit:
                raise _too_large(limit)
        body = bytes(whole)
        whole.clear()
    call.raw = body
    if call.ask.api == "other" or call.header(b"content-encoding"):
        return
    kind = (call.header(b"content-type") or b"application/json").lower()
    if b"json" not in kind:
        raise Refused(
            f"the content type {kind.decode('latin-1')[:60]!r} is not JSON", hint="Send content-type: application/json",
            status=415, code="unsupported_media_type"
        )  # fmt: skip
    call.ask = read_request(call.ask.api, body)


def _too_large(limit: int) -> Refused:
    return Refused(
        f"the request body is larger than {limit // 1024 // 1024} MB",
        hint="Raise [serve] max_body_mb if the provider takes it", status=413, code="request_too_large"
    )  # fmt: skip


def _has_body(call: Call) -> bool:
    """Whether a request that is not read brings a body; a DELETE usually does not, and gets none upstream either."""
    return call.header(b"transfer-encoding") is not None or (call.header(b"content-length") or b"0") != b"0"


async def _upload(receive: Receive, flight: Flight) -> AsyncIterator[bytes]:
    """A body that streams through unread."""
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            flight.end("client-left")
            raise ClientLeft
        more = message.get("more_body", False)
        data = message.get("body", b"")
        flight.last = time.monotonic()  # a long upload is no slow answer
        if data:
            yield data


def _timed_out(flight: Flight) -> ProviderError | None:
    if flight.why == "client-left":
        return None
    if flight.why == "shutdown":
        return ProviderError("scrimp is shutting down", status=503, code="shutting_down")
    return Slow(f"the provider passed the time limit ({flight.why})", hint="Raise it in [providers.NAME]")


async def _tell(call: Call, send: Send, begun: bool, error: ScrimpError | None) -> None:
    """Answer with the error in the caller's dialect; after the head has gone out, break the connection instead."""
    if error is None:
        return
    if begun:
        raise Cut(error.message)
    body = render(error, call.dialect, call.id)
    headers = [
        (b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()),
        (b"x-scrimp-id", call.id.encode()), (b"x-scrimp", b"")
    ]  # fmt: skip
    if isinstance(error, ProviderError) and error.gave_up:
        headers.append((b"x-should-retry", b"false"))
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if call.method == "HEAD" else body})


def drop_cut(record: logging.LogRecord) -> Literal[True, False]:
    """A log filter: a stream that had to be cut is in the records; the server's traceback says nothing more."""
    return not (record.exc_info and isinstance(record.exc_info[1], Cut))
