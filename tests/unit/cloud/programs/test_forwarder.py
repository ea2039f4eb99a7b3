# SPDX-License-Identifier: Apache-2.0
"""A forwarder as a process, between two addresses of loopback."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

_HERE, _THERE = "127.0.0.1", "127.0.0.2"
_PATIENCE = 20


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Yield the socket of a server with answers in capitals, given at the end of a request."""

    def answer() -> None:
        try:
            connection, _ = server.accept()
        except OSError:
            # Shut down by a test.
            return
        with connection:
            data = b"".join(iter(lambda: connection.recv(1 << 16), b""))
            connection.sendall(data.upper())

    with socket.create_server((_HERE, 0)) as server:
        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield server


@pytest.fixture
def forwarder(listener: socket.socket, tmp_path: Path) -> Iterator[int]:
    """Yield the port of a forwarder to that server."""
    port = listener.getsockname()[1]
    ready = tmp_path / "ready.sock"
    words = ("--listen", _THERE, "--to", _HERE, "--socket", str(ready), str(port))
    program = (sys.executable, "-m", "novadocker.cloud.programs.forwarder")
    with subprocess.Popen([*program, *words]) as process:
        deadline = time.monotonic() + _PATIENCE
        while not ready.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        yield port
        process.terminate()
        assert process.wait(_PATIENCE) == 0


def test_bytes_pass_both_ways_and_so_does_an_end(forwarder: int) -> None:
    """A client with a closed half still gets the whole answer, larger than any buffer."""
    sent = b"abc" * 1_000_000
    with socket.create_connection((_THERE, forwarder), timeout=_PATIENCE) as client:
        client.sendall(sent)
        client.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: client.recv(1 << 16), b""))
    assert answer == sent.upper()


def test_a_caller_learns_that_nobody_listens(forwarder: int, listener: socket.socket) -> None:
    """Where the server is gone the connection ends at once, instead of waiting."""
    listener.shutdown(socket.SHUT_RDWR)
    with socket.create_connection((_THERE, forwarder), timeout=_PATIENCE) as client:
        try:
            assert client.recv(1) == b""
        except ConnectionResetError:
            return
