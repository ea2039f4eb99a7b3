# SPDX-License-Identifier: Apache-2.0
"""Walls of a distribution's kernel, which ``./test kernel`` brings where this machine has none."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from novadocker.policy import Flavor
from novadocker.virt.docker.engine import Engine
from novadocker.virt.docker.host.disk import limits_disk
from tests.engine.wiring.stand_in import run

GROUPS = Path("/sys/fs/cgroup/cgroup.controllers")
SMALL = Flavor(vcpus=1, memory_mib=64, root_gib=1)

new_groups = pytest.mark.skipif(
    not GROUPS.exists() or "memory" not in GROUPS.read_text(),
    reason="this machine's control groups are version 1",
)
apparmor = pytest.mark.skipif(
    not Path("/sys/kernel/security/apparmor").exists(), reason="this kernel has no AppArmor"
)
switch = pytest.mark.skipif(
    not Path("/sys/module/openvswitch").exists(), reason="this kernel has no Open vSwitch"
)


@apparmor
def test_a_server_is_under_apparmor(servers: Any, engine: Engine) -> None:
    """The engine's own profile is enforced, and the host knows that it is."""
    assert "apparmor" in engine.info().security_options
    assert "docker-default (enforce)" in servers.tell("cat /proc/self/attr/current")


@new_groups
def test_limits_are_the_kernels(servers: Any) -> None:
    """Memory, processes and processors of a flavor, as a server reads them of its own group."""
    told = servers.tell(
        "cd /sys/fs/cgroup; cat memory.max pids.max cpu.max; cat /proc/self/cgroup",
        flavor=SMALL,
    )
    assert told.split("\n")[:4] == ["67108864", "64", "100000 100000", "0::/"]


@new_groups
def test_an_end_by_memory_is_told(servers: Any) -> None:
    """The console says so, whichever of the engine's two pieces of news came first."""
    told = servers.tell("busybox dd if=/dev/zero of=/dev/null bs=200M count=1", flavor=SMALL)
    assert "out of memory" in told


def test_a_root_disk_ends_where_the_flavor_says(servers: Any, engine: Engine) -> None:
    """A write beyond is refused, and the host's disk does not fill."""
    if not limits_disk(engine.info()):
        pytest.skip("this engine's storage has no quotas")
    servers.abilities = replace(servers.abilities, disk_limit=True)
    # Room is taken without writing: pages on their way to a disk count as the server's memory.
    told = servers.tell(
        "busybox fallocate -l 900M /a && echo a; busybox fallocate -l 200M /b || echo no b",
        flavor=SMALL,
    )
    assert told.startswith("a\n")
    assert "No space left on device" in told
    assert "no b" in told


@switch
@pytest.mark.parametrize(
    "device", [("type", "vlan", "id", "200"), ("type", "vrf", "table", "10")], ids=["vlan", "vrf"]
)
def test_a_server_may_have_devices_of_its_own(servers: Any, device: tuple[str, ...]) -> None:
    """VLANs for the subports of a trunk, and VRFs, in a server's network namespace."""
    pid = servers.boot().pid
    inside = ("nsenter", f"--net=/proc/{pid}/ns/net", "ip")
    link = () if device[1] == "vrf" else ("link", "eth0")
    run(*inside, "link", "add", "eth0", "type", "dummy")
    run(*inside, "link", "set", "eth0", "up")
    run(*inside, "link", "add", *link, "name", "extra", *device)
    run(*inside, "link", "set", "extra", "up")
    assert "extra" in run(*inside, "-brief", "link", "show", *device[:2])
