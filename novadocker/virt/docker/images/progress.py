# SPDX-License-Identifier: Apache-2.0
"""Progress of the loading of an image, and the servers in wait."""

import threading
import time
from typing import Protocol

from oslo_log import log as logging

LOG = logging.getLogger(__name__)

_LOG_EVERY_SECONDS = 10
_MIB = 1024 * 1024


class ImageWaiter(Protocol):
    """Server that waits for an image and hears of the progress."""

    @property
    def root_bytes(self) -> int:
        """Size of the flavor's root disk as a bound on the image; 0 without a limit."""

    def expect_wanted(self) -> None:
        """Raise if the image is not waited for any more."""

    def begin(self) -> None:
        """The image is not here, and is loaded from now on."""

    def advance(self, done: int, total: int) -> None:
        """So many bytes were read, of so many; the total is 0 where it is not known."""

    def end(self, fault: BaseException | None) -> None:
        """The image is here, or will not be."""


class NoWaiter:
    """Waits for an image and wants to hear nothing."""

    root_bytes = 0

    def expect_wanted(self) -> None:
        """Wait on."""

    def begin(self) -> None:
        """Hear nothing."""

    def advance(self, done: int, total: int) -> None:
        """Hear nothing."""

    def end(self, fault: BaseException | None) -> None:
        """Hear nothing."""


class Progress:
    """Counter of an image's bytes during the reading.

    Args:
        image: Glance's id of it.
        total: how many there are; 0 where that is not known.
    """

    def __init__(self, image: str, total: int = 0) -> None:
        self._image = image
        self._told = time.monotonic()
        self._lock = threading.Lock()
        self.done = 0
        self.total = total

    def expect(self, more: int) -> None:
        """Know better.

        Args:
            more: how many bytes are read from now on.
        """
        self.total = self.done + more

    def add(self, size: int) -> None:
        """Count bytes, with a line in the log now and then.

        Args:
            size: how many were read, by whichever thread.
        """
        now = time.monotonic()
        with self._lock:
            self.done += size
            if now - self._told < _LOG_EVERY_SECONDS:
                return
            self._told = now
        of = f" of {self.total // _MIB}" if self.total else ""
        LOG.info("Image %s is read: %d%s MiB", self._image, self.done // _MIB, of)
