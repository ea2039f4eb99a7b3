# SPDX-License-Identifier: Apache-2.0
"""Mechanism driver for Neutron's ML2: binds ports as Contrail's own plugin does.

VIF type ``vrouter``, no details but that the vRouter filters, and every host will do: Contrail
does not look for an agent. Networks and subnets are told to the double of the control node. (The
plugin of Contrail does not stand on ML2; what Nova and the driver see of a port is the same.)
"""

from pathlib import Path
from typing import Any

from neutron_lib.api.definitions import portbindings
from neutron_lib.plugins.ml2 import api
from oslo_config import cfg

from novadocker.cloud.doubles.opensdn.control import ControlNode, Subnet, VirtualNetwork

GROUP = "vrouter"
VIF_TYPE = "vrouter"
_OPTIONS = [cfg.StrOpt("networks", help="Where agents read of networks.")]


class VRouterMechanismDriver(api.MechanismDriver):  # type: ignore[misc]
    """Ports of a vRouter."""

    def initialize(self) -> None:
        """Find the control node."""
        cfg.CONF.register_opts(_OPTIONS, GROUP)
        self._control = ControlNode(Path(cfg.CONF[GROUP].networks))

    @property
    def connectivity(self) -> str:
        """A vRouter's is by layers 2 and 3."""
        return str(portbindings.CONNECTIVITY_L2)

    def create_network_postcommit(self, context: Any) -> None:
        """Tell of a network."""
        self._publish(context.current, ())

    def delete_network_postcommit(self, context: Any) -> None:
        """Announce the end of the network."""
        self._control.forget(context.current["id"])

    def create_subnet_postcommit(self, context: Any) -> None:
        """Announce a network with the new subnet."""
        subnet = context.current
        told = self._control.get(subnet["network_id"])
        before = told.subnets if told else ()
        added = Subnet(subnet["cidr"], subnet["gateway_ip"] or "")
        self._publish(context.network.current, (*before, added))

    def delete_subnet_postcommit(self, context: Any) -> None:
        """Announce a network without the subnet."""
        subnet = context.current
        told = self._control.get(subnet["network_id"])
        if told:
            left = tuple(each for each in told.subnets if each.prefix != subnet["cidr"])
            self._publish(context.network.current, left)

    def bind_port(self, context: Any) -> None:
        """Bind a port to the wanted host."""
        for segment in context.segments_to_bind:
            details = {portbindings.CAP_PORT_FILTER: True}
            context.set_binding(segment[api.ID], VIF_TYPE, details, status="ACTIVE")
            return

    def _publish(self, network: dict[str, Any], subnets: tuple[Subnet, ...]) -> None:
        told = self._control.get(network["id"])
        imports = told.imports if told else frozenset()
        number = network["provider:segmentation_id"]
        self._control.publish(VirtualNetwork(network["id"], number, subnets, imports))
