# SPDX-License-Identifier: Apache-2.0
"""Extra specs ``quota:*`` of a flavor, read for a container. Pure.

Names and meaning are those of Nova's libvirt driver (``nova/virt/libvirt/driver.py`` and
``nova/api/validation/extra_specs/quota.py``). What has no meaning here is refused by name.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from novadocker.errors import NotForContainers, PolicyRefused

PREFIX = "quota:"
SHARES, PERIOD, QUOTA = "cpu_shares", "cpu_period", "cpu_quota"
# By extra spec: the attribute of ``DiskRates``, and the most that the kernel can count.
RATES = {
    "disk_read_bytes_sec": ("read_bytes", 2**63 - 1),
    "disk_write_bytes_sec": ("write_bytes", 2**63 - 1),
    "disk_read_iops_sec": ("read_iops", 2**32 - 1),
    "disk_write_iops_sec": ("write_iops", 2**32 - 1),
}
ACCEPTED = f"{PREFIX}{SHARES}, {PERIOD}, {QUOTA}, " + " or ".join(
    (", ".join(tuple(RATES)[:-1]), tuple(RATES)[-1])
)
# Beginnings of names that a flavor for VMs may have: why not here, and what does it instead.
INSTEAD = {
    "disk_total_": (
        "reads and writes are counted apart",
        f"{PREFIX}disk_read_* and {PREFIX}disk_write_*",
    ),
    "vif_": ("rates of ports are Neutron's", "a QoS policy of the port or its network"),
}
NANO = 10**9
LEAST_NANO = NANO // 100  # the engine's own floor, a hundredth of a processor
DEFAULT_PERIOD = 100_000  # the kernel's, in microseconds


@dataclass(frozen=True)
class DiskRates:
    """Read and write rates of a container's disk; 0 is no limit.

    Attributes:
        disk: path of the whole disk's device; "" without any limit.
        read_bytes: bytes read in a second.
        write_bytes: bytes written in a second.
        read_iops: reads in a second.
        write_iops: writes in a second.
    """

    disk: str = ""
    read_bytes: int = 0
    write_bytes: int = 0
    read_iops: int = 0
    write_iops: int = 0


NO_RATES = DiskRates()


@dataclass(frozen=True)
class Quota:
    """Shares of processors and disk for one container.

    Attributes:
        nano_cpus: processor time in billionths of a processor, a hard limit.
        cpu_shares: weight where processors are contended.
        rates: read and write rates of the disk.
    """

    nano_cpus: int
    cpu_shares: int
    rates: DiskRates


def quota_for(extra_specs: Mapping[str, str], vcpus: int, data_disk: str | None) -> Quota:
    """Read a flavor's shares of processors and disk.

    Args:
        extra_specs: all extra specs of the flavor.
        vcpus: number of the flavor's processors.
        data_disk: device of the containers' disk; None on a host that cannot limit rates.

    Returns:
        The quota, with defaults for extra specs that are absent.

    Raises:
        PolicyRefused: an extra spec ``quota:*`` cannot be honoured.
    """
    asked = {
        name.removeprefix(PREFIX): value
        for name, value in extra_specs.items()
        if name.startswith(PREFIX)
    }
    _refuse_others(asked)
    return Quota(_nano_cpus(asked, vcpus), _shares(asked, vcpus), _rates(asked, data_disk))


def _refuse_others(asked: Mapping[str, str]) -> None:
    for name, value in asked.items():
        setting = f"{PREFIX}{name}"
        for beginning, (reason, accepted) in INSTEAD.items():
            if name.startswith(beginning):
                raise NotForContainers(
                    setting=setting, value=value, reason=reason, accepted=accepted
                )
        if name not in {SHARES, PERIOD, QUOTA, *RATES}:
            raise PolicyRefused(setting=setting, value=value, accepted=ACCEPTED)


def _shares(asked: Mapping[str, str], vcpus: int) -> int:
    if SHARES not in asked:
        return 1024 * vcpus
    return _number(asked, SHARES, 2, 262_144)


def _nano_cpus(asked: Mapping[str, str], vcpus: int) -> int:
    whole, period = vcpus * NANO, DEFAULT_PERIOD
    if asked.get(PERIOD, "0") != "0":
        period = _number(asked, PERIOD, 1000, 1_000_000)
    if QUOTA not in asked or re.fullmatch("-[0-9]+", asked[QUOTA]):  # negative is unlimited
        return whole
    # The quota is of each virtual processor; more than its period is more than there is.
    given = min(whole * _number(asked, QUOTA, 1000, 2**44) // period, whole)
    if given < LEAST_NANO:
        least = -(-LEAST_NANO * period // whole)
        raise PolicyRefused(
            setting=f"{PREFIX}{QUOTA}",
            value=asked[QUOTA],
            accepted=f"at least {least}, a hundredth of a processor",
        )
    return given


def _rates(asked: Mapping[str, str], data_disk: str | None) -> DiskRates:
    rates = {
        attribute: _number(asked, name, 0, most)
        for name, (attribute, most) in RATES.items()
        if name in asked
    }
    if not any(rates.values()):
        return NO_RATES
    if data_disk is None:
        name = next(name for name, (attribute, _) in RATES.items() if rates.get(attribute))
        raise PolicyRefused(
            setting=f"{PREFIX}{name}",
            value=asked[name],
            accepted="0, or a host whose engine keeps its containers on a block device that "
            "the kernel can slow down; this one's does not",
        )
    return DiskRates(data_disk, **rates)


def _number(asked: Mapping[str, str], name: str, least: int, most: int) -> int:
    value = asked[name]
    if not (value.isascii() and value.isdecimal() and least <= int(value) <= most):
        raise PolicyRefused(
            setting=f"{PREFIX}{name}", value=value, accepted=f"a number from {least} to {most}"
        )
    return int(value)
