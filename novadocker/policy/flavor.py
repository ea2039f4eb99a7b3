# SPDX-License-Identifier: Apache-2.0
"""What the policy is asked with: a flavor, and what a host can enforce."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Flavor:
    """What of a flavor concerns a container.

    Attributes:
        vcpus: processors.
        memory_mib: memory.
        root_gib: root disk; 0 is no limit.
        swap_mib: swap beside the memory.
        extra_specs: the flavor's extra specs.
    """

    vcpus: int
    memory_mib: int
    root_gib: int
    swap_mib: int = 0
    extra_specs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Abilities:
    """What the host can enforce.

    Attributes:
        disk_limit: whether its storage driver limits a container's writable layer.
        pids: processes a container may have where its flavor does not say.
        data_disk: device of the disk that containers are on; None where the kernel cannot
            limit how fast a container reads and writes it.
        userns: whether containers' users are strangers to the host.
        apparmor: whether its kernel and engine have AppArmor.
        runtimes: names of the engine's runtimes.
        default_runtime: the one that it takes where none is named.
    """

    disk_limit: bool
    pids: int
    data_disk: str | None = None
    userns: bool = False
    apparmor: bool = False
    runtimes: frozenset[str] = frozenset()
    default_runtime: str = "runc"
