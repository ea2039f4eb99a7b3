# SPDX-License-Identifier: Apache-2.0
"""Delegation of a container's control group to the container's root, for an init system.

runc does so for cgroup v2 under systemd's driver alone; under "cgroupfs" the group belongs to
nobody inside, and systemd as process 1 gives up. With v1 systemd wants no more than the hierarchy
``name=systemd``, which has no controllers. Limits stay the host's in both: the group itself and
the files that move processes change their owner, nothing else.
"""

from novadocker.errors import EngineError
from novadocker.virt.docker.container.privileged import give
from novadocker.virt.docker.engine import Container


def delegate(container: Container) -> None:
    """Let a container's root make control groups below the container's own. Idempotent.

    Args:
        container: a running container, at its gate: its init system has not begun to look.

    Raises:
        EngineError: the kernel refused.
    """
    try:
        give(container.pid, container.id)
    except OSError as error:
        action = f"let container {container.name} make control groups"
        raise EngineError(action=action, reason=error) from error
