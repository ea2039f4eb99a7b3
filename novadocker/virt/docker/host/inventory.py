# SPDX-License-Identifier: Apache-2.0
"""Inventory, traits and resources of the compute host, for Placement and Nova."""

import json
import platform
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

import os_resource_classes as orc
import psutil
from oslo_log import log as logging

from novadocker.policy import GIB, MIB, Abilities
from novadocker.virt.docker.engine import Engine, EngineInfo
from novadocker.virt.docker.engine.features import Features
from novadocker.virt.docker.host.disk import data_disk, disk, limits_disk

LOG = logging.getLogger(__name__)


TRAIT_DOCKER = "CUSTOM_DOCKER"
TRAIT_USERNS = "CUSTOM_DOCKER_USERNS"
TRAIT_DISK_LIMIT = "CUSTOM_DOCKER_DISK_LIMIT"
TRAIT_APPARMOR = "CUSTOM_DOCKER_APPARMOR"
TRAIT_RUNTIME = "CUSTOM_DOCKER_RUNTIME_"


@dataclass(frozen=True)
class Ratios:
    """Factors of overcommitment, by resource class.

    Attributes:
        cpu: factor of VCPU.
        memory: factor of MEMORY_MB.
        disk: factor of DISK_GB.
    """

    cpu: float
    memory: float
    disk: float


@dataclass(frozen=True)
class Reserved:
    """Resources kept back for the host itself.

    Attributes:
        cpus: number of processors.
        memory_mib: memory.
        disk_gib: disk.
    """

    cpus: int
    memory_mib: int
    disk_gib: int


def undivided() -> None:
    """Return no set of shared processors: every server may use every processor."""


class Host:
    """One compute host.

    Args:
        engine: engine of the host.
        shared_processors: numbers of the processors for servers without dedicated ones; None
            where they are not divided.
    """

    def __init__(
        self,
        engine: Engine,
        shared_processors: Callable[[], frozenset[int] | None] = undivided,
    ) -> None:
        self._engine = engine
        self._shared_processors = shared_processors
        self._seen: Features | None = None

    def abilities(self, pids: int) -> Abilities:
        """Return the host's means to enforce limits and rights, as they are now.

        Args:
            pids: limit of processes for flavors without one.
        """
        info = self._engine.info()
        features = Features.of(info)
        return Abilities(
            disk_limit=limits_disk(info),
            pids=pids,
            data_disk=data_disk(info),
            userns=features.maps_users,
            apparmor=features.apparmor,
            runtimes=features.runtimes,
            default_runtime=info.default_runtime,
            shared_processors=self._shared_processors(),
        )

    def inventory(self, ratios: Ratios, reserved: Reserved) -> dict[str, dict[str, float]]:
        """Return the host's inventory for Placement.

        Args:
            ratios: factors of overcommitment.
            reserved: resources of the host's own.

        Returns:
            Inventories by resource class, in the form of Placement's API.
        """
        info = self._engine.info()
        processors = self._processors(info)
        # Placement takes no inventory of nothing, as where every processor is dedicated.
        shared = {orc.VCPU: _inventory(processors, ratios.cpu, reserved.cpus)} if processors else {}
        return {
            **shared,
            orc.MEMORY_MB: _inventory(info.memory_bytes // MIB, ratios.memory, reserved.memory_mib),
            orc.DISK_GB: _inventory(disk(info).total // GIB, ratios.disk, reserved.disk_gib),
        }

    def traits(
        self, runtimes: Iterable[str] = (), published: Iterable[str] = ()
    ) -> dict[str, bool]:
        """Return the host's traits for the scheduler, as engine and configuration are now.

        Args:
            runtimes: names of the runtimes that flavors may ask for here.
            published: traits that Placement has of this host.

        Returns:
            Every trait of ours, those of former runtimes too: True to keep, False to remove.
        """
        info = self._engine.info()
        features = Features.of(info)
        return {
            # A runtime that is configured no more has nobody else to take its trait away.
            **{each: False for each in published if each.startswith(TRAIT_RUNTIME)},
            TRAIT_DOCKER: True,
            TRAIT_USERNS: features.maps_users,
            TRAIT_DISK_LIMIT: limits_disk(info),
            TRAIT_APPARMOR: features.apparmor,
            **{runtime_trait(each): each in features.runtimes for each in runtimes},
        }

    def resources(self, nodename: str) -> dict[str, object]:
        """Return the hypervisor as Nova shows it; Nova asks every minute.

        Args:
            nodename: name of the compute node.

        Returns:
            The dictionary of ComputeDriver.get_available_resource.
        """
        info = self._engine.info()
        self._notice(Features.of(info))
        space = disk(info)
        return {
            "vcpus": self._processors(info),
            "memory_mb": info.memory_bytes // MIB,
            "local_gb": space.total // GIB,
            "vcpus_used": 0,
            "memory_mb_used": psutil.virtual_memory().used // MIB,
            "local_gb_used": space.used // GIB,
            "disk_available_least": space.free // GIB,
            "hypervisor_type": "docker",
            "hypervisor_version": _version_number(info.components.get("Engine", "0")),
            "hypervisor_hostname": nodename,
            "cpu_info": json.dumps({"arch": info.architecture, "model": platform.processor()}),
            "supported_instances": [(info.architecture, "docker", "exe")],
            "numa_topology": None,
        }

    def _processors(self, info: EngineInfo) -> int:
        shared = self._shared_processors()
        return info.cpus if shared is None else len(shared)

    def _notice(self, features: Features) -> None:
        # An upgrade under live-restore stops no server, and nova-compute goes on beside it.
        before, self._seen = self._seen or features, features
        for change in before.changes(features):
            LOG.warning("The engine has changed under nova-compute: %s; restart it", change)


def runtime_trait(runtime: str) -> str:
    """Return the trait of hosts with a runtime.

    Args:
        runtime: name in the engine's configuration.

    Returns:
        The trait, with "_" for characters that a trait cannot have.
    """
    return TRAIT_RUNTIME + re.sub("[^A-Z0-9_]", "_", runtime.upper())


def uptime() -> str:
    """Return uptime and load of this host.

    Returns:
        A line in the form of uptime(1), as OpenStack's client reads it.
    """
    now = datetime.now().astimezone()
    minutes = max(int(time.time() - psutil.boot_time()) // 60, 0)
    days, minutes = divmod(minutes, 24 * 60)
    up = f"{minutes // 60}:{minutes % 60:02}"
    if days:
        up = f"{days} day{'s' if days > 1 else ''}, {up}"
    users = len(psutil.users())
    load = ", ".join(f"{each:.2f}" for each in psutil.getloadavg())
    plural = "" if users == 1 else "s"
    return f" {now:%H:%M:%S} up {up},  {users} user{plural},  load average: {load}\n"


def _inventory(total: int, ratio: float, reserved: int) -> dict[str, float]:
    return {
        "total": total,
        "min_unit": 1,
        "max_unit": total,
        "step_size": 1,
        "allocation_ratio": ratio,
        "reserved": reserved,
    }


def _version_number(text: str) -> int:
    numbers = [int(part) for part in text.partition("+")[0].split(".")[:3] if part.isdecimal()]
    return sum(number * 1000**place for place, number in enumerate(reversed(numbers)))
