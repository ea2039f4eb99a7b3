# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace
from typing import Any

import pytest

from novadocker.virt.docker.check import posture
from novadocker.virt.docker.check.findings import Finding, Verdict
from novadocker.virt.docker.engine import EngineInfo, Posture

INFO = EngineInfo(
    api_versions=((1, 24), (1, 52)),
    components={"Engine": "29.9.0", "containerd": "2.3.5", "runc": "1.4.4"},
    cpus=2,
    memory_bytes=2**30,
    architecture="x86_64",
    kernel="6.12.1",
    storage_driver="overlay2",
    backing_filesystem="extfs",
    root_directory="/var/lib/docker/100000.100000",
    security_options=frozenset({"userns", "seccomp", "apparmor"}),
    live_restore=True,
)
SOUND = Posture(INFO)


def judged(seen: Posture = SOUND, **changes: Any) -> dict[str, Finding]:
    """Return findings that are not well, by their items."""
    asked = {"mended": (), "limits_disk": True, "security_modules": "apparmor"} | changes
    found = posture.findings(seen, **asked)
    return {each.item: each for each in found if each.verdict is not Verdict.OK}


def test_a_sound_engine_is_well() -> None:
    """Each item is told, and no warning."""
    assert judged() == {}
    asked: dict[str, Any] = {"mended": (), "limits_disk": True, "security_modules": "apparmor"}
    told = [each.item for each in posture.findings(SOUND, **asked)]
    assert told[:3] == ["user namespaces", "seccomp", "live-restore"]
    assert {"security module", "disk quota", "version"} <= {*told}


@pytest.mark.parametrize(
    ("item", "seen"),
    [
        ("user namespaces", replace(SOUND, info=replace(INFO, security_options=frozenset()))),
        ("seccomp", replace(SOUND, info=replace(INFO, seccomp_profile="unconfined"))),
        ("live-restore", replace(SOUND, info=replace(INFO, live_restore=False))),
        ("experimental", replace(SOUND, experimental=True)),
        ("bridge", replace(SOUND, talkative_bridge=True)),
        ("registries", replace(SOUND, insecure_registries=("example.org:5000",))),
        ("swarm", replace(SOUND, swarm=True)),
        ("cgroups", replace(SOUND, info=replace(INFO, cgroup_version="1"))),
        ("version", replace(SOUND, info=replace(INFO, components={"runc": "1.1.5"}))),
        (
            "engine's API",
            replace(
                SOUND,
                info=replace(
                    INFO,
                    warnings=(
                        "WARNING: API is accessible on http://0.0.0.0:2375 without encryption.",
                    ),
                ),
            ),
        ),
        (
            "limits",
            replace(SOUND, info=replace(INFO, warnings=("WARNING: No memory limit support",))),
        ),
    ],
)
def test_what_is_odd_is_a_warning_with_a_fix(item: str, seen: Posture) -> None:
    """One for each, which says what to do."""
    found = judged(seen)
    assert found[item].verdict is Verdict.WARNING
    assert found[item].fix


def test_what_a_distribution_mended_is_well() -> None:
    """By the number that its changelog names."""
    seen = replace(SOUND, info=replace(INFO, components={"runc": "1.4.2"}))
    assert "CVE-2026-41579" in judged(seen)["version"].words
    assert judged(seen, mended={"CVE-2026-41579"}) == {}


@pytest.mark.parametrize(
    ("modules", "options", "words"),
    [
        ("capability,apparmor", set(), "the host has apparmor and the engine does not use it"),
        ("selinux", set(), "the host has selinux and the engine does not use it"),
        ("", set(), "neither"),
        ("selinux", {"selinux"}, None),
        ("apparmor", {"apparmor"}, None),
    ],
)
def test_a_security_module_is_to_be_used(modules: str, options: set[str], words: str) -> None:
    """The one that the host runs."""
    found = posture.security_module(replace(INFO, security_options=frozenset(options)), modules)
    assert (found.verdict is Verdict.OK) is (words is None)
    assert (words or "") in found.words


def test_a_disk_that_all_share_is_a_warning() -> None:
    """It names what would do."""
    assert "XFS mounted with pquota" in judged(limits_disk=False)["disk quota"].fix


@pytest.mark.parametrize(
    ("kernel", "engine", "disabled", "verdict"),
    [
        ("4.19.0", "20.10.24+dfsg1", "", None),
        ("6.1.0-13-amd64", "20.10.24+dfsg1", "", Verdict.WARNING),
        ("6.8.0", "24.0.9", "1", Verdict.WARNING),
        ("6.8.0", "24.0.9", "2", Verdict.OK),
        ("6.8.0", "25.0.0", "0", Verdict.OK),
    ],
)
def test_io_uring_is_to_be_shut(
    kernel: str, engine: str, disabled: str, verdict: Verdict | None
) -> None:
    """By the engine's own profile or by the kernel."""
    info = replace(INFO, kernel=kernel, components={"Engine": engine})
    found = posture.io_uring(info, disabled)
    assert (found and found.verdict) == verdict


def test_an_engine_tells_how_it_is_set_up() -> None:
    """As it answers, and where it leaves out what it has not."""
    version = {"ApiVersion": "1.41", "MinAPIVersion": "1.12", "Components": []}
    info = {
        "NCPU": 1,
        "MemTotal": 1,
        "Architecture": "x86_64",
        "Driver": "overlay2",
        "DockerRootDir": "/d",
        "SecurityOptions": ["name=seccomp,profile=default"],
    }
    least = Posture.parse(version, info, [])
    assert (least.info.cgroup_version, least.talkative_bridge, least.swarm) == ("1", False, False)
    most = Posture.parse(
        version,
        info
        | {
            "ExperimentalBuild": True,
            "CgroupVersion": "2",
            "RegistryConfig": {
                "InsecureRegistryCIDRs": ["127.0.0.0/8", "10.0.0.0/8"],
                "IndexConfigs": {"a": {"Secure": True}, "b": {"Secure": False}},
            },
            "Plugins": {"Authorization": ["opa"]},
            "Swarm": {"LocalNodeState": "active"},
        },
        [{"Name": "bridge", "Options": {"com.docker.network.bridge.enable_icc": "true"}}],
    )
    assert most.insecure_registries == ("10.0.0.0/8", "b")
    assert (most.experimental, most.swarm, most.talkative_bridge) == (True, True, True)
    assert (most.info.cgroup_version, most.authorization) == ("2", ("opa",))
