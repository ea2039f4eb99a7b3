# SPDX-License-Identifier: Apache-2.0
"""Name of a running container, kept the one in Nova's record.

The engine fixes the name at creation, while Nova's may be changed later. Files in /etc follow
Nova, and a kernel with the old name would have a name that does not resolve.
"""

from novadocker.errors import EngineError
from novadocker.virt.docker.engine import Container
from novadocker.virt.docker.privileged import process
from novadocker.virt.docker.wiring import name_files


def follow(container: Container, hostname: str) -> None:
    """Give a running container its server's name. Idempotent.

    Args:
        container: as it is now.
        hostname: name in Nova's record.

    Raises:
        EngineError: the kernel did not take the name.
    """
    name = name_files.kernel_name(hostname)
    # The name at creation: most servers keep theirs, and cost nothing here.
    if container.hostname in ("", name):
        return
    try:
        process.set_hostname(container.pid, container.id, name)
    except OSError as error:
        raise EngineError(action=f"rename container {container.name}", reason=error) from error
