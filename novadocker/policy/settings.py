# SPDX-License-Identifier: Apache-2.0
"""Settings of a container: limits, rights, and an explanation of each."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from novadocker.policy import capabilities, sysctls
from novadocker.policy.quota import NO_RATES, DiskRates

MIB = 1024**2
GIB = 1024**3
SHM_BYTES = 64 * MIB  # as the engine has it


@dataclass(frozen=True)
class Limits:
    """Resource limits of one container.

    Attributes:
        memory_bytes: memory.
        swap_bytes: swap beside the memory.
        nano_cpus: processor time in billionths of a processor, a hard limit.
        cpu_shares: weight where processors are contended.
        pids: number of processes and threads together.
        disk_bytes: size of the writable layer; 0 on a host that cannot limit it.
        rates: read and write rates of the disk.
        cpuset: numbers of the processors, in the form of cpuset(7); "" is all of them.
    """

    memory_bytes: int
    swap_bytes: int
    nano_cpus: int
    cpu_shares: int
    pids: int
    disk_bytes: int
    rates: DiskRates = NO_RATES
    cpuset: str = ""


@dataclass(frozen=True)
class Ulimit:
    """One limit of setrlimit(2).

    Attributes:
        name: name in the engine's API, such as "nofile".
        soft: initial limit of every process.
        hard: ceiling for a process that raises its soft limit.
    """

    name: str
    soft: int
    hard: int


@dataclass(frozen=True)
class Rights:
    """Rights of one container; fixed when the container is made.

    Attributes:
        capabilities: names without "CAP_", sorted, added after all were dropped.
        no_new_privileges: True takes the effect from setuid programs and file capabilities.
        seccomp: JSON of a profile; "" is the engine's default.
        apparmor: name of a profile; "" is the engine's default where the host has AppArmor.
        sysctls: kernel parameters of the container's own namespaces.
        read_only: True makes the root file system read-only.
        tmpfs: options of mount(8) by the mount points of memory file systems.
        ulimits: limits of processes that differ from the engine's own.
        shm_bytes: size of /dev/shm.
        runtime: name of the engine's runtime.
        init: True delegates the container's control group to its root, for an init system.
        reaper: True puts an init before the image's command, which waits for orphans.
    """

    capabilities: tuple[str, ...] = tuple(sorted(capabilities.ORDINARY))
    no_new_privileges: bool = True
    seccomp: str = ""
    apparmor: str = ""
    sysctls: Mapping[str, str] = field(default_factory=lambda: dict(sysctls.ALWAYS))
    read_only: bool = False
    tmpfs: Mapping[str, str] = field(default_factory=dict)
    ulimits: tuple[Ulimit, ...] = ()
    shm_bytes: int = SHM_BYTES
    runtime: str = "runc"
    init: bool = False
    reaper: bool = False


@dataclass(frozen=True)
class Explained:
    """Words about a setting of a container, for the tenant.

    Attributes:
        setting: kind of setting, such as "capability".
        value: granted value, such as "NET_ADMIN".
        source: origin of the decision, such as "flavor docker:cap_add".
        why: purpose or consequence of the value.
    """

    setting: str
    value: str
    source: str
    why: str


@dataclass(frozen=True)
class Settings:
    """Limits and rights of one container, with an explanation of each.

    Attributes:
        limits: bounds of its resources; a resize may change them later.
        rights: fixed for the life of the container.
        profile: name of the profile that the rights began with.
        root: True lets its first process be root of its own user namespace.
        explanations: one entry a setting; not part of equality.
    """

    limits: Limits
    rights: Rights = field(default_factory=Rights)
    profile: str = "baseline"
    root: bool = True
    explanations: tuple[Explained, ...] = field(default=(), compare=False)
