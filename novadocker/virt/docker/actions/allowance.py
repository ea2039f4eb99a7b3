# SPDX-License-Identifier: Apache-2.0
"""Limits and rights allowed to the servers of a host."""

from typing import Protocol

from novadocker.policy import Abilities, Bounds, Settings, cpuset, settings_for
from novadocker.virt.docker.container.server import Server


class Enforcer(Protocol):
    """Host with the abilities of its engine to enforce limits; see ``host.inventory.Host``."""

    def abilities(self, pids: int) -> Abilities:
        """Return the limits that can be enforced, with a default number of processes."""


class Allowance:
    """Limits and rights on one host, by the engine's abilities and the operator's bounds.

    Args:
        host: asked for its abilities, at first and at each ``refresh``.
        pids: limit of processes for flavors that name none.
        bounds: upper bounds of the operator.
    """

    def __init__(self, host: Enforcer, pids: int, bounds: Bounds) -> None:
        self._host = host
        self._pids = pids
        self._bounds = bounds
        self._abilities: Abilities | None = None

    def refresh(self) -> Abilities:
        """Ask the host again: an engine may be configured anew while nova-compute runs.

        Raises:
            EngineError: the engine cannot be asked; the last answer stays.
        """
        self._abilities = self._host.abilities(self._pids)
        return self._abilities

    def settings(self, server: Server) -> Settings:
        """Return the limits and rights of a server's container on this host.

        Raises:
            PolicyRefused: flavor or image ask for more than is granted here.
        """
        abilities = self._abilities or self.refresh()
        return settings_for(server.flavor, abilities, self._bounds, server.image_properties)

    def cpuset(self, server: Server) -> str:
        """Return the processors of a server's container; "" where they are not divided.

        Raises:
            PolicyRefused: no processor of this host is left for the server.
        """
        return cpuset(server.flavor, self._abilities or self.refresh())
