# SPDX-License-Identifier: Apache-2.0
"""Refusal, by name, of features that only a virtual machine has."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from novadocker.errors import NotForContainers, PolicyRefused

_NO = frozenset({"false", "f", "no", "n", "off", "0"})
_NONE: frozenset[str] = frozenset()
_FIRMWARE = "a container has no firmware and boots no kernel of its own"
_PINNING = "this host has no processors to dedicate to a container"
_REALTIME = "a container has no processors that run its threads in real time"
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
    "hw_cpu_realtime": (_NO, _REALTIME),
    "hw_numa_nodes": (_NONE, "the host's NUMA nodes are not divided among containers"),
    "hw_pmem": (_NONE, "a container has no persistent memory"),
    "hw_watchdog_action": (frozenset({"disabled"}), "a container has no watchdog device"),
    "pci_passthrough_alias": (_NONE, "a container gets no devices of the host"),
    "accel_device_profile": (_NONE, "a container gets no devices of the host"),
    "kernel_id": (_NONE, "a container runs on the host's kernel"),
    "ramdisk_id": (_NONE, "a container runs on the host's kernel"),
}

# Wishes that are fulfilled by the processors that Nova chose. A mixed policy is none of these:
# one set holds for all threads of a container.
BY_DEDICATION: Mapping[str, frozenset[str]] = {
    "hw_cpu_policy": frozenset({"dedicated", "shared"}),
    "hw_cpu_thread_policy": frozenset({"isolate", "prefer", "require"}),
}


@dataclass(frozen=True)
class Wishes:
    """Wishes of a server that a container may be unable to fulfil.

    Attributes:
        settings: image properties and extra specs, values by names.
        devices: number of PCI devices and accelerators.
        root_volumes: number of volumes in place of the image.
        ephemeral_change: GiB by which the ephemeral disks would grow, or shrink if negative.
        ephemeral_format: file systems asked for on them, other than ext4.
        certificates: number of trusted certificates, by which the image is to be verified.
        dedicated: True where Nova has dedicated processors to the server.
    """

    settings: Mapping[str, str] = field(default_factory=dict)
    devices: int = 0
    root_volumes: int = 0
    ephemeral_change: int = 0
    ephemeral_format: str = ""
    certificates: int = 0
    dedicated: bool = False


def refuse(wishes: Wishes) -> None:
    """Refuse wishes that would else be ignored silently.

    Args:
        wishes: wishes of the server, its flavor and its image.

    Raises:
        PolicyRefused: a wish cannot be fulfilled here.
        NotForContainers: no container can have such a thing.
    """
    for name, value in wishes.settings.items():
        known = name.replace(":", "_")
        harmless, reason = OF_MACHINES.get(known, (None, ""))
        if wishes.dedicated:
            harmless = BY_DEDICATION.get(known, harmless)
        if harmless is not None and value.lower() not in harmless:
            named = ["false"] if harmless is _NO else sorted(harmless)
            accepted = " or ".join((*named, "to leave it out"))
            raise NotForContainers(setting=name, value=value, reason=reason, accepted=accepted)
    instead = {
        "devices": "a server without PCI devices and accelerators; containers get none",
        "root_volumes": "a server that boots from an image; volumes can be added to it",
        "ephemeral_change": "a flavor whose ephemeral disk has the size that the server has now",
        "ephemeral_format": "ephemeral disks with ext4, or without a format",
        "certificates": "a server without trusted certificates; signatures are not verified here",
    }
    for name, accepted in instead.items():
        if asked := getattr(wishes, name):
            raise PolicyRefused(setting=name.replace("_", " "), value=asked, accepted=accepted)
