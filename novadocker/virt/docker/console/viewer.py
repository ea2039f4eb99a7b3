# SPDX-License-Identifier: Apache-2.0
"""One viewer of a console: a connection of Nova's proxy."""

import contextlib
import socket
import time

from novadocker.virt.docker.console.keyboard import QUESTION, Keyboard, Size

QUEUE_BYTES = 256 * 1024
READ_BYTES = 16 * 1024
STALL_SECONDS = 5.0
KEY_SECONDS = 0.05  # how long an escape may be the beginning of more


class Viewer:
    """Connection with its unsent output, and the window behind it.

    Args:
        connection: accepted.
        address: where it comes from, for messages.
    """

    def __init__(self, connection: socket.socket, address: str) -> None:
        connection.settimeout(0)
        self.address = address
        self.size: Size | None = None
        self._socket = connection
        self._keyboard = Keyboard()
        self._queue = bytearray(QUESTION)
        self._taken = time.monotonic()
        self._typed = 0.0

    def fileno(self) -> int:
        """Return the file descriptor.

        Returns:
            For a selector.
        """
        return self._socket.fileno()

    @property
    def behind(self) -> bool:
        """True while output is still to be sent."""
        return bool(self._queue)

    @property
    def full(self) -> bool:
        """True while the viewer has to read before more is shown."""
        return len(self._queue) >= QUEUE_BYTES

    @property
    def stalled(self) -> bool:
        """True for a full queue that nobody has read from for a time."""
        return self.full and time.monotonic() - self._taken > STALL_SECONDS

    @property
    def holding(self) -> bool:
        """True while the last keys may be part of an answer."""
        return self._keyboard.holding

    def show(self, data: bytes) -> None:
        """Put output on the queue.

        Args:
            data: the next of it.
        """
        if not self._queue:
            self._taken = time.monotonic()
        self._queue += data

    def send(self) -> bool:
        """Send output without waiting.

        Returns:
            True if the viewer is still there.
        """
        try:
            sent = self._socket.send(self._queue)
        except BlockingIOError:
            return True
        except OSError:
            return False
        del self._queue[:sent]
        self._taken = time.monotonic()
        return True

    def keys(self) -> bytes | None:
        """Read the keys; sets ``size`` from an answer of the terminal.

        Returns:
            The keys, or None where the viewer has gone.
        """
        try:
            data = self._socket.recv(READ_BYTES)
        except BlockingIOError:
            return b""
        except OSError:
            return None
        if not data:
            return None
        self._typed = time.monotonic()
        keys, size = self._keyboard.feed(data)
        self.size = size or self.size
        return keys

    def release(self) -> bytes:
        """Return keys that were held back for long enough; see ``Keyboard.release``.

        Returns:
            The keys; none while the rest may still come.
        """
        late = time.monotonic() - self._typed >= KEY_SECONDS
        return self._keyboard.release() if late else b""

    def close(self) -> None:
        """End the connection, after a last try to send what is left."""
        if self._queue:
            self.send()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
