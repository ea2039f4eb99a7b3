# SPDX-License-Identifier: Apache-2.0
"""Ownership of a container's control group; runs in the privileged daemon."""

import contextlib
import os
from pathlib import Path

from novadocker.virt.docker.privileged.context import entrypoint

HIERARCHY = "name=systemd"


# What cgroups(7) says that a delegate must own.
FILES = ("", "cgroup.procs", "tasks")


PROC = Path("/proc")


@entrypoint
def give(pid: int, container_id: str) -> bool:
    """Make a container's root the owner of its group.

    Args:
        pid: a process of the container.
        container_id: the container, to tell it from a later one with the same PID.

    Returns:
        Whether there is such a hierarchy.
    """
    group = group_of((PROC / str(pid) / "cgroup").read_text(), container_id)
    mounted = mount_of((PROC / "self/mounts").read_text())
    if group is None or mounted is None:
        return False
    owner = root_of((PROC / str(pid) / "uid_map").read_text())
    owners_group = root_of((PROC / str(pid) / "gid_map").read_text())
    with contextlib.ExitStack() as opened:
        # The container has no way to put a link there; nor will it get one.
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
        directory = os.open(f"{mounted}/{group}", flags)
        opened.callback(os.close, directory)
        for name in FILES:
            os.chown(name or ".", owner, owners_group, dir_fd=directory, follow_symlinks=False)
    return True


def group_of(groups: str, container_id: str) -> str | None:
    """Find a container's group in the hierarchy.

    Args:
        groups: of one of its processes, as in cgroups(7).
        container_id: the container.

    Returns:
        Its path, or None where there is no such hierarchy.

    Raises:
        ProcessLookupError: the process is not the container's.
    """
    for line in groups.splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == HIERARCHY:
            if container_id not in Path(path).name:
                raise ProcessLookupError(f"the process is not of container {container_id}")
            return path.lstrip("/")
    return None


def mount_of(mounts: str) -> str | None:
    """Find where the hierarchy is.

    Args:
        mounts: as in proc(5).

    Returns:
        The path, or None where there is none.
    """
    for line in mounts.splitlines():
        _, where, kind, options, *_ = line.split()
        if kind == "cgroup" and HIERARCHY in options.split(","):
            return where
    return None


def root_of(id_map: str) -> int:
    """Say who a container's root is on the host.

    Args:
        id_map: as in user_namespaces(7).

    Returns:
        The id.

    Raises:
        PermissionError: it is the host's own root, or nobody.
    """
    for line in id_map.splitlines():
        inside, outside, _ = map(int, line.split())
        if inside == 0 and outside:
            return outside
    raise PermissionError("its users are the host's")
