# SPDX-License-Identifier: Apache-2.0
"""What an operator sets for all servers of a host."""

from dataclasses import dataclass, field
from pathlib import Path

from novadocker.virt.docker.policy import Abilities, Bounds


@dataclass(frozen=True)
class Options:
    """What an operator sets for all servers of a host.

    Attributes:
        instances_path: where the files of instances are.
        domain: domain of the servers' names, and their resolvers' search domain.
        dns_servers: resolvers for subnets that name none.
        inject_key: whether key pairs are put into containers.
        log_max_size: size of a console log before rotation.
        gate_timeout: seconds that a started container may take until it is at its gate.
        abilities: what the host can enforce.
        bounds: what flavors may grant here.
    """

    instances_path: Path
    domain: str
    dns_servers: tuple[str, ...]
    inject_key: bool
    log_max_size: str
    gate_timeout: int
    abilities: Abilities
    bounds: Bounds = field(default_factory=Bounds)
