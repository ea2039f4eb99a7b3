# SPDX-License-Identifier: Apache-2.0
"""What used to need privileged mode, done with the one right that it takes.

Each test does the thing inside, and looks that host and neighbours have nothing of it.
"""

import json
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from novadocker.cloud.samples import CACHE, programs
from novadocker.errors import PolicyRefused
from novadocker.policy import Bounds, Flavor, seccomp
from novadocker.virt.docker.engine import Container, Engine, Image, State
from novadocker.virt.docker.files import privileged as files_privileged
from novadocker.virt.docker.injection.files import personality
from novadocker.virt.docker.injection.inputs import Inputs
from tests.engine.virt.conftest import saved
from tests.engine.virt.debian_box import BOX
from tests.engine.virt.privileges import daemon

IP_FORWARD = Path("/proc/sys/net/ipv4/ip_forward")
INNER = "nd-inner0"  # no link of the host's is called so
ROUTER = f"""
ip link add {INNER} type veth peer name nd-inner1
ip address add 198.51.100.1/24 dev {INNER}
ip link set {INNER} up
ip link add nd-bridge type bridge
ip link add nd-tunnel type vxlan id 7 dev {INNER} dstport 4789
ip route add 203.0.113.0/24 dev {INNER}
xtables-nft-multi iptables -A FORWARD -s 203.0.113.77 -j DROP
xtables-nft-multi iptables -S FORWARD
ip route
ip -brief link
"""
TRACE = """
chroot --userspec=1000:1000 / /bin/sleep 60 &
sleep 1
timeout 2 strace -p $! 2>&1
echo traced
"""
# What a static shell needs to say a word, and nothing that makes a directory. statx is for the
# runtime: runc from 1.3 on calls it after the filter is on.
CALLS = """
access arch_prctl brk clock_gettime clone close dup dup2 execve exit exit_group faccessat fcntl
fork fstat futex getcwd getdents64 getegid geteuid getgid getpgrp getpid getppid getrandom getuid
ioctl lseek lstat mmap mprotect munmap newfstatat open openat pipe poll prctl pread64 prlimit64
read readlink rseq rt_sigaction rt_sigprocmask rt_sigreturn set_robust_list set_tid_address setgid
setgroups setpgid setuid sigaltstack stat sysinfo uname vfork wait4 write writev capget capset
chdir fstatfs statfs statx setsid getrlimit nanosleep gettid tgkill openat2 readlinkat fchdir umask
"""


def flavor(**specs: str) -> Flavor:
    """Return a flavor with extra specs in our namespace."""
    named = {f"docker:{name.replace('__', '.')}": value for name, value in specs.items()}
    return Flavor(vcpus=1, memory_mib=96, root_gib=1, extra_specs=named)


@pytest.fixture(scope="module")
def debian(engine: Engine) -> Callable[[str], Image]:
    """How to get Debian's programs, with systemd, for a user."""
    programs.ensure()
    layer = BOX.prepare(CACHE).read_bytes()

    def image(user: str = "") -> Image:
        config = {"StopSignal": "SIGRTMIN+3", "Env": ["PATH=/usr/sbin:/usr/bin"], "User": user}
        engine.load_image([saved(layer, config, f"rights:box{user}")])
        found = engine.find_image(f"rights:box{user}")
        assert found
        return found

    return image


@pytest.fixture
def boxes(servers: Any, debian: Callable[..., Image]) -> Any:
    """Servers from it."""
    servers.images.image = debian()
    return servers


@pytest.fixture(scope="module", autouse=True)
def _rights() -> Iterator[None]:
    """Our privileged daemons: a resize copies files."""
    with daemon(), daemon(files_privileged):
        yield


def host(*words: str) -> str:
    """Run a program on the host and return what it says."""
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def test_net_admin_makes_a_router(boxes: Any) -> None:
    """Links, tunnels, routes and filters of its own namespace, and forwarding between them."""
    before = IP_FORWARD.read_text()
    given = flavor(cap_add="NET_ADMIN", sysctl__net__ipv4__ip_forward="1")
    told = boxes.tell(f"{ROUTER} cat {IP_FORWARD}", flavor=given)
    assert "-A FORWARD -s 203.0.113.77/32 -j DROP" in told
    assert f"203.0.113.0/24 dev {INNER}" in told
    assert {"nd-bridge", "nd-tunnel"} <= {line.split()[0] for line in told.splitlines() if line}
    assert told.split("[nova-docker]")[0].split()[-1] == "1"
    assert IP_FORWARD.read_text() == before
    assert "nd-bridge" not in host("ip", "-brief", "link")
    assert "203.0.113.77" not in host("iptables", "-S")


