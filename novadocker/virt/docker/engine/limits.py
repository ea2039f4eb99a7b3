# SPDX-License-Identifier: Apache-2.0
"""Limits of a container in the form of ``HostConfig``, Docker Engine API 1.41."""

from collections.abc import Mapping
from typing import Any

from novadocker.policy import Limits
from novadocker.policy.quota import DiskRates

RATES = {
    "BlkioDeviceReadBps": "read_bytes",
    "BlkioDeviceWriteBps": "write_bytes",
    "BlkioDeviceReadIOps": "read_iops",
    "BlkioDeviceWriteIOps": "write_iops",
}


def limits_body(limits: Limits) -> dict[str, int | str]:
    """Write limits as members of ``HostConfig`` and of ``POST /containers/NAME/update``.

    Args:
        limits: all limits; the disk's are fixed at creation and left out.

    Returns:
        The members.
    """
    return {
        "Memory": limits.memory_bytes,
        "MemorySwap": limits.memory_bytes + limits.swap_bytes,
        "CpuShares": limits.cpu_shares,
        "NanoCpus": limits.nano_cpus,
        "PidsLimit": limits.pids,
        "CpusetCpus": limits.cpuset,
    }


def disk_body(limits: Limits) -> dict[str, Any]:
    """Write the limits of a disk, which are fixed at creation: size and rates.

    Args:
        limits: all limits of the container.

    Returns:
        Members of ``HostConfig``, all of them, so that none of another container's is left.
    """
    rates = limits.rates
    return {
        "StorageOpt": {"size": str(limits.disk_bytes)} if limits.disk_bytes else {},
        **{
            member: [{"Path": rates.disk, "Rate": rate}] if rate else []
            for member, rate in ((each, getattr(rates, name)) for each, name in RATES.items())
        },
    }


def parse_limits(host_config: Mapping[str, Any]) -> Limits:
    """Read a container's limits.

    Args:
        host_config: member ``HostConfig`` of ``GET /containers/NAME/json``.

    Returns:
        The limits; no swap where the kernel does not count it.
    """
    memory = host_config.get("Memory", 0)
    return Limits(
        memory_bytes=memory,
        swap_bytes=max(host_config.get("MemorySwap", 0) - memory, 0),
        nano_cpus=host_config.get("NanoCpus", 0),
        cpu_shares=host_config.get("CpuShares", 0),
        pids=host_config.get("PidsLimit") or 0,
        disk_bytes=int((host_config.get("StorageOpt") or {}).get("size", 0)),
        rates=_parse_rates(host_config),
        cpuset=host_config.get("CpusetCpus") or "",
    )


def _parse_rates(host_config: Mapping[str, Any]) -> DiskRates:
    told = {
        name: host_config[member][0] for member, name in RATES.items() if host_config.get(member)
    }
    disk = next((each["Path"] for each in told.values()), "")
    return DiskRates(disk, **{name: int(each["Rate"]) for name, each in told.items()})


NO_LIMITS = parse_limits({})
