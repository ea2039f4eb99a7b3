# SPDX-License-Identifier: Apache-2.0
"""Watcher of power states: containers that ended, froze, thawed or went, as news for Nova."""

from collections.abc import Callable

from novadocker.virt.docker.container.events import Follower
from novadocker.virt.docker.container.labels import LABEL_HOST
from novadocker.virt.docker.container.serving import serving
from novadocker.virt.docker.engine import Engine, State

WATCHED = frozenset({"die", "pause", "unpause", "destroy"})


class Watcher:
    """Watcher of the servers on one host.

    Args:
        engine: source of the events.
        host: compute host whose containers are watched.
        settled: returns, by an instance's id, whether Nova has no task for the instance;
            raises LookupError where Nova knows no such instance.
    """

    def __init__(self, engine: Engine, host: str, settled: Callable[[str], bool]) -> None:
        self._engine = engine
        self._settled = settled
        self._tell: Callable[[str, State | None], None] = _nobody
        self._follower = Follower(
            engine, f"{LABEL_HOST}={host}", WATCHED.__contains__, self._tell_state
        )

    def start(self, tell: Callable[[str, State | None], None]) -> bool:
        """Begin to watch; the threads end with the process.

        Args:
            tell: takes an instance's id and the state of its container, None if it is gone.

        Returns:
            False if the watcher runs already.
        """
        self._tell = tell
        return self._follower.start()

    def stop(self) -> None:
        """Let the threads end at their next turn."""
        self._follower.stop()

    def _tell_state(self, uuid: str) -> bool:
        container = serving(self._engine, uuid)
        if container and container.state is State.CREATED:
            return True
        if not self._settled(uuid):
            return False
        # Looked at once more: while Nova was asked, Nova's own task may have ended and made a
        # container anew.
        container = serving(self._engine, uuid)
        self._tell(uuid, container.state if container else None)
        return True


def _nobody(_uuid: str, _state: State | None) -> None:
    """Hear no news: the watcher has not started."""
