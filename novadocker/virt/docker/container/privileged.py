# SPDX-License-Identifier: Apache-2.0
"""Work on a container's control group and files that needs rights; runs in the privileged daemon.

``docker commit`` makes a layer of a container's own files. In a layer the name ``.wh.NAME``
means that NAME was deleted, and of extended attributes a layer has the capabilities alone. So a
commit takes these files for something else, or drops their attributes, and says nothing.
"""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from novadocker.virt.docker.privileged.context import entrypoint

PROC = Path("/proc")
WHITEOUT = ".wh."
LOST = ("user.", "system.posix_acl_")
ENOUGH = 3  # names that a message has room for


@dataclass(frozen=True)
class Hierarchy:
    """Kind of hierarchy that an init system divides.

    Attributes:
        controllers: second field of its line in ``/proc/PID/cgroup``.
        kind: type of its mount.
        option: option of its mount; "" for any.
        files: names below a group that a delegate must own, "" for the group itself. Limits
            are not among them: they stay the host's.
    """

    controllers: str
    kind: str
    option: str
    files: tuple[str, ...]


# The first that has the container is the one in use. On a hybrid host both have it, and an init
# system takes the older; an engine on cgroup v2 beside a left-over mount is in the newer alone.
HIERARCHIES = (
    Hierarchy("name=systemd", "cgroup", "name=systemd", ("", "cgroup.procs", "tasks")),
    Hierarchy("", "cgroup2", "", ("", "cgroup.procs", "cgroup.threads", "cgroup.subtree_control")),
)


@entrypoint
def give(pid: int, container_id: str) -> bool:
    """Make a container's root the owner of its group. Idempotent.

    Args:
        pid: a process of the container.
        container_id: the container, to tell it from a later one with the same PID.

    Returns:
        True if there is a hierarchy that can be divided.
    """
    groups = (PROC / str(pid) / "cgroup").read_text()
    mounts = (PROC / "self/mounts").read_text()
    place = place_of(groups, mounts, container_id)
    if place is None:
        return False
    path, files = place
    owner = root_of((PROC / str(pid) / "uid_map").read_text())
    owners_group = root_of((PROC / str(pid) / "gid_map").read_text())
    with contextlib.ExitStack() as opened:
        # The container has no way to put a link there; nor will it get one.
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
        directory = os.open(path, flags)
        opened.callback(os.close, directory)
        for name in files:
            os.chown(name or ".", owner, owners_group, dir_fd=directory, follow_symlinks=False)
    return True


def place_of(groups: str, mounts: str, container_id: str) -> tuple[str, tuple[str, ...]] | None:
    """Find a container's group in the hierarchy that an init system divides.

    Args:
        groups: lines of cgroups(7) for one process of the container.
        mounts: mounts of the host, as in proc(5).
        container_id: the container.

    Returns:
        Path of the group and names to own below, or None on a host without such a hierarchy.

    Raises:
        ProcessLookupError: the process is not the container's.
    """
    lines = (line.split(":", 2) for line in groups.splitlines())
    paths = {controllers: path for _, controllers, path in lines}
    known = [each for each in HIERARCHIES if each.controllers in paths]
    for each in known:
        path = paths[each.controllers]
        mounted = _mount_of(mounts, each)
        if container_id in Path(path).name and mounted:
            return f"{mounted}/{path.lstrip('/')}", each.files
    if known and not any(container_id in Path(path).name for path in paths.values()):
        raise ProcessLookupError(f"the process is not of container {container_id}")
    return None


def _mount_of(mounts: str, hierarchy: Hierarchy) -> str | None:
    for line in mounts.splitlines():
        _, where, kind, options, *_ = line.split()
        if kind == hierarchy.kind and (
            not hierarchy.option or hierarchy.option in options.split(",")
        ):
            return where
    return None


def root_of(id_map: str) -> int:
    """Return the id of a container's root on the host.

    Args:
        id_map: map of users or groups, as in user_namespaces(7).

    Raises:
        PermissionError: the container's root is the host's, or has no id.
    """
    for line in id_map.splitlines():
        inside, outside, _ = map(int, line.split())
        if inside == 0 and outside:
            return outside
    raise PermissionError("its users are the host's")


@entrypoint
def lost_in_layer(directory: str, *, attributes: bool) -> list[str]:
    """Name some files that a layer cannot carry.

    Args:
        directory: the container's own files, on the host; the container does not run.
        attributes: files with attributes that a layer lacks count as well.

    Returns:
        At most three descriptions, with paths as the container sees them; none if a layer can
        carry all of the files.
    """
    found = []
    for description in _lost(directory, attributes=attributes):
        found.append(description)
        if len(found) == ENOUGH:
            break
    return found


def _lost(directory: str, *, attributes: bool) -> Iterator[str]:
    # By descriptors: links in a tenant's files lead nowhere.
    for path, folders, files, opened in os.fwalk(directory):
        seen = Path("/") / Path(path).relative_to(directory)
        for name in (*folders, *files):
            if name.startswith(WHITEOUT):
                yield f"{seen / name} (the name means a deleted file in a layer)"
            elif attributes and (kept := _attributes(opened, name)):
                yield f"{seen / name} ({', '.join(kept)})"


def _attributes(directory: int, name: str) -> list[str]:
    names = os.listxattr(f"/proc/self/fd/{directory}/{name}", follow_symlinks=False)
    return [each for each in sorted(names) if each.startswith(LOST)]
