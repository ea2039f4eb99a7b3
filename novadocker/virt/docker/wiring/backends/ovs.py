# SPDX-License-Identifier: Apache-2.0
"""Ports of Open vSwitch, with OVN or Neutron's own agent, by way of os-vif."""

import functools
from typing import Any

from nova.network import model, os_vif_util
from os_vif.objects.instance_info import InstanceInfo
from vif_plug_ovs.ovs import OvsPlugin

from novadocker.virt.docker.wiring import privileged
from novadocker.virt.docker.wiring.backends.base import Backend
from novadocker.virt.docker.wiring.plan import Nic, host_device, hybrid_name
from novadocker.virt.nova_types import Instance, Vif

_NOBODY = "00000000-0000-0000-0000-000000000000"


class OpenVSwitch(Backend):
    """VIF type ``ovs``, plain and hybrid, on the kernel's and the user-space datapath.

    The veth pair must exist before os-vif is asked: it keeps a device that bears the VIF's
    name, and makes a tap otherwise. os-vif's plugin is held here, and not asked for by name,
    because what is read before a change must see our own changes before it: two connections
    to Open vSwitch's database are told of one another's changes in their own time.
    """

    @functools.cached_property
    def _plugin(self) -> Any:
        return OvsPlugin.load("ovs")

    @property
    def _database(self) -> Any:
        return self._plugin.ovsdb.ovsdb

    def bind(self, instance: Instance, vif: Vif, nic: Nic) -> bool:
        """Add the host end to the integration bridge.

        Args:
            instance: Nova's instance.
            vif: Nova's VIF.
            nic: the plan for it.

        Returns:
            Whether it was not there.
        """
        self._remove_from_other_bridge(vif)
        # Looked for before the plugging, which would hide the answer.
        is_new = not self.remains(vif)
        self._plugin.plug(
            os_vif_util.nova_to_osvif_vif(vif), os_vif_util.nova_to_osvif_instance(instance)
        )
        # After os-vif, which makes the bridge of the hybrid plug.
        if nic.bridge is not None:
            privileged.enslave(nic.host_device, nic.bridge)
        return is_new

    def unbind(self, instance: Instance, vif: Vif) -> None:
        """Remove the port from Open vSwitch.

        After its device, because os-vif fails when a namespace that ends takes the device away
        under its hands; and in a transaction of its own, because the user-space datapath keeps
        a port whose device has gone, and takes up a new device of that name only after the
        port went too.

        Args:
            instance: Nova's instance.
            vif: Nova's VIF.
        """
        self._plugin.unplug(
            os_vif_util.nova_to_osvif_vif(vif), os_vif_util.nova_to_osvif_instance(instance)
        )

    def remains(self, vif: Vif) -> bool:
        """Tell whether any bridge of Open vSwitch has a port of the name.

        Args:
            vif: Nova's VIF.

        Returns:
            Whether it has.
        """
        return any(self._has_port(name) for name in _port_names(vif))

    def installed(self, vif: Vif) -> bool:
        """Tell whether OVN's controller has marked the port's interface as installed.

        Neutron's own agent sets no such mark.

        Args:
            vif: Nova's VIF, bound.

        Returns:
            Whether it has.
        """
        marks = {"iface-id": vif["id"], "ovn-installed": "true"}
        found = self._database.db_find("Interface", ("external_ids", "=", marks), columns=["name"])
        return bool(found.execute())

    def warm_up(self) -> None:
        """Start os-vif's daemon and connection by unplugging a made-up port."""
        network = model.Network(id=_NOBODY, bridge="br-int")
        vif = model.VIF(
            id=_NOBODY, address="00:00:00:00:00:00", network=network, type="ovs", devname="tap-none"
        )
        self._plugin.unplug(
            os_vif_util.nova_to_osvif_vif(vif), InstanceInfo(uuid=_NOBODY, name="nobody")
        )

    def _remove_from_other_bridge(self, vif: Vif) -> None:
        # os-vif takes a port that is there for one that is where it should be.
        bridge = vif["network"]["bridge"]
        if not bridge or self._plugin.config.per_port_bridge:
            return
        for name in _port_names(vif):
            if self._has_port(name) and not self._plugin.ovsdb.port_exists(name, bridge):
                self._database.del_port(name, if_exists=True).execute(check_error=True)

    def _has_port(self, name: str) -> bool:
        found = self._database.db_find("Port", ("name", "=", name), columns=["name"]).execute()
        return bool(found)


def _port_names(vif: Vif) -> tuple[str, str]:
    """Name the possible ports of a VIF: plain, and with the hybrid plug."""
    return host_device(vif), hybrid_name("qvo", vif)
