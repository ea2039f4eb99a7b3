# SPDX-License-Identifier: Apache-2.0
"""Endpoint that Prometheus reads."""

import socket
import urllib.request
from collections.abc import Callable

import pytest

from novadocker.errors import EngineUnavailable
from novadocker.virt.docker.telemetry.endpoint import Endpoint, EngineHealth

HERE = "127.0.0.1"


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as free:
        free.bind((HERE, 0))
        return int(free.getsockname()[1])


def read(port: int) -> str:
    """Return the text at a port."""
    with urllib.request.urlopen(f"http://{HERE}:{port}/metrics", timeout=5) as answer:
        return str(answer.read().decode())


def gone() -> object:
    """Fail as an engine that is away."""
    raise EngineUnavailable(url="unix:///x", reason="gone")


@pytest.mark.parametrize(("ask", "up"), [(dict, "1.0"), (gone, "0.0")])
def test_an_engine_is_asked_at_each_reading(ask: Callable[[], object], up: str) -> None:
    """An engine that is away is a figure, not a failed reading."""
    port = free_port()
    endpoint = Endpoint(HERE, port, EngineHealth(ask))
    endpoint.start()
    try:
        assert f"novadocker_engine_up {up}" in read(port)
        assert "novadocker_network_repairs_total" in read(port)
    finally:
        endpoint.stop()
    with pytest.raises(OSError, match="refused"):
        read(port)


def test_an_endpoint_without_a_port_is_off() -> None:
    """The default listens nowhere, and a stop without a start is no error."""
    endpoint = Endpoint(HERE, 0, EngineHealth(dict))
    endpoint.start()
    endpoint.stop()


def test_a_taken_port_is_told_and_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """The start of nova-compute goes on without figures, and the log names the option."""
    with socket.socket() as taken:
        taken.bind((HERE, 0))
        taken.listen()
        endpoint = Endpoint(HERE, taken.getsockname()[1], EngineHealth(dict))
        endpoint.start()
        endpoint.stop()
    assert "metrics_port" in caplog.text
