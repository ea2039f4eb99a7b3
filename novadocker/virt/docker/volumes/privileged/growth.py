# SPDX-License-Identifier: Apache-2.0
"""Growth of an ext4 file system while a container has it mounted."""

import errno
import fcntl
import os
import struct

from novadocker.virt.docker.privileged import namespace
from novadocker.virt.docker.volumes.privileged import device as devices
from novadocker.virt.docker.volumes.privileged import syscalls
from novadocker.virt.docker.volumes.privileged.context import entrypoint
from novadocker.virt.docker.volumes.privileged.mounting import places

_RESIZE = 0x40086610  # EXT4_IOC_RESIZE_FS


@entrypoint
def grow_mounted(pid: int, container_id: str, device: str) -> bool:
    """Let a mounted file system fill its device.

    Args:
        pid: a process of the container.
        container_id: the container, to tell it from a later one with the same PID.
        device: path of the block device.

    Returns:
        Whether it does; False where the kernel keeps that right from us, or it is mounted
        nowhere.
    """
    present = places(pid, container_id, device)
    if not present:
        return False
    with devices.opened(device, os.O_RDONLY) as descriptor:
        size = devices.size_of(descriptor)
    with namespace.held(pid, container_id, "ns/mnt") as mounts:
        try:
            namespace.inside(mounts, _grow, present[0], size, kind=namespace.MOUNTS)
        except OSError as error:
            if error.errno != errno.EPERM:
                raise
            return False
    return True


def _grow(where: str, size: int) -> None:
    top = syscalls.open_directory(0, where, syscalls.NO_LINKS)
    directory = os.open(".", os.O_RDONLY | os.O_DIRECTORY, dir_fd=top)
    try:
        blocks = size // os.fstatvfs(directory).f_frsize
        fcntl.ioctl(directory, _RESIZE, struct.pack("Q", blocks))
    finally:
        os.close(directory)
        os.close(top)
