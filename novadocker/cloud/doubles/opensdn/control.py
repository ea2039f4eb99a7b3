# SPDX-License-Identifier: Apache-2.0
"""Control node's news to agents: virtual networks, and the routes to import.

A directory with a file for each network stands in for it: whoever makes networks writes there
(tests, or the mechanism driver of ``up --network contrail``), the agents of all hosts read.
"""

import dataclasses
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

AUTONOMOUS_SYSTEM = 64512


@dataclass(frozen=True)
class Subnet:
    """Subnet of a virtual network.

    Attributes:
        prefix: network and length.
        gateway: the vRouter's own address in it; empty for none.
    """

    prefix: str
    gateway: str = ""


@dataclass(frozen=True)
class VirtualNetwork:
    """A virtual network.

    Attributes:
        id: UUID in Neutron.
        number: in the overlay.
        subnets: prefixes with gateways.
        imports: route targets of other networks whose routes it takes.
    """

    id: str
    number: int
    subnets: tuple[Subnet, ...] = ()
    imports: frozenset[str] = frozenset()

    @property
    def target(self) -> str:
        """Route target of the network's own routes."""
        return f"{AUTONOMOUS_SYSTEM}:{self.number}"


class ControlNode:
    """Networks of the control node.

    Args:
        directory: place of the networks' files; made if missing.
    """

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory

    def __iter__(self) -> Iterator[VirtualNetwork]:
        """Yield all networks."""
        found = (self.get(path.stem) for path in sorted(self._directory.glob("*.json")))
        return (network for network in found if network)

    def get(self, network: str) -> VirtualNetwork | None:
        """Return a network, or None."""
        try:
            said = json.loads(self._file(network).read_text())
        except FileNotFoundError:
            return None
        subnets = tuple(Subnet(**subnet) for subnet in said["subnets"])
        return VirtualNetwork(said["id"], said["number"], subnets, frozenset(said["imports"]))

    def publish(self, network: VirtualNetwork) -> None:
        """Announce a network or a change."""
        said = {**dataclasses.asdict(network), "imports": sorted(network.imports)}
        scratch = self._directory / f"{network.id}.new"
        scratch.write_text(json.dumps(said))
        scratch.rename(self._file(network.id))

    def forget(self, network: str) -> None:
        """Announce the end of a network."""
        self._file(network).unlink(missing_ok=True)

    def join(self, one: str, other: str) -> None:
        """Let a policy join two networks: each takes the other's routes."""
        self._exchange(one, other, frozenset.union)

    def part(self, one: str, other: str) -> None:
        """Remove the policy."""
        self._exchange(one, other, frozenset.difference)

    def _exchange(self, one: str, other: str, change: Callable[..., frozenset[str]]) -> None:
        first, second = self.get(one), self.get(other)
        if first is None or second is None:
            raise KeyError(one if first is None else other)
        for taker, giver in ((first, second), (second, first)):
            imports = change(taker.imports, {giver.target})
            self.publish(dataclasses.replace(taker, imports=imports))

    def _file(self, network: str) -> Path:
        return self._directory / f"{network}.json"
