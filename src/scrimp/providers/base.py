"""A provider: where it is, how it wants its key, and one method that opens an answer.

The answer's bytes come as they arrive; nothing is decoded, followed or repeated here. Failures are told apart by the
errors `Down`, `Slow` and `Broken`, so that the sending loop can decide.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
from yarl import URL

from scrimp.config import ProviderConfig
from scrimp.errors import Broken, Down, Slow
from scrimp.providers.flight import Flight

SKIP = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")
"""Headers that aiohttp would add by itself; the session is made without them."""
_SLICE = 256 * 1024

CUT_BILLS_FULL = (
    "bedrock", "groq", "googleapis", "mistral", "perplexity", "huggingface", "sambanova", "minimax", "dashscope",
    "nebius"
)  # fmt: skip
"""Hosts that go on generating when a stream is cut, and bill in full (the providers' documented behaviour)."""


class Reply:
    """An answer that has begun: status and headers are there, the body comes with `read`."""

    __slots__ = ("_flight", "_response", "by_length", "headers", "status")

    def __init__(self, response: aiohttp.ClientResponse, flight: Flight) -> None:
        self._response = response
        self._flight = flight
        self.status = response.status
        self.headers = response.raw_headers
        names = response.headers
        self.by_length = "Content-Length" in names or "Transfer-Encoding" in names

    def header(self, name: str) -> str:
        """A header's first value, or ""."""
        return self._response.headers.get(name, "")

    async def read(self) -> bytes:
        """What has arrived, at least a byte; b"" at the orderly end. Raises Broken when it breaks off."""
        try:
            data = await self._response.content.readany()
        except (aiohttp.ClientError, OSError) as error:
            raise Broken(f"the provider's answer broke off: {_words(error)}") from error
        self._flight.last = time.monotonic()
        self._flight.upstream = True  # from the first bytes on the idle limit holds, not the one for the first token
        return data

    def at_end(self) -> bool:
        """Whether the answer has ended in order and everything of it was read."""
        return self._response.content.at_eof() and self._response.content.exception() is None

    def close(self) -> None:
        """Let go: an answer that is not at its end is cut, and its connection with it."""
        self._response.close()


class Provider:
    """One configured provider."""

    def __init__(self, name: str, config: ProviderConfig, key: str = "", proxy: str = "") -> None:
        base = config.base_url.rstrip("/")
        if config.api == "anthropic":
            base = base.removesuffix("/v1")
        self.name = name
        self.config = config
        self.base = base
        self.host = URL(base).host or ""
        self.key = key
        self._proxy = proxy or None
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=config.connect)
        self._urls: dict[tuple[str, bytes], URL] = {}

    @property
    def supplies_key(self) -> bool:
        """Whether scrimp sends a key of its own to this provider."""
        return bool(self.key)

    @property
    def cut_bills(self) -> str:
        """What an answer that was cut costs: it "stops" there, or the provider bills it in "full"."""
        if self.config.cut_bills:
            return self.config.cut_bills
        return "full" if any(name in self.host for name in CUT_BILLS_FULL) else "stops"

    def key_header(self) -> tuple[str, str] | None:
        """The header that carries scrimp's key for this provider, or None."""
        if not self.key:
            return None
        if self.config.api == "anthropic":
            return ("x-api-key", self.key)
        return ("authorization", f"Bearer {self.key}")

    def url(self, path: str, query: bytes) -> URL:
        """Where a client's path below /v1 is at this provider; the query's bytes stay as they are."""
        url = self._urls.get((path, query))
        if url is None:
            tail = path.removeprefix("/v1") if self.config.api == "openai" else path
            text = f"{self.base}{tail}"
            url = URL(f"{text}?{query.decode('latin-1')}" if query else text, encoded=True)
            if not query and len(self._urls) < 256:
                self._urls[path, query] = url
        return url

    async def open(
        self, session: aiohttp.ClientSession, flight: Flight, method: str, url: URL, headers: list[tuple[str, str]],
        body: bytes | AsyncIterator[bytes] | None
    ) -> Reply:  # fmt: skip
        """Send the request and wait for the answer's head. Raises Down (no answer) or Slow (no connection in time)."""
        config = self.config
        flight.first_token, flight.idle, flight.total = config.first_token, config.idle, config.total
        flight.last = time.monotonic()
        sent: Any = body
        if isinstance(body, bytes) and len(body) > _SLICE:
            headers = [*headers, ("content-length", str(len(body)))]
            sent = _slices(body)
        try:
            response = await session.request(
                method, url, data=sent, headers=headers, allow_redirects=False, proxy=self._proxy, timeout=self._timeout
            )
        except aiohttp.ServerTimeoutError as error:
            raise Slow(f"no connection to {self.name} within {config.connect:g} s") from error
        except (aiohttp.ClientError, OSError) as error:
            raise Down(f"{self.name} gave no answer: {_words(error)}") from error
        flight.last = time.monotonic()
        return Reply(response, flight)


async def _slices(body: bytes) -> AsyncIterator[bytes]:
    """A large body in slices, so that one write does not hold the loop; no slice is copied twice."""
    view = memoryview(body)
    for start in range(0, len(body), _SLICE):
        yield bytes(view[start : start + _SLICE])


def _words(error: BaseException) -> str:
    """An error in words that hold no address, key or URL of the request."""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "its name could not be resolved"
    if isinstance(error, aiohttp.ClientSSLError):
        return "its certificate or TLS handshake was not accepted"
    if isinstance(error, aiohttp.ClientConnectorError):
        return "the connection was refused or is unreachable"
    if isinstance(error, aiohttp.ServerDisconnectedError | ConnectionResetError):
        return "the connection was closed"
    return type(error).__name__
