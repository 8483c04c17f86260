"""The answers of the scripted provider, in the shapes the real ones send: JSON bodies, and server-sent events.

Everything follows from the request and the turn alone: the same request gets the same bytes again.
"""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from collections.abc import Iterator
from typing import Any

import msgspec

CREATED = 1_700_000_000
BYTES_A_TOKEN = 4
"""The scripted provider's tokenizer: a token is four bytes of UTF-8."""
DIMENSIONS = 8
Event = dict[str, Any]


class Turn(msgspec.Struct, frozen=True):
    """How one request is answered. Times in seconds.

    `text` is the answer, said `repeat` times; `tool` makes it a call of that tool with `arguments` (JSON) instead.
    `input`, `cached`, `output`, `reasoning` are the usage (None: counted; an answer never passes the request's cap).
    `status` and `headers` answer an error (`retry_after` becomes its header); `body` stands for any body, verbatim.
    `wait` passes before the head, `gap` between events; `stall_after` and `break_after` count events, then nothing
    more comes until the client leaves, or the connection is cut. `pieces` is the number of words in a delta.
    """

    text: str = "The quick brown fox jumps over the lazy dog."
    repeat: int = 1
    tool: str = ""
    arguments: str = "{}"
    input: int | None = None
    cached: int = 0
    output: int | None = None
    reasoning: int = 0
    status: int = 200
    body: bytes | None = None
    retry_after: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    wait: float = 0.0
    gap: float = 0.0
    stall_after: int | None = None
    break_after: int | None = None
    pieces: int = 1


class Said(msgspec.Struct, frozen=True):
    """An answer as it is put into any dialect: its words, how it ended, what it used."""

    id: str
    model: str
    text: str
    tool: str
    arguments: str
    cut: bool
    input: int
    cached: int
    output: int
    reasoning: int

    def deltas(self, words: int) -> list[str]:
        """The text in pieces of so many words; joined they are the text."""
        parts = self.text.split(" ")
        groups = [" ".join(parts[at : at + words]) for at in range(0, len(parts), words)]
        return [group if index == 0 else f" {group}" for index, group in enumerate(groups)]


