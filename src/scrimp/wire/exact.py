"""When two requests are the same question: the key of the exact cache, and which requests may have one.

Everything in the body counts but a short list of fields that cannot change an answer; fields we do not know count.
The audit and the cache itself go by this one function, so that what the audit promises is what the cache does.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from scrimp.call import Api

IDLE = frozenset(
    (
        "metadata",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "service_tier",
        "store",
        "stream",
        "stream_options",
    )
)
"""Top-level fields that cannot change what is answered. (`metadata.user_id`, the end user, is kept apart from it.)"""
END_USER = ("user", "safety_identifier")
"""Fields that name the end user: part of the key, unless answers may be shared among users."""
HEADERS = ("anthropic-version", "anthropic-beta", "openai-beta", "openai-organization", "openai-project")
"""Headers that can change an answer."""
_STATE = ("previous_response_id", "conversation", "background", "container", "mcp_servers", "web_search_options")
_FILE = re.compile(rb'"(?:file_id|file_ids|vector_store_ids)"\s*:\s*[^\sn]|"type"\s*:\s*"file"')
_OWN_TOOLS = ("function", "custom", None)
_WITHOUT_TEMPERATURE = re.compile(
    r"(?:^|/)(?:o\d|gpt-5|claude-(?:opus-(?:4-[789]|[5-9])|sonnet-[5-9]|fable|haiku-[5-9]))"
)
_encode = msgspec.json.Encoder(order="deterministic").encode


def why_never(body: Mapping[str, Any]) -> str:
    """Why an answer to this request must not be served again; "" where nothing forbids it.

    It depends on state the provider keeps (an earlier response, files), or on tools that the provider runs itself.
    """
    for name in _STATE:
        if body.get(name):
            return f"{name} makes the answer depend on more than the request"
    tools = body.get("tools")
    for tool in tools if isinstance(tools, list) else ():
        if isinstance(tool, Mapping) and tool.get("type") not in _OWN_TOOLS and "input_schema" not in tool:
            return f"the provider runs the tool {str(tool.get('type'))[:60]}"
    return "it names a file that may change" if _FILE.search(_encode(body)) else ""


def is_deterministic(api: Api, model: str, body: Mapping[str, Any]) -> bool:
    """Whether the caller asked for one answer, not for any: temperature 0, a model that has none, an embedding."""
    if api == "openai.embeddings":
        return True
    temperature = body.get("temperature")
    if temperature is None:
        return _WITHOUT_TEMPERATURE.search(model.lower()) is not None
    return isinstance(temperature, int | float) and temperature == 0


def exact_key(
    tenant: str,
    provider: str,
    path: str,
    query: bytes,
    body: Mapping[str, Any],
    headers: Iterable[tuple[str, str]] = (),
    shared: bool = False,
) -> bytes:
    """16 bytes that two requests share exactly where one's answer is an answer to the other.

    `body`: the decoded request, without duplicate keys. `headers`: names in lower case; those of HEADERS count.
    `shared`: the end user does not count.
    """
    left_out = IDLE.union(END_USER) if shared else IDLE
    asked = {name: value for name, value in body.items() if name not in left_out}
    metadata = body.get("metadata")
    user = metadata.get("user_id") if isinstance(metadata, Mapping) and not shared else None
    counted = sorted((name, value) for name, value in headers if name in HEADERS)
    whole = _encode((tenant, provider, path, query, user, counted, asked))
    return hashlib.blake2b(whole, digest_size=16).digest()
