# SPDX-License-Identifier: Apache-2.0
"""The complete settings of a container: what it may use, what it may do, and why."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from novadocker.policy import capabilities, sysctls
from novadocker.policy.quota import NO_RATES, DiskRates

MIB = 1024**2
GIB = 1024**3
SHM_BYTES = 64 * MIB  # as the engine has it


@dataclass(frozen=True)
class Limits:
    """What one container may use.

    Attributes:
        memory_bytes: memory.
        swap_bytes: swap beside the memory.
        nano_cpus: processor time in billionths of a processor, a hard limit.
        cpu_shares: its weight where processors are contended.
        pids: processes and threads.
        disk_bytes: size of the writable layer; 0 where it cannot be limited.
        rates: how fast it may read and write its disk.
    """

    memory_bytes: int
    swap_bytes: int
    nano_cpus: int
    cpu_shares: int
    pids: int
    disk_bytes: int
    rates: DiskRates = NO_RATES


@dataclass(frozen=True)
class Ulimit:
    """One limit of setrlimit(2).

    Attributes:
        name: as the engine has it, such as "nofile".
        soft: what a process begins with.
        hard: how far it may raise that.
    """

    name: str
    soft: int
    hard: int


@dataclass(frozen=True)
class Rights:
    """What one container may do; fixed when it is made.

    Attributes:
        capabilities: what is added after all were dropped, without "CAP_", in order.
        no_new_privileges: whether setuid programs and file capabilities gain nothing.
        seccomp: a profile, JSON; "" is the engine's default.
        apparmor: name of a profile; "" is the engine's default where the host has AppArmor.
        sysctls: kernel parameters of its own namespaces.
        read_only: whether its root file system cannot be written.
        tmpfs: options of mount(8) by the paths where it has memory for files.
        ulimits: of its processes, where they are not the engine's own.
        shm_bytes: size of /dev/shm.
        runtime: name of the engine's runtime that runs it.
        init: whether it may make control groups below its own, as an init system does.
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


@dataclass(frozen=True)
class Line:
    """One line of a container's settings, for people.

    Attributes:
        setting: such as "capability".
        value: such as "NET_ADMIN".
        source: who said so, such as "flavor docker:cap_add".
        why: what it is good for.
    """

    setting: str
    value: str
    source: str
    why: str


@dataclass(frozen=True)
class Settings(Rights, Limits):
    """Limits and rights of one container, and who said so.

    Attributes:
        profile: name of the profile that the rights began with.
        root: whether its processes may begin as root (of its own user namespace).
        lines: all of it in words.
    """

    profile: str = "baseline"
    root: bool = True
    lines: tuple[Line, ...] = field(default=(), compare=False)

    @property
    def rights(self) -> Rights:
        """The rights alone."""
        return Rights(**{each.name: getattr(self, each.name) for each in fields(Rights)})

    @property
    def limits(self) -> Limits:
        """The limits alone."""
        return Limits(**{each.name: getattr(self, each.name) for each in fields(Limits)})
