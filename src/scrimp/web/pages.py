"""What is not a call: the report as a page, probes, metrics. Host and origin are checked, labels are escaped."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from scrimp.errors import Refused, ScrimpError, render
from scrimp.world import World

Send = Callable[[dict[str, Any]], Awaitable[None]]
LOOPBACK = ("127.0.0.1", "localhost", "[::1]", "::1")
_SAFE = (
    (b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer"), (b"x-frame-options", b"DENY"),
    (b"cache-control", b"no-store")
)  # fmt: skip


async def answer(world: World, scope: MutableMapping[str, Any], send: Send) -> None:
    """Answer a request outside /v1."""
    path: str = scope["path"]
    method: str = scope["method"]
    headers = dict(scope["headers"])
    try:
        if method not in ("GET", "HEAD") or path not in PAGES:
            raise Refused(
                f"there is nothing at {path[:100]}",
                hint="Calls go to /v1/... : OpenAI clients use base_url http://HOST:PORT/v1, Anthropic ones http://HOST:PORT",
                status=404,
                code="not_found",
            )
        if path not in ("/healthz", "/readyz"):
            check_host(world, headers)
        status, kind, body, extra = await PAGES[path](world, headers)
    except ScrimpError as error:
        status, kind, body, extra = error.status, "application/json", render(error, "openai", ""), ()
    fields = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode()), *_SAFE, *extra]
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else body})


def check_host(world: World, headers: dict[bytes, bytes]) -> None:
    """Pages answer only to names that are theirs: a foreign name here is a page rebinding DNS. Raises Refused."""
    host = headers.get(b"host", b"").decode("latin-1").lower()
    name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
    serve = world.config.serve
    if name not in (*LOOPBACK, serve.host.lower(), *(known.lower() for known in serve.hosts)):
        raise Refused(
            f"this page does not answer to the host name {name[:80]!r}",
            hint='List it in the configuration: [serve] hosts = ["..."]', status=403, code="host_not_allowed"
        )  # fmt: skip
    origin = headers.get(b"origin")
    if origin is not None and origin.decode("latin-1") not in serve.origins:
        raise Refused("this browser origin may not read the page", status=403, code="origin_not_allowed")


Page = tuple[int, str, bytes, tuple[tuple[bytes, bytes], ...]]


async def _report(world: World, headers: dict[bytes, bytes]) -> Page:
    from scrimp.report.html import csp, page

    address = f"http://{headers.get(b'host', b'').decode('latin-1')}"  # a name that check_host knows
    body = await asyncio.to_thread(page, world.store, address=address)
    return 200, "text/html; charset=utf-8", body, ((b"content-security-policy", csp().encode()),)


async def _health(world: World, headers: dict[bytes, bytes]) -> Page:
    return 200, "application/json", b'{"status":"ok"}', ()


async def _ready(world: World, headers: dict[bytes, bytes]) -> Page:
    state = {"ready": world.ready, "trouble": world.trouble, "prices": world.priced, "store": world.store.health()}
    return (200 if world.ready else 503), "application/json", json.dumps(state).encode(), ()


async def _metrics(world: World, headers: dict[bytes, bytes]) -> Page:
    from scrimp.web.metrics import CONTENT_TYPE, render_metrics

    return 200, CONTENT_TYPE, render_metrics(world), ()


PAGES: dict[str, Callable[[World, dict[bytes, bytes]], Awaitable[Page]]] = {
    "/": _report, "/healthz": _health, "/readyz": _ready, "/metrics": _metrics
}  # fmt: skip
