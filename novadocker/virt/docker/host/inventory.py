# SPDX-License-Identifier: Apache-2.0
"""Inventory, traits and resources of the compute host, for Placement and Nova."""

import json
import platform
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import os_resource_classes as orc
import psutil
from oslo_log import log as logging

from novadocker.policy import GIB, MIB, Abilities
from novadocker.virt.docker.engine import Engine
from novadocker.virt.docker.host.disk import data_disk, disk, limits_disk

LOG = logging.getLogger(__name__)


TRAIT_DOCKER = "CUSTOM_DOCKER"
TRAIT_USERNS = "CUSTOM_DOCKER_USERNS"
TRAIT_DISK_LIMIT = "CUSTOM_DOCKER_DISK_LIMIT"
TRAIT_APPARMOR = "CUSTOM_DOCKER_APPARMOR"
TRAIT_RUNTIME = "CUSTOM_DOCKER_RUNTIME_"


@dataclass(frozen=True)
class Ratios:
    """How far each resource may be promised more often than it is there.

    Attributes:
        cpu: for VCPU.
        memory: for MEMORY_MB.
        disk: for DISK_GB.
    """

    cpu: float
    memory: float
    disk: float


@dataclass(frozen=True)
class Reserved:
    """What is kept back for the host itself.

    Attributes:
        cpus: processors.
        memory_mib: memory.
        disk_gib: disk.
    """

    cpus: int
    memory_mib: int
    disk_gib: int


class Host:
    """One compute host.

    Args:
        engine: the engine that runs on it.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def abilities(self, pids: int) -> Abilities:
        """Return what this host can enforce.

        Args:
            pids: the limit where a flavor does not say.

        Returns:
            For the policy.
        """
        info = self._engine.info()
        return Abilities(
            disk_limit=limits_disk(info),
            pids=pids,
            data_disk=data_disk(info),
            userns="userns" in info.security_options,
            apparmor="apparmor" in info.security_options,
            runtimes=info.runtimes,
            default_runtime=info.default_runtime,
        )

    def inventory(self, ratios: Ratios, reserved: Reserved) -> dict[str, dict[str, float]]:
        """Return what Placement is told.

        Args:
            ratios: how far it may be promised.
            reserved: what is kept back.

        Returns:
            Inventories by resource class, as Placement's API has them.
        """
        info = self._engine.info()
        return {
            orc.VCPU: _inventory(info.cpus, ratios.cpu, reserved.cpus),
            orc.MEMORY_MB: _inventory(info.memory_bytes // MIB, ratios.memory, reserved.memory_mib),
            orc.DISK_GB: _inventory(disk(info).total // GIB, ratios.disk, reserved.disk_gib),
        }

    def traits(self, runtimes: Iterable[str] = ()) -> dict[str, bool]:
        """Return what distinguishes this host for the scheduler.

        Args:
            runtimes: those that flavors may name here.

        Returns:
            All traits that we speak of, and whether the host has them.
        """
        info = self._engine.info()
        return {
            TRAIT_DOCKER: True,
            TRAIT_USERNS: "userns" in info.security_options,
            TRAIT_DISK_LIMIT: limits_disk(info),
            TRAIT_APPARMOR: "apparmor" in info.security_options,
            **{runtime_trait(each): each in info.runtimes for each in runtimes},
        }

    def resources(self, nodename: str) -> dict[str, object]:
        """Return what Nova shows as the hypervisor.

        Args:
            nodename: the node's name.

        Returns:
            The dictionary of ComputeDriver.get_available_resource.
        """
        info = self._engine.info()
        space = disk(info)
        return {
            "vcpus": info.cpus,
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


def runtime_trait(runtime: str) -> str:
    """Return the trait of hosts whose engine has a runtime.

    Args:
        runtime: its name.

    Returns:
        The trait; what no trait can have in its name is "_" there.
    """
    return TRAIT_RUNTIME + re.sub("[^A-Z0-9_]", "_", runtime.upper())


def uptime() -> str:
    """Say how long this host has been up, and how busy it is.

    Returns:
        A line as uptime(1) writes it, which is what OpenStack's client reads.
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
