# SPDX-License-Identifier: Apache-2.0
"""Whatever flavor, image, operator and host say: what nobody gets is in no container's body.

The inputs are made by Hypothesis: sound ones, near misses and hostile strings, in all places at
once. A refusal is a good answer; what is granted must hold.
"""

import itertools
import json
import os
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from novadocker.errors import NotForContainers, PolicyRefused
from novadocker.policy import (
    Abilities,
    Bounds,
    Flavor,
    Profile,
    settings_for,
)
from novadocker.policy.capabilities import (
    ALLOWED,
    GRANTABLE,
    ORDINARY,
    WITHHELD,
)
from novadocker.policy.extra_specs import EXTRA_SPECS
from novadocker.policy.profiles import BUILT_IN
from novadocker.policy.settings import Settings
from novadocker.policy.sysctls import ALWAYS, NAMESPACED, known
from novadocker.virt.docker.engine import ContainerSpec

STRICT = json.dumps({"defaultAction": "SCMP_ACT_ERRNO"})
HOSTILE = (
    "",
    " ",
    "0",
    "-1",
    "1e9",
    "9" * 400,
    "\u0663",
    "ALL",
    "all",
    "CAP_ALL",
    "SYS_ADMIN",
    "cap_sys_admin",
    "KILL,SYS_MODULE",
    "KILL, ALL",
    "NET_ADMIN\n",
    "NET_ADMIN\x00SYS_ADMIN",
    "\u017fYS_ADMIN",
    "host",
    "container:other",
    "unconfined",
    "Unconfined",
    "../unconfined",
    "/etc/passwd",
    "seccomp=unconfined",
    "no-new-privileges:false",
    "apparmor=unconfined",
    "true",
    "false",
    "TRUE",
    "nofile=1:2,nofile=3",
    "nofile=-1",
    "rtprio=99",
    "nofile=99999999999999999",
    "nofile=1024:65536",
    "64m",
    "99999g",
    "0g",
    "1 2",
    "65535",
    "privileged",
    "restricted",
    "baseline",
    "system",
    "mine",
    "strict",
    "runc",
    "runsc",
    "docker-default",
    "mine,baseline",
)
NAMES = (
    *(each.name for each in EXTRA_SPECS),
    "privileged",
    "devices",
    "network",
    "pid",
    "ipc",
    "userns",
    "volumes",
    "binds",
    "Privileged",
    "sysctl.net.ipv4.ip_forward",
    "sysctl.kernel.core_pattern",
    "sysctl.kernel.msgmax",
    "sysctl.net.ipv4.ping_group_range",
    "sysctl.",
    "sysctl",
    "sysctl.vm.overcommit_memory",
    *(
        "sysctl.net.core.bpf_jit_enable",
        "sysctl.net/ipv4/ip_forward",
        "sysctl.fs.mqueue.queues_max",
    ),
    "security_opt",
    "no_new_privileges",
    "cgroup_parent",
    "tmpfs",
    "init",
)
GRANTABLES = tuple(sorted({*ORDINARY, *GRANTABLE}))
SOUND = (
    *(("profile", name) for name in (*BUILT_IN, "mine")),
    *(("cap_add", name) for name in ("NET_ADMIN", "cap_net_raw, SYS_PTRACE", "KILL,IPC_LOCK")),
    *(("cap_drop", name) for name in ("KILL", "ALL", "NET_ADMIN,CHOWN", "SYS_ADMIN")),
    *(("seccomp", "strict"), ("apparmor", "docker-default"), ("runtime", "runsc")),
    *(("pids_limit", "99"), ("pids_limit", "4194304"), ("shm_size", "32m"), ("runtime", "kata")),
    *(("ulimits", "nofile=1024:65536"), ("ulimits", "core=0,nproc=9"), ("read_only", "true")),
    *(("sysctl.net.ipv4.ip_forward", "1"), ("sysctl.kernel.msgmax", "65536")),
)
PAIRS = (*SOUND * 20, *itertools.product(NAMES, (*HOSTILE, *WITHHELD)))
OTHERS = st.sampled_from((("quota:cpu_quota", "5000"), ("hw:cpu_policy", "x"), ("quota:x", "1")))


def asked(prefix: str) -> st.SearchStrategy[dict[str, str]]:
    """Return what a flavor or an image may say: half of it sound."""
    pair = st.tuples(st.one_of(st.sampled_from(NAMES), st.text(max_size=8)), st.text(max_size=12))
    named = st.sampled_from((*SOUND, *SOUND, *PAIRS)).map(lambda it: (f"{prefix}{it[0]}", it[1]))
    odd = st.one_of(OTHERS, pair.map(lambda it: (f"{prefix}{it[0]}", it[1])))
    sound = st.sampled_from(SOUND).map(lambda it: (f"{prefix}{it[0]}", it[1]))
    return st.one_of(
        st.lists(sound, max_size=3).map(dict),
        st.lists(sound, max_size=2).map(dict),
        st.lists(named, max_size=3).map(dict),
        st.lists(st.one_of(named, odd), max_size=4).map(dict),
    )


