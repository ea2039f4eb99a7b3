# SPDX-License-Identifier: Apache-2.0
"""Proxy between driver and engine that loses replies, after the engine has acted."""

import contextlib
import re
import selectors
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

CHUNK = 1 << 16
_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")


class LossyEngine:
    """Proxy on a Unix socket.

    Args:
        path: address to serve.
        engine: address of the real engine.
    """

    def __init__(self, path: Path, engine: Path) -> None:
        self.url = f"unix://{path}"
        self._engine = str(engine)
        self._lose: list[bytes] = []
        self._silent: list[bytes] = []
        self.lost: list[str] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(16)

    def lose(self, *calls: str) -> None:
        """Lose the reply to the next request that begins with each of some words.

        Args:
            *calls: method and a regular expression of the path below the API's version, such as
                "POST /containers/create".
        """
        self._lose += [_pattern(each) for each in calls]

    def silence(self, call: str) -> None:
        """Answer no request any more that begins with some words; see ``lose``."""
        self._silent.append(_pattern(call))

    @contextlib.contextmanager
    def serve(self) -> Iterator["LossyEngine"]:
        """Serve until the end of the context."""
        thread = threading.Thread(target=self._accept, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            thread.join(timeout=10)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._relay, args=(client,), daemon=True).start()

    def _relay(self, client: socket.socket) -> None:
        with client, socket.socket(socket.AF_UNIX) as engine, selectors.DefaultSelector() as ready:
            engine.connect(self._engine)
            ready.register(client, selectors.EVENT_READ)
            ready.register(engine, selectors.EVENT_READ)
            swallowed: bytes | None = None
            with contextlib.suppress(OSError):
                while True:
                    for key, _ in ready.select():
                        data = key.fileobj.recv(CHUNK)  # type: ignore[union-attr]
                        if not data:
                            return
                        if key.fileobj is client and self._is_silent(data):
                            continue
                        if key.fileobj is client:
                            engine.sendall(data)
                            swallowed = b"" if self._is_to_lose(data) else swallowed
                        elif swallowed is None:
                            client.sendall(data)
                        else:
                            swallowed += data
                            if _is_whole(swallowed):
                                return

    def _is_silent(self, data: bytes) -> bool:
        return any(re.match(call, data) for call in self._silent)

    def _is_to_lose(self, data: bytes) -> bool:
        for call in self._lose:
            if re.match(call, data):
                self._lose.remove(call)
                self.lost.append(data.split(b"\r\n", 1)[0].decode())
                return True
        return False


def _pattern(call: str) -> bytes:
    return call.replace(" ", " /v[0-9.]+", 1).encode()


def _is_whole(answer: bytes) -> bool:
    head, separator, body = answer.partition(b"\r\n\r\n")
    if not separator:
        return False
    if length := _LENGTH.search(head):
        return len(body) >= int(length[1])
    return b" 204 " in head or body.endswith(b"0\r\n\r\n")
