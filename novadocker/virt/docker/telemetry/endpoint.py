# SPDX-License-Identifier: Apache-2.0
"""HTTP endpoint with the figures, for Prometheus to read."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress

from oslo_log import log as logging
from prometheus_client import start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from novadocker.errors import DockerDriverError
from novadocker.virt.docker.telemetry.figures import REGISTRY

LOG = logging.getLogger(__name__)


class EngineHealth(Collector):
    """Health of the engine at the moment of a reading.

    Args:
        ask: question to the engine; raises DockerDriverError where no answer comes.
    """

    def __init__(self, ask: Callable[[], object]) -> None:
        self._ask = ask

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the engine's figures."""
        began, answers = time.monotonic(), 0.0
        with suppress(DockerDriverError):
            self._ask()
            answers = 1.0
        yield GaugeMetricFamily("novadocker_engine_up", "1 for an engine that answers.", answers)
        seconds = time.monotonic() - began
        yield GaugeMetricFamily(
            "novadocker_engine_answer_seconds", "Time until its answer, or the failure.", seconds
        )


class Endpoint:
    """Endpoint that is off without a port.

    Args:
        address: address to listen at.
        port: TCP port; 0 for none.
        engine: figures of the engine.
    """

    def __init__(self, address: str, port: int, engine: Collector) -> None:
        self._address = address
        self._port = port
        self._engine = engine
        self._stop: Callable[[], None] | None = None

    def start(self) -> None:
        """Listen; servers of tenants go on without figures where the port is taken."""
        if not self._port or self._stop:
            return
        try:
            server, _ = start_http_server(self._port, self._address, REGISTRY)
        except OSError as error:
            LOG.warning(
                "No metrics: [docker]metrics_port %d at %s cannot be used: %s",
                self._port,
                self._address,
                error,
            )
            return
        # Last: a collector without an endpoint would be asked by the next endpoint, too.
        REGISTRY.register(self._engine)

        def stop() -> None:
            server.shutdown()
            server.server_close()
            REGISTRY.unregister(self._engine)

        self._stop = stop

    def stop(self) -> None:
        """Listen no longer; safe to repeat."""
        if self._stop:
            self._stop()
        self._stop = None
