# SPDX-License-Identifier: Apache-2.0
"""Judgement of a host with virtual machines beside its containers. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from novadocker.virt.docker.check.findings import Finding, Verdict

# QEMU itself takes up to 250 MiB beside each small guest that it interprets.
LEAST_RESERVED_MIB = 1024
_USER_SPACE = "netdev"


@dataclass(frozen=True)
class Processors:
    """Processors of a host as nova.conf divides them.

    Attributes:
        shared: True where ``[compute] cpu_shared_set`` is set.
        dedicated: True where ``[compute] cpu_dedicated_set`` is set.
        power_managed: True where libvirt's driver switches idle dedicated processors off.
    """

    shared: bool
    dedicated: bool
    power_managed: bool


@dataclass(frozen=True)
class Switch:
    """Open vSwitch of a host.

    Attributes:
        datapath: type of the integration bridge's datapath; "" is the kernel's.
        offloads: True where the datapath in user space completes checksums of machines.
    """

    datapath: str
    offloads: bool


def node_name(libvirts: str, ours: str) -> Finding:
    """Judge the names of the host: libvirt's names the node, nova.conf's named it before.

    Args:
        libvirts: name of the host by libvirt.
        ours: ``[DEFAULT] host``.
    """
    if libvirts == ours:
        return Finding("node name", Verdict.OK, ours)
    words = f"libvirt calls this host {libvirts}, [DEFAULT] host is {ours}"
    fix = "make both the same before a host of containers only becomes hybrid"
    return Finding("node name", Verdict.WARNING, words, fix)


def reserved_memory(mib: int) -> Finding:
    """Judge the memory that is kept back for the host, QEMU's own included.

    Args:
        mib: ``[DEFAULT] reserved_host_memory_mb``.
    """
    words = f"reserved_host_memory_mb = {mib}"
    if mib >= LEAST_RESERVED_MIB:
        return Finding("reserved memory", Verdict.OK, words)
    fix = f"reserve {LEAST_RESERVED_MIB} or more: QEMU needs memory beside each guest's"
    return Finding("reserved memory", Verdict.WARNING, words, fix)


def processors(divided: Processors) -> Iterator[Finding]:
    """Judge the division of the processors.

    Args:
        divided: processors of the host.

    Yields:
        A finding for each trap; one if there is none.
    """
    found = list(_of_processors(divided))
    yield from found
    if not found:
        yield Finding("processors", Verdict.OK, "divided for both kinds, or for none")


def _of_processors(divided: Processors) -> Iterator[Finding]:
    if divided.dedicated and not divided.shared:
        words = "cpu_dedicated_set alone: machines that share run on dedicated processors too"
        yield Finding("processors", Verdict.WARNING, words, "set [compute] cpu_shared_set")
    if divided.dedicated and divided.power_managed:
        words = "[libvirt] cpu_power_management: pinned containers are refused"
        yield Finding("processors", Verdict.WARNING, words, "switch it off, or pin machines alone")


def disks(*, apart: bool) -> Finding:
    """Judge the disks of both kinds.

    Args:
        apart: True for two file systems.
    """
    if not apart:
        return Finding("disks", Verdict.OK, "one file system for machines and containers")
    words = "machines and containers are on two file systems; the smaller counts for both"
    fix = "put [DEFAULT] instances_path and the engine's data on one"
    return Finding("disks", Verdict.WARNING, words, fix)


def switch(seen: Switch) -> Finding:
    """Judge the switch: a datapath in user space leaves a machine's checksums open.

    Args:
        seen: switch of the host.
    """
    if seen.datapath != _USER_SPACE:
        return Finding("switch", Verdict.OK, "its datapath completes checksums")
    if seen.offloads:
        return Finding("switch", Verdict.OK, "userspace-tso-enable completes checksums")
    words = "a datapath in user space: pings pass, and no TCP of a machine does"
    fix = (
        "ovs-vsctl set Open_vSwitch . other_config:userspace-tso-enable=true, and restart "
        "ovs-vswitchd"
    )
    return Finding("switch", Verdict.MISSING, words, fix)
