# SPDX-License-Identifier: Apache-2.0
"""State of the container that is an instance's server now, without an inspection of it."""

from novadocker.virt.docker.container.labels import LABEL_INSTANCE, LABEL_ROLE, container_name
from novadocker.virt.docker.engine import Engine, State
from novadocker.virt.docker.engine.calls.listing import Listed


def serving(engine: Engine, uuid: str) -> Listed | None:
    """Return the instance's own container, or the stand-in while the instance is rescued.

    Chosen as by ``guest.in_service``, from the engine's list, which no hanging container delays.

    Args:
        engine: Docker Engine of this host.
        uuid: id of the instance.

    Returns:
        The container in the list; None if the engine has neither.
    """
    found = engine.listed(f"{LABEL_INSTANCE}={uuid}")
    stand_in = found.get(container_name(uuid, rescue=True))
    if stand_in and LABEL_ROLE in stand_in.labels and stand_in.state is not State.CREATED:
        return stand_in
    return found.get(container_name(uuid))
