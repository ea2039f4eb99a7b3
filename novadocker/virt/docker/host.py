# SPDX-License-Identifier: Apache-2.0
"""The compute host: whether its engine will do, and what it has to give."""

import json
import os
import platform
import re
import shutil
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import os_resource_classes as orc
import psutil
from oslo_log import log as logging

from novadocker.virt.docker.engine import Engine, EngineInfo
from novadocker.virt.docker.engine.advisories import concerning
from novadocker.virt.docker.engine.changelogs import mended
from novadocker.virt.docker.errors import EngineUnsuitable
from novadocker.virt.docker.policy import GIB, MIB, Abilities

LOG = logging.getLogger(__name__)

OLDEST_API = (1, 41)  # Docker 20.10, Debian 12's: the oldest that we test
QUOTAS_BUILT_IN = frozenset({"btrfs", "zfs"})
PROJECT_QUOTA_OPTIONS = frozenset({"prjquota", "pquota"})
MOUNTS = Path("/proc/self/mounts")
# These keep containers' files as files below the engine's root directory, and nowhere else.
FILES_BELOW_ROOT = frozenset({"overlay2", "vfs"})
# How an engine says, for cgroup v1 and v2, that it passes over rates of disks.
PASSED_OVER = ("No blkio throttle.", "No io.max ")
BLOCK_DEVICES = Path("/sys/dev/block")
DEVICES = Path("/dev")

TRAIT_DOCKER = "CUSTOM_DOCKER"
TRAIT_USERNS = "CUSTOM_DOCKER_USERNS"
TRAIT_DISK_LIMIT = "CUSTOM_DOCKER_DISK_LIMIT"
TRAIT_APPARMOR = "CUSTOM_DOCKER_APPARMOR"
TRAIT_RUNTIME = "CUSTOM_DOCKER_RUNTIME_"
UNCONFINED = "unconfined"


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
        engine: the one that it runs.
        require_userns: whether an engine without user namespaces is refused.
    """

    def __init__(self, engine: Engine, *, require_userns: bool) -> None:
        self._engine = engine
        self._require_userns = require_userns

    def check(self) -> EngineInfo:
        """Look whether the engine will do, and warn of what an operator should know.

        Returns:
            What the engine says of itself.

        Raises:
            EngineUnavailable: it cannot be reached.
            EngineUnsuitable: it is too old, or runs containers without user namespaces or without
                seccomp.
        """
        info = self._engine.info()
        url = self._engine.connection.url
        oldest = ".".join(map(str, OLDEST_API))
        if info.api_versions[1] < OLDEST_API:
            newest = ".".join(map(str, info.api_versions[1]))
            raise EngineUnsuitable(
                url=url, reason=f"it speaks API {newest} and {oldest} is needed; upgrade it"
            )
        if "userns" not in info.security_options and self._require_userns:
            raise EngineUnsuitable(
                url=url,
                reason="it runs containers without user namespaces, so root in a container is "
                "root on the host; start it with --userns-remap=default, or set "
                "[docker] require_userns = false if you accept that",
            )
        if "seccomp" not in info.security_options or info.seccomp_profile == UNCONFINED:
            raise EngineUnsuitable(
                url=url,
                reason="its containers may make any system call; give it a kernel with seccomp, "
                "and start it without --seccomp-profile=unconfined",
            )
        for warning in warnings(info, mended(info.components)):
            LOG.warning("%s", warning)
        return info

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


def warnings(info: EngineInfo, mended_here: Collection[str] = ()) -> list[str]:
    """Say what an operator should know of an engine that we accept.

    Args:
        info: what it says of itself.
        mended_here: numbers of vulnerabilities that its distribution has mended.

    Returns:
        Sentences.
    """
    said = concerning(info.components, mended_here)
    if not limits_disk(info):
        said.append(
            f"The root disk of flavors is not enforced: storage driver {info.storage_driver} on "
            f"{info.backing_filesystem or 'its file system'} has no quotas; put "
            f"{info.root_directory} on XFS mounted with pquota, btrfs or ZFS"
        )
    if not info.live_restore:
        said.append("Containers end when the engine restarts: start it with --live-restore")
    if "userns" not in info.security_options:
        said.append("Root in a container is root on the host: start it with --userns-remap")
    return said


def limits_disk(info: EngineInfo, mounts: Path = MOUNTS) -> bool:
    """Tell whether the storage driver can limit a container's writable layer.

    Args:
        info: what the engine says of itself.
        mounts: the mounts of this host, as in proc(5).

    Returns:
        True for btrfs and ZFS, and for overlay2 on XFS with project quotas.
    """
    if info.storage_driver in QUOTAS_BUILT_IN:
        return True
    if (info.storage_driver, info.backing_filesystem) != ("overlay2", "xfs"):
        return False
    root = Path(info.root_directory)
    options = {
        Path(where): set(flags.split(","))
        for _, where, _, flags, *_ in map(str.split, mounts.read_text().splitlines())
    }
    mount = next((each for each in (root, *root.parents) if each in options), None)
    return mount is not None and bool(options[mount] & PROJECT_QUOTA_OPTIONS)


def data_disk(
    info: EngineInfo, block_devices: Path = BLOCK_DEVICES, devices: Path = DEVICES
) -> str | None:
    """Find the disk that containers are on; the kernel limits rates of whole disks only.

    Args:
        info: what the engine says of itself.
        block_devices: as in sysfs(5): links by the numbers of devices.
        devices: where their files are.

    Returns:
        Path of its device; None where it has none of its own, as on btrfs, ZFS or a network, or
        where the engine does not limit rates.
    """
    told = any(each in warning for each in PASSED_OVER for warning in info.warnings)
    if told or info.storage_driver not in FILES_BELOW_ROOT:
        return None
    try:
        number = Path(info.root_directory).stat().st_dev
        found = (block_devices / f"{os.major(number)}:{os.minor(number)}").resolve(strict=True)
    except OSError:  # an anonymous device, or files that we do not see
        return None
    whole = found.parent if (found / "partition").exists() else found
    device = devices / whole.name.replace("!", "/")  # sysfs's way to write a name with "/"
    return str(device) if device.exists() else None


def disk(info: EngineInfo) -> shutil._ntuple_diskusage:
    """Return the size of the disk that containers are on.

    Args:
        info: what the engine says of itself.

    Returns:
        Total, used and free bytes.
    """
    root = Path(info.root_directory)
    return shutil.disk_usage(next(each for each in (root, *root.parents) if each.exists()))


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
