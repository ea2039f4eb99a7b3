# SPDX-License-Identifier: Apache-2.0
"""One-shot TLS connection of a transfer: the destination listens, the source pushes.

Address, certificate and a token go over Nova's bus to the one that may connect. The certificate
proves the destination to the source, the token the source to the destination. The port is open
for one connection and a short time; strangers who come first are turned away.
"""

import contextlib
import hmac
import secrets
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from oslo_log import log as logging

from novadocker.errors import TransferFailed
from novadocker.virt.docker.migration import certificate

LOG = logging.getLogger(__name__)

TOKEN_BYTES = 32
# How long a port waits for the source, and either end for the other's next byte. The engine
# may be silent for long while it unpacks the layers of an image.
CONNECT_SECONDS, IDLE_SECONDS, STRANGER_SECONDS = 60, 300, 5


@dataclass(frozen=True)
class Offer:
    """Invitation to connect.

    Attributes:
        address: IP address of the host that listens.
        port: TCP port.
        certificate: the only one to trust, PEM.
        token: secret that the source shows first, hexadecimal.
    """

    address: str
    port: int
    certificate: str
    token: str = field(repr=False)

    def as_dictionary(self) -> dict[str, Any]:
        """Return the offer in the form of Nova's bus."""
        return asdict(self)


class Listener:
    """Listening port for one source.

    Args:
        address: IP address to listen on.
        ports: the ports to choose from.

    Raises:
        TransferFailed: none of the ports is free.
    """

    def __init__(self, address: str, ports: range) -> None:
        self._context, pem = certificate.server_context()
        self._socket = _listening(address, ports)
        port = self._socket.getsockname()[1]
        self.offer = Offer(address, port, pem, secrets.token_hex(TOKEN_BYTES))

    @contextlib.contextmanager
    def accepted(self) -> Iterator[ssl.SSLSocket]:
        """Wait for the source, and close the port behind it.

        Yields:
            The connection, closed at the end of the context.

        Raises:
            TransferFailed: nobody with the token came in time, or the connection failed.
        """
        with _as_ours():
            try:
                connection = self._wait()
            finally:
                self.close()
            with connection:
                yield connection

    def close(self) -> None:
        """Stop to listen; safe to repeat."""
        self._socket.close()

    def _wait(self) -> ssl.SSLSocket:
        deadline = time.monotonic() + CONNECT_SECONDS
        while (left := deadline - time.monotonic()) > 0:
            self._socket.settimeout(left)
            raw, peer = self._socket.accept()
            raw.settimeout(STRANGER_SECONDS)
            try:
                connection = self._context.wrap_socket(raw, server_side=True)
            except OSError as error:
                LOG.warning("A connection from %s for a transfer is no TLS: %s", peer[0], error)
                raw.close()
                continue
            if self._knows_token(connection):
                connection.settimeout(IDLE_SECONDS)
                return connection
            LOG.warning("A connection from %s for a transfer lacks its token", peer[0])
            connection.close()
        raise TransferFailed(reason=f"nobody connected within {CONNECT_SECONDS} seconds")

    def _knows_token(self, connection: ssl.SSLSocket) -> bool:
        expected, shown = bytes.fromhex(self.offer.token), b""
        try:
            while len(shown) < len(expected):
                piece = connection.recv(len(expected) - len(shown))
                if not piece:
                    return False
                shown += piece
        except OSError:
            return False
        return hmac.compare_digest(shown, expected)


@contextlib.contextmanager
def connected(offer: Offer) -> Iterator[ssl.SSLSocket]:
    """Connect to the host that made an offer.

    Args:
        offer: as it came over Nova's bus.

    Yields:
        The connection, which shows the token first.

    Raises:
        TransferFailed: the host cannot be reached, or is not the one that made the offer.
    """
    context = certificate.client_context(offer.certificate)
    with _as_ours():
        raw = socket.create_connection((offer.address, offer.port), CONNECT_SECONDS)
        with context.wrap_socket(raw, server_hostname=certificate.NAME) as connection:
            connection.settimeout(IDLE_SECONDS)
            connection.sendall(bytes.fromhex(offer.token))
            yield connection


def _listening(address: str, ports: range) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    first = secrets.randbelow(len(ports))  # of several transfers, few try the same one
    for number in range(len(ports)):
        candidate = socket.socket(family)
        try:
            candidate.bind((address, ports[(first + number) % len(ports)]))
            candidate.listen()
        except OSError as error:
            candidate.close()
            LOG.debug("Port %d: %s", ports[(first + number) % len(ports)], error)
        else:
            return candidate
    raise TransferFailed(
        reason=f"no port from {ports.start} to {ports.stop - 1} can be listened on at {address}; "
        "see [docker] migration_ports and migration_address"
    )


@contextlib.contextmanager
def _as_ours() -> Iterator[None]:
    try:
        yield
    except OSError as error:  # ssl.SSLError is one of them, and so is a time-out
        raise TransferFailed(reason=f"the connection between the hosts failed ({error})") from error
