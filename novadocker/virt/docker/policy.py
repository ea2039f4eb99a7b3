# SPDX-License-Identifier: Apache-2.0
"""What a container may use and do: a pure function of flavor and host.

Everything not granted here is withheld: all capabilities are dropped but the few below,
setuid programs gain nothing, and the engine's default seccomp and AppArmor profiles stay on.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from novadocker.virt.docker.errors import NotForContainers, PolicyRefused
from novadocker.virt.docker.quota import NO_RATES, DiskRates, quota_for

MIB = 1024**2
GIB = 1024**3

PIDS_EXTRA_SPEC = "docker:pids_limit"

# What an ordinary server process does to its own files and children, inside a user
# namespace of its own: none of these reaches anything outside the container.
CAPABILITIES = (
    "CHOWN",  # daemons give their files to the user that they become
    "DAC_OVERRIDE",  # root reads and writes what its services own
    "FOWNER",  # package managers and daemons set modes on others' files
    "FSETID",  # keeps setgid directories such as /var/mail so
    "KILL",  # a supervisor signals children that run as other users
    "SETGID",  # daemons drop their rights
    "SETUID",  # as above
    "SETPCAP",  # daemons empty their bounding set
    "NET_BIND_SERVICE",  # ports below 1024
    "SYS_CHROOT",  # sshd, vsftpd and others confine their children
)

# Docker sets these for its own networks only: ping and low ports without any capability.
SYSCTLS = {
    "net.ipv4.ping_group_range": "0 65535",
    "net.ipv4.ip_unprivileged_port_start": "0",
}


_NO = frozenset({"false", "f", "no", "n", "off", "0"})
_NONE: frozenset[str] = frozenset()
_FIRMWARE = "a container has no firmware and boots no kernel of its own"
_PINNING = "a container shares the host's processors and is pinned to none"
_ENCRYPTION = "neither memory nor disks of a container are encrypted"

# Image properties, and extra specs with "_" for ":": the values that ask for nothing, and why
# others are refused. What only chooses the model of a device (hw_disk_bus, hw_vif_model, ...)
# is not here: images carry it for other hypervisors, and it takes nothing from a container.
OF_MACHINES: Mapping[str, tuple[frozenset[str], str]] = {
    "hw_firmware_type": (frozenset({"bios"}), _FIRMWARE),
    "hw_firmware_stateless": (_NO, _FIRMWARE),
    "os_secure_boot": (frozenset({"disabled", "optional"}), _FIRMWARE),
    "hw_tpm_version": (_NONE, "a container has no TPM"),
    "hw_tpm_model": (_NONE, "a container has no TPM"),
    "hw_mem_page_size": (frozenset({"small", "any"}), "a container has no huge pages of its own"),
    "hw_locked_memory": (_NO, "a container's memory cannot be locked into the host's"),
    "hw_mem_encryption": (_NO, _ENCRYPTION),
    "hw_ephemeral_encryption": (_NO, _ENCRYPTION),
    "hw_cpu_policy": (frozenset({"shared"}), _PINNING),
    "hw_cpu_thread_policy": (frozenset({"prefer"}), _PINNING),
    "hw_cpu_realtime": (_NO, _PINNING),
    "hw_numa_nodes": (_NONE, "the host's NUMA nodes are not divided among containers"),
    "hw_pmem": (_NONE, "a container has no persistent memory"),
    "hw_watchdog_action": (frozenset({"disabled"}), "a container has no watchdog device"),
    "pci_passthrough_alias": (_NONE, "a container gets no devices of the host"),
    "accel_device_profile": (_NONE, "a container gets no devices of the host"),
    "kernel_id": (_NONE, "a container runs on the host's kernel"),
    "ramdisk_id": (_NONE, "a container runs on the host's kernel"),
}


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
    """

    disk_limit: bool
    pids: int
    data_disk: str | None = None

    @property
    def fixes_disk(self) -> bool:
        """Whether a container may have limits that hold as long as it exists."""
        return self.disk_limit or self.data_disk is not None


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
class Settings(Limits):
    """Limits and rights of one container.

    Attributes:
        capabilities: what is added after all were dropped, without "CAP_".
        security_options: as Docker writes them.
        sysctls: kernel parameters of its own namespaces.
    """

    capabilities: tuple[str, ...] = CAPABILITIES
    security_options: tuple[str, ...] = ("no-new-privileges:true",)
    sysctls: Mapping[str, str] = field(default_factory=lambda: dict(SYSCTLS))


@dataclass(frozen=True)
class Wishes:
    """What a server may be asked to have and a container cannot have here.

    Attributes:
        settings: image properties and extra specs, by their names.
        devices: PCI devices and accelerators.
        volumes: volumes attached at boot.
        ephemerals: ephemeral disks.
    """

    settings: Mapping[str, str] = field(default_factory=dict)
    devices: int = 0
    volumes: int = 0
    ephemerals: int = 0


def refuse(wishes: Wishes) -> None:
    """Refuse what would else be left out in silence.

    Args:
        wishes: what was asked for.

    Raises:
        PolicyRefused: any of it was.
        NotForContainers: it is a kind of thing that no container has.
    """
    for name, value in wishes.settings.items():
        harmless, reason = OF_MACHINES.get(name.replace(":", "_"), (None, ""))
        if harmless is not None and value.lower() not in harmless:
            named = ["false"] if harmless is _NO else sorted(harmless)
            accepted = " or ".join((*named, "to leave it out"))
            raise NotForContainers(setting=name, value=value, reason=reason, accepted=accepted)
    instead = {
        "devices": "a server without PCI devices and accelerators; containers get none",
        "volumes": "a server that boots from its image, without volumes",
        "ephemerals": "a flavor without an ephemeral disk",
    }
    for name, accepted in instead.items():
        if asked := getattr(wishes, name):
            raise PolicyRefused(setting=name.replace("_", " "), value=asked, accepted=accepted)


def settings_for(flavor: Flavor, abilities: Abilities) -> Settings:
    """Return the limits and rights of a container of this flavor on this host.

    Args:
        flavor: what was asked for.
        abilities: what the host can enforce.

    Returns:
        The settings, complete.

    Raises:
        PolicyRefused: an extra spec cannot be honoured.
    """
    quota = quota_for(flavor.extra_specs, flavor.vcpus, abilities.data_disk)
    return Settings(
        memory_bytes=flavor.memory_mib * MIB,
        swap_bytes=flavor.swap_mib * MIB,
        nano_cpus=quota.nano_cpus,
        cpu_shares=quota.cpu_shares,
        pids=_pids(flavor.extra_specs, abilities.pids),
        disk_bytes=flavor.root_gib * GIB if abilities.disk_limit else 0,
        rates=quota.rates,
    )


def _pids(extra_specs: Mapping[str, str], default: int) -> int:
    asked = extra_specs.get(PIDS_EXTRA_SPEC)
    if asked is None:
        return default
    if not asked.isdecimal() or int(asked) < 1:
        raise PolicyRefused(
            setting=f"flavor extra spec {PIDS_EXTRA_SPEC}", value=asked, accepted="a number above 0"
        )
    return int(asked)
