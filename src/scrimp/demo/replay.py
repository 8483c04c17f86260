"""The bundled requests, sent through the official `openai` and `anthropic` clients as an application would send them.

requests.jsonl holds what README.md beside it says; each line names its API, whether it streams, who asks (labels that
become x-scrimp-* headers; most have none) and the body, to which the model is added here.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

import msgspec

from scrimp.errors import ScrimpError

FILE = Path(__file__).with_name("requests.jsonl")
AT_ONCE = 2
TIMEOUT = 60.0
"""Seconds a call may take."""


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A bundled request; `source` names the rows of the data sets it was made from."""

    id: str
    call: Literal["openai.chat", "openai.responses", "anthropic.messages"]
    stream: bool
    labels: dict[str, str]
    source: str
    body: dict[str, Any]


class Reply(msgspec.Struct, frozen=True):
    """What came back: the answer's text and how long it took, or the error in words."""

    request: Request
    seconds: float
    text: str = ""
    error: str = ""


class Clients:
    """The official clients, pointed at a gateway. They carry no key and ignore proxies of the environment.

    They retry as they do by default: llama.cpp drops a connection after each stream without a word, and the next
    request may just have been sent on it.
    Raises ScrimpError where they are not installed.
    """

    def __init__(self, openai_base_url: str, anthropic_base_url: str) -> None:
        try:
            import anthropic
            import openai
        except ImportError as error:
            raise ScrimpError(
                f"the demo drives the official clients, and {error.name} is not installed",
                hint="pip install 'scrimp[demo]'",
            ) from error
        self.errors = (openai.OpenAIError, anthropic.AnthropicError)
        usual: dict[str, Any] = {"api_key": "none", "timeout": TIMEOUT}
        door = openai.DefaultHttpxClient(trust_env=False)
        self.openai: Any = openai.OpenAI(base_url=openai_base_url, http_client=door, **usual)
        door = anthropic.DefaultHttpxClient(trust_env=False)
        self.anthropic: Any = anthropic.Anthropic(base_url=anthropic_base_url, http_client=door, **usual)

    def close(self) -> None:
        """Let the connections go."""
        self.openai.close()
        self.anthropic.close()

    def ask(self, request: Request, model: str) -> Reply:
        """Send one request and read its answer to the end."""
        headers = {f"x-scrimp-{name}": value for name, value in request.labels.items()}
        begun = time.monotonic()
        create, read = self._door(request)
        try:
            answer = create(**request.body, model=model, stream=request.stream, extra_headers=headers)
            text = "".join(read(answer))
        except self.errors as error:
            return Reply(request, time.monotonic() - begun, error=f"{type(error).__name__}: {error}")
        return Reply(request, time.monotonic() - begun, text)

    def _door(self, request: Request) -> tuple[Callable[..., Any], Callable[[Any], Iterator[str]]]:
        if request.call == "openai.chat":
            return self.openai.chat.completions.create, _read_chat_stream if request.stream else _read_chat
        if request.call == "openai.responses":
            return self.openai.responses.create, _read_response_stream if request.stream else _read_response
        return self.anthropic.messages.create, _read_message_stream if request.stream else _read_message


def _read_chat(answer: Any) -> Iterator[str]:
    yield answer.choices[0].message.content or ""


def _read_chat_stream(stream: Any) -> Iterator[str]:
    for chunk in stream:
        yield chunk.choices[0].delta.content or ""  # as applications do: each chunk has a choice unless usage was asked


def _read_response(answer: Any) -> Iterator[str]:
    yield answer.output_text


def _read_response_stream(stream: Any) -> Iterator[str]:
    for event in stream:
        if event.type == "response.output_text.delta":
            yield event.delta


def _read_message(answer: Any) -> Iterator[str]:
    for block in answer.content:
        yield block.text if block.type == "text" else ""


def _read_message_stream(stream: Any) -> Iterator[str]:
    for event in stream:
        if event.type == "content_block_delta" and event.delta.type == "text_delta":
            yield event.delta.text


def read_requests(path: Path = FILE) -> list[Request]:
    """The bundled requests, in order."""
    return msgspec.json.Decoder(Request).decode_lines(path.read_bytes())


def replay(clients: Clients, model: str, requests: list[Request], at_once: int = AT_ONCE) -> Iterator[Reply]:
    """Send the requests, so many at a time, and give each reply in the order of the requests."""
    pool = ThreadPoolExecutor(at_once, "scrimp-demo")
    try:
        waiting: list[Future[Reply]] = [pool.submit(clients.ask, request, model) for request in requests]
        for future in waiting:
            yield future.result()
    finally:
        pool.shutdown(cancel_futures=True)


MARK = "# Written by `scrimp demo`, which writes it anew each time.\n"
"""First line of the settings that a demo keeps: a file without it is somebody else's."""


def configuration(base_url: str, model: str, price: Mapping[str, float], store: str) -> str:
    """The demo's scrimp.toml: one server of one's own that speaks both dialects, and its price (USD per Mtok)."""
    prices = "".join(f"{name} = {usd}\n" for name, usd in price.items())
    provider = f"[providers.local]\nbase_url = {_quoted(base_url)}\n"
    return f"{MARK}store = {_quoted(store)}\n\n{provider}\n[models.{_quoted(f'local/{model}')}]\n{prices}"


def check_ours(settings: Path) -> None:
    """Raise ScrimpError where the demo would write over a file that it did not write."""
    try:
        with settings.open("rb") as file:
            ours = file.readline() == MARK.encode()
    except FileNotFoundError:
        return
    except OSError as error:
        raise ScrimpError(f"{settings} cannot be written: {error.strerror}", hint="Name another --store") from None
    if not ours:
        raise ScrimpError(f"{settings} was not written by the demo and is left as it is", hint="Name another --store")


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # a JSON string is a TOML string
