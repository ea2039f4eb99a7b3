# SPDX-License-Identifier: Apache-2.0
"""Names of a server's containers after a broken-off recreation."""

from novadocker.virt.docker.container.labels import LABEL_INSTANCE, container_name
from novadocker.virt.docker.engine import Engine

SUCCESSOR, PREDECESSOR = "-successor", "-predecessor"


def end_recreation(engine: Engine, uuid: str) -> None:
    """End a recreation broken off by a death of the driver.

    An original beside the server's container is none of these: the original waits for the
    confirmation of a resize. The caller holds the server's lock.
    """
    name = container_name(uuid)
    # From the list: each operation begins with this call, and one answer is cheap.
    there = engine.listed(f"{LABEL_INSTANCE}={uuid}")
    # The original first: a death in between leaves a server with a container.
    if name + PREDECESSOR in there and name not in there:
        engine.rename(name + PREDECESSOR, name)
    if name + SUCCESSOR in there:
        engine.remove(name + SUCCESSOR)
