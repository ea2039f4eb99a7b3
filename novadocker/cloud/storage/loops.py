# SPDX-License-Identifier: Apache-2.0
"""Loop devices of files: bound, found again, and let go with proof."""

import errno
import fcntl
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

_CAPACITY = 0x4C07  # LOOP_SET_CAPACITY


class StillHeld(Exception):
    """Device still in use by a process of this machine."""


def bound_to(file: Path) -> str | None:
    """Return the loop device of a file; None where it has none."""
    return next(iter(_losetup("--associated", str(file), "--output", "NAME").split()), None)


def bind(file: Path, *, read_only: bool = False) -> str:
    """Return the loop device of a file, bound now unless it was before."""
    more = ("--read-only",) if read_only else ()
    return bound_to(file) or _losetup("--find", "--show", *more, str(file))


def release(file: Path) -> None:
    """Unbind a file's loop device; absence is no error.

    Raises:
        StillHeld: a mount on this machine, in whichever namespace, has it.
    """
    device = bound_to(file)
    if device is None:
        return
    # The kernel would put the unbinding off until the last user is gone, and call that success.
    try:
        descriptor = os.open(device, os.O_RDONLY | os.O_EXCL)
    except OSError as error:
        if error.errno == errno.EBUSY:
            raise StillHeld(f"{device} of {file.name} is still held on this machine") from error
        raise
    os.close(descriptor)
    _losetup("--detach", device)
    if bound_to(file) is not None:
        raise StillHeld(f"{device} of {file.name} is still held on this machine")


def refresh(file: Path) -> None:
    """Let a file's loop device, if any, have the size that the file has now."""
    device = bound_to(file)
    if device is None:
        return
    descriptor = os.open(device, os.O_RDONLY)
    try:
        fcntl.ioctl(descriptor, _CAPACITY)
    finally:
        os.close(descriptor)


def below(directory: Path) -> Iterator[Path]:
    """Yield the files below a directory that have a loop device."""
    for line in _losetup("--list", "--output", "BACK-FILE").splitlines():
        file = Path(line.removesuffix(" (deleted)"))
        if file.is_relative_to(directory):
            yield file


def _losetup(*arguments: str) -> str:
    done = subprocess.run(
        ["losetup", "--noheadings", *arguments], check=False, capture_output=True, text=True
    )
    if done.returncode:
        raise OSError(errno.EIO, done.stderr.strip())
    return done.stdout.strip()
