# SPDX-License-Identifier: Apache-2.0
import dataclasses
import os
import re
import time
from pathlib import Path
from typing import Any

import pytest

from novadocker.errors import EngineUnsuitable
from novadocker.virt.docker.engine import Connection, EngineInfo
from novadocker.virt.docker.host.disk import apart, data_disk, disk, limits_disk
from novadocker.virt.docker.host.inventory import (
    Host,
    Ratios,
    Reserved,
    uptime,
)
from novadocker.virt.docker.host.suitability import check, warnings

SOUND = EngineInfo(
    api_versions=((1, 24), (1, 44)),
    components={"Engine": "29.5.1", "runc": "1.4.4"},
    cpus=4,
    memory_bytes=8 * 2**30,
    architecture="x86_64",
    kernel="6.1",
    storage_driver="btrfs",
    backing_filesystem="",
    root_directory="/",
    security_options=frozenset({"seccomp", "userns"}),
    live_restore=True,
)
OVERLAY = dataclasses.replace(
    SOUND, storage_driver="overlay2", backing_filesystem="xfs", root_directory="/srv/docker/1.1"
)


class Told:
    """An engine that says of itself what a test says."""

    def __init__(self, **changes: Any) -> None:
        """Differ from a sound one by some changes."""
        self.connection = Connection("unix:///run/docker.sock")
        self._info = dataclasses.replace(SOUND, **changes)

    def info(self) -> EngineInfo:
        """Return it."""
        return self._info

    def become(self, **changes: Any) -> None:
        """Become another engine, as by an upgrade."""
        self._info = dataclasses.replace(self._info, **changes)


def host(**changes: Any) -> Host:
    """Return a host whose engine differs from a sound one."""
    return Host(Told(**changes))  # type: ignore[arg-type]


def checked(*, require_userns: bool = True, **changes: Any) -> EngineInfo:
    """Check an engine that differs from a sound one."""
    return check(Told(**changes), require_userns=require_userns)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seconds", "words"), [(5, "0:00"), (3 * 3600 + 61, "3:01"), (86430, "1 day, 0:00")]
)
def test_uptime_is_what_openstacks_client_reads(
    monkeypatch: pytest.MonkeyPatch, seconds: int, words: str
) -> None:
    """It takes the line apart by this expression."""
    monkeypatch.setattr("psutil.boot_time", lambda: time.time() - seconds)
    told = re.match(r"\s*(.+)\sup\s+(.+),\s+(.+)\susers?,\s+load average:\s(.+)", uptime())
    assert told
    assert told.group(2) == words
    assert len(told.group(4).split(", ")) == 3


def test_a_sound_engine_is_taken_without_a_word() -> None:
    """An operator who did all right reads no warning."""
    assert checked() == SOUND
    assert warnings(SOUND) == []


def test_an_engine_that_is_too_old_is_refused() -> None:
    """The message names what it speaks and what is needed."""
    with pytest.raises(EngineUnsuitable, match=r"speaks API 1\.40 and 1\.41 is needed"):
        checked(api_versions=((1, 12), (1, 40)))


def test_podmans_imitation_is_refused_by_name() -> None:
    """The reasons are Podman's, not the versions that it tells."""
    with pytest.raises(EngineUnsuitable, match=r"Podman's imitation .* maps no users"):
        checked(require_userns=False, components={"Podman Engine": "5.4.2"})


@pytest.mark.parametrize("lost", [("MemoryLimit",), ("PidsLimit", "CpuCfsQuota")])
def test_an_engine_that_drops_limits_is_refused(lost: tuple[str, ...]) -> None:
    """Containers would have no limits, and the engine only warns of that."""
    with pytest.raises(EngineUnsuitable, match=f"{lost[0]}.* give the host the cgroup controllers"):
        checked(lost_limits=lost)


def test_an_engine_without_user_namespaces_is_refused() -> None:
    """The message says how to start it, and how to accept it."""
    with pytest.raises(EngineUnsuitable, match=r"--userns-remap=default.*require_userns = false"):
        checked(security_options=frozenset({"seccomp"}))


