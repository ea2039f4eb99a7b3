# SPDX-License-Identifier: Apache-2.0
"""Interfaces of a container, seen from within its namespace. Needs rights; see ``privileged``.

Everything here compares first and changes what differs, so that a second run changes nothing.
"""

from collections.abc import Collection, Iterator, Mapping
from errno import ENODEV
from pathlib import Path
from typing import Any

from pyroute2 import IPRoute

from novadocker.virt.docker.wiring import addresses, offload, routes
from novadocker.virt.docker.wiring.outcome import Outcome
from novadocker.virt.docker.wiring.plan import Nic
from novadocker.virt.docker.wiring.veth import checked_name

_SYSCTL = Path("/proc/sys/net")
_UP = 1
_LOOPBACK = 1

_WHOLE_NAMESPACE = {
    # As Docker sets them on networks of its own: any user may ping and bind low ports.
    "ipv4/ping_group_range": "0\t2147483647",
    "ipv4/ip_unprivileged_port_start": "0",
    # Without it an address that is deleted takes the later ones of its subnet along.
    "ipv4/conf/all/promote_secondaries": "1",
    "ipv6/conf/all/disable_ipv6": "0",
    "ipv6/conf/default/disable_ipv6": "0",
}


def settle(nics: Mapping[int, Nic], fresh: Collection[int]) -> Outcome:
    """Bring the container's interfaces to their plans.

    Args:
        nics: ports by the index of their interface in here.
        fresh: indexes of interfaces made just now, where there is nothing to compare with.

    Returns:
        Changes, and what the kernel did not take.

    Raises:
        OSError: an interface is gone again, or this host cannot do it.
    """
    outcome = Outcome()
    outcome.changes += [
        f"{name} set" for name, value in _WHOLE_NAMESPACE.items() if _write(name, value)
    ]
    with IPRoute(strict_check=True) as ip:
        links = {link["index"]: link for link in ip.get_links()}
        if not links[_LOOPBACK]["flags"] & _UP:
            ip.link("set", index=_LOOPBACK, state="up")
            outcome.changes.append("lo up")
        for index, nic in nics.items():
            if index not in links:  # a server with NET_ADMIN can delete it at any moment
                raise OSError(ENODEV, f"the interface of port {nic.port_id} is gone")
            outcome.changes += _settle_link(ip, links[index], nic)
        # Routes last: a next hop is refused where no address leads to it.
        addresses.settle(ip, nics, fresh, outcome)
        routes.settle(ip, nics, fresh, outcome)
    return outcome


def interfaces() -> dict[int, tuple[str, int | None]]:
    """List the interfaces in here.

    Returns:
        By index: the name, and the index of the other end.
    """
    with IPRoute() as ip:
        links = ip.get_links()
        return {link["index"]: (link.get("ifname"), link.get("link")) for link in links}


def _write(name: str, value: str) -> bool:
    """Set a sysctl of this namespace; tell whether the value was another."""
    path = _SYSCTL / name
    if not path.exists() or path.read_text().split() == value.split():
        return False  # a kernel without IPv6 has none of its switches
    path.write_text(value)
    return True


def _settle_link(ip: IPRoute, link: Any, nic: Nic) -> Iterator[str]:
    index = link["index"]
    name = checked_name(link.get("ifname"))
    for key, value in _interface_sysctls(nic).items():
        if _write(f"ipv6/conf/{name}/{key}", value):
            yield f"{name}: {key} is {value}"
    wanted = {"address": nic.mac, "mtu": nic.mtu}
    differing = {key: value for key, value in wanted.items() if link.get(key) != value}
    if differing:
        ip.link("set", index=index, **differing)
        yield f"{name}: {differing}"
    if offload.set_checksum(name, enabled=nic.checksum_offload):
        yield f"{name}: transmit checksums {'offloaded' if nic.checksum_offload else 'computed'}"
    if not link["flags"] & _UP:
        ip.link("set", index=index, state="up")
        yield f"{name}: up"


def _interface_sysctls(nic: Nic) -> dict[str, str]:
    if not nic.ipv6:
        return {"disable_ipv6": "1"}
    return {
        "disable_ipv6": "0",
        "accept_dad": "0",
        "autoconf": "0",  # addresses come from Neutron, by way of the plan
        "accept_ra": "1" if nic.router_advertisements else "0",
    }
