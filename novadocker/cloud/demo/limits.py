# SPDX-License-Identifier: Apache-2.0
"""Limits of a container in the kernel, read from a cgroup of version 1 or 2."""

from dataclasses import dataclass
from pathlib import Path

from novadocker.cloud.demo import container
from novadocker.cloud.layout.host import ComputeHost

_CGROUPS = Path("/sys/fs/cgroup")
_MIB = 1 << 20


@dataclass(frozen=True)
class Limits:
    """Limits of a container.

    Args:
        memory_mib: memory, in MiB.
        processors: processor time, in processors.
        processes: number of processes and threads.
    """

    memory_mib: int
    processors: float
    processes: int


def of_server(host: ComputeHost, server: str) -> Limits:
    """Return the limits of a running server's container.

    Args:
        host: where it runs.
        server: id in Nova.
    """
    return of_process(container.state(host, server)["Pid"])


def of_process(pid: int) -> Limits:
    """Return the limits of a process's cgroups."""
    lines = Path(f"/proc/{pid}/cgroup").read_text().splitlines()
    hierarchies = [line.split(":", 2) for line in lines]
    places = {name: path for _, names, path in hierarchies for name in names.split(",")}
    if "memory" in places:
        return _version_1(places)
    return _version_2(_CGROUPS / places[""].lstrip("/"))


def _version_1(places: dict[str, str]) -> Limits:
    def number(controller: str, name: str) -> int:
        file = _CGROUPS / controller / places[controller].lstrip("/") / name
        return int(file.read_text())

    quota, period = number("cpu", "cpu.cfs_quota_us"), number("cpu", "cpu.cfs_period_us")
    memory = number("memory", "memory.limit_in_bytes")
    return Limits(memory // _MIB, quota / period, number("pids", "pids.max"))


def _version_2(group: Path) -> Limits:
    quota, period = (group / "cpu.max").read_text().split()
    memory = int((group / "memory.max").read_text())
    return Limits(memory // _MIB, int(quota) / int(period), int((group / "pids.max").read_text()))
