# SPDX-License-Identifier: Apache-2.0
"""Host with a double of the vRouter agent, to be stopped and started."""

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from novadocker.cloud.doubles.opensdn.agent import Agent
from novadocker.cloud.doubles.opensdn.api import Server, serving
from novadocker.cloud.doubles.opensdn.data_plane import NoPackets
from novadocker.cloud.doubles.opensdn.port import Port
from novadocker.virt.docker.conf.values import VRouterOptions

ADDRESS = ("127.0.0.1", 9091)
STALE_SECONDS = 0.5


class VRouterHost:
    """Agent's double, with port files and control node."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.data_plane = NoPackets()
        self._running = ExitStack()
        self.server: Server | None = None

    @property
    def options(self) -> VRouterOptions:
        """Driver's options for this agent."""
        return VRouterOptions(ports_directory=self.directory, patience=0.4)

    @property
    def ports(self) -> dict[str, Port]:
        """Ports of the agent."""
        assert self.server
        return self.server.agent.ports

    @property
    def calls(self) -> list[str]:
        """Requests to the agent since the last start."""
        assert self.server
        return self.server.calls

    def files(self) -> set[str]:
        """Name all files below the agent's directory."""
        return {path.name for path in self.directory.iterdir() if path.is_file()}

    def file(self, port: str) -> Any:
        """Read a port's file."""
        return json.loads((self.directory / port).read_text())

    def start(self) -> None:
        """Start the agent, with the ports of the files."""
        agent = Agent(self.directory, self.data_plane, stale_seconds=STALE_SECONDS)
        self.server = self._running.enter_context(serving(agent, ADDRESS))

    def stop(self) -> None:
        """End the agent; ports without files are forgotten."""
        self._running.close()
        self.server = None
        self.data_plane.attached.clear()

    def restart(self) -> None:
        """Restart the agent."""
        self.stop()
        self.start()