def tokens(text: str) -> int:
    """Tokens of a text, at least one where there is any."""
    return -(-len(text.encode("utf-8", "surrogatepass")) // BYTES_A_TOKEN)


def say(request: Event, turn: Turn) -> Said:
    """What the turn says to a request: the text within the request's cap, and the usage."""
    asked = [request.get(name) for name in ("messages", "system", "input", "instructions", "prompt", "tools")]
    size = turn.input
    if size is None:
        size = sum(tokens(json.dumps(part, ensure_ascii=False)) for part in asked if part)
    caps = (request.get(name) for name in ("max_completion_tokens", "max_tokens", "max_output_tokens"))
    cap = next((found for found in caps if isinstance(found, int)), None)
    text = " ".join([turn.text] * turn.repeat)
    cut = cap is not None and tokens(text) > cap and not turn.tool
    if cut and cap is not None:
        text = text.encode()[: cap * BYTES_A_TOKEN].decode("utf-8", "ignore")
    digest = hashlib.blake2b(json.dumps(request, sort_keys=True).encode(), digest_size=6).hexdigest()
    output = turn.output
    if output is None:
        output = tokens(turn.arguments if turn.tool else text) + turn.reasoning
    return Said(
        id=digest, model=str(request.get("model", "fake")), text="" if turn.tool else text, tool=turn.tool,
        arguments=turn.arguments, cut=cut, input=size, cached=min(turn.cached, size), output=output,
        reasoning=turn.reasoning
    )  # fmt: skip


# OpenAI chat completions and legacy completions


def _chat_usage(said: Said) -> Event:
    return {
        "prompt_tokens": said.input, "completion_tokens": said.output, "total_tokens": said.input + said.output,
        "prompt_tokens_details": {"cached_tokens": said.cached, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": said.reasoning, "audio_tokens": 0}
    }  # fmt: skip


def _tool_call(said: Said) -> Event:
    return {"id": f"call_{said.id}", "type": "function", "function": {"name": said.tool, "arguments": said.arguments}}


def _finish(said: Said) -> str:
    if said.tool:
        return "tool_calls"
    return "length" if said.cut else "stop"


def chat(said: Said, choices: int) -> Event:
    """A chat completion."""
    message: Event = {"role": "assistant", "content": None if said.tool else said.text, "refusal": None}
    if said.tool:
        message["tool_calls"] = [_tool_call(said)]
    choice = {"message": message, "logprobs": None, "finish_reason": _finish(said)}
    return {
        "id": f"chatcmpl-{said.id}", "object": "chat.completion", "created": CREATED, "model": said.model,
        "choices": [{"index": index, **choice} for index in range(choices)],
        "usage": _chat_usage(said), "service_tier": "default"
    }  # fmt: skip


def chat_stream(said: Said, choices: int, words: int, with_usage: bool) -> Iterator[bytes]:
    """The same as chunks; the usage only where it was asked for, as OpenAI does."""
    head = {"id": f"chatcmpl-{said.id}", "object": "chat.completion.chunk", "created": CREATED, "model": said.model}
    deltas: list[Event] = [{"role": "assistant", "content": "" if not said.tool else None, "refusal": None}]
    if said.tool:
        deltas.append({"tool_calls": [{"index": 0, **_tool_call(said)}]})
    else:
        deltas.extend({"content": piece} for piece in said.deltas(words))
    usage = {"usage": None} if with_usage else {}
    for delta in deltas:
        for index in range(choices):
            choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": None}
            yield _data({**head, "choices": [choice], **usage})
    for index in range(choices):
        last = {"index": index, "delta": {}, "logprobs": None, "finish_reason": _finish(said)}
        yield _data({**head, "choices": [last], **usage})
    if with_usage:
        yield _data({**head, "choices": [], "usage": _chat_usage(said)})
    yield b"data: [DONE]\n\n"


def completion(said: Said, text: str, finish: str | None, usage: bool) -> Event:
    """A legacy completion, whole or a piece of its stream."""
    return {
        "id": f"cmpl-{said.id}", "object": "text_completion", "created": CREATED, "model": said.model,
        "choices": [{"index": 0, "text": text, "logprobs": None, "finish_reason": finish}],
        **({"usage": _chat_usage(said)} if usage else {})
    }  # fmt: skip


def completion_stream(said: Said, words: int, with_usage: bool) -> Iterator[bytes]:
    """A legacy completion as chunks."""
    for piece in said.deltas(words):
        yield _data(completion(said, piece, None, False))
    yield _data(completion(said, "", _finish(said), False))
    if with_usage:
        yield _data({**completion(said, "", None, True), "choices": []})
    yield b"data: [DONE]\n\n"


# OpenAI responses and embeddings


def response(said: Said, status: str = "") -> Event:
    """A response object; `status` "in_progress" is how a stream begins."""
    done = status != "in_progress"
    usage = {
        "input_tokens": said.input, "input_tokens_details": {"cached_tokens": said.cached},
        "output_tokens": said.output, "output_tokens_details": {"reasoning_tokens": said.reasoning},
        "total_tokens": said.input + said.output
    }  # fmt: skip
    return {
        "id": f"resp_{said.id}", "object": "response", "created_at": CREATED,
        "status": status or ("incomplete" if said.cut else "completed"), "error": None,
        "incomplete_details": {"reason": "max_output_tokens"} if said.cut and done else None, "model": said.model,
        "output": [_item(said)] if done else [], "parallel_tool_calls": True, "tool_choice": "auto", "tools": [],
        "usage": usage if done else None
    }  # fmt: skip


def _item(said: Said) -> Event:
    if said.tool:
        call = {"call_id": f"call_{said.id}", "name": said.tool, "arguments": said.arguments}
        return {"type": "function_call", "id": f"fc_{said.id}", "status": "completed", **call}
    content = {"type": "output_text", "text": said.text, "annotations": []}
    return {"type": "message", "id": f"msg_{said.id}", "status": "completed", "role": "assistant", "content": [content]}


def response_stream(said: Said, words: int) -> Iterator[bytes]:
    """A response as events; the usage is in the last one."""
    item = _item(said)
    place = {"item_id": item["id"], "output_index": 0}
    events: list[Event] = [
        {"type": "response.created", "response": response(said, "in_progress")},
        {"type": "response.in_progress", "response": response(said, "in_progress")},
    ]
    if said.tool:
        begun = {**item, "status": "in_progress", "arguments": ""}
        events.append({"type": "response.output_item.added", "output_index": 0, "item": begun})
        events.append({"type": "response.function_call_arguments.delta", **place, "delta": said.arguments})
        events.append({"type": "response.function_call_arguments.done", **place, "arguments": said.arguments})
    else:
        begun = {**item, "status": "in_progress", "content": []}
        place["content_index"] = 0
        part = {"type": "output_text", "text": "", "annotations": []}
        events.append({"type": "response.output_item.added", "output_index": 0, "item": begun})
        events.append({"type": "response.content_part.added", **place, "part": part})
        for piece in said.deltas(words):
            events.append({"type": "response.output_text.delta", **place, "delta": piece, "logprobs": []})
        events.append({"type": "response.output_text.done", **place, "text": said.text, "logprobs": []})
        events.append({"type": "response.content_part.done", **place, "part": item["content"][0]})
    events.append({"type": "response.output_item.done", "output_index": 0, "item": item})
    last = response(said)
    events.append({"type": f"response.{last['status']}", "response": last})
    for number, event in enumerate(events):
        yield _named({**event, "sequence_number": number})


def embeddings(request: Event, said: Said) -> Event:
    """A vector an input, made from its hash; base64 where the client asked for it."""
    asked = request.get("input", "")
    inputs = asked if isinstance(asked, list) and not all(isinstance(part, int) for part in asked) else [asked]
    data = []
    for index, text in enumerate(inputs):
        digest = hashlib.blake2b(json.dumps(text).encode(), digest_size=DIMENSIONS).digest()
        vector: Any = [byte / 256 for byte in digest]
        if request.get("encoding_format") == "base64":
            vector = base64.b64encode(struct.pack(f"<{DIMENSIONS}f", *vector)).decode()
        data.append({"object": "embedding", "index": index, "embedding": vector})
    usage = {"prompt_tokens": said.input, "total_tokens": said.input}
    return {"object": "list", "data": data, "model": said.model, "usage": usage}


# Anthropic messages


def _stop(said: Said) -> str:
    if said.tool:
        return "tool_use"
    return "max_tokens" if said.cut else "end_turn"


def message(said: Said, begun: bool = False) -> Event:
    """A message; `begun` is how a stream starts: no content, a placeholder of output tokens."""
    if said.tool:
        block: Event = {"type": "tool_use", "id": f"toolu_{said.id}", "name": said.tool}
        block["input"] = json.loads(said.arguments)
    else:
        block = {"type": "text", "text": said.text}
    usage = {
        "input_tokens": said.input - said.cached, "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": said.cached, "output_tokens": 1 if begun else said.output,
        "service_tier": "standard"
    }  # fmt: skip
    return {
        "id": f"msg_{said.id}", "type": "message", "role": "assistant", "model": said.model,
        "content": [] if begun else [block], "stop_reason": None if begun else _stop(said), "stop_sequence": None,
        "usage": usage
    }  # fmt: skip


def message_stream(said: Said, words: int) -> Iterator[bytes]:
    """A message as named events; the last usage is cumulative."""
    yield _named({"type": "message_start", "message": message(said, begun=True)})
    if said.tool:
        block: Event = {"type": "tool_use", "id": f"toolu_{said.id}", "name": said.tool, "input": {}}
        deltas = [{"type": "input_json_delta", "partial_json": part} for part in ("", said.arguments)]
    else:
        block = {"type": "text", "text": ""}
        deltas = [{"type": "text_delta", "text": piece} for piece in said.deltas(words)]
    yield _named({"type": "content_block_start", "index": 0, "content_block": block})
    yield _named({"type": "ping"})
    for delta in deltas:
        yield _named({"type": "content_block_delta", "index": 0, "delta": delta})
    yield _named({"type": "content_block_stop", "index": 0})
    stop = {"stop_reason": _stop(said), "stop_sequence": None}
    yield _named({"type": "message_delta", "delta": stop, "usage": {"output_tokens": said.output}})
    yield _named({"type": "message_stop"})


def error(status: int, dialect: str, text: str) -> Event:
    """An error body in the dialect ("openai" or "anthropic")."""
    kinds = {429: "rate_limit_error", 529: "overloaded_error"}
    kind = kinds.get(status, "invalid_request_error" if status < 500 else "api_error")
    if dialect == "anthropic":
        return {"type": "error", "error": {"type": kind, "message": text}, "request_id": "req_fake"}
    code = {429: "rate_limit_exceeded", 503: "server_is_overloaded"}.get(status)
    return {"error": {"message": text, "type": kind, "param": None, "code": code}}


def _data(value: Event) -> bytes:
    return b"data: " + json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode() + b"\n\n"


def _named(value: Event) -> bytes:
    return f"event: {value['type']}\n".encode() + _data(value)
