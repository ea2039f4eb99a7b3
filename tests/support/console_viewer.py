# SPDX-License-Identifier: Apache-2.0
"""A viewer of a serial console, as nova-serialproxy is one."""

import contextlib
import re
import secrets
import socket

PATIENCE = 10.0
QUESTION = b"\x1b7\x1b[999;999H\x1b[6n\x1b8"
ESCAPES = re.compile(rb"\x1b\[[0-9;]*[A-Za-z]|\x1b[78]|\r")


class Viewer:
    """What nova-serialproxy is to a console."""

    def __init__(self, place: tuple[str, int], source: str = "127.0.0.1") -> None:
        self.socket = socket.create_connection(place, timeout=PATIENCE, source_address=(source, 0))
        self.seen = b""

    def type(self, text: str | bytes) -> None:
        """Type."""
        self.socket.sendall(text if isinstance(text, bytes) else text.encode())

    def sees(self, text: str) -> str:
        """Read until something was shown, and forget it and all before."""
        wanted = text.encode()
        while wanted not in (shown := ESCAPES.sub(b"", self.seen)):
            got = self.socket.recv(65536)
            assert got, f"the console ended; before: {shown!r}"
            self.seen += got
        before, _, rest = shown.partition(wanted)
        self.seen = rest
        return (before + wanted).decode(errors="replace")

    def asks(self, command: str) -> str:
        """Run a command of the shell and return its one line."""
        mark = secrets.token_hex(4)
        self.type(f"echo '<''{mark}'; {command}; echo '>''{mark}'\n")
        self.sees(f"<{mark}\n")
        return self.sees(f"\n>{mark}").removesuffix(f"\n>{mark}")

    def rest(self) -> str:
        """Read to the end."""
        with contextlib.suppress(ConnectionResetError):
            while got := self.socket.recv(65536):
                self.seen += got
        return ESCAPES.sub(b"", self.seen).decode(errors="replace")
