# SPDX-License-Identifier: Apache-2.0
"""Compute host: nova-compute, engine, switch and agents as a unit."""

from dataclasses import dataclass
from pathlib import Path

from novadocker.cloud.layout.cabling import Cable, Cabling
from novadocker.cloud.layout.engine_paths import EnginePaths

LOOPBACK = "127.0.0.1"
DOCKER_DRIVER = "novadocker.virt.docker.DockerDriver"
HYBRID_DRIVER = "novadocker.virt.hybrid.HybridDriver"
FAKE_DRIVER = "fake.FakeDriverWithoutFakeNodes"


@dataclass(frozen=True)
class ComputeHost:
    """Compute host of a cloud.

    Args:
        name: the same in Nova, Neutron and OVN.
        data: directory of images, containers and state.
        run: directory of sockets; a short path.
        driver: Nova's ``compute_driver``.
        suffix: end of the services' names; empty on the first host.
        zone: availability zone, if not the default.
        real: has an engine, a switch and a metadata agent. A host with Nova's
            fake driver has none: it shows what the control plane alone costs.
        integration_bridge: where OVN plugs ports.
        external_bridge: where the public network is.
        tunnel_bridge: where Neutron's own agent has its tunnels.
        underlay_bridge: where tunnels leave the host.
        number: place among the hosts that have an engine, from 1.
        cabling: the cloud's cables; None where this host is the only one.
    """

    name: str
    data: Path
    run: Path
    driver: str = DOCKER_DRIVER
    suffix: str = ""
    zone: str | None = None
    real: bool = True
    # Not br-int and br-ex: a system's Open vSwitch may have those.
    integration_bridge: str = "nd-int"
    external_bridge: str = "nd-ex"
    underlay_bridge: str = "nd-phy"
    tunnel_bridge: str = "nd-tun"
    number: int = 1
    cabling: Cabling | None = None

    def service(self, name: str) -> str:
        """Return the name of a service on the host."""
        return f"{name}{self.suffix}"

    @property
    def has_machines(self) -> bool:
        """True where libvirt runs virtual machines beside the containers."""
        return self.driver == HYBRID_DRIVER

    @property
    def namespace(self) -> str | None:
        """Network namespace of the host; None on the first, in the machine's own."""
        if self.cabling is None or self.number == 1:
            return None
        return self.cabling.namespace(self.name)

    @property
    def namespace_prefix(self) -> str:
        """Beginning of the names of network namespaces made by the host's agents.

        These names are one machine's, whatever namespace the agent itself is in.
        """
        return "" if self.namespace is None else f"{self.name}-"

    @property
    def management_address(self) -> str:
        """Address for messages, consoles and streams of the host."""
        if self.cabling is None:
            return LOOPBACK
        return _ip(self.cabling.management(self.number))

    @property
    def tunnel_address(self) -> str:
        """Address of the host's end of tunnels."""
        return _ip(self.cabling.tunnel(self.number)) if self.cabling else LOOPBACK

    @property
    def cables(self) -> tuple[Cable, ...]:
        """Cables of the host; the control plane's address stands for the first host's own."""
        if self.cabling is None:
            return ()
        made = [self.cabling.tunnel(self.number)]
        if self.number > 1:
            made.append(self.cabling.management(self.number))
        if self.cabling.floating:
            made.append(self.cabling.external(self.number))
        return tuple(made)

    @property
    def engine(self) -> EnginePaths:
        """Paths of the host's Docker Engine."""
        return EnginePaths(data=self.data / "engine", run=self.run)

    @property
    def nova_state(self) -> Path:
        """State of nova-compute, identity included."""
        return self.data / "nova"

    @property
    def metadata_state(self) -> Path:
        """State of the metadata agent."""
        return self.data / "metadata"

    @property
    def metadata_socket(self) -> Path:
        """Socket of the metadata agent for proxies."""
        return self.run / "metadata.sock"

    @property
    def switch_database(self) -> Path:
        """The Open vSwitch database's file."""
        return self.data / "switch.db"

    @property
    def switch_socket(self) -> Path:
        """Socket of the Open vSwitch database, under the name expected by ovn-controller."""
        return self.run / "db.sock"

    @property
    def vswitchd_control(self) -> Path:
        """Where ovs-vswitchd takes commands."""
        return self.run / "vswitchd.ctl"


def _ip(cable: Cable) -> str:
    return str(cable.address.ip) if cable.address else LOOPBACK
