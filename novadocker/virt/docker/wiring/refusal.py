# SPDX-License-Identifier: Apache-2.0
"""Refusals of ports unfit for containers, with a remedy for each. Pure."""

from collections.abc import Collection, Mapping
from typing import Any

from novadocker.errors import VifRefused

ACCEPTED_VNIC_TYPE = "normal"

_BIND_OTHERWISE = (
    "bind ports of this host with OVN or Open vSwitch (VIF type 'ovs'), or with a vRouter in the "
    "kernel (VIF type 'vrouter')"
)
_OF_A_VIRTUAL_MACHINE = (
    "it hands a device or a socket to a virtual machine; create the port with VNIC type "
    "'normal' and " + _BIND_OTHERWISE
)
_REASONS = {
    "bridge": "Neutron and Nova no longer have Linux bridge networks; " + _BIND_OTHERWISE,
    "vhostuser": "it is a socket that a virtual machine opens; take 'dpdkvhostuser' out of what "
    "the host's chassis advertises, or " + _BIND_OTHERWISE,
    "hw_veb": _OF_A_VIRTUAL_MACHINE,
    "hostdev_physical": _OF_A_VIRTUAL_MACHINE,
    "macvtap": _OF_A_VIRTUAL_MACHINE,
    "unbound": "Neutron has not bound it to a host; see whether the host's network agent is "
    "alive and the port's binding:host_id is this host",
    "binding_failed": "no mechanism driver of Neutron could bind it on this host; see "
    "neutron-server's log and 'openstack network agent list'",
}
_GROUP_BIT = 0x01


def refusal_of(vif: Mapping[str, Any], vif_types: Collection[str]) -> VifRefused | None:
    """Say why a port cannot be wired.

    Args:
        vif: one of Nova's VIFs.
        vif_types: those that have a backend.

    Returns:
        The refusal, with what the operator or the tenant can do; None for a port that is fine.
    """
    vif_type = vif.get("type") or "unbound"
    vnic_type = vif.get("vnic_type") or ACCEPTED_VNIC_TYPE
    if vif_type not in vif_types:
        reason = _REASONS.get(vif_type, f"this host has backends for {', '.join(vif_types)}")
        return VifRefused(port=vif["id"], vif_type=vif_type, reason=reason)
    if vnic_type != ACCEPTED_VNIC_TYPE:
        both = f"{vif_type} and VNIC type {vnic_type}"
        return VifRefused(port=vif["id"], vif_type=both, reason=_OF_A_VIRTUAL_MACHINE)
    if _is_of_no_interface(vif.get("address") or ""):
        reason = (
            f"no interface can have the MAC address {vif.get('address')}; accepted is a unicast "
            "address, such as one that Neutron chooses"
        )
        return VifRefused(port=vif["id"], vif_type=vif_type, reason=reason)
    return None


def _is_of_no_interface(mac: str) -> bool:
    octets = bytes.fromhex(mac.replace(":", ""))
    return not any(octets) or bool(octets[0] & _GROUP_BIT)
