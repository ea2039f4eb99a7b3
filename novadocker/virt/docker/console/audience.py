# SPDX-License-Identifier: Apache-2.0
"""Viewers of a console, and the output shown so far.

All see the same. What is kept for anybody is bounded: a viewer who does not read holds the
others up for a moment, as a slow line does, and is then dropped.
"""

import selectors
import socket

from oslo_log import log as logging

from novadocker.virt.docker.console.keyboard import Size, common
from novadocker.virt.docker.console.screen import Screen
from novadocker.virt.docker.console.viewer import Viewer

LOG = logging.getLogger(__name__)

VIEWERS = 16


class Audience:
    """The viewers of one console.

    Args:
        name: the container, for messages.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._viewers: list[Viewer] = []
        self._screen = Screen()
        self._told = ""

    def __len__(self) -> int:
        return len(self._viewers)

    @property
    def size(self) -> Size:
        """The size of a terminal that all can show."""
        return common([viewer.size for viewer in self._viewers if viewer.size])

    @property
    def full(self) -> bool:
        """True while a viewer has to read before more is shown."""
        return any(viewer.full for viewer in self._viewers)

    @property
    def holding(self) -> bool:
        """True while the last keys of a viewer may be part of an answer."""
        return any(viewer.holding for viewer in self._viewers)

    def interests(self, *, reads: bool) -> list[tuple[Viewer, int]]:
        """List the events to wait for.

        Args:
            reads: True if keys are wanted.

        Returns:
            Viewers, and a selector's events.
        """
        wanted = selectors.EVENT_READ if reads else 0
        found = (
            (viewer, wanted | (selectors.EVENT_WRITE if viewer.behind else 0))
            for viewer in self._viewers
        )
        return [(viewer, events) for viewer, events in found if events]

    def welcome(self, connection: socket.socket, address: str) -> bool:
        """Take a viewer in, and show the output so far.

        Args:
            connection: accepted; left to the caller where there are too many.
            address: where it comes from.

        Returns:
            Whether there was room.
        """
        if len(self._viewers) >= VIEWERS:
            LOG.warning("Refused viewer %d of the console of %s", VIEWERS + 1, self._name)
            return False
        LOG.info("%s looks at the console of %s", address, self._name)
        viewer = Viewer(connection, address)
        viewer.show(self._screen.replay())
        self._viewers.append(viewer)
        return True

    def serve(self, viewer: Viewer, events: int) -> bytes:
        """Serve a viewer ready to read or to write.

        Args:
            viewer: one of them.
            events: a selector's.

        Returns:
            Keys of the viewer.
        """
        if events & selectors.EVENT_WRITE and not viewer.send():
            self._drop(viewer, "is gone")
        elif events & selectors.EVENT_READ:
            keys = viewer.keys()
            if keys is not None:
                return keys
            self._drop(viewer, "is gone")
        return b""

    def late_keys(self) -> bytes:
        """Give up waiting for the rest of what may have been an answer.

        Returns:
            The keys that it was.
        """
        return b"".join(viewer.release() for viewer in self._viewers)

    def drop_stalled(self) -> None:
        """Drop stalled viewers."""
        for viewer in [each for each in self._viewers if each.stalled]:
            self._drop(viewer, "did not read and is dropped")

    def show(self, data: bytes) -> None:
        """Show output to all viewers, later viewers included.

        Args:
            data: the next of it.
        """
        self._screen.show(data)
        for viewer in self._viewers:
            viewer.show(data)

    def tell(self, what: str) -> None:
        """Tell all viewers a message of the driver, once.

        Args:
            what: a few words; none lets the next message pass even if repeated.
        """
        if what and what != self._told:
            self.show(f"\r\n[nova-docker] {what}\r\n".encode())
        self._told = what

    def dismiss(self, why: str) -> None:
        """Close the connections of all viewers.

        Args:
            why: reason told to the viewers.
        """
        self.tell(why)
        for viewer in self._viewers:
            viewer.close()
        self._viewers.clear()

    def _drop(self, viewer: Viewer, why: str) -> None:
        LOG.info("Viewer %s of the console of %s %s", viewer.address, self._name, why)
        viewer.close()
        self._viewers.remove(viewer)
