# SPDX-License-Identifier: Apache-2.0
"""Volumes put into the mount namespace of a container, and taken out again.

A file system is mounted nowhere on the host: its one mount is the container's, so it ends with
the container, and a device is free as soon as no container has it.
"""

import errno
import os
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import PurePosixPath

from oslo_privsep import capabilities

from novadocker.errors import VolumeRefused
from novadocker.virt.docker.privileged import namespace
from novadocker.virt.docker.volumes import mountinfo, place
from novadocker.virt.docker.volumes.privileged import syscalls
from novadocker.virt.docker.volumes.privileged.context import RIGHTS, entrypoint

_KIND = "ext4"
# Whatever a superblock says of errors: a panic of the host is one of its choices.
_OPTIONS = ("errors=remount-ro",)
# Without the journal, which could be replayed only by writing.
_READ_ONLY_OPTIONS = ("ro", "noload")
_IN_CONTAINER = syscalls.IN_ROOT | syscalls.NO_MAGIC_LINKS
_LONGEST = 1 << 20
_PAUSE = 0.25
_DIRECTORY_MODE = 0o755


@entrypoint
def mount(
    pid: int,
    container_id: str,
    device: str,
    where: str,
    *,
    read_only: bool,
    taken: Sequence[str],
) -> str:
    """Mount a checked ext4 file system in a container; a present mount stays.

    Args:
        pid: a process of the container.
        container_id: the container, to tell it from a later one with the same PID.
        device: path of the block device.
        where: mount point in the container; made where it is missing.
        read_only: refusal of writes.
        taken: mount points of other volumes.

    Returns:
        The mount point with its links followed.

    Raises:
        OSError: it could not be; nothing of it is left.
    """
    with ExitStack() as open_files:
        present = _places(pid, container_id, device)
        if present:
            return present[0]
        tree = _tree(device, read_only=read_only)
        open_files.callback(os.close, tree)
        if not read_only:
            _remove_lost_and_found(tree)
        root = _map_users(tree, pid, container_id)
        mounts = open_files.enter_context(namespace.held(pid, container_id, "ns/mnt"))
        # Opened here: in the container's namespace /proc is the container's.
        names = os.open("/proc/self/fd", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        open_files.callback(os.close, names)
        return namespace.inside(
            mounts, _place, tree, where, root, names, taken, kind=namespace.MOUNTS
        )


@entrypoint
def unmount(pid: int, container_id: str, device: str, patience: float) -> bool:
    """Unmount a device wherever it is in a container.

    Args:
        pid: a process of the container.
        container_id: the container, to tell it from a later one with the same PID.
        device: path of the block device.
        patience: seconds for files that are about to be closed.

    Returns:
        Whether it is gone; False where something in there holds it.
    """
    deadline = time.monotonic() + patience
    number = os.stat(device).st_rdev  # noqa: PTH116 - a number is wanted, no path
    with namespace.held(pid, container_id, "ns/mnt") as mounts:
        while places := _places(pid, container_id, device):
            try:
                for where in reversed(places):
                    namespace.inside(mounts, _take_out, where, number, kind=namespace.MOUNTS)
            except OSError as error:
                if error.errno != errno.EBUSY:
                    raise
                if time.monotonic() > deadline:
                    return False
                time.sleep(_PAUSE)
    return True


@entrypoint
def places(pid: int, container_id: str, device: str) -> list[str]:
    """Return where a device is mounted in a container.

    Args:
        pid: a process of the container.
        container_id: the container, to tell it from a later one with the same PID.
        device: path of the block device.
    """
    return _places(pid, container_id, device)


def _places(pid: int, container_id: str, device: str) -> list[str]:
    number = os.stat(device).st_rdev  # noqa: PTH116 - a number is wanted, no path
    with namespace.held(pid, container_id, "mountinfo") as file:
        chunks = iter(lambda: os.read(file, _LONGEST), b"")
        return mountinfo.places_of(b"".join(chunks), os.major(number), os.minor(number))


def _tree(device: str, *, read_only: bool) -> int:
    attributes = syscalls.NO_SUID | syscalls.NO_DEV
    options: tuple[str, ...] = _OPTIONS
    if read_only:
        attributes |= syscalls.READ_ONLY
        options += _READ_ONLY_OPTIONS
    return syscalls.mount_of(_KIND, device, options, attributes)


def _remove_lost_and_found(tree: int) -> None:
    """Remove an empty ``lost+found``, so that a new volume is empty.

    Databases refuse to make themselves at home in a directory that is not.
    """
    try:
        os.rmdir("lost+found", dir_fd=tree)
    except OSError as error:
        if error.errno not in {errno.ENOENT, errno.ENOTDIR, errno.ENOTEMPTY}:
            raise


def _map_users(tree: int, pid: int, container_id: str) -> tuple[int, int]:
    """Map ids on disk to a container's; return the host's ids of the container's root."""
    own = os.stat("/proc/self/ns/user").st_ino  # noqa: PTH116 - of the link's target
    with namespace.held(pid, container_id, "ns/user") as users:
        if os.fstat(users).st_ino == own:
            return 0, 0  # an engine that maps no users
        syscalls.map_users(tree, users)
    user, group = (_first_id(pid, container_id, name) for name in ("uid_map", "gid_map"))
    return user, group


def _first_id(pid: int, container_id: str, name: str) -> int:
    with namespace.held(pid, container_id, name) as file:
        text = os.read(file, _LONGEST).decode()
    for line in text.splitlines():
        inner, outer, _ = map(int, line.split())
        if inner == 0:
            return outer
    raise OSError(errno.EPERM, "the container has no root")


def _place(tree: int, where: str, root: tuple[int, int], names: int, taken: Sequence[str]) -> str:
    """Move a mount to its place, inside the namespace."""
    syscalls.act_on_files_as(*root)
    # Another user loses its rights over files, which the container's root has in there.
    capabilities.drop_all_caps_except(RIGHTS, RIGHTS, [])
    target = _directory(where)
    try:
        # Links of the image may lead elsewhere; what counts is where they have led.
        resolved = os.readlink(str(target), dir_fd=names)
        _refuse(resolved, taken)
        syscalls.act_on_files_as(0, 0)
        syscalls.move(tree, target)
    finally:
        os.close(target)
    return resolved


def _refuse(resolved: str, taken: Sequence[str]) -> None:
    try:
        place.refuse("", resolved, taken)
    except VolumeRefused as error:  # of other errors the daemon tells no more than a name
        raise OSError(errno.EPERM, error.values["reason"]) from error


def _directory(where: str) -> int:
    """Open a directory in the container; make missing parts."""
    top = os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    here, path = os.dup(top), PurePosixPath("/")
    try:
        for name in PurePosixPath(where).parts[1:]:
            path /= name
            below = _open_or_make(top, here, path)
            os.close(here)
            here = below
    except BaseException:
        os.close(here)
        raise
    finally:
        os.close(top)
    return here


def _open_or_make(top: int, parent: int, path: PurePosixPath) -> int:
    try:
        return syscalls.open_directory(top, str(path), _IN_CONTAINER)
    except FileNotFoundError:
        os.mkdir(path.name, _DIRECTORY_MODE, dir_fd=parent)
        return syscalls.open_directory(top, str(path), _IN_CONTAINER)


def _take_out(where: str, number: int) -> None:
    """Unmount one place, inside the namespace."""
    top = os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        path = PurePosixPath(where)
        parent = syscalls.open_directory(top, str(path.parent), _IN_CONTAINER | syscalls.NO_LINKS)
        try:
            os.fchdir(parent)
        finally:
            os.close(parent)
        mounted = os.open(path.name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            # A directory may have been renamed since its mounts were listed.
            if os.fstat(mounted).st_dev != number:
                raise OSError(errno.EBUSY, f"{where} is being moved about")
            syscalls.synchronize(mounted)
        finally:
            os.close(mounted)
        syscalls.unmount(path.name)
    finally:
        os.close(top)
