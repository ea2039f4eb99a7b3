# SPDX-License-Identifier: Apache-2.0
"""One ``up`` or ``down`` at a time in a network namespace: two would take the same ports."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from novadocker.cloud.errors import HostUnfit

_DIRECTORY = Path("/run/lock")


@contextmanager
def held(directory: Path = _DIRECTORY) -> Iterator[None]:
    """Hold our network namespace's lock; refuse at once if another process has it."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"novadocker-cloud-{Path('/proc/self/ns/net').stat().st_ino}"
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            reason = f"another novadocker-cloud starts or stops something just now ({path})"
            raise HostUnfit(reason=reason) from error
        yield
