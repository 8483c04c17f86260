"""When two requests are the same question: the key of the exact cache, and which requests may have one.

Everything in the body counts but a short list of fields that cannot change an answer; fields we do not know count.
The audit and the cache itself go by this one function, so that what the audit promises is what the cache does.
"""

from __future__ import annotations

import hashlib
import json
import marshal
import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from scrimp.call import Api

IDLE = frozenset({
    "cache_control", "metadata", "prompt_cache_key", "prompt_cache_retention", "service_tier", "stream",
    "stream_options",
})  # fmt: skip
"""Top-level fields that cannot change what is answered. (`metadata.user_id`, the end user, is kept apart from it.) Not
`store`, by which an answer's id may be built upon; nor `prompt_cache_options`, which can ask for no answer at all."""
END_USER = frozenset({"user", "safety_identifier"})
"""Fields that tell the provider who the end user is: part of the key, unless answers may be shared among users."""
HEADERS = frozenset({
    "anthropic-beta", "anthropic-user-profile-id", "anthropic-version", "anthropic-workspace-id", "openai-beta",
    "openai-organization", "openai-project",
})  # fmt: skip
"""Headers that can change an answer, or whose account it comes from."""
NORMAL_FINISH = frozenset({
    "", "complete", "completed", "end_turn", "eos", "eos_token", "function_call", "stop", "stop_sequence", "tool_call",
    "tool_calls", "tool_use",
})  # fmt: skip
"""How an answer ends that is whole, in lower case; "" where nobody said. Any other end (a limit, a filter, a refusal,
a pause, a word we do not know) is not one to serve again."""

_BEYOND = (
    "previous_response_id", "conversation", "background", "container", "thread", "agent_id", "cachedContent",
    "cached_content", "mcp_servers", "web_search_options", "search_parameters", "enable_search", "plugins",
    "data_sources", "connectors",
)  # fmt: skip
"""Fields that name what the provider keeps, or with which it (OpenAI, Anthropic, xAI, Qwen, OpenRouter, Azure, Cohere)
looks things up by itself."""
_SEARCHING_MODEL = re.compile(r"search-(?:preview|api)|\bsonar\b|deep-research|[-:]online$|\bcompound\b")
_CLIENT_TOOLS = frozenset({
    "function", "custom", "apply_patch", "bash", "browser_toolset", "computer", "computer_toolset",
    "computer_use_preview", "local_shell", "memory", "text_editor",
})  # fmt: skip
"""Types of tools that the caller runs: the model only asks for them (OpenAI's, and Anthropic's without their date)."""
_UNTYPED_TOOLS = frozenset({
    "cachePoint", "computerUse", "computer_use", "functionDeclarations", "function_declarations", "toolSpec",
})  # fmt: skip
"""What an entry of Gemini's or Bedrock's tools holds where the caller runs it."""
_DATE = re.compile(r"_\d{8}$")
_PROMPT = ("messages", "input", "system", "instructions", "prompt", "contents", "systemInstruction")
_PLAIN = frozenset({"text", "input_text", "output_text", "thinking", "tool_use", "function_call", "reasoning"})
"""Parts of a prompt that hold text, or arguments a model made up: whatever they name is no file of the request."""
_ARGUMENTS = frozenset({"tool_calls", "function_call", "functionCall", "functionResponse", "toolUse"})
_FILES = frozenset({"file_id", "file_ids", "vector_store_ids", "fileUri", "file_uri", "s3Location"})
_ADDRESSES = frozenset({"image_url", "video_url", "audio_url", "file_url", "url"})
_NOTABLE = _FILES | _ADDRESSES | {"audio", "tools", "definition"}
_REFERENCE = "it refers to an earlier answer that the provider keeps"
_WITHOUT_TEMPERATURE = re.compile(
    r"(?:^|[/.])(?:o\d|gpt-5(?![.\d]|-chat)|gpt-5\.\d+-(?:codex|pro)"
    r"|claude-(?:opus-(?:4[-.][789](?!\d)|[5-9])|(?:sonnet|haiku)-[5-9]|fable|mythos))"
)
"""Models that take no temperature but their own. Sources: the providers' error messages ("Only the default (1) value
is supported", "deprecated for this model") as users report them, November 2026."""
_REASONING = re.compile(r"(?:^|[/.])gpt-5\.\d")
"""These take a temperature as long as they do not reason."""
_encode = msgspec.json.Encoder(order="deterministic").encode


