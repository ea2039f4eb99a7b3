# SPDX-License-Identifier: Apache-2.0
"""Living processes of a container that its engine calls ended.

An engine that was upgraded under running servers may look for its containers in another namespace
of containerd: it finds none and calls all of them exited, and each process goes on, with its
files and its network. A second process beside the first would write into the same files.
"""

from collections.abc import Iterator
from pathlib import Path

import tenacity

from novadocker.errors import ContainerUnseen
from novadocker.virt.docker.engine import Container, State
from novadocker.virt.docker.privileged.process import belongs

PROC = Path("/proc")
SECONDS = 2.0
PAUSE = 0.1


def refuse(container: Container, *, seconds: float = SECONDS, proc: Path = PROC) -> None:
    """Refuse a start beside processes of an earlier one.

    Args:
        container: the container as the engine sees it; one that runs, or never ran, passes.
        seconds: time for an end that is just under way.
        proc: the host's processes.

    Raises:
        ContainerUnseen: a process of the container is alive.
    """
    if container.state not in (State.EXITED, State.DEAD):
        return
    # The engine tells of an end before the kernel has taken the last thread away.
    attempts = tenacity.Retrying(
        retry=tenacity.retry_if_result(bool),
        stop=tenacity.stop_after_delay(seconds),
        wait=tenacity.wait_fixed(PAUSE),
        retry_error_callback=lambda state: state.outcome.result() if state.outcome else (),
    )
    if found := attempts(living, container.id, proc):
        pids = ", ".join(map(str, found))
        raise ContainerUnseen(name=container.name, state=container.state, pids=pids)


def living(container_id: str, proc: Path = PROC) -> tuple[int, ...]:
    """Return the processes in a container's control group, ascending, without zombies.

    Args:
        container_id: the engine's id.
        proc: the host's processes.
    """
    return tuple(sorted(_members(container_id, proc)))


def _members(container_id: str, proc: Path) -> Iterator[int]:
    for process in proc.iterdir():
        if not process.name.isdecimal():
            continue
        try:
            # A zombie has no command line, and neither have the kernel's threads.
            ours = belongs((process / "cgroup").read_text(errors="replace"), container_id)
            if ours and (process / "cmdline").read_bytes():
                yield int(process.name)
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended while we looked
