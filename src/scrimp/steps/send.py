"""The door to the provider: walk the targets until one answers, and pass its bytes on as they come.

Retry, fallback and (later) cheap-first escalation are this one loop. Bytes are passed on untouched but for the two
splices of `wire.splice`; what passed is kept aside so that usage can be read, or counted, when the answer is over.
"""

from __future__ import annotations

import asyncio
import time
import zlib
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any

from scrimp.call import Answer, Call, Target, Try
from scrimp.errors import Broken, Down, ProviderError, Slow
from scrimp.providers.base import Provider, Reply
from scrimp.providers.flight import Flight
from scrimp.wire.answer import read_body, read_stream
from scrimp.wire.headers import Headers, client_headers, upstream_headers
from scrimp.wire.splice import UsageHider, ask_for_usage, strip_prefix

if TYPE_CHECKING:
    from scrimp.world import World

Deliver = Callable[[dict[str, Any]], Awaitable[None]]
MOST_KEPT = 4 * 1024 * 1024
"""Bytes of an answer kept aside; of a larger one, the first and the last half of this."""
MOST_WAIT = 30.0
"""Seconds at most that a retry of ours waits on a provider's retry-after."""


async def send(
    call: Call, world: World, flight: Flight, deliver: Deliver, upload: AsyncIterator[bytes] | None,
    whole: Callable[[Call], None]
) -> None:  # fmt: skip
    """Answer the call from its targets. `whole` is called when the answer is complete before its head goes out.

    Raises ProviderError before anything was delivered, Broken after; CancelledError where the flight was ended.
    """
    failure: ProviderError = Down("no target was left to ask")
    for target in call.targets:
        provider = world.providers[target.provider]
        tries = 1 if upload is not None else provider.config.retries + 1
        for left in range(tries - 1, -1, -1):
            try:
                reply = await _ask(call, world, flight, provider, target, upload)
            except (Down, Slow) as error:
                failure = error
                call.tries[-1].error = error.message
                await asyncio.sleep(0.5 * (tries - 1 - left) if left else 0)
                continue
            if left and _may_retry(reply.status):
                wait = _retry_after(reply)
                reply.close()
                flight.upstream = False
                await asyncio.sleep(min(MOST_WAIT, wait or 0.5 * (tries - left)))
                continue
            await _pass_on(call, flight, reply, deliver, whole, gave_up=tries > 1 and left == 0)
            return
        failure.gave_up = tries > 1
    raise failure


async def _ask(
    call: Call, world: World, flight: Flight, provider: Provider, target: Target, upload: AsyncIterator[bytes] | None
) -> Reply:
    """One try: the request as the provider gets it, and the head of its answer."""
    spliced = _wants_usage(call)
    body: bytes | AsyncIterator[bytes] | None = upload
    if upload is None:
        body = call.raw or None
        if body is not None and target.strip_prefix:
            body = strip_prefix(body, target.provider)
        if body is not None and spliced:
            body = ask_for_usage(body, call.ask.has_stream_options)
    headers = upstream_headers(call.headers, provider.key_header(), spliced)
    if upload is not None and (length := call.header(b"content-length")) is not None:
        headers.append(("content-length", length.decode("latin-1")))
    now = time.monotonic_ns()
    call.sent_at = call.sent_at or now
    call.tries = [*call.tries, Try(provider.name, target.model, now)]
    url = provider.url(call.path, call.query)
    reply = await provider.open(world.session, flight, call.method, url, headers, body)
    call.tries[-1].status = reply.status
    return reply


def _wants_usage(call: Call) -> bool:
    """Whether the stream has to be asked for its usage on the client's behalf (and the answer hidden again)."""
    ask = call.ask
    return ask.stream and ask.asked_usage is None and ask.api in ("openai.chat", "openai.completions") and ask.parsed


class _Tap:
    """What passes through: kept aside for reading, and with the splice taken out again where one was put in."""

    def __init__(self, call: Call, reply: Reply, streams: bool) -> None:
        encoding = reply.header("Content-Encoding").strip().lower()
        compressed = encoding in ("gzip", "deflate")
        self._inflate: Any = zlib.decompressobj(32 + zlib.MAX_WBITS) if compressed else None  # 32: told by the data
        self.readable = encoding in ("", "identity") or self._inflate is not None
        hides = streams and self.readable and reply.status < 300 and _wants_usage(call)
        self.hider = UsageHider() if hides else None
        self._head: list[bytes] = []
        self._tail: deque[bytes] = deque()
        self._kept = 0
        self._tail_size = 0

    def feed(self, data: bytes) -> bytes:
        """Take what came in; give what goes out."""
        plain = data
        if self._inflate is not None:
            try:
                plain = self._inflate.decompress(data)
            except zlib.error:
                self.readable = False
                self._inflate = None
        self._keep(plain)
        return data if self.hider is None else self.hider.feed(plain)

    def _keep(self, data: bytes) -> None:
        self._kept += len(data)
        if self._kept <= MOST_KEPT // 2:
            self._head.append(data)
            return
        self._tail.append(data)
        self._tail_size += len(data)
        while self._tail_size > MOST_KEPT // 2 and len(self._tail) > 1:
            self._tail_size -= len(self._tail.popleft())

    def body(self) -> bytes:
        """What was kept."""
        return b"".join((*self._head, *self._tail)) if self.readable else b""


