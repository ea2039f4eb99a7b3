# SPDX-License-Identifier: Apache-2.0
"""Signals for a container's processes from outside; runs in the privileged daemon.

No program of the image takes part, so a profile without root stays without root.
"""

import os
import signal
from errno import ESRCH
from pathlib import Path, PurePath

from novadocker.virt.docker.privileged.context import entrypoint

PROC = Path("/proc")


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
