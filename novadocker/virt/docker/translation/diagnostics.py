# SPDX-License-Identifier: Apache-2.0
"""Usage of a server, in the two forms of Nova's API.

The old form is a flat dictionary, named as libvirt's driver names it; the other is Nova's
``Diagnostics``. Its ``hypervisor`` is the word to go by: ``driver`` knows only Nova's own.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from nova import objects
from nova.compute import power_state
from nova.objects import fields

from novadocker.policy import MIB
from novadocker.virt.docker.container.guest import Guest
from novadocker.virt.docker.engine import Engine, Usage
from novadocker.virt.docker.wiring.counters import Counters, counters_of
from novadocker.virt.nova_types import Instance

KIB = 1024


@dataclass(frozen=True)
class Diagnostics:
    """Usage of a running server.

    Attributes:
        state: Nova's name of its power state.
        config_drive: the server has a config drive.
        uptime: seconds since its process began.
        usage: processors, memory and disk.
        ports: counters of traffic, port by port.
        rights: limits and rights, in lines.
    """

    state: str
    config_drive: bool
    uptime: int
    usage: Usage
    ports: tuple[Counters, ...]
    rights: tuple[str, ...] = ()

    def as_dictionary(self) -> dict[str, Any]:
        """Write it for microversions before 2.48.

        Returns:
            Numbers by their names: times in nanoseconds, memory in KiB. The rights are words:
            this form is each driver's own, and the later one has no room for them.
        """
        usage = self.usage
        told: dict[str, Any] = {
            "cpu0_time": usage.cpu_nanoseconds,
            "memory": usage.memory_limit_bytes // KIB,
            "memory-rss": usage.memory_bytes // KIB,
            "processes": usage.processes,
            "root_read": usage.read_bytes,
            "root_read_req": usage.read_requests,
            "root_write": usage.written_bytes,
            "root_write_req": usage.write_requests,
            **dict(_flat(self.ports)),
            "rights": list(self.rights) or None,
        }
        return {name: value for name, value in told.items() if value is not None}

    def as_object(self) -> Any:
        """Write it for microversions from 2.48 on.

        Returns:
            Nova's object.
        """
        usage = self.usage
        told = objects.Diagnostics(
            state=self.state,
            # The API's own schema refuses an answer without one of Nova's drivers; what we
            # tell is what libvirt's tells.
            driver=fields.HypervisorDriver.LIBVIRT,
            hypervisor="docker",
            hypervisor_os="linux",
            uptime=self.uptime,
            config_drive=self.config_drive,
        )
        told.memory_details = objects.MemoryDiagnostics(
            maximum=usage.memory_limit_bytes // MIB, used=usage.memory_bytes // MIB
        )
        # A container's processors are a share of the host's: only their sum is its own.
        told.add_cpu(id=0, time=usage.cpu_nanoseconds)
        told.add_disk(
            read_bytes=usage.read_bytes,
            read_requests=usage.read_requests,
            write_bytes=usage.written_bytes,
            write_requests=usage.write_requests,
        )
        for port in self.ports:
            told.add_nic(mac_address=port.mac, **_nic(port))
        return told


def diagnostics_of(engine: Engine, guest: Guest, instance: Instance, rights: str) -> Diagnostics:
    """Measure what a server uses.

    Args:
        engine: where its container is.
        guest: container of the instance.
        instance: Nova's.
        rights: limits and rights as told to the server.

    Returns:
        As it is now.

    Raises:
        ContainerNotFound: there is no container.
    """
    container = guest.get()
    return Diagnostics(
        state=power_state.STATE_MAP[instance.power_state],
        config_drive=bool(instance.config_drive),
        uptime=seconds_since(container.started_at),
        usage=engine.usage(guest.name),
        ports=tuple(counters_of(instance.get_network_info())),
        rights=tuple(rights.splitlines()),
    )


def seconds_since(moment: str) -> int:
    """Count seconds.

    Args:
        moment: ISO 8601, as the engine writes it.

    Returns:
        How many have passed since; 0 for one to come.
    """
    passed = datetime.now(UTC) - datetime.fromisoformat(moment)
    return max(int(passed.total_seconds()), 0)


def _flat(ports: Iterable[Counters]) -> Iterator[tuple[str, int]]:
    for port in ports:
        for way, traffic in (("rx", port.received), ("tx", port.sent)):
            if traffic:
                yield f"{port.device}_{way}", traffic.octets
                yield f"{port.device}_{way}_packets", traffic.packets
                yield f"{port.device}_{way}_errors", traffic.errors
                yield f"{port.device}_{way}_drop", traffic.drops


def _nic(port: Counters) -> dict[str, int]:
    told: dict[str, int] = {}
    for way, traffic in (("rx", port.received), ("tx", port.sent)):
        if traffic:
            told |= {
                f"{way}_octets": traffic.octets,
                f"{way}_packets": traffic.packets,
                f"{way}_errors": traffic.errors,
                f"{way}_drop": traffic.drops,
            }
    return told
