# SPDX-License-Identifier: Apache-2.0
"""List of containers with their states, from the engine's memory alone.

The engine answers this call without the lock of any container, so a container whose inspection
hangs (its users behind a FIFO, a frozen mount) delays nobody here.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from novadocker.virt.docker.engine.connection import Caller
from novadocker.virt.docker.engine.values import State


@dataclass(frozen=True)
class Listed:
    """One container in the engine's list.

    Attributes:
        id: the engine's identifier, 64 hexadecimal digits.
        labels: labels of the container.
        state: state at the moment of the list.
    """

    id: str
    labels: Mapping[str, str]
    state: State


class ListingCalls(Caller):
    """Calls that list containers."""

    def listed(self, label: str) -> Mapping[str, Listed]:
        """Return containers in whatever state, by name.

        Args:
            label: "NAME" or "NAME=VALUE" that the containers carry.
        """
        with self._call("list containers"):
            found = self._api.containers(all=True, filters={"label": label})
            return {
                each["Names"][0].removeprefix("/"): Listed(
                    each["Id"], each["Labels"] or {}, State(each["State"])
                )
                for each in found
            }
