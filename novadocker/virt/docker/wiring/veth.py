# SPDX-License-Identifier: Apache-2.0
"""The veth pairs, seen from the host. Needs rights; see ``privileged``."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from errno import EEXIST, EINVAL, ENODEV
from pathlib import Path
from typing import Any

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from novadocker.virt.docker.wiring.plan import Nic

# The kernel's own rule: a server with NET_ADMIN may rename its interface to anything else.
_DEVICE_NAME = re.compile(r"(?!\.{1,2}$)[^/:\s\0]{1,15}")
_UP = 1

# By index: the name, and the index of the other end.
Interfaces = Mapping[int, tuple[str, int | None]]


@dataclass(frozen=True)
class Pair:
    """A veth pair between the host and the container's namespace.

    Attributes:
        host: index of the host end.
        inner: index of the other end in its namespace.
        alias: the port's id, once the host end is settled.
        mtu: the host end's.
        up: state of the host end.
        fresh: made just now, nothing being configured at the inner end.
    """

    host: int
    inner: int
    alias: str | None
    mtu: int
    up: bool
    fresh: bool = False

    @classmethod
    def of(cls, link: Any, *, fresh: bool = False) -> "Pair":
        """Read a host end's netlink message.

        Args:
            link: the message.
            fresh: True for a pair made just now.

        Returns:
            The pair.
        """
        return cls(
            host=link["index"],
            inner=link.get("link"),
            alias=link.get("ifalias"),
            mtu=link.get("mtu"),
            up=bool(link["flags"] & _UP),
            fresh=fresh,
        )


def checked_name(name: str) -> str:
    """Return a device's name if the kernel could have accepted the name.

    Args:
        name: part of paths below ``/proc/sys``.

    Returns:
        The same name.
    """
    if not _DEVICE_NAME.fullmatch(name):
        raise OSError(EINVAL, f"{name!r} cannot be the name of a network device")
    return name


def link_named(ip: IPRoute, name: str) -> Any:
    """Look a link up.

    Args:
        ip: a socket in the namespace in question.
        name: the device's name.

    Returns:
        Its netlink message, or None.
    """
    try:
        return ip.link("get", ifname=name)[0]
    except NetlinkError as error:
        if error.code == ENODEV:
            return None
        raise


def _link_at(ip: IPRoute, index: int) -> Any:
    try:
        return ip.link("get", index=index)[0]
    except NetlinkError as error:
        if error.code == ENODEV:
            return None
        raise


def find_pairs(ip: IPRoute, number: int | None, nics: Iterable[Nic]) -> dict[str, Pair]:
    """Find the veth pairs between ports and a container, by the host ends.

    A host end's name is its port's own; MAC addresses need not differ between two ports.

    Args:
        ip: a socket on the host.
        number: the container's namespace, as links of the host refer to it.
        nics: the ports.

    Returns:
        The pairs by port; a port is left out if its host end is missing, or the other end is
        in some other namespace.
    """
    if number is None:
        return {}
    found = ((nic.port_id, link_named(ip, nic.host_device)) for nic in nics)
    return {
        port: Pair.of(link)
        for port, link in found
        if link is not None and link.get("link_netnsid") == number
    }


def namespace_id(ip: IPRoute, namespace: int) -> int | None:
    """Return the number by which links of the host refer to a namespace.

    Args:
        ip: a socket on the host.
        namespace: a descriptor of the other namespace.

    Returns:
        The number; None if no link has an end there.
    """
    number = ip.get_netnsid(fd=namespace)["nsid"]
    return None if number < 0 else number


def create_pair(ip: IPRoute, namespace: int, nic: Nic, inner_name: str) -> Pair:
    """Create a port's pair, its inner end made in the container's namespace.

    Args:
        ip: a socket on the host.
        namespace: a descriptor of the container's namespace.
        nic: the port.
        inner_name: the inner end's name.

    Returns:
        The pair, both ends down.
    """
    try:
        _add_pair(ip, namespace, nic, inner_name)
    except NetlinkError as error:
        if error.code != EEXIST:
            raise
        # of a namespace that ended, and whose end has not got here yet
        delete(ip, nic.host_device)
        _add_pair(ip, namespace, nic, inner_name)
    return Pair.of(link_named(ip, nic.host_device), fresh=True)


def _add_pair(ip: IPRoute, namespace: int, nic: Nic, inner_name: str) -> None:
    ip.link(
        "add",
        ifname=checked_name(nic.host_device),
        kind="veth",
        mtu=nic.mtu,
        peer={
            "ifname": checked_name(inner_name),
            "address": nic.mac,
            "mtu": nic.mtu,
            "net_ns_fd": namespace,
        },
    )


def delete(ip: IPRoute, name: str) -> bool:
    """Delete a link; absence is no error.

    Args:
        ip: a socket on the host.
        name: the device's name.

    Returns:
        Whether there was one.
    """
    link = link_named(ip, name)
    if link is None:
        return False
    try:
        ip.link("del", index=link["index"])
    except NetlinkError as error:
        # a namespace that ends takes its links with it, in its own time
        if error.code != ENODEV:
            raise
    return True


def delete_strays(
    ip: IPRoute, number: int | None, interfaces: Interfaces, kept: Collection[int]
) -> list[str]:
    """Take away the driver's interfaces in a container that are not kept.

    What the container made for itself stays: only the other end of a host end that bears a
    port's id is ours.

    Args:
        ip: a socket on the host.
        number: the container's namespace, as links of the host refer to it.
        interfaces: all in there.
        kept: indexes of those that should be there.

    Returns:
        What was changed.
    """
    changes = []
    for index, (name, other_end) in interfaces.items():
        if index in kept or other_end is None:
            continue
        host = _link_at(ip, other_end)
        if host is None or not host.get("ifalias"):
            continue
        if (host.get("link"), host.get("link_netnsid")) == (index, number):
            ip.link("del", index=host["index"])
            changes.append(f"{name} taken away")
    return changes


def settle_host_end(ip: IPRoute, pair: Pair, nic: Nic) -> list[str]:
    """Bring a host end to the plan of its port.

    Args:
        ip: a socket on the host.
        pair: the pair.
        nic: the port.

    Returns:
        What was changed.
    """
    if (pair.alias, pair.mtu, pair.up) == (nic.port_id, nic.mtu, not nic.link_down):
        return []
    # The host has no business on a tenant's network, not even with an address of its own making.
    switch = Path("/proc/sys/net/ipv6/conf") / checked_name(nic.host_device) / "disable_ipv6"
    if switch.exists():
        switch.write_text("1")
    state = "down" if nic.link_down else "up"
    ip.link("set", index=pair.host, ifalias=nic.port_id, mtu=nic.mtu, state=state)
    return [f"{nic.host_device} settled"]


def mute(ip: IPRoute, name: str, *, down: bool) -> bool:
    """Take a link down, or up again.

    Args:
        ip: a socket on the host.
        name: the device's name.
        down: True to take the link down.

    Returns:
        Whether there is such a device.
    """
    link = link_named(ip, name)
    if link is not None:
        ip.link("set", index=link["index"], state="down" if down else "up")
    return link is not None


def enslave(ip: IPRoute, name: str, bridge: str) -> bool:
    """Make a device a port of a Linux bridge.

    Args:
        ip: a socket on the host.
        name: the device.
        bridge: the bridge.

    Returns:
        Whether it was not one already.
    """
    device, master = link_named(ip, name), link_named(ip, bridge)
    if device is None or master is None:
        raise FileNotFoundError(ENODEV, f"no device {name if device is None else bridge}")
    if device.get("master") == master["index"]:
        return False
    ip.link("set", index=device["index"], master=master["index"])
    return True
