# SPDX-License-Identifier: Apache-2.0
"""Options of the operator for all servers of a host."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class VRouterOptions:
    """How ports of Contrail, Tungsten Fabric and OpenSDN are plugged.

    Attributes:
        agent_url: where the vRouter agent's port API listens.
        ports_directory: where the agent has its ports from when it starts.
        patience: seconds that a port waits for an agent that is away.
        by_os_vif: the distribution's os-vif plugin tells the agent, not this driver.
        synchronize: ports without a server are removed from the agent at start.
    """

    agent_url: str = "http://127.0.0.1:9091"
    ports_directory: Path = Path("/var/lib/contrail/ports")
    patience: float = 10
    by_os_vif: bool = False
    synchronize: bool = True


@dataclass(frozen=True)
class Options:
    """Options of the operator for all servers of a host.

    Attributes:
        instances_path: where the files of instances are.
        domain: domain of the servers' names, and their resolvers' search domain.
        dns_servers: resolvers for subnets that name none.
        metadata_by_dhcp: Neutron's DHCP agents serve metadata on each of their networks.
        inject_key: key pairs are put into containers.
        log_max_size: size of a console log before rotation.
        gate_timeout: seconds that a started container may take until it is at its gate.
    """

    instances_path: Path
    domain: str
    dns_servers: tuple[str, ...]
    inject_key: bool
    log_max_size: str
    gate_timeout: int
    metadata_by_dhcp: bool = False


@dataclass(frozen=True)
class MoveOptions:
    """Settings for servers that come from other hosts.

    Attributes:
        host: name of this host in Nova.
        address: IP address that sources connect to.
        ports: TCP ports that sources connect to, one for each transfer.
    """

    host: str
    address: str
    ports: range
