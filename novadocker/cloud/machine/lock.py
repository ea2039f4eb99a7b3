# SPDX-License-Identifier: Apache-2.0
"""What one process at a time may do on a machine, or in a network namespace of it."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from novadocker.cloud.errors import HostUnfit

_DIRECTORY = Path("/run/lock")


@contextmanager
def held(directory: Path = _DIRECTORY) -> Iterator[None]:
    """Hold our network namespace's lock; refuse at once if another process has it.

    It is for ``up`` and ``down``: two of them at a time would take the same ports.
    """
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"novadocker-cloud-{Path('/proc/self/ns/net').stat().st_ino}"
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            reason = f"another novadocker-cloud starts or stops something just now ({path})"
            raise HostUnfit(reason=reason) from error
        yield


@contextmanager
def awaited(what: str, directory: Path = _DIRECTORY) -> Iterator[None]:
    """Hold the machine's lock for something that is soon done; wait while another has it.

    Args:
        what: is done; names the lock.
        directory: where locks are.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / f"novadocker-{what}").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
