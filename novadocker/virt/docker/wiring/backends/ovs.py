# SPDX-License-Identifier: Apache-2.0
"""Ports of Open vSwitch, with OVN or Neutron's own agent, by way of os-vif."""

from typing import Any

import os_vif
from nova.network import model, os_vif_util
from os_vif.objects.instance_info import InstanceInfo

from novadocker.virt.docker.wiring import privileged
from novadocker.virt.docker.wiring.backends.base import Backend
from novadocker.virt.docker.wiring.plan import Nic, host_device

_NOBODY = "00000000-0000-0000-0000-000000000000"


class OpenVSwitch(Backend):
    """VIF type ``ovs``, plain and hybrid, on the kernel's datapath and on the user-space one.

    The veth pair must exist before os-vif is asked: it keeps a device that bears the VIF's
    name, and makes a tap otherwise.
    """

    def bind(self, instance: Any, vif: Any, nic: Nic) -> None:
        """Add the host end to the integration bridge.

        Args:
            instance: Nova's instance.
            vif: Nova's VIF.
            nic: the plan for it.
        """
        os_vif.plug(
            os_vif_util.nova_to_osvif_vif(vif), os_vif_util.nova_to_osvif_instance(instance)
        )
        if nic.bridge is not None:
            privileged.enslave(nic.host_device, nic.bridge)

    def unbind(self, instance: Any, vif: Any) -> None:
        """Delete the host end, then remove the port from Open vSwitch.

        The host end goes first because os-vif fails when a namespace that ends takes the
        device away under its hands. The port goes in a transaction of its own because the
        user-space datapath keeps a port whose device has gone, and takes up a new device of
        that name only after the port went too.

        Args:
            instance: Nova's instance.
            vif: Nova's VIF.
        """
        privileged.withdraw([host_device(vif)])
        os_vif.unplug(
            os_vif_util.nova_to_osvif_vif(vif), os_vif_util.nova_to_osvif_instance(instance)
        )

    def warm_up(self) -> None:
        """Let os-vif start its daemon and connect, by unplugging a port that never was."""
        network = model.Network(id=_NOBODY, bridge="br-int")
        vif = model.VIF(
            id=_NOBODY, address="00:00:00:00:00:00", network=network, type="ovs", devname="tap-none"
        )
        os_vif.unplug(os_vif_util.nova_to_osvif_vif(vif), InstanceInfo(uuid=_NOBODY, name="nobody"))
