# SPDX-License-Identifier: Apache-2.0
"""Sections of a transfer: a heading, then pieces up to an empty one.

TCP and TLS know the end of a connection, not the end of a file: a section that lacks its empty
piece was cut off.
"""

import json
import struct
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

from novadocker.errors import TransferFailed

LENGTH = struct.Struct(">I")
PIECE_BYTES = 16 * 1024 * 1024
END: Mapping[str, Any] = {"section": "end"}


class Connection(Protocol):
    """Part of a socket that sections need."""

    def sendall(self, data: bytes, /) -> None:
        """Send all of some bytes."""

    def recv(self, size: int, /) -> bytes:
        """Return at most so many bytes; none at the end."""


class Outgoing:
    """Sections that are sent.

    Args:
        connection: gets them.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.sent = 0

    def section(self, heading: Mapping[str, Any], pieces: Iterable[bytes] = ()) -> None:
        """Send one section.

        Args:
            heading: JSON object that tells the receiver where the pieces go.
            pieces: the content; what they raise leaves the section open.
        """
        self._piece(json.dumps(heading).encode())
        for piece in pieces:
            if piece:
                self._piece(piece)
        self._piece(b"")

    def _piece(self, piece: bytes) -> None:
        if len(piece) > PIECE_BYTES:
            for start in range(0, len(piece), PIECE_BYTES):
                self._piece(piece[start : start + PIECE_BYTES])
            return
        self._connection.sendall(LENGTH.pack(len(piece)))
        self._connection.sendall(piece)
        self.sent += LENGTH.size + len(piece)


class Arriving:
    """Sections that are received.

    Args:
        connection: sends them.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def heading(self) -> Mapping[str, Any]:
        """Return the heading of the next section; the pieces are read before another heading.

        Raises:
            TransferFailed: the connection was cut, or what came is no heading.
        """
        try:
            heading = json.loads(self._piece())
        except ValueError as error:
            raise TransferFailed(reason=f"a section has no heading ({error})") from error
        if not isinstance(heading, dict):
            raise TransferFailed(reason="the heading of a section is not an object")
        return heading

    def pieces(self) -> Iterator[bytes]:
        """Give the content of the section whose heading came last.

        Yields:
            Its pieces; the last one comes when the section is known to be whole.

        Raises:
            TransferFailed: the connection was cut.
        """
        while piece := self._piece():
            yield piece

    def _piece(self) -> bytes:
        (size,) = LENGTH.unpack(self._exactly(LENGTH.size))
        if size > PIECE_BYTES:
            raise TransferFailed(reason=f"a piece of {size} bytes is more than {PIECE_BYTES}")
        return self._exactly(size)

    def _exactly(self, size: int) -> bytes:
        kept = bytearray()
        while len(kept) < size:
            piece = self._connection.recv(size - len(kept))
            if not piece:
                raise TransferFailed(reason="the connection was cut off")
            kept += piece
        return bytes(kept)