@pytest.mark.parametrize(
    "changes",
    [
        {"security_options": frozenset({"userns"})},
        {"seccomp_profile": "unconfined"},
    ],
)
def test_an_engine_without_seccomp_is_refused(changes: dict[str, Any]) -> None:
    """There is no option for it."""
    with pytest.raises(EngineUnsuitable, match="may make any system call; give it a kernel with"):
        checked(require_userns=False, **changes)


def test_an_operator_may_accept_an_engine_without_user_namespaces() -> None:
    """Then it is a warning."""
    accepted = checked(require_userns=False, security_options=frozenset({"seccomp"}))
    assert any("Root in a container is root on the host" in each for each in warnings(accepted))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"storage_driver": "vfs"}, "root disk of flavors is not enforced: storage driver vfs"),
        ({"live_restore": False}, "--live-restore"),
        ({"security_options": frozenset({"seccomp"})}, "--userns-remap"),
        ({"components": {"runc": "1.1.5"}}, "CVE-2024-21626"),
    ],
)
def test_each_weakness_is_told_by_itself(changes: dict[str, Any], said: str) -> None:
    """One sentence for one weakness, with what mends it."""
    sentences = warnings(dataclasses.replace(SOUND, **changes))
    assert len([each for each in sentences if said in each]) == 1


@pytest.mark.parametrize(
    ("info", "mounts", "expected"),
    [
        (SOUND, "", True),
        (dataclasses.replace(SOUND, storage_driver="zfs"), "", True),
        (dataclasses.replace(SOUND, storage_driver="vfs"), "", False),
        (OVERLAY, "/dev/a / ext4 rw 0 0\n/dev/b /srv xfs rw,prjquota 0 0\n", True),
        (OVERLAY, "/dev/a / ext4 rw 0 0\n/dev/b /srv xfs rw,relatime,pquota 0 0\n", True),
        (OVERLAY, "/dev/a / ext4 rw 0 0\n/dev/b /srv xfs rw,noquota 0 0\n", False),
        (OVERLAY, "/dev/a / xfs rw,prjquota 0 0\n/dev/b /srv xfs rw,noquota 0 0\n", False),
        (OVERLAY, "/dev/a / xfs rw,prjquota 0 0\n/dev/b /srvother xfs rw 0 0\n", True),
        (OVERLAY, "", False),
        (dataclasses.replace(OVERLAY, backing_filesystem="extfs"), "x / ext4 rw,prjquota", False),
    ],
)
def test_the_disk_is_limited_where_the_storage_driver_can(
    info: EngineInfo, mounts: str, expected: bool, tmp_path: Path
) -> None:
    """Btrfs and ZFS always, overlay2 on the XFS mount with project quotas that holds it."""
    (tmp_path / "mounts").write_text(mounts)
    assert limits_disk(info, tmp_path / "mounts") is expected


@pytest.fixture
def sysfs(tmp_path: Path) -> Path:
    """Block devices as the kernel shows them: one has a partition, one a "/" in its name."""
    for each in ("block", "dev", "devices/sda/sda1", "devices/c0!d0"):
        (tmp_path / each).mkdir(parents=True)
    (tmp_path / "devices/sda/sda1/partition").write_text("1")
    for each in ("sda", "c0/d0"):
        (tmp_path / "dev" / each).parent.mkdir(exist_ok=True)
        (tmp_path / "dev" / each).touch()
    return tmp_path


