"""Which headers travel: hop-by-hop ones never, labels and our own never upstream, everything else as it came."""

from __future__ import annotations

from collections.abc import Iterable

Headers = list[tuple[bytes, bytes]]

HOP_BY_HOP = frozenset((
    b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"proxy-connection", b"te", b"trailer",
    b"transfer-encoding", b"upgrade"
))  # fmt: skip
_NOT_UPSTREAM = HOP_BY_HOP | {b"host", b"content-length", b"accept-encoding", b"expect"}
LABEL_PREFIXES = (b"x-scrimp-", b"helicone-", b"x-portkey-", b"cf-aig-", b"x-litellm-")
"""Ours and other gateways' headers: read for labels, never sent to a provider."""
CREDENTIALS = frozenset((b"authorization", b"x-api-key", b"api-key", b"x-goog-api-key", b"cookie"))
_DECODABLE = (b"gzip", b"deflate", b"identity")


def upstream_headers(headers: Headers, key: tuple[str, str] | None, plain: bool) -> list[tuple[str, str]]:
    """The client's headers as the provider gets them, with its key in place of the client's where scrimp has one.

    `plain` asks for an answer without compression (its stream has to be edited). Encodings that scrimp could not
    read are taken out of the offer, so that usage can always be read.
    """
    named = _connection_names(headers)
    out: list[tuple[str, str]] = [("accept-encoding", "identity")] if plain else []
    for name, value in headers:
        if name in _NOT_UPSTREAM or name in named or name.startswith(LABEL_PREFIXES):
            if name == b"accept-encoding" and not plain:
                out.append(("accept-encoding", _offer(value)))
            continue
        if key is not None and name in CREDENTIALS:
            continue
        out.append((name.decode("latin-1"), _text(value)))
    if key is not None:
        out.append(key)
    return out


def client_headers(raw: Iterable[tuple[bytes, bytes]], edited: bool) -> Headers:
    """The provider's headers as the client gets them; without length and encoding where the body was `edited`."""
    headers = [(name.lower(), value) for name, value in raw]
    dropped = HOP_BY_HOP | _connection_names(headers)
    if edited:
        dropped |= {b"content-length", b"content-encoding"}
    return [(name, value) for name, value in headers if name not in dropped]


def _connection_names(headers: Headers) -> frozenset[bytes]:
    for name, value in headers:
        if name == b"connection" and value.lower() not in (b"keep-alive", b"close"):
            return frozenset(part.strip().lower() for part in value.split(b","))
    return frozenset()


def _offer(value: bytes) -> str:
    """The client's accept-encoding, less what scrimp cannot decode."""
    kept = [part.strip() for part in value.lower().split(b",") if part.split(b";")[0].strip() in _DECODABLE]
    return b", ".join(kept).decode("latin-1") or "identity"


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")
