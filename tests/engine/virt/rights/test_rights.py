# SPDX-License-Identifier: Apache-2.0
"""What a container is really given, read from inside it and from the kernel."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from novadocker.errors import PolicyRefused
from novadocker.policy import CAPABILITIES, MIB, Flavor
from novadocker.virt.docker.engine import Engine, Image
from tests.engine.virt.conftest import rootfs

CGROUPS = Path("/sys/fs/cgroup")
# capabilities(7): the numbers of what the policy grants.
NUMBERS = {
    "CHOWN": 0,
    "DAC_OVERRIDE": 1,
    "FOWNER": 3,
    "FSETID": 4,
    "KILL": 5,
    "SETGID": 6,
    "SETUID": 7,
    "SETPCAP": 8,
    "NET_BIND_SERVICE": 10,
    "NET_RAW": 13,
    "SYS_CHROOT": 18,
}
GRANTED = sum(1 << NUMBERS[name] for name in CAPABILITIES)
FLAVOR = Flavor(vcpus=1, memory_mib=48, root_gib=1, swap_mib=16)


def status(text: str) -> dict[str, str]:
    """Return the fields of /proc/PID/status."""
    return {
        name: value.strip()
        for name, _, value in (line.partition(":") for line in text.splitlines())
        if value
    }


def limit(pid: int, v1: str, v2: str) -> str:
    """Read a limit of a process's cgroup, wherever this kernel has it.

    Args:
        pid: the process.
        v1: "controller/file" of cgroup v1.
        v2: file of cgroup v2.
    """
    controller, _, file = v1.partition("/")
    paths = {}
    for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        paths |= dict.fromkeys(controllers.split(","), path.lstrip("/"))
    if controller in paths:
        return (CGROUPS / controller / paths[controller] / file).read_text().strip()
    return (CGROUPS / paths[""] / v2).read_text().strip()


@pytest.mark.parametrize("user", ["", "web"])
def test_a_process_has_the_rights_of_the_policy(
    servers: Any, make_image: Callable[..., Image], user: str
) -> None:
    """The bounding set is the allowed list, no setuid program adds to it, seccomp filters."""
    servers.images.image = make_image(User=user)
    told = status(servers.tell("cat /proc/self/status"))
    assert int(told["CapBnd"], 16) == GRANTED
    assert int(told["CapEff"], 16) == (0 if user else GRANTED)
    assert told["NoNewPrivs"] == "1"
    assert told["Seccomp"] == "2"


def test_root_is_nobody_on_the_host(servers: Any) -> None:
    """Its user namespace maps it to a user without any right there."""
    container = servers.boot()
    uids = status(Path(f"/proc/{container.pid}/status").read_text())["Uid"].split()
    assert min(map(int, uids)) >= 100_000


def test_no_namespace_is_the_hosts(servers: Any) -> None:
    """Network, processes, mounts, names, messages and users are its own."""
    pid = servers.boot().pid
    names = ("net", "pid", "mnt", "uts", "ipc", "user")
    own = {name: Path(f"/proc/{pid}/ns/{name}").readlink() for name in names}
    hosts = {name: Path(f"/proc/self/ns/{name}").readlink() for name in names}
    assert not set(own.values()) & set(hosts.values())


def test_there_is_no_device_of_the_hosts(servers: Any) -> None:
    """Only those that every process may have, and the directories of its own."""
    told = servers.tell("cd /dev; for f in *; do test -d $f || stat -L -c %t:%T $f; done")
    numbers = {line for line in told.splitlines() if re.fullmatch("[0-9a-f]+:[0-9a-f]+", line)}
    # null, zero, full, random, urandom, tty, ptmx, and the console's pseudo terminal
    every = {"1:3", "1:5", "1:7", "1:8", "1:9", "5:0", "5:2"}
    assert every - {"5:0", "5:2"} <= numbers
    assert all(each in every or each.startswith("88:") for each in numbers - {"0:0"})


def test_the_flavor_is_in_the_cgroup(servers: Any) -> None:
    """Memory, swap, processor and processes are limited by the kernel itself."""
    pid = servers.boot(flavor=FLAVOR).pid
    assert limit(pid, "memory/memory.limit_in_bytes", "memory.max") == str(48 * MIB)
    assert limit(pid, "pids/pids.max", "pids.max") == "64"
    quota = limit(pid, "cpu/cpu.cfs_quota_us", "cpu.max").split()[0]
    assert quota == "100000"


def test_a_flavor_says_how_many_processes(servers: Any) -> None:
    """More than that cannot be forked; the server's neighbours do not notice."""
    extra = {"docker:pids_limit": "16"}
    flavor = Flavor(vcpus=1, memory_mib=48, root_gib=1, extra_specs=extra)
    script = "i=0; while [ $i -lt 40 ]; do sleep 5 & i=$((i+1)); done; echo done"
    assert "can't fork" in servers.tell(script, flavor=flavor)


def test_ordinary_users_ping_and_bind_low_ports(
    servers: Any, make_image: Callable[..., Image]
) -> None:
    """Both without a capability, by sysctls of the container's own network namespace."""
    servers.images.image = make_image(User="web")
    net = "/proc/sys/net/ipv4"
    told = servers.tell(f"cat {net}/ping_group_range {net}/ip_unprivileged_port_start")
    assert told.split()[:3] == ["0", "65535", "0"]


@pytest.mark.parametrize(
    "path", ["/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/dev/.novadocker/open"]
)
def test_what_is_bound_cannot_be_written(servers: Any, path: str) -> None:
    """What root could write there would fill the host's disk, or open another's gate."""
    told = servers.tell(f"cat /proc/self/mounts; echo x >> {path}")
    mounts = [line.split() for line in told.splitlines() if line.count(" ") == 5]
    mount = max((each for each in mounts if path.startswith(each[1])), key=lambda m: len(m[1]))
    assert "ro" in mount[3].split(",")
    assert f"create {path}: " in told


def test_what_is_bound_cannot_be_replaced(servers: Any) -> None:
    """Neither by another file nor by a mount over it."""
    told = servers.tell("mkdir /dev/.novadocker/x; touch /dev/.novadocker/y")
    assert told.count("Read-only file system") == 2


def test_a_server_sees_a_change_of_its_bound_files(servers: Any, engine: Engine) -> None:
    """A port that is attached later changes hosts and resolvers of what runs."""
    container = servers.boot("while ! cat /etc/hosts | grep later; do sleep 0.1; done")
    hosts = servers.instances / servers.asked.uuid / "hosts"
    hosts.write_text("192.0.2.1 later\n")
    assert container.alive


@pytest.mark.usefixtures("privileged")
def test_a_resize_to_a_profile_without_root_reads_the_users_again(
    servers: Any, engine: Engine, make_image: Callable[..., Image]
) -> None:
    """A server that made its user root between the two steps of a resize is refused."""
    servers.images.image = make_image(User="web")
    servers.boot("sleep 600")
    strict = replace(FLAVOR, extra_specs={"docker:profile": "restricted"})
    servers.ask(flavor=strict)
    servers.actions.resize.prepare(servers.asked, servers.network, 0)
    engine.put_files(servers.asked.container, rootfs("root:x:0:0::/:/bin/sh\nweb:x:0:0::/:/\n"))
    with pytest.raises(PolicyRefused, match="USER = web is refused"):
        servers.actions.resize.finish(servers.asked, servers.network, power_on=True)
    assert not servers.guest.get().alive
    assert servers.guest.get().rights.read_only is False
