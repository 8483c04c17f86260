"""Tokens counted offline: exact for OpenAI's text and for models whose vocabulary ships, an estimate for the others.

Used where nobody reports: a cut stream, a budget's hold, a routing decision. Where a provider reports its count,
that one is used and never this.
"""

from __future__ import annotations

import functools
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping

from scrimp.wire.sse import decode

UNSEEN = 85
"""Tokens taken for an image, recording or document, whose real number only the provider knows. (OpenAI's base price
of an image in tokens, its smallest: so a lower bound.)"""
PER_MESSAGE = 3
PER_REQUEST = 3
"""Tokens that a chat format adds. Measured on recorded calls: 3 a message and 3 to 4 a request with OpenAI, a frame of
4 to 7 with Anthropic (provider-facts.md, section 11)."""

CLAUDE_TOOLS = 340
"""Tokens of the instructions Anthropic adds when there are tools. Measured on recorded calls with one or two plain
tools: 317 to 393 more than their text, Sonnet 4 to Opus 4.8; its server tools add thousands that nobody can foresee."""

_CL100K = re.compile(r"(?:^|:)(?:gpt-3\.?5|gpt-4(?:$|-(?!o))|text-embedding-|text-davinci|davinci|babbage)")
_CLAUDE = re.compile(r"claude-(?:[a-z]+-)?(\d)(?:[-.](\d{1,2})(?!\d))?")
_LLAMA = re.compile(r"llama-?[3-9]|meta\.llama[3-9]")
_CLAUDE_RATIO = 1.12
_CLAUDE_47_RATIO = 1.43
"""Anthropic's tokens for one of o200k: 1.09 to 1.16 up to 4.6, 1.38 to 1.47 from Opus 4.7 on (section 11)."""

_DECLARED = ("tools", "functions", "toolConfig", "response_format")
_SAID = ("system", "instructions", "systemInstruction", "system_instruction", "messages", "contents", "input", "prompt")
_TURNS = ("messages", "input")  # Gemini's format adds nothing to `contents`
_MEDIA_TYPES = frozenset((
    "image", "image_url", "input_image", "input_audio", "audio", "document", "file", "input_file", "video", "video_url"
))  # fmt: skip
_MEDIA_KEYS = frozenset(
    ("inlineData", "inline_data", "fileData", "file_data", "image", "image_url", "input_audio", "document", "video")
)
_JSON_KEYS = frozenset(("args", "input", "response", "json", "parameters", "input_schema"))
"""Keys whose objects reach the model as JSON."""
_SILENT = frozenset((
    "cachePoint", "cache_control", "call_id", "encrypted_content", "format", "id", "media_type", "mimeType", "role",
    "signature", "status", "thoughtSignature", "tool_call_id", "tool_use_id", "toolUseId", "type"
))  # fmt: skip
"""Keys whose text a model does not read as text."""


_AS_O200K = {"cl100k_base": 1.0, "llama3": 1.0, "qwen3": 1.05}
"""Tokens for one of o200k's, where a vocabulary is not worth its 50 MB: 551 English texts and 215 agent turns gave
1.01 and 1.00 (cl100k, llama3), 1.04 and 1.12 (qwen3)."""


def count(text: str, model: str, *, rough: bool = False) -> int:
    """Tokens of a text in the model's own vocabulary where it ships, else o200k's count times a measured ratio.

    Exact for OpenAI models, Llama 3 and Qwen; within about 5 % for Claude prose; Gemini, Mistral, DeepSeek, Grok and
    unknown models take o200k's count as it is (recorded answers: 0.97 to 1.04 of the reported count).
    `rough`: o200k's count and a ratio for every model, for a server that must not hold a vocabulary a family.
    """
    if not text:
        return 0
    encoding, ratio = _family(model, rough)
    counted = _counter(encoding)(_clean(text))
    return counted if ratio == 1 else math.ceil(counted * ratio)


