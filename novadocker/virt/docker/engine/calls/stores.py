# SPDX-License-Identifier: Apache-2.0
"""Where the engine keeps the files of a container on its host."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from novadocker.virt.docker.engine.calls.creation import CreationCalls

LAYERED = "overlay2"  # the driver that keeps a container's own files as a directory of files


@dataclass(frozen=True)
class Stores:
    """Directories of a container's files, on the engine's host.

    Attributes:
        driver: storage driver.
        writable: directory of the writable layer; None where it is no directory of its own.
        volumes: directories of the volumes by the paths where the container sees them.
    """

    driver: str
    writable: Path | None = None
    volumes: Mapping[str, Path] = field(default_factory=dict)

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> Self:
        """Read the engine's answer.

        Args:
            body: of ``GET /containers/NAME/json``.
        """
        driver = body.get("Driver", "")
        upper = ((body.get("GraphDriver") or {}).get("Data") or {}).get("UpperDir")
        mounts = body.get("Mounts") or ()
        return cls(
            driver=driver,
            writable=Path(upper) if driver == LAYERED and upper else None,
            volumes={
                each["Destination"]: Path(each["Source"])
                for each in mounts
                if each["Type"] == "volume"
            },
        )


class StoreCalls(CreationCalls):
    """Calls about the place of a container's files on the engine's disk."""

    def stores(self, name: str) -> Stores:
        """Return where a container's files are.

        Args:
            name: name of the container.

        Raises:
            ContainerNotFound: there is none.
        """
        with self._call(f"look for the files of container {name}", name):
            return Stores.parse(self._api.inspect_container(name))

    def description(self, name: str) -> dict[str, Any]:
        """Return all that an engine would have to be told to make a container like this one.

        Args:
            name: name of the container.

        Returns:
            The body of ``GET /containers/NAME/json``.

        Raises:
            ContainerNotFound: there is none.
        """
        with self._call(f"describe container {name}", name):
            body: dict[str, Any] = self._api.inspect_container(name)
            return body

    def create_described(self, body: Mapping[str, Any], name: str) -> None:
        """Make a container by its whole description.

        Args:
            body: of ``POST /containers/create``.
            name: name of the container.
        """
        self._create(f"create container {name}", name, body)
