# SPDX-License-Identifier: Apache-2.0
"""Containers of abandoned moves, removed at the start of nova-compute."""

from collections.abc import Collection
from functools import partial

from nova import objects
from oslo_log import log as logging

from novadocker.checkpoint.places import WAITING
from novadocker.errors import DockerDriverError
from novadocker.virt.docker.actions.lifecycle import Lifecycle
from novadocker.virt.docker.checkpoint.privileged import staging
from novadocker.virt.docker.compute.migrations import abandoned
from novadocker.virt.docker.container.labels import (
    LABEL_HOST,
    LABEL_INSTANCE,
    LABEL_MOVE,
    container_name,
)
from novadocker.virt.docker.engine import Engine
from novadocker.virt.docker.host.each_server import EachServer
from novadocker.virt.docker.network.networking import Network
from novadocker.virt.nova_types import RequestContext

LOG = logging.getLogger(__name__)


class StaleArrivals:
    """Containers of given-up migrations on one host.

    Args:
        engine: runs the containers.
        lifecycle: removes servers from this host.
        host: name of this host in Nova.
    """

    def __init__(self, engine: Engine, lifecycle: Lifecycle, host: str) -> None:
        self._engine = engine
        self._lifecycle = lifecycle
        self._host = host
        self._removals = EachServer("remove what an abandoned move left")

    def remove(self, context: RequestContext, here: Collection[str]) -> None:
        """Remove stale containers; a failure is logged, and the next start tries again.

        Args:
            context: token of an administrator.
            here: ids of the instances that Nova has on this host.
        """
        try:
            found = self._engine.labels_by_name(f"{LABEL_HOST}={self._host}").values()
        except DockerDriverError as error:
            # An exception would end nova-compute, and with it the service for all servers.
            LOG.warning("Containers of abandoned moves are not looked for: %s", error)
            return
        moved = {each[LABEL_INSTANCE]: each[LABEL_MOVE] for each in found if LABEL_MOVE in each}
        self._removals.attempt_all(
            {
                uuid: partial(self._look_at, context, uuid, migration)
                for uuid, migration in moved.items()
                if uuid not in here
            }
        )

    def _look_at(self, context: RequestContext, uuid: str, migration: str) -> None:
        container = self._engine.find(container_name(uuid))
        if container and container.alive:
            # What came by a live migration runs only after the source has given it up.
            LOG.warning("Server %s runs here, and Nova has it elsewhere", uuid)
        elif abandoned(context, uuid, migration, self._host):
            self._lifecycle.remove(uuid, Network(objects.Instance(uuid=uuid), []))
            if container and (WAITING / container.id).exists():
                staging.unstage(container.id)  # its restore was cut off, too
