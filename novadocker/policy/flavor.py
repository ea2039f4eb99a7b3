# SPDX-License-Identifier: Apache-2.0
"""Inputs of the policy: a flavor, and the abilities of a host."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Flavor:
    """Flavor of a server, as far as it concerns a container.

    Attributes:
        vcpus: number of processors.
        memory_mib: memory.
        root_gib: root disk; 0 is no limit.
        swap_mib: swap beside the memory.
        extra_specs: values by full names, those of other namespaces too.
        processors: numbers of the processors that Nova dedicated to the server; none for a
            server that shares.
    """

    vcpus: int
    memory_mib: int
    root_gib: int
    swap_mib: int = 0
    extra_specs: Mapping[str, str] = field(default_factory=dict)
    processors: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Abilities:
    """Means of a host to enforce limits and rights.

    Attributes:
        disk_limit: True with a storage driver that limits a container's writable layer.
        pids: default limit of processes, for flavors without one.
        data_disk: device of the containers' disk; None on a host whose kernel cannot limit its
            rates.
        userns: True with an engine that maps containers' users to strangers of the host.
        apparmor: True with AppArmor in kernel and engine.
        runtimes: names of the engine's runtimes.
        default_runtime: the engine's runtime for containers that name none.
        shared_processors: numbers of the processors for servers without dedicated ones; None on
            a host whose processors are not divided.
    """

    disk_limit: bool
    pids: int
    data_disk: str | None = None
    userns: bool = False
    apparmor: bool = False
    runtimes: frozenset[str] = frozenset()
    default_runtime: str = "runc"
    shared_processors: frozenset[int] | None = None
