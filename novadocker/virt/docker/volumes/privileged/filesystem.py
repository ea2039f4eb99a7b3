# SPDX-License-Identifier: Apache-2.0
"""File systems made, checked and grown by e2fsprogs, in a sandbox.

A file system is written by whoever had the volume. What reads it here is therefore nobody, has
no right, no network and no process to see, little memory, an end in time, and of devices one
node of its own.
"""

import contextlib
import errno
import os
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from novadocker.virt.docker.volumes.privileged import device as devices
from novadocker.virt.docker.volumes.privileged.context import entrypoint
from novadocker.virt.docker.volumes.superblock import MADE, OFFSET, Superblock

NOBODY = 65534
# Where device nodes work; /run and /tmp are often mounted with nodev.
_NODES = "/dev"
_MEMORY = 4 << 30
_SECONDS = 900
_SECONDS_TO_DIE = 10
# e2fsck(8): errors were corrected, or corrected and a reboot is due, which is for root disks.
_SOUND = frozenset({0, 1, 2, 3})


@entrypoint
def make(path: str, user: int, group: int) -> None:
    """Make an ext4 file system; what the device held is lost.

    Args:
        path: block device.
        user: owner of its root directory, as the container's processes know the id.
        group: the owner's.

    Raises:
        OSError: mkfs.ext4 failed.
    """
    features = ",".join(("none", *MADE))
    options = ("-q", "-F", "-m", "0", "-O", features, "-E", f"root_owner={user}:{group}")
    code, said = _sandboxed(path, "mkfs.ext4", *options)
    if code:
        raise OSError(errno.EIO, f"mkfs.ext4: {said}")


@entrypoint
def check(path: str, *, read_only: bool) -> str:
    """Check all of an ext4 file system, its journal replayed and small faults mended.

    Args:
        path: block device.
        read_only: ban on repairs.

    Returns:
        "" for a clean one, else what e2fsck said last.
    """
    # Without this a clean flag, which is the tenant's to set, would end the check at once.
    code, said = _sandboxed(path, "e2fsck", "-f", "-n" if read_only else "-p")
    accepted = {0} if read_only else _SOUND
    return "" if code in accepted else said or f"e2fsck ended with exit code {code}"


@entrypoint
def grow(path: str) -> bool:
    """Grow a checked, unmounted ext4 file system to the size of the device.

    Args:
        path: block device.

    Returns:
        Whether there was anything to do.

    Raises:
        OSError: resize2fs failed.
    """
    with devices.opened(path, os.O_RDONLY) as device:
        size = devices.size_of(device)
        superblock = Superblock.parse(os.pread(device, 2 * OFFSET, 0))
    if superblock is None or size - superblock.size < superblock.size_of_block:
        return False
    code, said = _sandboxed(path, "resize2fs")
    if code:
        raise OSError(errno.EIO, f"resize2fs: {said}")
    return True


def _sandboxed(path: str, program: str, *options: str) -> tuple[int, str]:
    """Run a program on a device; return exit code and last line of the output."""
    limits = ("prlimit", f"--as={_MEMORY}", f"--cpu={_SECONDS}", "--core=0", "--nofile=64")
    namespaces = ("--net", "--ipc", "--uts", "--pid", "--mount-proc")
    alone = ("unshare", *namespaces, "--fork", "--kill-child")
    identity = (
        "setpriv",
        f"--reuid={NOBODY}",
        f"--regid={NOBODY}",
        "--clear-groups",
        "--inh-caps=-all",
        "--bounding-set=-all",
        "--no-new-privs",
    )
    with _node(path) as node:
        return _run([*limits, *alone, *identity, program, *options, node])


def _run(command: list[str]) -> tuple[int, str]:
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"},
        cwd="/",
    )
    try:
        output, _ = process.communicate(timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        # One that hangs in the kernel does not die; nobody is to hang with it.
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=_SECONDS_TO_DIE)
        return -1, f"no end within {_SECONDS} s"
    lines = output.decode(errors="replace").strip().splitlines()
    return process.returncode, lines[-1].strip() if lines else ""


@contextlib.contextmanager
def _node(path: str) -> Iterator[str]:
    """Make a node of a device that only the sandboxed program may open."""
    number = os.stat(path).st_rdev  # noqa: PTH116 - a number is wanted, no path
    with tempfile.TemporaryDirectory(prefix="novadocker-", dir=_NODES) as directory:
        Path(directory).chmod(0o711)
        node = Path(directory) / "volume"
        os.mknod(node, stat.S_IFBLK | 0o600, number)
        os.chown(node, NOBODY, NOBODY)
        yield str(node)
