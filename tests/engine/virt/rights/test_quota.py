# SPDX-License-Identifier: Apache-2.0
"""Extra specs ``quota:*`` as the engine and the kernel have them."""

from dataclasses import replace
from typing import Any

import pytest

from novadocker.errors import NotForContainers, PolicyRefused
from novadocker.policy import MIB, Flavor
from novadocker.policy.quota import NO_RATES, DiskRates
from novadocker.virt.docker.actions import recreate
from novadocker.virt.docker.engine import Engine
from novadocker.virt.docker.host.inventory import Host

PLAIN = Flavor(vcpus=1, memory_mib=48, root_gib=1)
SLOW = replace(PLAIN, extra_specs={"quota:disk_write_bytes_sec": str(MIB)})
# Past the page cache, which belongs to the whole host; the clock counts hundredths.
WRITES = (
    "read began _ < /proc/uptime; "
    "busybox dd if=/dev/zero of=/file bs=64k count=48 oflag=direct status=none; "
    "read ended _ < /proc/uptime; echo took $began $ended; sleep 600"
)

pytestmark = pytest.mark.usefixtures("privileged")


@pytest.fixture
def limiting(servers: Any, engine: Engine) -> Any:
    """Servers on an engine whose disk's rates can be limited."""
    abilities = Host(engine).abilities(64)
    if abilities.data_disk is None:
        pytest.skip("the engine's data are not on a block device here")
    servers.abilities = abilities
    return servers


def seconds(servers: Any) -> float:
    """Wait until its 3 MiB are written, and return how long that took inside of it."""
    servers.wait_for("took")
    words = servers.guest.console().decode().partition("took ")[2].split()
    return float(words[1]) - float(words[0])


def test_a_write_rate_slows_a_container_down(limiting: Any, docker_api: Any) -> None:
    """Many times against one without, on the same disk, and the engine shows the rate."""
    limiting.boot(WRITES, flavor=PLAIN)
    freely = seconds(limiting)
    limiting.actions.lifecycle.remove(limiting.asked.uuid, limiting.network)
    limited = limiting.boot(WRITES, flavor=SLOW)
    assert seconds(limiting) > 5 * max(freely, 0.1)
    disk = limiting.abilities.data_disk
    shown = docker_api.inspect_container(limited.name)["HostConfig"]
    assert shown["BlkioDeviceWriteBps"] == [{"Path": disk, "Rate": MIB}]
    assert not shown["BlkioDeviceReadBps"]
    assert limited.limits.rates == DiskRates(disk, write_bytes=MIB)


def test_every_quota_that_is_accepted_is_the_engines(limiting: Any) -> None:
    """Read back from the container, with what it gets of the processors."""
    asked = {
        "quota:disk_read_bytes_sec": "50000000",
        "quota:disk_write_bytes_sec": "40000000",
        "quota:disk_read_iops_sec": "3000",
        "quota:disk_write_iops_sec": "2000",
        "quota:cpu_shares": "300",
        "quota:cpu_quota": "10000",
        "quota:cpu_period": "40000",
    }
    limits = limiting.boot(flavor=replace(PLAIN, extra_specs=asked)).limits
    disk = limiting.abilities.data_disk
    assert limits.rates == DiskRates(disk, 50_000_000, 40_000_000, 3000, 2000)
    assert (limits.cpu_shares, limits.nano_cpus) == (300, 250_000_000)


def test_a_resize_changes_rates_and_loses_nothing(
    limiting: Any, engine: Engine, docker_api: Any
) -> None:
    """The engine cannot change them, so the container is made anew; it goes back as well."""
    images = {image["Id"] for image in docker_api.images(all=True)}
    limiting.boot("test -e /file || echo kept > /file; echo written; sleep 600", flavor=PLAIN)
    limiting.wait_for("written")
    for flavor, rate in ((SLOW, MIB), (PLAIN, 0)):
        limiting.ask(flavor=flavor)
        limiting.actions.resize.prepare(limiting.asked, limiting.network, 0)
        limiting.actions.resize.finish(limiting.asked, limiting.network, power_on=True)
        now = limiting.guest.get()
        assert now.limits.rates.write_bytes == rate
        assert engine.run(now.name, ("cat", "/file")) == (0, b"kept\n")
    assert now.limits.rates == NO_RATES
    kept = limiting.asked.flavor.root_gib * 1024 * MIB if limiting.abilities.disk_limit else 0
    assert recreate.current_limits(now).disk_bytes == kept
    limiting.actions.lifecycle.remove(limiting.asked.uuid, limiting.network)
    assert not engine.labels_by_name("novadocker.instance")
    assert {image["Id"] for image in docker_api.images(all=True)} == images


def test_a_resize_to_rates_that_no_disk_has_ends_nothing(servers: Any) -> None:
    """The server runs on as the same process."""
    booted = servers.boot(flavor=PLAIN)
    servers.ask(flavor=SLOW)
    with pytest.raises(PolicyRefused, match="a block device that the kernel can slow down"):
        servers.actions.resize.prepare(servers.asked, servers.network, 0)
    assert servers.guest.get() == booted


@pytest.mark.parametrize(
    ("name", "refusal"),
    [
        ("disk_write_bytes_sec", PolicyRefused),  # these servers' host has no such disk
        ("disk_total_bytes_sec", NotForContainers),
        ("vif_outbound_peak", NotForContainers),
        ("memory_limit", PolicyRefused),
    ],
)
def test_a_quota_that_is_refused_leaves_nothing(
    servers: Any, engine: Engine, name: str, refusal: type[PolicyRefused]
) -> None:
    """No container, no directory, no port was plugged."""
    with pytest.raises(refusal, match=f"quota:{name} = 1048576"):
        servers.boot(flavor=replace(PLAIN, extra_specs={f"quota:{name}": str(MIB)}))
    assert not engine.labels_by_name("novadocker.instance")
    assert not list(servers.instances.iterdir())
    assert not servers.wiring.calls