def count_request(api: str | None, body: bytes, model: str, *, rough: bool = False) -> int:
    """An estimate of the input tokens of a request in any dialect; 0 where it is no JSON object.

    Counts the text of system, messages, tools and input, and what a chat format adds. Images, recordings and
    documents cannot be seen: each counts UNSEEN tokens, base64 is never counted as text. Nor can what a provider adds
    by itself (a stored conversation, tool instructions) be seen, so this is often low, seldom high.
    """
    request = decode(body)
    if not isinstance(request, Mapping):
        return 0
    encoding, ratio = _family(model, rough)
    counter = _counter(encoding)
    text = sum(counter(_clean(_json(request[name]))) for name in _DECLARED if request.get(name))
    unseen = 0
    for name in _SAID:
        for part in _parts(request.get(name)):
            if isinstance(part, str):
                text += counter(_clean(part))
            else:
                unseen += part
    if request.get("tools") and "claude" in model.lower():
        unseen += CLAUDE_TOOLS
    return math.ceil(text * ratio) + unseen + _frame(api, request)


def _frame(api: str | None, request: Mapping[str, object]) -> int:
    if api in ("openai.embeddings", "openai.completions"):
        return 0
    turns = 0
    for name in _TURNS:
        value = request.get(name)
        turns += len(value) if isinstance(value, list) and any(isinstance(turn, Mapping) for turn in value) else 0
    if isinstance(request.get("input"), str):  # Responses: a text is one message (embeddings were told by their API)
        turns += 1
    turns += sum(1 for name in _SAID[:4] if request.get(name))
    return PER_MESSAGE * turns + PER_REQUEST if turns else 0


def _parts(value: object) -> Iterator[str | int]:
    """The texts below a value, and as numbers the tokens of what is not text."""
    if isinstance(value, str):
        yield UNSEEN if value[:5] == "data:" and ";base64," in value[:200] else value
    elif isinstance(value, list):
        yield sum(1 for item in value if type(item) is int)  # tokens that the client made itself
        for item in value:
            yield from _parts(item)
    elif isinstance(value, Mapping):
        if value.get("type") in _MEDIA_TYPES or not _MEDIA_KEYS.isdisjoint(value):
            yield from _media(value)
            return
        for key, item in value.items():
            if key in _JSON_KEYS and isinstance(item, Mapping):
                yield _json(item)
            elif key not in _SILENT:
                yield from _parts(item)


def _media(value: Mapping[str, object]) -> Iterator[str | int]:
    source = value.get("source")
    if isinstance(source, Mapping) and source.get("type") in ("text", "content"):
        yield from _parts(source.get("data"))
        yield from _parts(source.get("content"))
    else:
        yield UNSEEN
    for key in ("text", "title", "context"):
        yield from _parts(value.get(key))


def warm() -> None:
    """Read the vocabulary of rough counts now: half a second in which the interpreter does nothing else."""
    _counter("o200k_base")


def _family(model: str, rough: bool = False) -> tuple[str, float]:
    """Vocabulary and ratio of a model, by its name with or without a provider before it."""
    if rough:
        encoding, ratio = _family(model)
        return "o200k_base", ratio * _AS_O200K.get(encoding, 1.0)
    name = model.lower().rpartition("/")[2]
    if found := _CLAUDE.search(name):
        version = (int(found[1]), int(found[2] or 0))
        return "o200k_base", _CLAUDE_47_RATIO if version >= (4, 7) else _CLAUDE_RATIO
    if _CL100K.search(name):
        return "cl100k_base", 1
    if "claude" in name:
        return "o200k_base", _CLAUDE_RATIO
    if _LLAMA.search(name):
        return "llama3", 1
    if "qwen" in name:
        return "qwen3", 1
    return "o200k_base", 1


@functools.cache
def _counter(encoding: str) -> Callable[[str], int]:
    """The vocabulary, read from its file at first use (0.5 s)."""
    import quicktok

    counter: Callable[[str], int] = quicktok.get_encoding(encoding).count
    return counter


def _clean(text: str) -> str:
    """Text without lone surrogates, which legal JSON may hold and no tokenizer takes."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