PROFILES = tuple(
    Profile(
        "mine",
        "x",
        capabilities=frozenset(having),
        no_new_privileges=strict,
        read_only=read_only,
        root=root,
        tmpfs=("/run", "/srv"),
        seccomp=seccomp,
        sysctls={"net.ipv4.ip_forward": "1"},
        init=not strict,
    )
    for having in ((), ("NET_ADMIN",), GRANTABLES)
    for strict, read_only, root in itertools.product((True, False), repeat=3)
    for seccomp in ("", "strict")
)
sizes = st.sampled_from(
    (
        *((1, 64, 1, 0), (2, 512, 10, 64), (300, 2**20, 0, 2**16)) * 8,
        (0, 64, 1, 0),
        (1, 0, 1, 0),
        (1, 5, 1, 0),
        (1, 64, -1, 0),
        (1, 64, 1, -1),
        (-1, -1, -1, -1),
    )
)
flavors = st.builds(lambda size, specs: Flavor(*size, extra_specs=specs), sizes, asked("docker:"))
abilities = st.sampled_from(
    [
        Abilities(limit, 16, disk, userns, apparmor, frozenset(runtimes))
        for limit, disk in ((True, "/dev/vda"), (False, None))
        for userns in (True, True, False)
        for apparmor in (True, False)
        for runtimes in (("runc",), ("runc", "runsc"))
    ]
)
bounds = st.builds(
    lambda having, names, profile, default, able: Bounds(
        frozenset(having),
        names,
        {**BUILT_IN, "mine": profile},
        default,
        {"strict": STRICT},
        frozenset({"docker-default"}),
        frozenset(able),
    ),
    st.sampled_from(((), ("NET_ADMIN", "KILL"), ALLOWED, GRANTABLES)),
    st.sampled_from(((), ("net.ipv4.ip_*",), NAMESPACED)),
    st.sampled_from(PROFILES),
    st.sampled_from((*BUILT_IN, "baseline", "mine")),
    st.sampled_from(((), ("runsc", "kata"))),
)
images = asked("docker_")


def searched(examples: int) -> Any:
    """Return how long to look; the environment says how many times that."""
    times = int(os.environ.get("NOVADOCKER_SEARCH", "1"))
    return settings(
        max_examples=examples * times, deadline=None, suppress_health_check=list(HealthCheck)
    )


def body_of(made: Settings) -> dict[str, Any]:
    """Return what the engine is sent."""
    spec = ContainerSpec(
        name="nova-1",
        image="sha256:1",
        hostname="web",
        entrypoint=("/gate",),
        command=("sh",),
        environment={},
        labels={},
        read_only_files={"/etc/hosts": "/i/1/hosts"},
        settings=made,
    )
    host_config: dict[str, Any] = spec.body()["HostConfig"]
    return host_config


@searched(600)
@given(flavors, abilities, bounds, images)
def test_no_input_leads_out(
    flavor: Flavor, able: Abilities, bound: Bounds, image: dict[str, str]
) -> None:
    """Nothing is privileged, unconfined, unbounded, the host's, or beyond the operator's bounds."""
    try:
        made = settings_for(flavor, able, bound, image)
    except (PolicyRefused, NotForContainers) as refused:
        event("refused")
        refuse_the_unreadable(str(refused))
        return
    event(f"granted {made.profile}")
    body = body_of(made)
    refuse_the_hosts(body)
    refuse_the_unconfined(made, body, able, bound)
    refuse_the_unbounded(body, flavor)


def refuse_the_unreadable(message: str) -> None:
    """Fail where a refusal is no line that an operator can read."""
    assert message.isprintable()
    assert len(message) < 400


def refuse_the_hosts(body: dict[str, Any]) -> None:
    """Fail where a container would share something with its host."""
    assert body["Privileged"] is False
    assert (body["IpcMode"], body["CgroupnsMode"]) == ("private", "private")
    for name in ("PidMode", "UTSMode", "UsernsMode"):
        assert body[name] == ""
    assert body["NetworkMode"] == "none"
    for name in ("Devices", "DeviceRequests", "DeviceCgroupRules", "Binds", "GroupAdd"):
        assert body[name] == []
    assert not set(body) & {"VolumesFrom", "CgroupParent", "Cgroup", "Links", "VolumeDriver"}
    assert body["Mounts"] == [
        {"Type": "bind", "Source": "/i/1/hosts", "Target": "/etc/hosts", "ReadOnly": True}
    ]
    for path, options in body["Tmpfs"].items():
        assert path in {"/run", "/run/lock", "/srv", "/tmp", "/var/tmp"}
        assert {"nosuid", "nodev"} <= set(options.split(","))
    assert body["RestartPolicy"] == {"Name": "no"}