async def _pass_on(
    call: Call, flight: Flight, reply: Reply, deliver: Deliver, whole: Callable[[Call], None], gave_up: bool
) -> None:
    streams = "text/event-stream" in reply.header("Content-Type")
    tap = _Tap(call, reply, streams)
    request_id = reply.header("x-request-id") or reply.header("request-id")
    answer = call.answer = Answer(status=reply.status, request_id=request_id)
    try:
        first = b""
        if not streams:
            first = await _more(call, reply)
            answer.first_byte_at = time.monotonic_ns()
            first = tap.feed(first)
            known = call.ask.api != "other" or reply.at_end()
            if known and answer.status < 300 and _read(call, tap, streams):
                answer.whole = True
                whole(call)
        await deliver(_start(call, reply, tap.hider is not None, gave_up))
        over = not streams and reply.at_end()
        if first or over:
            await deliver({"type": "http.response.body", "body": first, "more_body": not over})
        if not over:
            await _pump(call, reply, tap, deliver, streams)
    finally:
        flight.upstream = False
        ended = reply.at_end()
        reply.close()
        if not answer.whole:
            # SDKs hang up on reading the stream's own end, before the connection's: that answer is whole
            told = _read(call, tap, streams) and flight.why in ("", "client-left")
            answer.whole = call.error == "" and (told if call.ask.api != "other" else ended)
        answer.body = tap.body()


async def _pump(call: Call, reply: Reply, tap: _Tap, deliver: Deliver, streams: bool) -> None:
    answer = call.answer
    assert answer is not None
    while data := await _more(call, reply):
        if not answer.first_byte_at:
            answer.first_byte_at = time.monotonic_ns()
        data = tap.feed(data)
        if data:
            await deliver({"type": "http.response.body", "body": data, "more_body": True})
    rest = tap.hider.rest() if tap.hider else b""
    must_end = streams and not reply.by_length and answer.status < 300 and call.ask.api != "other"
    if must_end and not _read(call, tap, streams):
        call.error = "the connection closed before the stream's own end"
        raise Broken(call.error)
    await deliver({"type": "http.response.body", "body": rest, "more_body": False})


async def _more(call: Call, reply: Reply) -> bytes:
    try:
        return await reply.read()
    except Broken as error:
        call.error = error.message
        raise


def _read(call: Call, tap: _Tap, streams: bool) -> bool:
    """Read usage, model, tier and finish from what passed; whether the answer is whole."""
    answer = call.answer
    assert answer is not None
    body = tap.body()
    api = None if call.ask.api == "other" else call.ask.api
    reading = read_stream(api, body) if streams else read_body(api, body)
    answer.usage = reading.usage
    answer.model = reading.model
    answer.tier = reading.tier
    answer.finish = reading.finish
    answer.id = reading.request_id
    answer.request_id = answer.request_id or reading.request_id
    if reading.error and not call.error:
        call.error = reading.error
    return reading.whole


def _start(call: Call, reply: Reply, edited: bool, gave_up: bool) -> dict[str, Any]:
    headers: Headers = client_headers(reply.headers, edited)
    headers.append((b"x-scrimp-id", call.id.encode()))
    headers.append((b"x-scrimp", ",".join(call.applied).encode()))
    cost = call.cost
    if cost is not None and not cost.unpriced and cost.basis != "none":
        headers.append((b"x-scrimp-cost", cost.paid_usd.encode()))
    if gave_up and _may_retry(reply.status):
        headers.append((b"x-should-retry", b"false"))
    return {"type": "http.response.start", "status": reply.status, "headers": headers}


def _may_retry(status: int) -> bool:
    """Statuses that another try may mend."""
    return status in (408, 409, 429) or status >= 500


def _retry_after(reply: Reply) -> float:
    try:
        return max(0.0, float(reply.header("retry-after")))
    except ValueError:
        return 0.0
