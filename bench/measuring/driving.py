# SPDX-License-Identifier: Apache-2.0
"""Boots of containers under the hybrid driver and under the Docker driver, in turn on one host."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from bench.measuring.cloud import Cloud
from novadocker.cloud.config.common import Common
from novadocker.cloud.layout import credentials
from novadocker.cloud.supervision import services, starting, supervisor

FLAVOR = "c1.tiny"
HYBRID = "novadocker.virt.hybrid.HybridDriver"
ALONE = "novadocker.virt.docker.DockerDriver"


@dataclass
class Boots:
    """Seconds from the request to ACTIVE, in the order of measurement.

    Attributes:
        hybrid: under the hybrid driver.
        alone: under the Docker driver.
    """

    hybrid: list[float] = field(default_factory=list)
    alone: list[float] = field(default_factory=list)

    def rows(self) -> dict[str, list[float]]:
        """Return both series with their names."""
        return {
            "create to ACTIVE, hybrid host": self.hybrid,
            "create to ACTIVE, containers only": self.alone,
        }


def measure(
    cloud: Cloud, image: str, rounds: int, count: int, tell: Callable[[str], None]
) -> Boots:
    """Measure boots of one image under either driver.

    Args:
        cloud: a hybrid one without servers.
        image: Glance's id of a small image of containers.
        rounds: restarts with each driver; the machine is busier at one time than at another.
        count: boots after each restart.
        tell: hears how far it is.
    """
    boots = Boots()
    for number in range(rounds):
        _some(cloud, image, count, boots.hybrid)
        with _alone(cloud):
            _some(cloud, image, count, boots.alone)
        tell(f"round {number + 1} of {rounds}")
    return boots


def _some(cloud: Cloud, image: str, count: int, seconds: list[float]) -> None:
    cloud.delete(cloud.create(image, FLAVOR)[0])  # opens the connections of a new nova-compute
    for _ in range(count):
        server, took = cloud.create(image, FLAVOR)
        seconds.append(took)
        cloud.delete(server)


@contextmanager
def _alone(cloud: Cloud) -> Iterator[None]:
    name = cloud.host.service("nova-compute")
    path = cloud.layout.conf(name) / "nova.conf"
    before = path.read_text()
    path.write_text(before.replace(HYBRID, ALONE))
    try:
        _restart(cloud, name)
        yield
    finally:
        path.write_text(before)
        _restart(cloud, name)


def _restart(cloud: Cloud, name: str) -> None:
    passwords = credentials.load_or_make(cloud.layout.state / "credentials.json")
    table = services.table(Common(cloud.layout, passwords))
    supervisor.stop(cloud.layout, name)
    service = next(each for each in table if each.name == name)
    starting.start(cloud.layout, service, threading.Event())
