"""A scripted provider: answers both dialects from a script, and keeps what it received.

    with Fake(Turn(text="yes"), Turn(status=429, retry_after="2")) as fake:
        ... a client of fake.origin ...
        method, path, headers, body = fake.requests[0]

The turns are used in order of arrival, then `otherwise` for ever. It is a real server on a loopback port, in a thread.
"""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any, NamedTuple

import msgspec
import uvicorn

from scrimp.providers import fake_answers as answers
from scrimp.providers.fake_answers import Turn

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]


class Received(NamedTuple):
    """A request as it arrived. `path` has its query; header names are lower-case, order and values as sent."""

    method: str
    path: str
    headers: Headers
    body: bytes

    def header(self, name: str) -> str:
        """A header's first value, or ""."""
        wanted = name.lower().encode()
        return next((value.decode("latin-1") for key, value in self.headers if key == wanted), "")


class _CutOff(Exception):
    """Raised out of the application so that the server drops the connection in the middle of the answer."""


class Fake:
    """The running server. `requests`: all it received; `left`: how many clients hung up before their answer ended."""

    def __init__(self, *script: Turn, otherwise: Turn | None = None) -> None:
        self.script = list(script)
        self.otherwise = otherwise or Turn()
        self.requests: list[Received] = []
        self.left = 0
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
        self.port: int = self._listener.getsockname()[1]
        self.origin = f"http://127.0.0.1:{self.port}"
        logging.getLogger("uvicorn.error").addFilter(_drop_cut_off)
        settings = uvicorn.Config(
            self._answer, interface="asgi3", lifespan="off", ws="none", proxy_headers=False, log_config=None,
            access_log=False, timeout_graceful_shutdown=1
        )  # fmt: skip
        self._server = uvicorn.Server(settings)
        sockets = {"sockets": [self._listener]}
        self._thread = threading.Thread(target=self._server.run, kwargs=sockets, name="scrimp-fake", daemon=True)

    @property
    def base_url(self) -> str:
        """The address as OpenAI clients write it."""
        return f"{self.origin}/v1"

    def __enter__(self) -> Fake:
        self._thread.start()  # the socket listens already: a request that comes early waits
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop; answers under way have a second. May be called twice."""
        self._server.should_exit = True
        self._thread.join()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        parts: list[bytes] = []
        more = True
        while more:
            part = await receive()
            if part["type"] == "http.disconnect":
                self.left += 1
                return
            parts.append(part.get("body", b""))
            more = part.get("more_body", False)
        body = b"".join(parts)
        query = scope["query_string"].decode("latin-1")
        path = scope["raw_path"].decode("latin-1")
        whole = f"{path}?{query}" if query else path
        self.requests.append(Received(scope["method"], whole, list(scope["headers"]), body))
        turn = self.script.pop(0) if self.script else self.otherwise
        playing = asyncio.ensure_future(_play(turn, scope["method"], path, body, send))
        leaving = asyncio.ensure_future(receive())  # after the body, only the client's leaving is left to come
        await asyncio.wait((playing, leaving), return_when=asyncio.FIRST_COMPLETED)
        leaving.cancel()
        if not playing.done():
            self.left += 1
            playing.cancel()
            return
        playing.result()


def _drop_cut_off(record: logging.LogRecord) -> bool:
    """A log filter: a connection cut by the script is no news."""
    return not (record.exc_info and isinstance(record.exc_info[1], _CutOff))


async def _play(turn: Turn, method: str, path: str, body: bytes, send: Send) -> None:
    """Answer one request as the turn says."""
    await asyncio.sleep(turn.wait)
    try:
        found = msgspec.json.decode(body) if body else {}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = {}
    request = found if isinstance(found, dict) else {}
    kind = b"application/json"
    if turn.body is not None:
        pieces: Iterator[bytes] = iter([turn.body])
    elif turn.status >= 400:
        dialect = "anthropic" if path.startswith("/v1/messages") else "openai"
        pieces = iter([json.dumps(answers.error(turn.status, dialect, f"scripted {turn.status}")).encode()])
    elif request.get("stream") is True and (streamed := _stream(path, request, turn)) is not None:
        pieces, kind = streamed, b"text/event-stream"
    else:
        pieces = iter([json.dumps(_whole(method, path, request, turn)).encode()])
    await _send(turn, pieces, kind, send)


async def _send(turn: Turn, pieces: Iterator[bytes], kind: bytes, send: Send) -> None:
    given = [(name.lower().encode(), value.encode()) for name, value in turn.headers]
    if turn.retry_after:
        given.append((b"retry-after", turn.retry_after.encode()))
    names = {name for name, _ in given}
    own = [(b"content-type", kind), (b"x-request-id", b"req_fake")]
    headers = [pair for pair in own if pair[0] not in names] + given
    await send({"type": "http.response.start", "status": turn.status, "headers": headers})
    for count, piece in enumerate(pieces):
        if count == turn.stall_after:
            await asyncio.Event().wait()
        if count == turn.break_after:
            raise _CutOff
        if count and turn.gap:
            await asyncio.sleep(turn.gap)
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def _stream(path: str, request: dict[str, Any], turn: Turn) -> Iterator[bytes] | None:
    """The answer as server-sent events, or None where the path does not stream."""
    said = answers.say(request, turn)
    options = request.get("stream_options") or {}
    with_usage = options.get("include_usage") is True
    if path == "/v1/chat/completions":
        return answers.chat_stream(said, request.get("n") or 1, turn.pieces, with_usage)
    if path == "/v1/completions":
        return answers.completion_stream(said, turn.pieces, with_usage)
    if path == "/v1/responses":
        return answers.response_stream(said, turn.pieces)
    if path == "/v1/messages":
        return answers.message_stream(said, turn.pieces)
    return None


def _whole(method: str, path: str, request: dict[str, Any], turn: Turn) -> dict[str, Any]:
    """The answer as one JSON value; an unknown path is told back."""
    said = answers.say(request, turn)
    if path == "/v1/chat/completions":
        return answers.chat(said, request.get("n") or 1)
    if path == "/v1/completions":
        return answers.completion(said, said.text, "length" if said.cut else "stop", True)
    if path == "/v1/responses":
        return answers.response(said)
    if path == "/v1/embeddings":
        return answers.embeddings(request, said)
    if path == "/v1/messages":
        return answers.message(said)
    if path == "/v1/messages/count_tokens":
        return {"input_tokens": said.input}
    if path == "/v1/models":
        model = {"id": "fake", "object": "model", "created": answers.CREATED, "owned_by": "scrimp"}
        return {"object": "list", "data": [model]}
    return {"object": "echo", "method": method, "path": path}
