# SPDX-License-Identifier: Apache-2.0
"""``server dump create``: a signal to the server's process, as an NMI is to a VM's kernel.

The kernel drops a signal that the first process of a container does not handle
(``SIGNAL_UNKILLABLE``, signal(7)), so it is looked whether it does. Our init hands each on to
a process that the kernel does not protect.
"""

import signal
from pathlib import Path

from novadocker.errors import CrashDumpRefused
from novadocker.gate.start_gate import process_is_init
from novadocker.virt.docker.container.guest import Guest
from novadocker.virt.docker.engine import Engine

SIGNAL = signal.SIGABRT
PROC = Path("/proc")


def crash(engine: Engine, guest: Guest) -> None:
    """Send SIGABRT to a server's process.

    Args:
        engine: where its container is.
        guest: container of the server.

    Raises:
        ContainerNotFound: there is no container.
        CrashDumpRefused: it does not run, or its process does not handle the signal.
    """
    container = guest.get()
    if not container.alive:
        raise CrashDumpRefused(name=guest.name, reason=f"it is {container.state}")
    try:
        status = (PROC / str(container.pid) / "status").read_text(encoding="utf-8")
    except OSError as error:
        raise CrashDumpRefused(name=guest.name, reason="its process has just ended") from error
    if not (handles(status, SIGNAL) or process_is_init(container.pid)):
        raise CrashDumpRefused(
            name=guest.name,
            reason=f"its process does not handle {SIGNAL.name}, and the kernel drops what the "
            "first process of a container does not handle",
        )
    engine.signal(guest.name, SIGNAL.name)


def handles(status: str, number: int) -> bool:
    """Tell whether a process handles a signal.

    Args:
        status: text of ``/proc/PID/status``.
        number: number of the signal.

    Returns:
        Whether it has a handler for it.
    """
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught.split()[1], 16) >> (number - 1) & 1)
