# SPDX-License-Identifier: Apache-2.0
"""Calls on links and port files as root: code of the privileged daemon and no other.

oslo.privsep starts it by ``[novadocker_privileged] helper_command`` (else by ``sudo``) and
leaves it only the capabilities named here. Arguments and results are plain values; what goes
wrong is an ``OSError``, since other exceptions do not survive the way back.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from errno import EIO
from typing import Any

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from novadocker.virt.docker.privileged import namespace
from novadocker.virt.docker.privileged.context import entrypoint
from novadocker.virt.docker.wiring import container_side, veth, vrouter_files
from novadocker.virt.docker.wiring.plan import Nic


@entrypoint
def missing(pid: int, container_id: str, nics: Sequence[Mapping[str, Any]]) -> list[str]:
    """List the ports without a veth pair to a container; other faults of them do not count.

    Args:
        pid: a process of the container.
        container_id: the container, to tell it from a later one with the same PID.
        nics: the ports.

    Returns:
        The ids of those without a veth pair between the host and this container.
    """
    wanted = [Nic.from_primitive(nic) for nic in nics]
    with _as_os_errors(), namespace.held(pid, container_id) as target, IPRoute() as ip:
        pairs = veth.find_pairs(ip, veth.namespace_id(ip, target), wanted)
        return [nic.port_id for nic in wanted if nic.port_id not in pairs]


@entrypoint
def join(
    pid: int, container_id: str, nics: Sequence[Mapping[str, Any]], *, keep_others: bool = False
) -> dict[str, list[str]]:
    """Give a container the interfaces of its plan, and no others made by the driver.

    Args:
        pid: a process of the container.
        container_id: the container, to tell it from a later one with the same PID.
        nics: all its ports, in order.
        keep_others: other interfaces of the driver's stay.

    Returns:
        Fields of an ``Outcome``: phrases for a log.
    """
    wanted = [Nic.from_primitive(nic) for nic in nics]
    with _as_os_errors(), namespace.held(pid, container_id) as target, IPRoute() as ip:
        number = veth.namespace_id(ip, target)
        pairs = veth.find_pairs(ip, number, wanted)
        # a namespace without a number has no link to the host
        present = {} if number is None else namespace.inside(target, container_side.interfaces)
        kept = {pair.inner for pair in pairs.values()}
        changes = [] if keep_others else veth.delete_strays(ip, number, present, kept)
        taken = {name for index, (name, _) in present.items() if keep_others or index in kept}
        for nic in wanted:
            if nic.port_id not in pairs:
                name = _free_name(nic.name, taken)
                pairs[nic.port_id] = veth.create_pair(ip, target, nic, name)
                changes.append(f"{nic.host_device} joined to {name}")
            changes += veth.settle_host_end(ip, pairs[nic.port_id], nic)
        joined = {pairs[nic.port_id].inner: nic for nic in wanted}
        fresh = {pair.inner for pair in pairs.values() if pair.fresh}
        outcome = namespace.inside(target, container_side.settle, joined, fresh)
        outcome.changes[:0] = changes
        return asdict(outcome)


@entrypoint
def withdraw(devices: Sequence[str]) -> list[str]:
    """Delete host ends, and with each the container's.

    Args:
        devices: their names; those that are gone already are passed over.

    Returns:
        The names of those that were there.
    """
    with _as_os_errors(), IPRoute() as ip:
        return [name for name in devices if veth.delete(ip, name)]


@entrypoint
def mute(devices: Sequence[str], *, down: bool) -> list[str]:
    """Take host ends down, against all traffic, or up again.

    Args:
        devices: their names.
        down: True to take them down.

    Returns:
        The names of those that are there.
    """
    with _as_os_errors(), IPRoute() as ip:
        return [name for name in devices if veth.mute(ip, name, down=down)]


@entrypoint
def enslave(device: str, bridge: str) -> bool:
    """Make a host end a port of a Linux bridge.

    Args:
        device: the host end.
        bridge: the bridge.

    Returns:
        Whether it was not one already.
    """
    with _as_os_errors(), IPRoute() as ip:
        return veth.enslave(ip, device, bridge)


@entrypoint
def write_port_file(directory: str, port: str, text: str) -> None:
    """Write a port's file for the vRouter agent's next start.

    Args:
        directory: folder of such files.
        port: the port's id.
        text: a JSON object with that id; anything else is refused.
    """
    vrouter_files.write(directory, port, text)


@entrypoint
def remove_port_files(directory: str, ports: Sequence[str]) -> None:
    """Remove files of ports; absence is no error.

    Args:
        directory: folder of such files.
        ports: the ports' ids; anything else is refused.
    """
    vrouter_files.remove(directory, ports)


def _free_name(planned: str, taken: set[str]) -> str:
    """Choose an interface's name; after a detach another port may have the planned name."""
    candidates = (planned, *(f"eth{number}" for number in range(len(taken) + 1)))
    name = next(candidate for candidate in candidates if candidate not in taken)
    taken.add(name)
    return name


@contextmanager
def _as_os_errors() -> Iterator[None]:
    try:
        yield
    except OSError:
        raise
    except NetlinkError as error:
        raise OSError(*error.args) from error
    except Exception as error:
        # oslo.privsep names the class alone to the caller, who would not know it
        raise OSError(EIO, f"{type(error).__name__}: {error}") from error
