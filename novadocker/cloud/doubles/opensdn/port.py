# SPDX-License-Identifier: Apache-2.0
"""Port as the vRouter agent reads, keeps and shows ports. Pure.

Source followed: OpenSDN's controller, ``src/vnsw/agent/port_ipc/port_ipc_handler.cc``.
"""

import ipaddress
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

NIL = "00000000-0000-0000-0000-000000000000"
VM, NAMESPACE, REMOTE = 0, 1, 2
AUTHOR = "contrail-vrouter-agent"

_UUID = re.compile(r"\s*([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})", re.IGNORECASE)
_MAC = re.compile(r"[0-9a-f]{1,2}(:[0-9a-f]{1,2}){5}", re.IGNORECASE)
_NO_VLAN = 0xFFFF
_INT32 = range(-(2**31), 2**31)


class Refused(Exception):
    """Refusal in the agent's own words."""


@dataclass(frozen=True)
class Port:
    """Announced port.

    Attributes:
        id: the virtual machine interface's, Neutron's port.
        instance_id: the virtual machine's.
        vn_id: the virtual network's; what VRF it is in is the control node's business.
        project_id: the project's.
        display_name: the virtual machine's name.
        ip4: IPv4 address; unspecified if unreadable.
        ip6: IPv6 address; unspecified if unreadable.
        mac: MAC address, six bytes in hexadecimal.
        system_name: the interface on the host.
        type: one of VM, NAMESPACE, REMOTE.
        rx_vlan: kept in 16 bits, so that -1 becomes 65535.
        tx_vlan: the same.
        vhostuser_mode: kept in 8 bits.
        link_state: state of a REMOTE port, enabled or not.
    """

    id: str
    instance_id: str
    vn_id: str
    project_id: str
    display_name: str
    ip4: str
    ip6: str
    mac: str
    system_name: str
    type: int
    rx_vlan: int
    tx_vlan: int
    vhostuser_mode: int = 0
    link_state: int = 1

    @classmethod
    def parse(cls, said: Mapping[str, Any], *, exists: Any = None) -> Self:
        """Read a port, members in the agent's own order.

        Args:
            said: the object that was posted, or read from a file.
            exists: tells whether there is an interface; None to believe it.

        Returns:
            The port.

        Raises:
            Refused: the agent does not take it.
        """
        identifiers = ("id", "instance-id", "vn-id", "vm-project-id")
        port, instance, network, project = (_uuid(said, name) for name in identifiers)
        name = _string(said, "display-name")
        ip4 = _address(_string(said, "ip-address"), ipaddress.IPv4Address)
        ip6 = _address(_string(said, "ip6-address"), ipaddress.IPv6Address)
        kind = _kind(_integer(said, "type"))
        if kind == VM and network == NIL:
            raise Refused("Invalid VN uuid")
        interface = _string(said, "system-name")
        if kind != REMOTE and exists and not exists(interface):
            raise Refused("Interface does not exist in OS")
        mac = _mac(_string(said, "mac-address"))
        rx_vlan, tx_vlan = _vlans(said)
        mode = _optional(said, "vhostuser-mode", 0)
        link = _optional(said, "link-state", int(kind != REMOTE))
        return cls(
            port,
            instance,
            network,
            project,
            name,
            ip4,
            ip6,
            mac,
            interface,
            kind,
            rx_vlan,
            tx_vlan,
            mode & 0xFF,
            link & 0xFF,
        )

    def as_file(self, time: str) -> str:
        """Render the port's file.

        Args:
            time: when, in the agent's form.

        Returns:
            The text of its file.
        """
        members: dict[str, Any] = {
            "id": self.id,
            "instance-id": self.instance_id,
            "display-name": self.display_name,
            "ip-address": self.ip4,
            "ip6-address": self.ip6,
            "vn-id": self.vn_id,
            "vm-project-id": self.project_id,
            "mac-address": self.mac,
            "system-name": self.system_name,
            "type": self.type,
            "rx-vlan-id": self.rx_vlan,
            "tx-vlan-id": self.tx_vlan,
            "vhostuser-mode": self.vhostuser_mode,
        }
        if self.type == REMOTE:
            members["link-state"] = self.link_state
        return json.dumps({**members, "author": AUTHOR, "time": time}, indent=4)


def uuid_of(text: str) -> str:
    """Read a UUID at the start of a text, as the agent does, and ignore the rest.

    Args:
        text: whatever was given for one.

    Returns:
        It in lower case; NIL where there is none.
    """
    found = _UUID.match(text)
    return found.group(1).lower() if found else NIL


def _uuid(said: Mapping[str, Any], name: str) -> str:
    value = said.get(name)
    if not isinstance(value, str):
        raise Refused(f"Invalid or missing data for <{name}>")
    return uuid_of(value)


def _string(said: Mapping[str, Any], name: str) -> str:
    value = said.get(name)
    if not isinstance(value, str):
        raise Refused(f"Invalid or missing field for <{name}>")
    return value


def _integer(said: Mapping[str, Any], name: str) -> int:
    value = said.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value not in _INT32:
        raise Refused(f"Invalid or missing field for <{name}>")
    return value


def _optional(said: Mapping[str, Any], name: str, default: int) -> int:
    try:
        return _integer(said, name)
    except Refused:
        return default


def _address(text: str, family: Any) -> str:
    try:
        return str(family(text))
    except ValueError:
        return str(family(0))


def _kind(number: int) -> int:
    return number if number in (NAMESPACE, REMOTE) else VM


def _mac(text: str) -> str:
    if not _MAC.fullmatch(text) or not any(int(part, 16) for part in text.split(":")):
        raise Refused("Invalid MAC, Use xx:xx:xx:xx:xx:xx format")
    return text


def _vlans(said: Mapping[str, Any]) -> tuple[int, int]:
    rx, tx = _integer(said, "rx-vlan-id"), _integer(said, "tx-vlan-id")
    # Compared in 32 bits, so that a -1 is not what is looked for here: as the agent does it.
    if rx % 2**32 != _NO_VLAN and tx % 2**32 == _NO_VLAN - 1:
        raise Refused("Invalid request. RX (isolated) vlan set, but TX vlan not set")
    return rx & _NO_VLAN, tx & _NO_VLAN
