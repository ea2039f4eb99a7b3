# SPDX-License-Identifier: Apache-2.0

import socket
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from novadocker.errors import TransferFailed
from novadocker.virt.docker.migration import stream
from novadocker.virt.docker.migration.stream import Listener, connected

PORTS = range(49300, 49320)


@pytest.fixture
def listener() -> Iterator[Listener]:
    """A port that waits for a source."""
    made = Listener("127.0.0.1", PORTS)
    yield made
    made.close()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """Threads for the other end."""
    with ThreadPoolExecutor(1) as made:
        yield made


def _read(listener: Listener) -> bytes:
    with listener.accepted() as connection:
        return connection.recv(100)


def test_bytes_arrive(listener: Listener, pool: ThreadPoolExecutor) -> None:
    """A source with the offer reaches the destination, and the port is closed behind it."""
    reading = pool.submit(_read, listener)
    with connected(listener.offer) as connection:
        assert connection.version() == "TLSv1.3"
        connection.sendall(b"hello")
    assert reading.result() == b"hello"
    with pytest.raises(TransferFailed, match="failed"), connected(listener.offer):
        pass


def test_other_certificate_is_refused(listener: Listener, pool: ThreadPoolExecutor) -> None:
    """A source sends nothing to a host whose certificate is not the offered one."""
    other = Listener("127.0.0.1", PORTS)
    other.close()
    offer = replace(listener.offer, certificate=other.offer.certificate)
    reading = pool.submit(_read, listener)
    with pytest.raises(TransferFailed, match="certificate verify failed"), connected(offer):
        pass
    with connected(listener.offer) as connection:
        connection.sendall(b"hello")
    assert reading.result() == b"hello"


def test_stranger_is_turned_away(listener: Listener, pool: ThreadPoolExecutor) -> None:
    """Who lacks the token, or speaks no TLS, does not keep the source from its place."""
    reading = pool.submit(_read, listener)
    where = ("127.0.0.1", listener.offer.port)
    with socket.create_connection(where) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
        with connected(replace(listener.offer, token="00" * 32)) as wrong:
            with pytest.raises((ssl.SSLError, OSError, AssertionError)):
                assert wrong.recv(1)
            with connected(listener.offer) as connection:
                connection.sendall(b"hello")
    assert reading.result() == b"hello"


def test_nobody_comes(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that nobody connects to is closed after a time."""
    monkeypatch.setattr(stream, "CONNECT_SECONDS", 0.1)
    with pytest.raises(TransferFailed), listener.accepted():
        pass


def test_ports_in_use(listener: Listener) -> None:
    """A range without a free port is named with its options."""
    only = range(listener.offer.port, listener.offer.port + 1)
    with pytest.raises(TransferFailed, match="migration_ports"):
        Listener("127.0.0.1", only)


def test_token_is_not_shown(listener: Listener) -> None:
    """An offer in a log does not show its token."""
    assert listener.offer.token not in repr(listener.offer)
