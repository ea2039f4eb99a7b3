# SPDX-License-Identifier: Apache-2.0
"""Data plane with packets: VRFs of a host, joined to other hosts' VRFs by BGP.

The agent's ports go into the VRF of their virtual network. Twice a second the VRFs are brought to
what the control node and routing say: whose routes each takes, and where each address is. So an
interface that was made anew finds its way back by itself, as it does with the agent.
"""

import json
import logging
import threading
from dataclasses import dataclass
from pathlib import Path

from novadocker.cloud.doubles.opensdn.control import ControlNode, VirtualNetwork
from novadocker.cloud.doubles.opensdn.data_plane import DataPlane, Ipam
from novadocker.cloud.doubles.opensdn.port import Port
from novadocker.cloud.doubles.opensdn.routing import Routing
from novadocker.cloud.doubles.opensdn.vrf import Vrf

LOG = logging.getLogger(__name__)
_PAUSE_SECONDS = 0.5
# Compared with, never bound to.
_NOTHING = ("0.0.0.0", "::")  # nosec B104


@dataclass(frozen=True)
class Settings:
    """Settings of a host's data plane, as in the file.

    Attributes:
        host: the host's name.
        address: the host's own in the underlay.
        peers: the other hosts'.
        networks: the control node's directory.
        run: a directory for FRR, which FRR's user must be able to reach.
    """

    host: str
    address: str
    peers: tuple[str, ...]
    networks: str
    run: str

    @classmethod
    def read(cls, path: Path) -> "Settings":
        """Read the settings."""
        said = json.loads(path.read_text())
        return cls(**{**said, "peers": tuple(said["peers"])})


class Packets(DataPlane):
    """VRFs of a host, in the calling process's network namespace.

    Args:
        config: the path of the file with the settings.
    """

    def __init__(self, config: str) -> None:
        settings = Settings.read(Path(config))
        self._settings = settings
        self._control = ControlNode(Path(settings.networks))
        self._routing = Routing(Path(settings.run), settings.address, settings.peers)
        self._ports: dict[str, Port] = {}
        self._vrfs: dict[str, Vrf] = {}
        self._lock = threading.RLock()
        self._ended = threading.Event()
        self._routing.start()
        self._sweep()
        self._keeper = threading.Thread(target=self._keep, name="vrfs", daemon=True)
        self._keeper.start()

    def attach(self, port: Port) -> None:
        """Put a port's interface into the VRF of the network."""
        with self._lock:
            self._ports[port.id] = port
            network = self._control.get(port.vn_id)
            if network is None:
                raise LookupError(f"the control node knows no virtual network {port.vn_id}")
            self._plug(self._made(network), port)

    def detach(self, port: Port) -> None:
        """Take a port's interface out of the VRF."""
        with self._lock:
            self._ports.pop(port.id, None)
            vrf = self._vrfs.get(port.vn_id)
            if vrf:
                vrf.unplug(port.system_name, _addresses(port))

    def ipams(self, vn_id: str) -> list[Ipam] | None:
        """Tell a network's subnets."""
        network = self._control.get(vn_id)
        if network is None:
            return None
        return [Ipam(each.prefix, each.gateway, each.gateway) for each in network.subnets]

    def close(self) -> None:
        """Take all VRFs away and end routing."""
        self._ended.set()
        self._keeper.join()
        with self._lock:
            for vrf in self._vrfs.values():
                vrf.remove()
            self._vrfs.clear()
        self._routing.stop()

    def settle(self) -> None:
        """Bring all VRFs to what the control node and routing say."""
        with self._lock:
            networks = {network.id: network for network in self._control}
            used = {port.vn_id for port in self._ports.values()} & networks.keys()
            wanted = used.union(
                other.id
                for each in used
                for other in networks.values()
                if other.target in networks[each].imports
            )
            for gone in self._vrfs.keys() - wanted:
                self._drop(gone)
            for each in wanted:
                self._made(networks[each])
            for port in self._ports.values():
                self._return(port)
            self._spread()

    def _keep(self) -> None:
        while not self._ended.wait(_PAUSE_SECONDS):
            try:
                self.settle()
            except Exception:  # an interface went while we looked: the next round sees it
                LOG.exception("The VRFs are not as they should be")

    def _made(self, network: VirtualNetwork) -> Vrf:
        known = self._vrfs.get(network.id)
        if known is None or known.network.subnets != network.subnets:
            for each in list(self._vrfs.values()):
                if each.network.number == network.number:  # changed, or gone and its number free
                    self._drop(each.network.id)
            known = Vrf(self._settings.host, self._settings.address, network)
            self._routing.announce(network)
            known.make()
            self._vrfs[network.id] = known
        known.network = network
        return known

    def _drop(self, network: str) -> None:
        vrf = self._vrfs.pop(network)
        vrf.remove()
        self._routing.withdraw(vrf.network)

    def _return(self, port: Port) -> None:
        vrf = self._vrfs.get(port.vn_id)
        if vrf and vrf.plugged(port.system_name) is False:
            self._plug(vrf, port)

    def _plug(self, vrf: Vrf, port: Port) -> None:
        vrf.plug(port.system_name, port.mac, _addresses(port))

    def _spread(self) -> None:
        routes = self._routing.routes() if self._vrfs else []
        of_target = {vrf.network.target: vrf for vrf in self._vrfs.values()}
        for vrf in self._vrfs.values():
            taken = [of_target[each] for each in vrf.network.imports if each in of_target]
            for other in taken:
                vrf.open_door(other)
            givers = [each.network for each in self._vrfs.values()]
            vrf.close_doors([other for other in givers if _joined(vrf.network, other)])
            own = {each.address: each.mac for each in routes if vrf.network.target in each.targets}
            imported = {
                each.address: other.network
                for other in taken
                for each in routes
                if other.network.target in each.targets and each.address not in own
            }
            vrf.settle(own, imported)

    def _sweep(self) -> None:
        """Remove the remains of a killed data plane for known networks."""
        for network in self._control:
            Vrf(self._settings.host, self._settings.address, network).remove()


def _joined(one: VirtualNetwork, other: VirtualNetwork) -> bool:
    return one.target in other.imports or other.target in one.imports


def _addresses(port: Port) -> list[str]:
    return [address for address in (port.ip4, port.ip6) if address not in _NOTHING]
