"""Loopback: a provider down to the socket, raw requests, and waiting for what was written down."""

from __future__ import annotations

import contextlib
import socket
import sqlite3
import threading
import time
from collections.abc import Callable

import scrimp
from scrimp.store import open_store


def wait_for_records(path, count: int = 1, seconds: float = 8.0) -> list:
    """Rows of a store, oldest first, once there are `count`."""
    end = time.monotonic() + seconds
    found: list = []
    while time.monotonic() < end:
        with contextlib.suppress(sqlite3.Error):
            store = open_store(str(path), read_only=True)
            found = list(store.records())
            store.close()
        if len(found) >= count:
            return found
        time.sleep(0.02)
    raise AssertionError(f"{len(found)} records after {seconds} s, not {count}: {found}")


class RawUpstream:
    """A provider down to the socket: keeps every byte it receives, answers with exactly the bytes it is given.

    `script` is called with the connection after the request has arrived whole, and writes whatever it likes.
    """

    def __init__(self, script: Callable[[socket.socket], None]) -> None:
        self.script = script
        self.requests: list[bytes] = []
        self.left = threading.Event()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.origin = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            data = b""
            while True:
                data = self._one(connection, data)
        self.left.set()

    def _one(self, connection: socket.socket, data: bytes) -> bytes:
        """Receive one request whole, answer it; what came after it. OSError when the other side has left."""
        while b"\r\n\r\n" not in data:
            data += self._more(connection)
        head, _, body = data.partition(b"\r\n\r\n")
        length = next((int(h[15:]) for h in head.lower().split(b"\r\n") if h.startswith(b"content-length:")), 0)
        while len(body) < length:
            body += self._more(connection)
        self.requests.append(head + b"\r\n\r\n" + body[:length])
        self.script(connection)
        return body[length:]

    @staticmethod
    def _more(connection: socket.socket) -> bytes:
        data = connection.recv(65536)
        if not data:
            raise OSError("closed")
        return data

    def body(self, index: int = 0) -> bytes:
        """The body of a received request."""
        return self.requests[index].partition(b"\r\n\r\n")[2]

    def close(self) -> None:
        self._server.close()


def exchange(gateway: scrimp.Gateway, request: bytes, seconds: float = 5.0) -> bytes:
    """Send raw bytes, read until the other side closes or nothing comes for a while."""
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=seconds) as connection:
        connection.sendall(request)
        data = b""
        with contextlib.suppress(TimeoutError, ConnectionResetError):
            while part := connection.recv(65536):
                data += part
        return data


def post(path: str, body: bytes, *headers: str) -> bytes:
    """A raw POST that closes afterwards."""
    lines = [f"POST {path} HTTP/1.1", "host: scrimp", "connection: close", f"content-length: {len(body)}"]
    lines += headers or ["content-type: application/json"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