def has_duplicate_keys(raw: bytes) -> bool:
    """Whether an object in this JSON names a key twice, so that readers differ on what it says: never cached.

    True as well of what cannot be read: nobody can tell. About 7 us for 2 KB.
    """
    try:
        json.loads(raw, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        return True
    return False


def _once(pairs: list[tuple[str, Any]]) -> None:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a key is named twice")


def why_never(body: Mapping[str, Any]) -> str:
    """Why an answer to this request must not be served again; "" where nothing forbids it.

    It depends on what the provider keeps (an earlier response, files), fetches (addresses) or runs (its own tools),
    or it is sent for its effect. A tool that we do not know is taken for the provider's.
    """
    for name in _BEYOND:
        if body.get(name) not in (None, False, [], ""):  # an empty web_search_options asks for a search
            return f"{name} makes the answer depend on more than the request"
    model = body.get("model")
    if isinstance(model, str) and _SEARCHING_MODEL.search(model):
        return f"{model[:60]} looks things up by itself"
    template = body.get("prompt")
    if isinstance(template, Mapping) and not template.get("version"):
        return "its prompt is kept by the provider and may be edited there"
    options = body.get("prompt_cache_options")
    is_empty = body.get("max_tokens") == 0 and not body.get("echo")
    if is_empty or (isinstance(options, Mapping) and options.get("prewarm")):
        return "it warms a prompt cache and asks for no answer"
    config = body.get("toolConfig")  # Bedrock's
    reason = _server_tool(body.get("tools")) or _server_tool(config.get("tools") if isinstance(config, Mapping) else ())
    return reason or _pointer([body[name] for name in _PROMPT if name in body])


def _server_tool(tools: object) -> str:
    """That the provider runs one of these tools; "" where the caller runs them all."""
    for tool in tools if isinstance(tools, list) else ():
        if not isinstance(tool, Mapping):
            continue
        kind = tool.get("type")
        if kind is not None:
            is_callers = "input_schema" in tool or _DATE.sub("", str(kind)) in _CLIENT_TOOLS
        else:
            is_callers = "name" in tool or "function" in tool or tool.keys() <= _UNTYPED_TOOLS
        if not is_callers:
            return f"the provider runs the tool {str(kind or min(map(str, tool.keys() - _UNTYPED_TOOLS)))[:60]}"
    return ""


def _pointer(prompt: list[Any]) -> str:
    """Why a prompt is not all there: it points to a file, an address, or something said before; "" if it is."""
    left = prompt
    while left:
        value = left.pop()
        if isinstance(value, list):
            left.extend(value)
        elif isinstance(value, dict):
            kind = value.get("type")
            if isinstance(kind, str) and kind in _PLAIN:
                continue
            if kind == "item_reference":
                return _REFERENCE
            for name, inner in value.items():
                if name in _NOTABLE and (reason := _points(name, inner)):
                    return reason
                if type(inner) in (dict, list) and name not in _ARGUMENTS:
                    left.append(inner)
    return ""


def _points(name: str, value: Any) -> str:
    """Why a member of a prompt's part makes it depend on more than the request, "" if it does not."""
    if name in _FILES:
        return "it names a file that the provider keeps" if value else ""
    if name in _ADDRESSES:
        is_remote = isinstance(value, str) and bool(value) and not value.startswith("data:")
        return "it points to an address whose content may change" if is_remote else ""
    if name == "audio":  # what a model said before, by its id
        return _REFERENCE if isinstance(value, dict) and value.get("id") else ""
    return _server_tool(value if isinstance(value, list) else [value])  # tools that join in mid-conversation


def is_deterministic(api: Api, model: str, body: Mapping[str, Any]) -> bool:
    """Whether the caller asked for one answer, not for any: temperature 0, a model that has none, an embedding.

    A temperature that is not given is the provider's, and not 0. Where a model takes one only while it does not
    reason, it has none if the request says how hard to reason.
    """
    if api in ("openai.embeddings", "anthropic.count_tokens"):
        return True
    name = model.lower()
    if _WITHOUT_TEMPERATURE.search(name):
        return True
    if _REASONING.search(name):
        reasoning = body.get("reasoning")
        effort = body.get("reasoning_effort") or (reasoning.get("effort") if isinstance(reasoning, Mapping) else None)
        if effort not in (None, "", "none"):
            return True
    temperature = body.get("temperature")
    for config in (body.get("generationConfig"), body.get("inferenceConfig")):  # Gemini, Bedrock
        if temperature is None and isinstance(config, Mapping):
            temperature = config.get("temperature")
    return type(temperature) in (int, float) and temperature == 0


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

    `body`: the request as msgspec decodes it, without duplicate keys. `headers`: names in lower case; those of
    HEADERS count. `shared`: the end user does not count. The order of keys, whitespace and escapes make no
    difference. At the top level (temperature) neither does the spelling of a number: 0, 0.0 and 0e0 are one; deeper
    1 and 1.0 are two questions, which can only cost a hit. A field that is null is not a field that is missing.
    """
    asked = {}
    for name, value in body.items():
        if name in IDLE or (shared and name in END_USER):
            continue
        is_whole = type(value) is float and value.is_integer() and abs(value) < 2**53  # above, a float is many integers
        asked[name] = int(value) if is_whole else value
    metadata = body.get("metadata")
    user = metadata.get("user_id") if isinstance(metadata, Mapping) and not shared else None
    counted = sorted((name, value) for name, value in headers if name in HEADERS)
    question = (tenant, provider, path, query, user, counted, asked)
    try:
        whole = _encode(question)
    except RecursionError:  # as deep as can be decoded; here the order of keys counts
        whole = b"deep" + marshal.dumps(question, 2)
    return hashlib.blake2b(whole, digest_size=16).digest()