def test_without_the_grant_there_is_no_router(boxes: Any) -> None:
    """Neither its network nor its filters can be changed, and nothing is forwarded."""
    told = boxes.tell(f"{ROUTER} echo 1 > {IP_FORWARD}; cat {IP_FORWARD}", flavor=flavor())
    assert "Operation not permitted" in told
    assert "Read-only file system" in told
    assert f'Cannot find device "{INNER}"' in told
    assert "203.0.113.77" not in told


@pytest.mark.parametrize(("given", "may"), [({}, True), ({"cap_drop": "NET_RAW"}, False)])
def test_net_raw_opens_raw_sockets(servers: Any, given: dict[str, str], may: bool) -> None:
    """A flavor may take them away; then no ARP can be forged, nor a packet read."""
    told = servers.tell("busybox arping -c 1 -w 1 -I lo 127.0.0.1 2>&1", flavor=flavor(**given))
    assert ("lo is not ARPable" in told) is may  # past the socket
    assert ("Operation not permitted" in told) is not may


@pytest.mark.parametrize(("given", "may"), [({"cap_add": "SYS_PTRACE"}, True), ({}, False)])
def test_sys_ptrace_is_for_a_debugger(boxes: Any, given: dict[str, str], may: bool) -> None:
    """It looks into another user's process of the container; the host's it does not even see."""
    told = boxes.tell(f"{TRACE} ls -d /proc/[0-9]*", flavor=flavor(**given))
    assert "traced" in told
    assert ("attached" in told) is may
    assert ("Operation not permitted" in told) is not may
    assert len([word for word in told.split() if word.startswith("/proc/")]) < 8


@pytest.mark.parametrize(("given", "may"), [({}, True), ({"cap_drop": "sys_chroot"}, False)])
def test_sys_chroot_confines_children(servers: Any, given: dict[str, str], may: bool) -> None:
    """As sshd does; a flavor may take it away."""
    told = servers.tell("busybox chroot / busybox echo inside 2>&1", flavor=flavor(**given))
    assert ("inside" in told) is may
    assert ("Operation not permitted" in told) is not may


def test_no_capability_is_needed_for_ping(boxes: Any, debian: Callable[..., Image]) -> None:
    """Under the profile that has none, by an ordinary user."""
    boxes.images.image = debian("web")
    script = "cat /proc/self/status; ping -c 1 127.0.0.1"
    told = boxes.tell(script, flavor=flavor(profile="restricted"))
    assert "CapBnd:\t0000000000000000" in told
    assert "1 received" in told


@pytest.mark.parametrize("user", ["", "web"])
@pytest.mark.parametrize("profile", ["baseline", "system"])
def test_ping_with_a_file_capability_starts(
    boxes: Any, debian: Callable[..., Image], profile: str, user: str
) -> None:
    """The ping of distributions carries NET_RAW, and runs for root and for ordinary users."""
    boxes.images.image = debian(user)
    told = boxes.tell("ping-with-capability -c 1 127.0.0.1", flavor=flavor(profile=profile))
    assert "1 received" in told


def test_ping_with_a_file_capability_is_refused_without_the_right(boxes: Any) -> None:
    """The kernel starts no file with a capability that its process can never have."""
    given = flavor(cap_drop="NET_RAW")
    told = boxes.tell("ping-with-capability -c 1 127.0.0.1; echo ended $?", flavor=given)
    assert "ended 126" in told


def test_no_capability_is_needed_for_low_ports(servers: Any, make_image: Any) -> None:
    """Under the profile that has none, by an ordinary user."""
    servers.images.image = make_image(User="web")
    told = servers.tell(
        "cat /proc/self/status; nc -l -p 80 -e /bin/sh & sleep 1; "
        "echo echo served | nc 127.0.0.1 80",
        flavor=flavor(profile="restricted"),
    )
    assert "CapBnd:\t0000000000000000" in told
    assert "served" in told.splitlines()


