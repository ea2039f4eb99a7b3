# SPDX-License-Identifier: Apache-2.0
"""Viewers of a serial console: the screen in common, and the connection of nova-serialproxy."""

import abc
import contextlib
import re
import secrets
import socket

PATIENCE = 10.0
QUESTION = b"\x1b7\x1b[999;999H\x1b[6n\x1b8"
ESCAPES = re.compile(rb"\x1b\[[0-9;]*[A-Za-z]|\x1b[78]|\r")


class Screen(abc.ABC):
    """Text shown by a console, and keys typed, over any connection."""

    seen = b""

    @abc.abstractmethod
    def type(self, text: str) -> None:
        """Send keys to the console."""

    @abc.abstractmethod
    def read(self) -> None:
        """Append the next bytes of the console to ``seen``."""

    def sees(self, text: str) -> str:
        """Read until a text is shown, and forget the text and everything before."""
        wanted = text.encode()
        while wanted not in (shown := ESCAPES.sub(b"", self.seen)):
            self.read()
        before, _, self.seen = shown.partition(wanted)
        return (before + wanted).decode(errors="replace")

    def asks(self, command: str) -> str:
        """Run a command of the shell and return the line of its answer."""
        mark = secrets.token_hex(4)
        self.type(f"echo '<''{mark}'; {command}; echo '>''{mark}'\n")
        self.sees(f"<{mark}\n")
        return self.sees(f"\n>{mark}").removesuffix(f"\n>{mark}")


class Viewer(Screen):
    """Viewer of a console over TCP, as nova-serialproxy is."""

    def __init__(self, place: tuple[str, int], source: str = "127.0.0.1") -> None:
        self.socket = socket.create_connection(place, timeout=PATIENCE, source_address=(source, 0))

    def type(self, text: str | bytes) -> None:
        """Send keys to the console."""
        self.socket.sendall(text if isinstance(text, bytes) else text.encode())

    def read(self) -> None:
        """Append the next bytes of the console to ``seen``; the end is a failure."""
        got = self.socket.recv(65536)
        assert got, f"the console ended; before: {self.seen!r}"
        self.seen += got

    def rest(self) -> str:
        """Read to the end."""
        with contextlib.suppress(ConnectionResetError):
            while got := self.socket.recv(65536):
                self.seen += got
        return ESCAPES.sub(b"", self.seen).decode(errors="replace")
