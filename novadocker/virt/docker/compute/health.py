# SPDX-License-Identifier: Apache-2.0
"""Health of servers, from their images' HEALTHCHECK, told to tenants by a tag.

A tag is one row that is added and taken away by itself, and servers can be listed by it.
Nova writes all of a server's metadata at once, and a tenant's change in the same moment
would be lost.
"""

from collections.abc import Callable

from novadocker.virt.docker.compute.tags import Tags, replace_tags
from novadocker.virt.docker.container.events import Follower
from novadocker.virt.docker.container.guest import in_service
from novadocker.virt.docker.container.labels import LABEL_HEALTH
from novadocker.virt.docker.container.prober import Prober
from novadocker.virt.docker.engine import Container, Engine, Health

PREFIX = "docker_health="
CHANGES = frozenset({"start", "die", "destroy"})
PROBED = "health_status"  # followed by what it is


class HealthReporter:
    """Reporter of the health of a host's servers, for images with a HEALTHCHECK.

    Args:
        engine: where their containers are.
        host: the compute host.
        settled: tells whether Nova has no task for an instance; raises LookupError where it
            is not this host's.
        tags: tags of servers in Nova.
        prober: runs the probes.
    """

    def __init__(
        self,
        engine: Engine,
        host: str,
        settled: Callable[[str], bool],
        tags: Tags,
        prober: Prober,
    ) -> None:
        self._engine = engine
        self._settled = settled
        self._tags = tags
        self._follower = Follower(engine, f"{LABEL_HEALTH}={host}", concerns, self._tell)
        self._prober = prober

    def start(self) -> None:
        """Begin; the threads end with the process."""
        self._prober.start(self._follower.note)
        self._follower.start()

    def stop(self) -> None:
        """Let the threads end at their next turn."""
        self._follower.stop()
        self._prober.stop()

    def of(self, uuid: str) -> Health | None:
        """Return a server's health.

        Args:
            uuid: id of the instance.

        Returns:
            The health; None for a server without probes.
        """
        return self._prober.health(uuid)

    def _tell(self, uuid: str) -> bool:
        if not self._settled(uuid):
            return False
        container = in_service(self._engine, uuid).find()
        health = self._prober.follow(uuid, container)
        replace_tags(self._tags, uuid, (PREFIX,), tags_for(container, health))
        return True


def concerns(action: str) -> bool:
    """Tell whether an event may change a server's health.

    Args:
        action: action of the engine's event.

    Returns:
        Whether it may.
    """
    return action in CHANGES or action.startswith(PROBED)


def tags_for(container: Container | None, health: Health | None) -> frozenset[str]:
    """Choose the driver's tags of a server.

    Args:
        container: container in service, or None.
        health: result of its probes; None without a HEALTHCHECK.

    Returns:
        One tag for a running server with a HEALTHCHECK, else none.
    """
    if container is None or not container.alive or health is None:
        return frozenset()
    return frozenset({f"{PREFIX}{health.status}"})