def test_a_restricted_server_writes_memory_alone(servers: Any, make_image: Any) -> None:
    """Its root file system is read-only, and what it writes to memory cannot be run."""
    servers.images.image = make_image(User="web")
    told = servers.tell(
        "touch /x; for d in /tmp /run /var/tmp; do echo id > $d/x; done; ls /tmp; "
        "busybox cp /bin/busybox /tmp/busybox; /tmp/busybox id",
        flavor=flavor(profile="restricted"),
    )
    assert "Read-only file system" in told
    assert "can't create" not in told
    assert "/tmp/busybox: Permission denied" in told


def test_nothing_is_put_into_a_read_only_server_but_a_config_drive(servers: Any) -> None:
    """What a tenant did not ask for is left out; a file that he did ask for is refused."""
    given = flavor(read_only="true")
    path = "/dev/.novadocker/config-drive/openstack/x"
    inputs = Inputs(config_drive=lambda _: [("openstack/x", "told")])
    servers.ask(f"cat {path}", flavor=given, public_key="ssh-ed25519 AAAA me")
    servers.actions.lifecycle.boot(
        None, servers.asked, None, servers.network, inputs, power_on=True
    )
    servers.wait_for("told")
    files = Inputs(files=personality([("/srv/file", b"x")]))
    servers.ask(uuid=str(uuid.uuid4()))
    with pytest.raises(
        PolicyRefused, match=r"personality file = /srv/file is refused; .*read-only"
    ):
        servers.actions.lifecycle.boot(
            None, servers.asked, None, servers.network, files, power_on=True
        )
    assert servers.guest.find() is None


@pytest.mark.parametrize("user", ["", "0", "root", "toor", "0:1000", "nobody-there"])
def test_a_restricted_server_is_not_root(servers: Any, make_image: Any, user: str) -> None:
    """By whatever name; nothing of it is left."""
    accounts = "root:x:0:0::/root:/bin/sh\ntoor:x:0:0::/root:/bin/sh\n"
    servers.images.image = make_image(passwd=accounts, User=user)
    with pytest.raises(PolicyRefused, match=r"image's USER = .* under profile restricted"):
        servers.boot(flavor=flavor(profile="restricted"))
    assert servers.guest.find() is None
    assert not list(servers.instances.iterdir())


@pytest.mark.parametrize(("profile", "euid"), [("system", "euid=0(root)"), ("baseline", "")])
def test_setuid_programs_gain_where_users_are_the_containers_own(
    boxes: Any, profile: str, euid: str
) -> None:
    """So that sudo works; what is gained is root of the container, a stranger to the host."""
    script = "chroot --userspec=1000:1000 / /usr/bin/id-as-root"
    told = boxes.tell(script, flavor=flavor(profile=profile))
    assert "uid=1000(web)" in told
    assert ("euid=0(root)" in told) is bool(euid)


def test_systemd_runs_as_process_1(boxes: Any) -> None:
    """It starts its services and ends in order when told to; its limits are not its to loosen."""
    container = boxes.boot(command_line="/lib/systemd/systemd", flavor=flavor(profile="system"))
    until_active(boxes.engine, container)
    assert "hello from a service" in boxes.guest.console().decode()
    limits = "for file in /sys/fs/cgroup/*/*limit_in_bytes /sys/fs/cgroup/*/*.max"
    script = f"{limits}; do echo 1 > $file && echo loosened; done 2>&1; mkdir /sys/fs/cgroup/*/x"
    _, said = boxes.engine.run(container.name, ("sh", "-c", script))
    assert b"loosened" not in said
    begun = time.monotonic()
    boxes.actions.lifecycle.stop(boxes.asked.uuid, boxes.network, 60)
    assert time.monotonic() - begun < 50
    ended = boxes.guest.get()
    assert (ended.state, ended.exit_code) == (State.EXITED, 0)
    boxes.actions.lifecycle.start(boxes.asked, boxes.network)  # and again, in a group that is new
    until_active(boxes.engine, container)


def until_active(engine: Engine, container: Container) -> None:
    """Wait until systemd has started the service that the box has."""
    deadline = time.monotonic() + 90
    while engine.run(container.name, ("systemctl", "is-active", "hello"))[0]:
        assert time.monotonic() < deadline, engine.run(
            container.name, ("systemctl", "list-jobs", "--no-pager")
        )
        time.sleep(0.2)


