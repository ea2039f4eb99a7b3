# SPDX-License-Identifier: Apache-2.0
"""Dispatch of the hybrid driver alone: its questions to the cloud's own engines, and no action."""

import os
import time
import uuid
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from bench.measuring.cloud import Cloud

FLAVOR = "c1.tiny"
DISPATCH, SEARCH = "dispatch to a container", "search of both engines"


@dataclass(frozen=True)
class Asked:
    """A server's record as periodic calls bring it.

    Attributes:
        uuid: id of the server.
        image_meta: nova.objects.ImageMeta.
        host: name of the compute host.
    """

    uuid: str
    image_meta: Any
    host: str = ""


def measure(cloud: Cloud, image: str, count: int) -> dict[str, list[float]]:
    """Measure the time between Nova's call and the call of the driver behind.

    Args:
        cloud: a hybrid one; a container is made for it.
        image: Glance's id of an image of containers.
        count: calls of each sort.

    Returns:
        Seconds of each call, by the sort.
    """
    server, _ = cloud.create(image, FLAVOR)
    driver = _hybrid(cloud)
    # A server that neither has is looked for in both at each call, as before a build.
    asked = {DISPATCH: server, SEARCH: str(uuid.uuid4())}
    return {name: _calls(driver, each, count) for name, each in asked.items()}


def _hybrid(cloud: Cloud) -> Any:
    os.environ.setdefault("OS_NOVA_DISABLE_EVENTLET_PATCHING", "1")
    from nova import monkey_patch  # noqa: PLC0415 - heavy, and settles which threads there are

    monkey_patch.patch(backend="threading")
    from nova.virt import driver  # noqa: PLC0415
    from nova.virt.libvirt.host import Host  # noqa: PLC0415

    from novadocker.cloud.underlay import libvirt  # noqa: PLC0415
    from novadocker.virt.hybrid.dispatch import dispatching  # noqa: PLC0415
    from novadocker.virt.hybrid.kind import Finder, Kind  # noqa: PLC0415
    from novadocker.virt.hybrid.sides import Containers, Machines  # noqa: PLC0415

    host = Host(libvirt.uri(cloud.host))
    host.initialize()
    nothing = SimpleNamespace(pause=lambda _instance: None)

    @dispatching
    class Dispatched(driver.ComputeDriver):  # type: ignore[misc]
        """Generated methods before drivers that do nothing."""

        def __init__(self) -> None:
            self.drivers = dict.fromkeys(Kind, nothing)
            containers: Any = SimpleNamespace(engine=cloud.engine)
            machines: Any = SimpleNamespace(_host=host)
            sides = {Kind.CONTAINER: Containers(containers), Kind.MACHINE: Machines(machines)}
            self.finder = Finder(sides)

    return Dispatched()


def _calls(driver: Any, server: str, count: int) -> list[float]:
    from nova.objects.image_meta import ImageMeta  # noqa: PLC0415 - after the threads

    meta = ImageMeta.from_dict({"container_format": "docker", "properties": {}})
    asked, seconds = Asked(server, meta), []
    for _ in range(count):
        began = time.perf_counter()
        driver.pause(asked)
        seconds.append(time.perf_counter() - began)
    return seconds
