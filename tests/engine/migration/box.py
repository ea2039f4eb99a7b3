# SPDX-License-Identifier: Apache-2.0
"""A container whose files a test writes and looks at."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from novadocker.virt.docker.engine import Engine


@dataclass
class Box:
    """A container of a shell, with a volume at /data.

    Attributes:
        engine: where it is.
        api: the engine as anybody else sees it.
        name: of the container.
    """

    engine: Engine
    api: Any
    name: str

    @property
    def merged(self) -> Path:
        """Where the engine shows its files while it runs."""
        return Path(self.api.inspect_container(self.name)["GraphDriver"]["Data"]["MergedDir"])

    def start(self) -> None:
        """Start it."""
        self.api.start(self.name)

    def stop(self) -> None:
        """End it."""
        self.api.stop(self.name, timeout=0)

    def run(self, script: str) -> str:
        """Run a script in it and return what it printed."""
        program = self.api.exec_create(self.name, ["/bin/busybox", "sh", "-ec", script])
        told = self.api.exec_start(program["Id"]).decode()
        assert self.api.exec_inspect(program["Id"])["ExitCode"] == 0, told
        return str(told)

    @property
    def writable(self) -> Path:
        """Directory of its writable layer."""
        found = self.engine.stores(self.name).writable
        assert found
        return found