def test_another_runtime_runs_a_server_where_it_is_listed(servers: Any, docker_api: Any) -> None:
    """And is refused where it is not, with those that there are."""
    there = frozenset(docker_api.info()["Runtimes"])
    other = next(name for name in sorted(there) if name.endswith("runc.v2"))
    servers.abilities = replace(servers.abilities, runtimes=there)
    with pytest.raises(PolicyRefused, match=f"docker:runtime = {other} is refused.* has: runc$"):
        servers.boot(flavor=flavor(runtime=other))
    servers.bounds = Bounds(runtimes=frozenset({other, "runsc"}))
    with pytest.raises(PolicyRefused, match="docker:runtime = runsc is refused"):
        servers.boot(flavor=flavor(runtime="runsc"))
    container = servers.boot(flavor=flavor(runtime=other))
    assert container.rights.runtime == other
    assert docker_api.inspect_container(container.name)["HostConfig"]["Runtime"] == other


def test_a_stricter_seccomp_profile_takes_the_defaults_place(servers: Any) -> None:
    """By name; what it leaves out is refused even to root."""
    rule = {"names": CALLS.split(), "action": "SCMP_ACT_ALLOW"}
    # clone with args, as the engine's own default has it
    rule["names"] = [name for name in CALLS.split() if name != "clone"]
    masked = {"index": 0, "value": 2114060288, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}
    clone = {"names": ["clone"], "action": "SCMP_ACT_ALLOW", "args": [masked]}
    text = json.dumps(
        {
            "defaultAction": "SCMP_ACT_ERRNO",
            "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64"],
            "syscalls": [rule, clone],
        }
    )
    servers.bounds = Bounds(seccomp={"quiet": seccomp.checked(text)})
    told = servers.tell("echo said; mkdir /x", flavor=flavor(seccomp="quiet"))
    assert "said" in told
    assert "mkdir: can't create directory '/x': Operation not permitted" in told
    assert "can't create" not in servers.tell("mkdir /x", uuid="5a1c", flavor=flavor())


def test_limits_of_processes_and_shared_memory_are_the_flavors(servers: Any) -> None:
    """As its process finds them."""
    given = flavor(ulimits="nofile=64:128,core=0", shm_size="2m")
    told = servers.tell("ulimit -Sn; ulimit -Hn; ulimit -c; cat /proc/mounts", flavor=given)
    assert told.split()[:3] == ["64", "128", "0"]
    (shm,) = [line for line in told.splitlines() if " /dev/shm " in line]
    assert "size=2048k" in shm


@pytest.mark.parametrize("asked", ["docker_cap_drop", "docker_profile", "docker_read_only"])
def test_an_image_does_without(servers: Any, asked: str) -> None:
    """What it says of itself narrows what the flavor grants."""
    value = {"docker_cap_drop": "ALL", "docker_profile": "baseline", "docker_read_only": "true"}
    properties = {asked: value[asked]}
    given = flavor(profile="system", cap_add="NET_ADMIN")
    told = servers.tell(
        "cat /proc/self/status; touch /x", flavor=given, image_properties=properties
    )
    assert ("CapBnd:\t0000000000000000" in told) is (asked == "docker_cap_drop")
    assert ("NoNewPrivs:\t1" in told) is (asked == "docker_profile")
    assert ("Read-only" in told) is (asked == "docker_read_only")


def test_a_resize_changes_the_rights(servers: Any) -> None:
    """The files stay; a revert gives the old rights back."""
    status = "echo >> /count; cat /count | busybox wc -l; cat /proc/self/status; sleep 600"
    servers.boot(status, flavor=flavor())
    servers.wait_for("CapBnd")
    before = servers.guest.get()
    for given, granted, times in ((flavor(cap_add="NET_ADMIN"), True, 2), (flavor(), False, 3)):
        servers.ask(flavor=given)
        servers.actions.resize.prepare(servers.asked, servers.network, 0)
        servers.actions.resize.finish(servers.asked, servers.network, power_on=True)
        servers.wait_for("CapBnd")
        told = servers.guest.console().decode()
        mask = int(told.split("CapBnd:")[-1].split()[0], 16)
        assert bool(mask & 1 << 12) is granted
        assert told.split()[0] == str(times)
    assert servers.guest.get().rights == before.rights


def test_a_server_of_roots_cannot_become_restricted(servers: Any) -> None:
    """It runs on as the same process."""
    booted = servers.boot(flavor=flavor())
    servers.ask(flavor=flavor(profile="restricted"))
    with pytest.raises(PolicyRefused, match="a user other than root under profile restricted"):
        servers.actions.resize.prepare(servers.asked, servers.network, 0)
    assert servers.guest.get() == booted
