# SPDX-License-Identifier: Apache-2.0
"""The engine's floor: creating and starting the container of a server, and nothing else."""

import time
import uuid

from cloud import Cloud

from novadocker.virt.docker.images import NAMESPACE
from novadocker.virt.docker.instance_directory import InstanceDirectory
from novadocker.virt.docker.policy import Abilities, Flavor, settings_for
from novadocker.virt.docker.server import Server, container_spec

# Not the name of a compute host: no driver takes its containers for its own.
HOST = "bench"


def measure(cloud: Cloud, image: str, flavor: Flavor) -> float:
    """Return the seconds that the bare engine takes; nothing is left of it.

    Args:
        cloud: whose engine.
        image: Glance's id of an image that the engine has.
        flavor: of the server.
    """
    server = Server(
        uuid=str(uuid.uuid4()),
        project=HOST,
        host=HOST,
        hostname="bench",
        flavor=flavor,
        image=image,
    )
    (tag, *_) = cloud.engine.image_tags(f"{NAMESPACE}{image}:")
    found = cloud.engine.find_image(tag)
    if found is None:
        raise LookupError(tag)
    directory = InstanceDirectory(
        cloud.host.nova_state / "instances" / server.uuid, server.container
    )
    directory.make()
    try:
        abilities = Abilities(disk_limit=False, pids=1024)
        settings = settings_for(flavor, abilities)
        spec = container_spec(server, found, settings, directory.binds(), "8m")
        began = time.monotonic()
        cloud.engine.create(spec)
        cloud.engine.start(spec.name)
        return time.monotonic() - began
    finally:
        cloud.engine.remove(server.container)
        directory.remove()