@pytest.mark.parametrize(
    ("changes", "device", "expected"),
    [
        ({}, "sda", "sda"),
        ({}, "sda/sda1", "sda"),  # the kernel limits rates of whole disks only
        ({}, "c0!d0", "c0/d0"),
        ({}, "sdb", None),
        ({}, None, None),  # anonymous, as of btrfs and of networks
        ({"storage_driver": "zfs"}, "sda", None),
        ({"storage_driver": "overlayfs"}, "sda", None),  # containerd keeps the files then
        ({"root_directory": "/nowhere/at/all"}, "sda", None),
        ({"warnings": ("WARNING: No blkio throttle.read_bps_device support",)}, "sda", None),
        ({"warnings": ("WARNING: No io.max (wbps) support",)}, "sda", None),
        ({"warnings": ("WARNING: No swap limit support",)}, "sda", "sda"),
    ],
)
def test_rates_are_limited_on_the_whole_disk_of_the_engines_data(
    sysfs: Path, changes: dict[str, Any], device: str | None, expected: str | None
) -> None:
    """None where there is no such disk, or where the engine would pass over its rates."""
    number = sysfs.stat().st_dev
    if device:
        link = sysfs / "block" / f"{os.major(number)}:{os.minor(number)}"
        link.symlink_to(sysfs / "devices" / device)
    overlay = {"storage_driver": "overlay2", "root_directory": str(sysfs)}
    info = dataclasses.replace(SOUND, **{**overlay, **changes})
    found = data_disk(info, sysfs / "block", sysfs / "dev")
    assert found == (str(sysfs / "dev" / expected) if expected else None)


def test_the_inventory_is_the_engines_host() -> None:
    """Totals come from the engine; ratio and reserve from the operator."""
    inventory = host().inventory(Ratios(4.0, 1.5, 1.0), Reserved(1, 512, 10))
    assert set(inventory) == {"VCPU", "MEMORY_MB", "DISK_GB"}
    assert inventory["VCPU"] == {
        "total": 4,
        "min_unit": 1,
        "max_unit": 4,
        "step_size": 1,
        "allocation_ratio": 4.0,
        "reserved": 1,
    }
    assert inventory["MEMORY_MB"]["total"] == 8 * 1024
    assert inventory["MEMORY_MB"]["allocation_ratio"] == 1.5
    assert inventory["DISK_GB"]["reserved"] == 10


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {"CUSTOM_DOCKER", "CUSTOM_DOCKER_USERNS", "CUSTOM_DOCKER_DISK_LIMIT"}),
        ({"storage_driver": "vfs"}, {"CUSTOM_DOCKER", "CUSTOM_DOCKER_USERNS"}),
        ({"security_options": frozenset()}, {"CUSTOM_DOCKER", "CUSTOM_DOCKER_DISK_LIMIT"}),
        (
            {"storage_driver": "vfs", "security_options": frozenset({"apparmor"})},
            {"CUSTOM_DOCKER", "CUSTOM_DOCKER_APPARMOR"},
        ),
    ],
)
def test_traits_are_what_the_host_has(changes: dict[str, Any], expected: set[str]) -> None:
    """A flavor that requires one lands where it holds."""
    assert {name for name, has in host(**changes).traits().items() if has} == expected


def test_a_runtime_is_a_trait_where_flavors_may_name_it() -> None:
    """Where the operator lists it and the engine lacks it, Placement is told that too."""
    has = frozenset({"runc", "runsc", "crun"})
    traits = host(runtimes=has).traits(["runsc", "io.containerd.kata.v2"])
    assert traits["CUSTOM_DOCKER_RUNTIME_RUNSC"] is True
    assert traits["CUSTOM_DOCKER_RUNTIME_IO_CONTAINERD_KATA_V2"] is False
    assert "CUSTOM_DOCKER_RUNTIME_CRUN" not in traits


def test_a_trait_of_a_runtime_that_is_configured_no_more_is_removed() -> None:
    """Placement's traits of former runtimes become False, those of others are not touched."""
    published = {"CUSTOM_DOCKER_RUNTIME_KATA", "CUSTOM_DOCKER_RUNTIME_RUNSC", "CUSTOM_RACK_7"}
    traits = host(runtimes=frozenset({"runc", "runsc"})).traits(["runsc"], published)
    assert traits["CUSTOM_DOCKER_RUNTIME_KATA"] is False
    assert traits["CUSTOM_DOCKER_RUNTIME_RUNSC"] is True
    assert "CUSTOM_RACK_7" not in traits


