# SPDX-License-Identifier: Apache-2.0
import pytest

from novadocker.errors import NotForContainers, PolicyRefused
from novadocker.policy import Abilities, Flavor, settings_for
from novadocker.policy.quota import (
    ACCEPTED,
    NO_RATES,
    DiskRates,
    Quota,
    quota_for,
)

DISK = "/dev/vda"
# What a message shares its 255 characters with, in Nova's fault of a build.
PROLOGUE = len("Build of instance 01234567-0123-0123-0123-0123456789ab aborted: ")


def quota(data_disk: str | None = DISK, **asked: str) -> Quota:
    """Return the quota of two processors, with extra specs by the ends of their names."""
    return quota_for({f"quota:{name}": each for name, each in asked.items()}, 2, data_disk)


def test_a_flavor_without_quota_has_its_processors() -> None:
    """Whatever else its extra specs say, and nothing of its disk is limited."""
    assert quota_for({"hw:cpu_sockets": "2"}, 2, None) == Quota(2 * 10**9, 2048, NO_RATES)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"disk_read_bytes_sec": "7"}, DiskRates(DISK, read_bytes=7)),
        ({"disk_write_bytes_sec": "8"}, DiskRates(DISK, write_bytes=8)),
        ({"disk_read_iops_sec": "9"}, DiskRates(DISK, read_iops=9)),
        ({"disk_write_iops_sec": "9", "disk_read_iops_sec": "0"}, DiskRates(DISK, write_iops=9)),
        ({"disk_write_iops_sec": "0"}, NO_RATES),  # 0 is no limit, as for libvirt
    ],
)
def test_rates_are_of_the_disk_that_containers_are_on(
    asked: dict[str, str], expected: DiskRates
) -> None:
    """Each by itself."""
    assert quota(**asked).rates == expected


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"cpu_quota": "50000"}, 1.0),  # of each processor, in the kernel's period
        ({"cpu_quota": "5000", "cpu_period": "20000"}, 0.5),
        ({"cpu_quota": "25000", "cpu_period": "0"}, 0.5),  # 0 is no period
        ({"cpu_quota": "200000"}, 2.0),  # no more than the flavor has
        ({"cpu_quota": "-1"}, 2.0),
        ({"cpu_period": "20000"}, 2.0),
        ({"cpu_quota": "1000", "cpu_period": "200000"}, 0.01),
    ],
)
def test_a_quota_is_of_each_processor(asked: dict[str, str], expected: float) -> None:
    """As libvirt has it, for a VM has as many threads as processors."""
    assert quota(**asked).nano_cpus == int(expected * 10**9)


def test_shares_are_what_they_say() -> None:
    """They are of the whole server."""
    assert quota(cpu_shares="300").cpu_shares == 300


@pytest.mark.parametrize(
    ("name", "value", "accepted"),
    [
        ("cpu_shares", "1", "from 2 to 262144"),
        ("cpu_shares", "262145", "from 2 to 262144"),
        ("cpu_period", "999", "from 1000 to 1000000"),
        ("cpu_period", "many", "from 1000 to 1000000"),
        ("cpu_quota", "0", "from 1000 to"),
        ("cpu_quota", "1.5", "from 1000 to"),
        ("disk_read_bytes_sec", "-1", "from 0 to"),
        ("disk_write_bytes_sec", "1M", "from 0 to"),
        ("disk_write_bytes_sec", "", "from 0 to"),
        ("disk_read_iops_sec", str(2**32), "from 0 to"),  # the kernel would take it for 0
        ("cpu_limit", "500", ACCEPTED),
        ("memory_limit", "500", ACCEPTED),
        ("disk_io_shares_level", "high", ACCEPTED),
    ],
)
def test_what_cannot_be_honoured_is_refused(name: str, value: str, accepted: str) -> None:
    """Names the extra spec, its value, and what would be accepted."""
    with pytest.raises(PolicyRefused, match=f"^quota:{name} = {value} is refused") as raised:
        quota(**{name: value})
    assert accepted in str(raised.value)
    assert len(str(raised.value)) < 255 - PROLOGUE


def test_less_than_the_engine_can_give_is_refused() -> None:
    """The least is in the unit of what was asked."""
    with pytest.raises(PolicyRefused, match="accepted is at least 5000, a hundredth of a"):
        quota(cpu_quota="1000", cpu_period="1000000")


@pytest.mark.parametrize(
    ("name", "accepted"),
    [
        ("disk_total_bytes_sec", "quota:disk_read_* and quota:disk_write_*"),
        ("disk_total_iops_sec", "quota:disk_read_* and quota:disk_write_*"),
        ("vif_inbound_average", "a QoS policy of the port or its network"),
        ("vif_limit", "a QoS policy of the port or its network"),
    ],
)
def test_what_is_done_otherwise_here_is_refused_with_the_way(name: str, accepted: str) -> None:
    """A flavor for VMs can be made one for containers."""
    with pytest.raises(NotForContainers, match=f"quota:{name} = 10485760, for ") as raised:
        quota(**{name: "10485760"})
    assert str(raised.value).endswith(accepted)
    assert len(str(raised.value)) < 255 - PROLOGUE


def test_rates_are_refused_where_no_disk_has_them() -> None:
    """They would else be passed over in silence."""
    with pytest.raises(PolicyRefused, match="disk_write_iops_sec = 9 is refused") as raised:
        quota(None, disk_read_iops_sec="0", disk_write_iops_sec="9")
    assert "a block device that the kernel can slow down" in str(raised.value)
    assert len(str(raised.value)) < 255 - PROLOGUE


def test_the_settings_of_a_container_have_its_quota() -> None:
    """On a host with a disk whose rates can be limited."""
    specs = {"quota:cpu_shares": "64", "quota:cpu_quota": "50000", "quota:disk_read_iops_sec": "9"}
    flavor = Flavor(vcpus=1, memory_mib=64, root_gib=1, extra_specs=specs)
    settings = settings_for(flavor, Abilities(disk_limit=False, pids=9, data_disk=DISK))
    assert (settings.limits.cpu_shares, settings.limits.nano_cpus) == (64, 5 * 10**8)
    assert settings.limits.rates == DiskRates(DISK, read_iops=9)
