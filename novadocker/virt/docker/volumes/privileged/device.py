# SPDX-License-Identifier: Apache-2.0
"""Block devices of volumes: looked at, locked against writes, and proved to be held by nobody."""

import contextlib
import errno
import fcntl
import os
import stat
import struct
import subprocess
import time
from collections.abc import Iterator
from typing import Any

from novadocker.virt.docker.volumes.content import HEAD
from novadocker.virt.docker.volumes.privileged.context import entrypoint

_SIZE, _READ_ONLY, _FLUSH = 0x80081272, 0x125D, 0x1261  # BLKGETSIZE64, BLKROSET, BLKFLSBUF
_CAPACITY = 0x4C07  # LOOP_SET_CAPACITY
_MIB = 1 << 20
_BLANK_FIRST, _BLANK_LAST = 4 * _MIB, _MIB
_PAUSE = 0.2


@entrypoint
def survey(path: str) -> dict[str, Any]:
    """Look at a free device; a device held by the host is an error.

    Args:
        path: block device.

    Returns:
        ``size`` in bytes, ``head`` with the first of them, and ``blank``.

    Raises:
        OSError: it is held (EBUSY), no block device, or cannot be read.
    """
    with opened(path, os.O_RDONLY | os.O_EXCL) as device:
        size = size_of(device)
        return {
            "size": size,
            "head": os.pread(device, min(HEAD, size), 0),
            "blank": _is_blank(device, size),
        }


@entrypoint
def refuse_writes(path: str, *, refused: bool) -> None:
    """Make a device read-only for the whole host, or writable again.

    Args:
        path: block device.
        refused: read-only is wanted.
    """
    with opened(path, os.O_RDONLY) as device:
        fcntl.ioctl(device, _READ_ONLY, struct.pack("i", refused))


@entrypoint
def prove_free(path: str, patience: float) -> bool:
    """Prove that no mount of the host, in any namespace, holds a device.

    Args:
        path: block device; a vanished device counts as free.
        patience: seconds for one that is looked at by somebody just now.

    Returns:
        Whether the kernel gave it to us alone, its data written.
    """
    deadline = time.monotonic() + patience
    while True:
        if _is_free(path):
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(_PAUSE)


@entrypoint
def loop(path: str, *, read_only: bool) -> str:
    """Make a file a loop device; an earlier loop device is found again.

    Args:
        path: regular file.
        read_only: refusal of writes.

    Returns:
        Path of the loop device.
    """
    found = _losetup("--associated", path, "--output", "NAME", "--noheadings").split()
    if found:
        return found[0]
    more = ("--read-only",) if read_only else ()
    return _losetup("--find", "--show", *more, path)


@entrypoint
def unloop(device: str, path: str) -> None:
    """Detach a loop device from its file; absence is no error.

    Args:
        device: path of the loop device.
        path: regular file.

    Raises:
        OSError: the kernel put it off, as it does while somebody holds the device.
    """
    bound = _losetup("--associated", path, "--output", "NAME", "--noheadings").split()
    if device not in bound:
        return
    _losetup("--detach", device)
    # A held device is detached by its last user, and the answer is success all the same.
    if device in _losetup("--associated", path, "--output", "NAME", "--noheadings").split():
        raise OSError(errno.EBUSY, f"{device} is held and still bound to its file")


@entrypoint
def refresh_loop(device: str) -> None:
    """Refresh the size of a loop device from its file.

    Args:
        device: path of the loop device.
    """
    with opened(device, os.O_RDONLY) as descriptor:
        fcntl.ioctl(descriptor, _CAPACITY)


@contextlib.contextmanager
def opened(path: str, flags: int) -> Iterator[int]:
    """Hold a block device open.

    Args:
        path: block device.
        flags: bits for open(2).

    Yields:
        Its descriptor.

    Raises:
        OSError: it is none (ENOTBLK), or cannot be opened.
    """
    descriptor = os.open(path, flags | os.O_CLOEXEC)
    try:
        if not stat.S_ISBLK(os.fstat(descriptor).st_mode):
            raise OSError(errno.ENOTBLK, f"{path} is no block device")
        yield descriptor
    finally:
        os.close(descriptor)


def size_of(device: int) -> int:
    """Return the bytes of a device.

    Args:
        device: open descriptor.
    """
    answer = fcntl.ioctl(device, _SIZE, bytes(8))
    return int(struct.unpack("Q", answer)[0])


def _is_free(path: str) -> bool:
    # Read-only, for a device that is: to open one for writes is refused by another error.
    try:
        with opened(path, os.O_RDONLY | os.O_EXCL) as device:
            fcntl.ioctl(device, _FLUSH, 0)
            os.fsync(device)
    except FileNotFoundError:
        return True
    except OSError as error:
        if error.errno != errno.EBUSY:
            raise
        return False
    return True


def _is_blank(device: int, size: int) -> bool:
    ranges = ((0, min(size, _BLANK_FIRST)), (max(size - _BLANK_LAST, 0), size))
    return all(_is_zero(device, begin, end) for begin, end in ranges)


def _is_zero(device: int, begin: int, end: int) -> bool:
    for offset in range(begin, end, _MIB):
        chunk = os.pread(device, min(_MIB, end - offset), offset)
        if not chunk or chunk.count(0) != len(chunk):
            return False
    return True


def _losetup(*arguments: str) -> str:
    done = subprocess.run(
        ["losetup", *arguments], check=False, capture_output=True, text=True, timeout=60
    )
    if done.returncode:
        raise OSError(errno.EIO, done.stderr.strip() or f"losetup: exit code {done.returncode}")
    return done.stdout.strip()
