# SPDX-License-Identifier: Apache-2.0
"""Watcher of power states: containers that ended, were frozen or thawed, as events for Nova."""

from collections.abc import Callable

from novadocker.virt.docker.container.events import Follower
from novadocker.virt.docker.container.guest import in_service
from novadocker.virt.docker.container.labels import LABEL_HOST
from novadocker.virt.docker.engine import Engine, State

WATCHED = frozenset({"die", "pause", "unpause"})


class Watcher:
    """Tells Nova whether one host's servers run.

    Args:
        engine: whose events.
        host: the compute host whose containers are ours.
        settled: tells whether Nova has no task for an instance; raises LookupError where
            Nova knows no such instance.
        tell: is told an instance's id and what its container is now.
    """

    def __init__(
        self,
        engine: Engine,
        host: str,
        settled: Callable[[str], bool],
        tell: Callable[[str, State], None],
    ) -> None:
        self._engine = engine
        self._settled = settled
        self._tell = tell
        self._follower = Follower(
            engine, f"{LABEL_HOST}={host}", WATCHED.__contains__, self._tell_state
        )

    def start(self) -> None:
        """Begin; the threads end with the process."""
        self._follower.start()

    def stop(self) -> None:
        """Let the threads end at their next turn."""
        self._follower.stop()

    def _tell_state(self, uuid: str) -> bool:
        container = in_service(self._engine, uuid).find()
        if container is None or container.state is State.CREATED:
            return True
        if not self._settled(uuid):
            return False
        self._tell(uuid, container.state)
        return True
