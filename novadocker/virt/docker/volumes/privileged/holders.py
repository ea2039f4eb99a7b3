# SPDX-License-Identifier: Apache-2.0
"""Processes of a container that hold files of a device, by name."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from novadocker.virt.docker.privileged import namespace
from novadocker.virt.docker.volumes.privileged.context import entrypoint

PROC = Path("/proc")
_ENOUGH = 5


@entrypoint
def holders(pid: int, container_id: str, device: str) -> list[str]:
    """Return who holds a device inside a container.

    Args:
        pid: a process of the container.
        container_id: the container, to tell it from a later one with the same PID.
        device: path of the block device.

    Returns:
        At most five phrases such as "mysqld (pid 1)", with pids of the inside.
    """
    number = os.stat(device).st_rdev  # noqa: PTH116 - a number is wanted, no path
    with namespace.held(pid, container_id, "ns/mnt") as mounts:
        inode = os.fstat(mounts).st_ino
    found = (_name(process) for process in _inside(inode) if _holds(process, number))
    return [name for name, _ in zip(found, range(_ENOUGH), strict=False)]


def _inside(inode: int) -> Iterator[Path]:
    for process in PROC.iterdir():
        # Any process may end while it is looked at, and then holds nothing.
        with contextlib.suppress(OSError):
            if process.name.isdecimal() and (process / "ns/mnt").stat().st_ino == inode:
                yield process


def _holds(process: Path, number: int) -> bool:
    links = [process / "cwd", process / "root", process / "exe"]
    with contextlib.suppress(OSError):
        links += (process / "fd").iterdir()
    for link in links:
        with contextlib.suppress(OSError):
            if link.stat().st_dev == number:
                return True
    return _maps(process, number)


def _maps(process: Path, number: int) -> bool:
    wanted = f"{os.major(number):02x}:{os.minor(number):02x}"
    with contextlib.suppress(OSError):
        lines = (process / "maps").read_text(errors="replace").splitlines()
        return any(line.split(maxsplit=4)[3] == wanted for line in lines)
    return False


def _name(process: Path) -> str:
    try:
        name = (process / "comm").read_text(errors="replace").strip()
        status = (process / "status").read_text(errors="replace")
    except OSError:
        return "a process that has just ended"
    ids = next((line for line in status.splitlines() if line.startswith("NSpid:")), "NSpid: ?")
    return f"{name} (pid {ids.split()[-1]})"
