# SPDX-License-Identifier: Apache-2.0
"""A container's namespaces: found, held and entered. Needs rights; see ``privileged``."""

import ctypes
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from errno import ESRCH
from pathlib import PurePath
from typing import Any, TypeVar

_Result = TypeVar("_Result")

NETWORK = 0x40000000  # CLONE_NEWNET
MOUNTS = 0x00020000  # CLONE_NEWNS
_CLONE_FS = 0x200
_LIBC = ctypes.CDLL(None, use_errno=True)
_LONGEST_CGROUP_FILE = 65536


@contextmanager
def held(pid: int, container_id: str, name: str = "ns/net") -> Iterator[int]:
    """Hold a namespace, or another file, of a container's process.

    A PID, and a namespace's inode number too, may be another's by the time they are used.
    Everything is therefore read below one descriptor of ``/proc/PID``, which dies with the
    process, and the process must be in a control group that bears the container's id.

    Args:
        pid: the process, as the engine gave it.
        container_id: the engine's id of its container; empty to take the PID as it is.
        name: the file, below ``/proc/PID``.

    Yields:
        A descriptor of the file: whatever becomes of the process, it stays this one's.

    Raises:
        ProcessLookupError: the process is gone, or is not the container's.
    """
    try:
        process = os.open(f"/proc/{int(pid)}", os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError as error:
        raise ProcessLookupError(ESRCH, f"process {pid} is gone") from error
    try:
        namespace = _open_below(process, name, pid)
        try:
            _check_owner(process, pid, container_id)
            yield namespace
        finally:
            os.close(namespace)
    finally:
        os.close(process)


def _open_below(process: int, path: str, pid: int) -> int:
    try:
        return os.open(path, os.O_RDONLY, dir_fd=process)
    except (FileNotFoundError, ProcessLookupError) as error:
        raise ProcessLookupError(ESRCH, f"process {pid} is gone") from error


def _check_owner(process: int, pid: int, container_id: str) -> None:
    if not container_id:
        return
    groups = _open_below(process, "cgroup", pid)
    try:
        text = os.read(groups, _LONGEST_CGROUP_FILE).decode(errors="replace")
    finally:
        os.close(groups)
    # "/docker/<id>" or, under systemd, "/system.slice/docker-<id>.scope"
    if not any(container_id in PurePath(line).name for line in text.splitlines()):
        raise ProcessLookupError(ESRCH, f"process {pid} is not of container {container_id}")


def inside(
    namespace: int, work: Callable[..., _Result], *args: Any, kind: int = NETWORK
) -> _Result:
    """Call something in a namespace.

    It runs in a thread made for this and gone afterwards, so that no thread which others use
    can be left behind in there.

    Args:
        namespace: a descriptor of it.
        work: what to call.
        *args: with what.
        kind: ``NETWORK``, or ``MOUNTS``, whose root is the root directory of the call.

    Returns:
        What the call returned; what it raised is raised here.
    """
    results: list[_Result] = []
    failures: list[BaseException] = []

    def enter_and_work() -> None:
        try:
            # Threads share root and working directory, which a mount namespace brings its own of.
            left = _LIBC.unshare(_CLONE_FS) if kind == MOUNTS else 0
            if left or _LIBC.setns(namespace, kind):
                number = ctypes.get_errno()
                raise OSError(number, f"cannot enter the namespace: {os.strerror(number)}")  # noqa: TRY301
            results.append(work(*args))
        except BaseException as error:  # noqa: BLE001 - carried over to the caller's thread
            failures.append(error)

    thread = threading.Thread(target=enter_and_work, name="netns", daemon=True)
    thread.start()
    thread.join()
    if failures:
        raise failures[0]
    return results[0]