def refuse_the_unconfined(
    made: Settings, body: dict[str, Any], able: Abilities, bound: Bounds
) -> None:
    """Fail where a container could do more than its operator grants."""
    assert body["CapDrop"] == ["ALL"]
    rights = set(body["CapAdd"])
    assert not rights & {*WITHHELD, "ALL"}
    began = bound.profiles.values()
    assert any(rights <= bound.capabilities | profile.capabilities for profile in began)
    options = body["SecurityOpt"]
    assert ("no-new-privileges:true" in options) == made.rights.no_new_privileges
    assert made.rights.no_new_privileges or able.userns
    assert not made.rights.init or able.userns
    assert set(options) <= {
        "no-new-privileges:true",
        f"seccomp={STRICT}",
        "apparmor=docker-default",
    }
    assert "MaskedPaths" not in body
    assert "ReadonlyPaths" not in body
    own = {"net.ipv4.ping_group_range", "net.ipv4.ip_unprivileged_port_start"}
    for name, value in body["Sysctls"].items():
        assert known(name)
        assert name in own or name == "net.ipv4.ip_forward" or known(name, bound.sysctls)
        assert value.isascii()
        assert value.isprintable()
    assert body["Runtime"] in {"runc", *(bound.runtimes & able.runtimes)}


def refuse_the_unbounded(body: dict[str, Any], flavor: Flavor) -> None:
    """Fail where a container could use more than its flavor has."""
    assert body["Memory"] == flavor.memory_mib * 2**20 > 0
    assert body["Memory"] <= body["MemorySwap"] == body["Memory"] + flavor.swap_mib * 2**20
    assert 0 < body["NanoCpus"] <= flavor.vcpus * 10**9
    assert 2 <= body["CpuShares"] <= 262_144
    assert 0 < body["PidsLimit"] <= 4_194_304
    assert 0 < body["ShmSize"] <= max(body["Memory"], 64 * 2**20)
    assert body["OomKillDisable"] is False
    assert body["OomScoreAdj"] == 0
    config = body["LogConfig"]["Config"]
    assert int(config["max-file"]) == 2
    assert config["max-size"]
    for each in body["Ulimits"]:
        assert 0 <= each["Soft"] <= each["Hard"] < 2**51
        assert each["Name"] not in {"rtprio", "nice", "rttime"}


@searched(200)
@given(flavors, abilities, bounds, images)
def test_an_image_never_widens(
    flavor: Flavor, able: Abilities, bound: Bounds, image: dict[str, str]
) -> None:
    """Whatever it says, its container has nothing that the flavor alone would not give."""
    try:
        without = settings_for(flavor, able, bound)
        within = settings_for(flavor, able, bound, image)
    except PolicyRefused:
        return
    narrow, wide = within.rights, without.rights
    assert set(narrow.capabilities) <= set(wide.capabilities)
    assert narrow.no_new_privileges >= wide.no_new_privileges
    assert narrow.read_only >= wide.read_only
    assert within.root <= without.root
    assert narrow.init <= wide.init
    assert not wide.seccomp or narrow.seccomp == wide.seccomp
    # A parameter of the flavor's profile may go with it; none comes, and none has another value.
    assert narrow.sysctls.items() <= wide.sysctls.items()
    assert narrow.sysctls.keys() >= ALWAYS.keys()
    same = ("runtime", "apparmor", "ulimits", "shm_bytes")
    assert [getattr(narrow, name) for name in same] == [getattr(wide, name) for name in same]
    assert within.limits.pids <= without.limits.pids
    assert replace(within.limits, pids=0) == replace(without.limits, pids=0)


@searched(200)
@given(flavors, abilities, bounds, images)
def test_every_right_is_explained(
    flavor: Flavor, able: Abilities, bound: Bounds, image: dict[str, str]
) -> None:
    """Each line says what, who said so, and why; every capability and parameter has one."""
    try:
        made = settings_for(flavor, able, bound, image)
    except PolicyRefused:
        return
    assert all(
        line.setting and line.value and line.source and line.why for line in made.explanations
    )
    told = {(line.setting, line.value) for line in made.explanations}
    assert {("capability", name) for name in made.rights.capabilities} <= told
    assert {(f"sysctl {name}", value) for name, value in made.rights.sysctls.items()} <= told
    assert ("privileged", "no") in told


@pytest.mark.parametrize("name", sorted({*ORDINARY, *GRANTABLE, *WITHHELD}))
def test_every_capability_has_one_place(name: str) -> None:
    """It may be granted, or nobody gets it, and it is said why."""
    assert ((name in ORDINARY) + (name in GRANTABLE) + (name in WITHHELD)) == 1
