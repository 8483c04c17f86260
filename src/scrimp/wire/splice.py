"""The two byte splices: a usage request added to a stream and hidden again, and a `provider/` prefix taken off.

Everything else of a body keeps its bytes. Where a place must be found exactly, a token scanner walks the JSON by
strings and brackets only, so that order, spacing, duplicate keys and odd numbers stay what they were.
"""

from __future__ import annotations

import re

import msgspec

_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\]:,]|[^\s"{}\[\]:,]+', re.DOTALL)
_LITERAL = re.compile(rb"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null")
_OPEN = {b"{": b"}", b"[": b"]"}
_NULL_OPTION = re.compile(rb'([^{}"]*(?:"(?!include_usage")[^"{}]*"[^"{}]*)*)"include_usage"\s*:\s*null')
_OPTIONS = re.compile(rb'"stream_options"\s*:\s*\{')
ASK_USAGE = b'"stream_options":{"include_usage":true}'


class NotJson(ValueError):
    """The bytes are not a JSON object."""


def top_level(raw: bytes) -> dict[str, list[tuple[int, int]]]:
    """Where the values of an object's own keys stand: key -> (start, end) of each value, in order of appearance.

    Knows strings, brackets and literals; depth costs nothing. Raises NotJson, naming the byte, for what no JSON
    object can look like.
    """
    stack: list[bytes] = []
    found: dict[str, list[tuple[int, int]]] = {}
    key = ""
    start = -1
    state = "value"
    end = 0
    for token in _TOKEN.finditer(raw):
        if raw[end : token.start()].strip():
            raise NotJson(f"unexpected text at byte {end}")
        end = token.end()
        text = token.group()
        if not stack and (found or state == "done"):
            raise NotJson(f"extra text after the object at byte {token.start()}")
        if not stack and text != b"{":
            raise NotJson("it does not start with '{'")
        state, key, start = _step(stack, text, token.start(), state, key, start, found)
    if stack or state != "done" or raw[end:].strip():
        raise NotJson(f"it ends too early, at byte {len(raw)}")
    return found


def _step(
    stack: list[bytes], text: bytes, at: int, state: str, key: str, start: int, found: dict[str, list[tuple[int, int]]]
) -> tuple[str, str, int]:
    """One token of the walk. States: value, key, colon, comma (after a value), done."""
    if state in ("value", "first") and text in _OPEN:
        if len(stack) == 1:
            start = at
        stack.append(_OPEN[text])
        return ("firstkey" if text == b"{" else "first"), key, start
    if state in ("comma", "first", "firstkey") and stack and text == stack[-1]:
        stack.pop()
        if len(stack) == 1:
            found.setdefault(key, []).append((start, at + 1))
        return ("comma" if stack else "done"), key, start
    if state in ("key", "firstkey") and text[:1] == b'"':
        if len(stack) == 1:
            key = _name(text)
        return "colon", key, start
    if (state, text) in (("colon", b":"), ("comma", b",")):
        return ("key" if state == "comma" and stack[-1] == b"}" else "value"), key, start
    if state in ("value", "first") and (text[:1] == b'"' or _LITERAL.fullmatch(text)):
        if len(stack) == 1:
            found.setdefault(key, []).append((at, at + len(text)))
        return "comma", key, start
    raise NotJson(f"unexpected {text[:20].decode('utf-8', 'replace')!r} at byte {at}")


def _name(text: bytes) -> str:
    try:
        return str(msgspec.json.decode(text))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return text.decode("utf-8", "replace")


def ask_for_usage(raw: bytes, has_options: bool) -> bytes:
    """The body with `stream_options.include_usage` true; unchanged where it cannot be added without rewriting."""
    if not has_options:
        start = raw.index(b"{") + 1
        rest = raw[start:]
        comma = b"" if rest.lstrip()[:1] == b"}" else b","
        if b'"stream_options"' not in rest:
            return raw[:start] + ASK_USAGE + comma + rest
        places = top_level(raw).get("stream_options", [])
        if not places:
            return raw[:start] + ASK_USAGE + comma + rest
        if len(places) == 1 and raw[slice(*places[0])] == b"null":
            first, last = places[0]
            return raw[:first] + b'{"include_usage":true}' + raw[last:]
        return raw
    if raw.count(b'"stream_options"') == 1 and (found := _OPTIONS.search(raw)):
        start = found.end()
    else:
        places = top_level(raw).get("stream_options", [])
        if len(places) != 1:
            return raw
        start = places[0][0] + 1
    null = _NULL_OPTION.match(raw, start)
    if null is not None:
        return raw[:start] + null[1] + b'"include_usage":true' + raw[null.end() :]
    comma = b"" if raw[start:].lstrip()[:1] == b"}" else b","
    return raw[:start] + b'"include_usage":true' + comma + raw[start:]


def strip_prefix(raw: bytes, prefix: str) -> bytes:
    """The body with `prefix/` taken off the front of its model; every top-level `model` that has it."""
    needle = msgspec.json.encode(f"{prefix}/")[:-1]
    if raw.count(b'"model"') == 1:  # inside a string its quotes would be escaped: this is the key
        found = re.search(rb'"model"\s*:\s*(' + re.escape(needle) + b")", raw)
        return raw if found is None else raw[: found.start(1)] + b'"' + raw[found.end(1) :]
    for start, end in reversed(top_level(raw).get("model", [])):
        if raw[start:end].startswith(needle):
            raw = raw[:start] + b'"' + raw[start + len(needle) : end] + raw[end:]
    return raw


class _Event(msgspec.Struct, gc=False):
    usage: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    choices: list[msgspec.Raw] | None = None


_event = msgspec.json.Decoder(_Event).decode
_END = re.compile(rb"\r\n\r\n|\n\n|\r\r")
_NULL_USAGE = re.compile(rb'\s*,\s*"usage"\s*:\s*null|"usage"\s*:\s*null\s*,\s*')


class UsageHider:
    """Takes out of a chat stream what only an added usage request put in: the extra chunk and `"usage": null`.

    Feed it the bytes as they come; it gives back what may go on. Only the unfinished tail of an event is held.
    """

    def __init__(self) -> None:
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """What of the stream so far may go on."""
        if not self._held and b'"usage"' not in data and data.endswith(b"\n\n"):
            return data  # whole events with nothing to hide: most of every stream
        data = self._held + data if self._held else data
        cut = 0
        out: list[bytes] = []
        for end in _END.finditer(data):
            event = data[cut : end.end()]
            cut = end.end()
            if b'"usage"' in event:
                event = _hide(event)
            if event:
                out.append(event)
        self._held = data[cut:]
        return b"".join(out)

    def rest(self) -> bytes:
        """The unfinished tail, when the stream is over."""
        held, self._held = self._held, b""
        return _hide(held) if b'"usage"' in held else held


def _hide(event: bytes) -> bytes:
    start = event.find(b"data:")
    if start < 0:
        return event
    payload = event[start + 5 :].strip()
    try:
        read = _event(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return event
    if read.usage is msgspec.UNSET:
        return event
    if bytes(read.usage) != b"null":
        return b"" if read.choices == [] else event
    if event.count(b'"usage"') == 1:
        return _NULL_USAGE.sub(b"", event, count=1)
    return _cut_exactly(event, payload)


def _cut_exactly(event: bytes, payload: bytes) -> bytes:
    """Take out the top-level `"usage": null` where the word stands elsewhere in the event too."""
    base = event.index(payload)
    for start, end in reversed(top_level(payload).get("usage", [])):
        before = re.search(rb'\s*,\s*"usage"\s*:\s*$', payload[:start])
        if before:
            return event[: base + before.start()] + event[base + end :]
        first = re.search(rb'"usage"\s*:\s*$', payload[:start])
        after = re.match(rb"\s*,\s*", payload[end:])
        if first and after:
            return event[: base + first.start()] + event[base + end + after.end() :]
    return event
