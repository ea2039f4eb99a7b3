# SPDX-License-Identifier: Apache-2.0
"""Locks between launchers on a machine, or in a network namespace."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from novadocker.cloud.errors import HostUnfit

# Root's alone: under a fixed name in a directory of everybody, a link could wait for us.
DIRECTORY = Path("/run/novadocker-cloud")


@contextmanager
def held(directory: Path = DIRECTORY) -> Iterator[None]:
    """Hold our network namespace's lock; refuse at once while another process has the lock.

    Used by every command that starts or stops something: two at a time would take the same ports.
    """
    name = f"cloud-{Path('/proc/self/ns/net').stat().st_ino}"
    with _opened(directory, name) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            path = directory / name
            reason = f"another novadocker-cloud starts or stops something just now ({path})"
            raise HostUnfit(reason=reason) from error
        yield


@contextmanager
def awaited(name: str, directory: Path = DIRECTORY) -> Iterator[None]:
    """Hold the machine's lock for a short work; wait while another process has the lock.

    Args:
        name: the work, as the lock's file is called.
        directory: where locks are.
    """
    with _opened(directory, name) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _opened(directory: Path, name: str) -> IO[bytes]:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Neither a link is followed nor a file's content cut, should something be there already.
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.fdopen(os.open(directory / name, flags, 0o600), "r+b", buffering=0)
