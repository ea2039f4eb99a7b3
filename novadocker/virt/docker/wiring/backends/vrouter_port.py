# SPDX-License-Identifier: Apache-2.0
"""Announcement of a port to the vRouter agent. Pure.

Contrail's, Tungsten Fabric's and OpenSDN's agents take one JSON object for a port, by their
REST API and from a file when they start. Source followed: OpenSDN's controller,
``src/vnsw/agent/port_ipc/port_ipc_handler.cc``. Every member named here is required there, and
null is refused; what is no UUID, or no address, is silently taken for none.
"""

import ipaddress
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from novadocker.virt.docker.wiring.plan import IPV4, IPV6, Nic
from novadocker.virt.nova_types import Instance

AUTHOR = "nova-docker"
# A virtual machine's: for the port of a namespace the agent would not ask the control node.
_VIRTUAL_MACHINE = 0
_NO_VLAN = -1
_NO_ADDRESS = {IPV4: "0.0.0.0", IPV6: "::"}  # noqa: S104 # nosec B104 - the agent's word for none
_OF_ITS_AUTHOR = ("author", "time")


@dataclass(frozen=True)
class Announcement:
    """Announcement of a port, in the agent's own fields.

    Attributes:
        id: port's id, in Contrail the virtual machine interface's.
        members: the whole object.
    """

    id: str
    members: Mapping[str, Any]

    @classmethod
    def of(cls, instance: Instance, vif: Mapping[str, Any], nic: Nic) -> Self:
        """Announce the host end of a port.

        Args:
            instance: Nova's instance.
            vif: Nova's VIF.
            nic: the plan for it.

        Returns:
            The announcement.

        Raises:
            ValueError: an id is none that the agent can read.
        """
        port = _uuid("port", vif["id"])
        return cls(
            port,
            {
                "id": port,
                "instance-id": _uuid("instance", instance.uuid),
                "display-name": instance.display_name or instance.name,
                "ip-address": _address(nic, IPV4),
                "ip6-address": _address(nic, IPV6),
                "vn-id": _uuid("network", vif["network"]["id"]),
                "vm-project-id": _uuid("project", instance.project_id),
                "mac-address": nic.mac,
                "system-name": nic.host_device,
                "type": _VIRTUAL_MACHINE,
                "rx-vlan-id": _NO_VLAN,
                "tx-vlan-id": _NO_VLAN,
                "vhostuser-mode": 0,
                "author": AUTHOR,
            },
        )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a port's file of any writer.

        Args:
            text: content of the file.

        Returns:
            The announcement.

        Raises:
            ValueError: it is none.
        """
        members = json.loads(text)
        if not isinstance(members, dict) or not isinstance(members.get("id"), str):
            raise ValueError("it is no JSON object with an id")  # noqa: TRY004 - of its value
        return cls(_uuid("port", members["id"]), members)

    @property
    def text(self) -> str:
        """The object in JSON."""
        return json.dumps(self.members)

    @property
    def is_ours(self) -> bool:
        """True for a file of this driver's."""
        return self.members.get("author") == AUTHOR

    @property
    def device(self) -> str:
        """The interface on the host."""
        return str(self.members.get("system-name", ""))

    def says_the_same(self, other: Self | None) -> bool:
        """Compare two announcements in the fields the agent goes by.

        Args:
            other: another announcement, or None.

        Returns:
            Whether nothing would change for the agent.
        """
        return other is not None and self.facts == other.facts

    @property
    def facts(self) -> dict[str, Any]:
        """Fields the agent goes by."""
        return {name: value for name, value in self.members.items() if name not in _OF_ITS_AUTHOR}


def _uuid(what: str, text: str) -> str:
    try:
        return str(uuid.UUID(text))
    except (ValueError, AttributeError, TypeError):
        raise ValueError(
            f"the id of its {what}, {text!r}, is no UUID, and Contrail knows no other ids"
        ) from None


def _address(nic: Nic, version: int) -> str:
    """Return a NIC's first address of a family; the agent has the others from its controller."""
    own = [ipaddress.ip_interface(text) for text in nic.addresses]
    return next((str(each.ip) for each in own if each.version == version), _NO_ADDRESS[version])
