"""The errors that some code branches on, and how each is told to a client or a person.

Ours are ConfigError (at the start only, exit code 2), Refused and StoreError; ProviderError is theirs, and told apart
into Down, Slow and Broken.
"""

from __future__ import annotations

import json


class ScrimpError(Exception):
    """An error with an HTTP status, a stable code and a hint that names the next step."""

    status = 500
    code = "internal_error"

    def __init__(self, message: str, *, hint: str = "", status: int = 0, code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.status = status or self.status
        self.code = code or self.code

    def __str__(self) -> str:
        return f"{self.message}. {self.hint}" if self.hint else self.message


class ConfigError(ScrimpError):
    """The configuration cannot be used; the message starts with the path of the key."""

    code = "bad_config"


class Refused(ScrimpError):
    """scrimp itself says no to a request: 400, 401, 403, 404, 413, 415, 429."""

    status = 400
    code = "refused"


class ProviderError(ScrimpError):
    """The provider did not give an answer that can be passed on."""

    status = 502
    code = "provider_error"
    gave_up = False
    """Whether scrimp itself has tried again already, so that the client should not."""


class Down(ProviderError):
    """No connection, or it broke before an answer began."""

    code = "provider_down"


class Slow(ProviderError):
    """A time-out on the way to or from the provider: connect, first token, idle or total."""

    status = 504
    code = "provider_timeout"


class Broken(ProviderError):
    """The answer broke off after its first bytes had been passed on."""

    code = "provider_broke_off"


class StoreError(ScrimpError):
    """Our own store failed: logged and counted, never shown to a client. Calls go on without it."""

    code = "store_error"


_ANTHROPIC_TYPES = {
    400: "invalid_request_error", 401: "authentication_error", 403: "permission_error", 404: "not_found_error",
    413: "request_too_large", 415: "invalid_request_error", 429: "rate_limit_error", 504: "timeout_error"
}  # fmt: skip
_OPENAI_TYPES = {401: "invalid_request_error", 429: "rate_limit_error"}


def render(error: ScrimpError, dialect: str, call_id: str) -> bytes:
    """The error as a JSON body in the caller's dialect ("openai" or "anthropic")."""
    message = f"scrimp: {error}"
    if dialect == "anthropic":
        kind = _ANTHROPIC_TYPES.get(error.status, "invalid_request_error" if error.status < 500 else "api_error")
        told = {"type": "error", "error": {"type": kind, "message": message}, "request_id": call_id}
        return json.dumps(told).encode()
    kind = _OPENAI_TYPES.get(error.status, "invalid_request_error" if error.status < 500 else "server_error")
    return json.dumps({"error": {"message": message, "type": kind, "param": None, "code": error.code}}).encode()
