# SPDX-License-Identifier: Apache-2.0
"""Signals and a name for a container's processes, from outside; runs in the privileged daemon.

No program of the image takes part, so a profile without root stays without root.
"""

import ctypes
import os
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from errno import ESRCH
from pathlib import Path, PurePath

from novadocker.virt.docker.privileged.context import entrypoint

PROC = Path("/proc")
_CLONE_NEWUTS = 0x04000000
_LIBC = ctypes.CDLL(None, use_errno=True)


@entrypoint
def send_signal(pid: int, container_id: str, number: int) -> None:
    """Send a signal to one process of a container.

    Args:
        pid: process id on the host, as told by the engine.
        container_id: engine's id of the container, against a PID in use again.
        number: signal number.

    Raises:
        ProcessLookupError: the process is gone, or belongs to something else.
    """
    # The descriptor comes first: the PID is nobody else's as long as its process lives, so a
    # process that passes the check below is the one that gets the signal.
    process = os.pidfd_open(pid)
    try:
        if not belongs(_groups(pid), container_id):
            raise ProcessLookupError(ESRCH, f"process {pid} is not of container {container_id}")
        signal.pidfd_send_signal(process, number)
    finally:
        os.close(process)


@entrypoint
def set_hostname(pid: int, container_id: str, name: str) -> None:
    """Give a container another hostname, beyond the rights of its own root.

    Args:
        pid: process id on the host, as told by the engine.
        container_id: engine's id of the container, against a PID in use again.
        name: name of at most 64 bytes.

    Raises:
        ProcessLookupError: the process is gone, or belongs to something else.
        OSError: the kernel refuses the name.
    """
    # As with a signal: the namespace is held first, and checked to be the container's then.
    process = os.pidfd_open(pid)
    try:
        namespace = os.open(PROC / str(pid) / "ns" / "uts", os.O_RDONLY)
        try:
            if not belongs(_groups(pid), container_id):
                raise ProcessLookupError(ESRCH, f"process {pid} is not of container {container_id}")
            signal.pidfd_send_signal(process, 0)  # it lives, so the namespace was its own
            # A thread of its own, gone afterwards: no other call is to run in there.
            with ThreadPoolExecutor(1) as inside:
                inside.submit(_rename, namespace, name).result()
        finally:
            os.close(namespace)
    finally:
        os.close(process)


def _rename(namespace: int, name: str) -> None:
    if _LIBC.setns(namespace, _CLONE_NEWUTS):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    socket.sethostname(name)


def belongs(groups: str, container_id: str) -> bool:
    """Tell whether control groups are a container's, or lie below them.

    Args:
        groups: lines of cgroups(7).
        container_id: engine's id of the container.

    Returns:
        True for a group named by the engine after the container, or by systemd for the engine.
    """
    names = {container_id, f"docker-{container_id}.scope"}
    return any(names & set(PurePath(line).parts) for line in groups.splitlines())


def _groups(pid: int) -> str:
    try:
        return (PROC / str(pid) / "cgroup").read_text(errors="replace")
    except FileNotFoundError as error:
        raise ProcessLookupError(ESRCH, f"process {pid} is gone") from error