def test_an_engine_that_changed_under_nova_compute_is_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An upgrade, another image store and another driver of control groups are named."""
    engine = Told()
    seen = Host(engine)  # type: ignore[arg-type]
    seen.resources("node")
    assert "has changed" not in caplog.text
    engine.become(api_versions=((1, 44), (1, 57)), containerd_store=True, cgroup_driver="systemd")
    seen.resources("node")
    assert "api: 1, 44, now 1, 57" in caplog.text
    assert "images_by_manifest: False, now True" in caplog.text
    assert "cgroup_driver: cgroupfs, now systemd" in caplog.text
    caplog.clear()
    seen.resources("node")
    assert "has changed" not in caplog.text


def test_abilities_are_what_the_engine_says() -> None:
    """The policy asks for what the host has."""
    able = host(runtimes=frozenset({"runc", "runsc"}), default_runtime="runsc").abilities(9)
    assert (able.userns, able.apparmor) == (True, False)
    assert (able.runtimes, able.default_runtime) == ({"runc", "runsc"}, "runsc")


def test_abilities_follow_the_storage_driver() -> None:
    """The policy learns whether a disk limit would be heeded."""
    able = host().abilities(9)
    assert (able.disk_limit, able.pids, able.data_disk) == (True, 9, None)
    assert host(storage_driver="vfs").abilities(9).disk_limit is False


@pytest.mark.parametrize(
    ("version", "number"),
    [("20.10.24+dfsg1", 20010024), ("29.5.1", 29005001), ("28.0", 28000), ("", 0)],
)
def test_resources_are_what_nova_shows(version: str, number: int) -> None:
    """The eight keys that Nova requires, with a version that compares as a number."""
    shown = host(components={"Engine": version}).resources("node")
    required = {"vcpus", "memory_mb", "local_gb", "vcpus_used", "memory_mb_used", "local_gb_used"}
    assert required | {"supported_instances", "numa_topology"} <= set(shown)
    assert shown["hypervisor_version"] == number
    assert shown["hypervisor_hostname"] == "node"
    assert shown["supported_instances"] == [("x86_64", "docker", "exe")]


def test_the_disk_is_the_one_that_containers_are_on(tmp_path: Path) -> None:
    """A directory that does not exist yet will be on the disk of its parent."""
    info = dataclasses.replace(SOUND, root_directory=str(tmp_path / "not" / "yet"))
    assert disk(info).total == disk(dataclasses.replace(SOUND, root_directory=str(tmp_path))).total


@pytest.mark.parametrize(("shared", "counted"), [(None, 4), (frozenset({0, 2}), 2)])
def test_dedicated_processors_are_not_in_the_inventory(
    shared: frozenset[int] | None, counted: int
) -> None:
    """Placement and Nova hear of the processors that servers share, all where none is set aside."""
    told = Host(Told(), lambda: shared)  # type: ignore[arg-type]
    assert told.inventory(Ratios(1, 1, 1), Reserved(0, 0, 0))["VCPU"]["total"] == counted
    assert told.resources("h1")["vcpus"] == counted
    assert told.abilities(64).shared_processors == shared


def test_a_host_that_shares_no_processor_has_no_inventory_of_them() -> None:
    """Placement refuses an inventory of nothing."""
    told = Host(Told(), frozenset)  # type: ignore[arg-type]
    assert "VCPU" not in told.inventory(Ratios(1, 1, 1), Reserved(0, 0, 0))


def test_a_directory_of_the_engines_file_system_is_not_apart(tmp_path: Path) -> None:
    """A directory that is not there yet counts by its parent; /proc is another file system."""
    info = dataclasses.replace(SOUND, root_directory=str(tmp_path))
    assert not apart(info, tmp_path / "not" / "yet")
    assert apart(info, Path("/proc/self"))
