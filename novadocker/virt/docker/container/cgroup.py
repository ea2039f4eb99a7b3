# SPDX-License-Identifier: Apache-2.0
"""A container's own place among the kernel's control groups, for an init system that makes more.

With cgroup v2 the runtime gives it to the container itself (runc from 1.1). With v1 systemd
wants no more than the hierarchy ``name=systemd``, which has no controllers: what is made below a
container's group there limits nothing and lifts no limit. The mount that the container has of it
is writable by the engine's own doing where users are remapped; only the owner is missing.
"""

from novadocker.errors import EngineError
from novadocker.virt.docker.container.privileged import give
from novadocker.virt.docker.engine import Container


def delegate(container: Container) -> None:
    """Let a container's root make control groups below the container's own. Idempotent.

    Args:
        container: that runs, and is at its gate.

    Raises:
        EngineError: it could not be done.
    """
    try:
        give(container.pid, container.id)
    except OSError as error:
        action = f"let container {container.name} make control groups"
        raise EngineError(action=action, reason=error) from error
