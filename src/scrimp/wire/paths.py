"""What a request path is: whose API it speaks, whether scrimp knows it, and whether it is safe to send on."""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import unquote

from scrimp.call import Api

Dialect = Literal["openai", "anthropic"]

APIS: dict[str, Api] = {
    "/v1/chat/completions": "openai.chat", "/v1/responses": "openai.responses", "/v1/embeddings": "openai.embeddings",
    "/v1/completions": "openai.completions", "/v1/messages": "anthropic.messages",
    "/v1/messages/count_tokens": "anthropic.count_tokens"
}  # fmt: skip
"""POST paths whose bodies are read."""

KNOWN = (
    "audio", "batches", "chat/completions", "completions", "embeddings", "files", "images", "messages", "models",
    "moderations", "responses"
)  # fmt: skip
"""What may be reached with a key that scrimp supplies: these paths below /v1 and everything beneath them."""

_SUSPECT = re.compile(r"[%\\]|/\.")


def api_of(method: str, path: str) -> Api:
    """The API of a request, "other" where its body is none that scrimp reads."""
    return APIS.get(path, "other") if method == "POST" else "other"


def dialect_of(path: str, header_names: set[bytes]) -> Dialect:
    """Whose clients ask like this: by path, and for shared paths (/v1/models, /v1/files) by the client's headers."""
    if path.startswith(("/v1/messages", "/v1/complete/")) or path == "/v1/complete":
        return "anthropic"
    if path in APIS:
        return "openai"
    return "anthropic" if header_names & {b"anthropic-version", b"x-api-key"} else "openai"


def is_known(path: str, extra: tuple[str, ...] = ()) -> bool:
    """Whether a path below /v1 may be reached with a key that scrimp supplies."""
    tail = path.removeprefix("/v1/")
    allowed = (*KNOWN, *(name.removeprefix("/v1/").strip("/") for name in extra))
    return any(tail == name or tail.startswith(f"{name}/") for name in allowed)


def has_dot_segments(raw_path: str) -> bool:
    """Whether a path climbs: `.` or `..` as a segment, plain or percent-encoded once or twice, `\\` read as `/`."""
    if not _SUSPECT.search(raw_path):
        return False
    once = unquote(raw_path)
    for text in (raw_path, once, unquote(once)):
        if any(part in (".", "..") for part in text.replace("\\", "/").split("/")):
            return True
    return False
