# SPDX-License-Identifier: Apache-2.0
"""State of the container that is an instance's server now, within a short time limit."""

from dataclasses import replace

from novadocker.errors import EngineReplyLost
from novadocker.virt.docker.container.labels import LABEL_INSTANCE, LABEL_ROLE, container_name
from novadocker.virt.docker.engine import Engine, State
from novadocker.virt.docker.engine.calls.listing import Listed


def serving(engine: Engine, uuid: str, *, hangs: bool = False) -> Listed | None:
    """Return the instance's own container, or the stand-in while the instance is rescued.

    Chosen as by ``guest.in_service``, but from the engine's list. The state is inspected; a
    container whose inspection hangs has the state of the list.

    Args:
        engine: Docker Engine of this host.
        uuid: id of the instance.
        hangs: True for a container that is known to hang, of which the list must do.

    Returns:
        The container; None if the engine has neither.
    """
    found = engine.listed(f"{LABEL_INSTANCE}={uuid}")
    name = container_name(uuid, rescue=True)
    stand_in = found.get(name)
    if not (stand_in and LABEL_ROLE in stand_in.labels and stand_in.state is not State.CREATED):
        name = container_name(uuid)
    if name not in found or hangs:
        return found.get(name)
    return _inspected(engine, name, found[name])


def _inspected(engine: Engine, name: str, listed: Listed) -> Listed | None:
    # The engine writes its list after it has told of a container's end: the list of that moment
    # says that the container runs, and no later event corrects it.
    try:
        container = engine.find(name, brief=True)
    except EngineReplyLost:
        return listed
    return replace(listed, id=container.id, state=container.state) if container else None
