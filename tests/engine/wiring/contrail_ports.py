# SPDX-License-Identifier: Apache-2.0
"""Ports of Contrail's in Nova's form."""

from nova.network import model

from tests.engine.wiring.stand_in import Server, a_vif


def contrail_vif(number: int, nic: int = 0) -> model.VIF:
    """Make a port in the form of Contrail's Neutron plugin."""
    vif = a_vif(number, "vrouter", nic)
    vif["details"] = {"port_filter": True}
    vif["network"]["bridge"] = None
    vif["ovs_interfaceid"] = None
    return vif


def port_of(server: Server, nic: int = 0) -> str:
    """Return the id of a server's port."""
    return str(server.network_info[nic]["id"])


def device_of(server: Server, nic: int = 0) -> str:
    """Return the host end of a server's port."""
    return str(server.network_info[nic]["devname"])
