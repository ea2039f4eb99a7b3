# SPDX-License-Identifier: Apache-2.0
import dataclasses
from typing import Any

import pytest

from novadocker.policy import Abilities, Flavor, settings_for
from novadocker.virt.docker.engine import (
    Container,
    ContainerSpec,
    EngineInfo,
    Event,
    Image,
    State,
)
from novadocker.virt.docker.engine.values import api_version

SETTINGS = settings_for(
    Flavor(vcpus=2, memory_mib=128, root_gib=5, swap_mib=64), Abilities(disk_limit=True, pids=77)
)
SPEC = ContainerSpec(
    name="nova-1",
    image="sha256:aa",
    hostname="web",
    entrypoint=("/gate", "/fifo"),
    command=("/bin/sh",),
    environment={"A": "b"},
    labels={"novadocker.instance": "1"},
    read_only_files={"/etc/hosts": "/i/1/hosts"},
    settings=SETTINGS,
)
VERSION = {
    "ApiVersion": "1.41",
    "MinAPIVersion": "1.12",
    "Components": [
        {"Name": "Engine", "Version": "20.10.24+dfsg1"},
        {"Name": "runc", "Version": "1.1.5+ds1"},
    ],
}
INFO: dict[str, Any] = {
    "NCPU": 2,
    "MemTotal": 2**30,
    "Architecture": "x86_64",
    "Driver": "overlay2",
    "DriverStatus": [["Backing Filesystem", "extfs"], ["Native Overlay Diff", "true"]],
    "DockerRootDir": "/var/lib/docker/100000.100000",
    "SecurityOptions": ["name=seccomp,profile=default", "name=userns"],
    "LiveRestoreEnabled": True,
}
CONTAINER = {
    "Id": "f" * 64,
    "Name": "/nova-1",
    "Image": "sha256:aa",
    "Config": {"Labels": {"a": "b"}, "User": "www"},
    "State": {
        "Status": "exited",
        "Pid": 0,
        "ExitCode": 137,
        "OOMKilled": True,
        "Error": "",
        "FinishedAt": "2026-01-01T00:00:00Z",
    },
}


def test_an_engine_is_read_from_its_two_answers() -> None:
    """Names of security options lose their prefix and their arguments."""
    info = EngineInfo.parse(VERSION, INFO)
    assert info.api_versions == ((1, 12), (1, 41))
    assert info.components == {"Engine": "20.10.24+dfsg1", "runc": "1.1.5+ds1"}
    assert info.security_options == {"seccomp", "userns"}
    assert info.backing_filesystem == "extfs"
    assert info.live_restore is True


@pytest.mark.parametrize("empty", [None, []])
def test_an_engine_that_says_little_is_read_too(empty: Any) -> None:
    """Fields that an engine leaves out or null are empty, not errors."""
    info = EngineInfo.parse(
        {"ApiVersion": "1.44", "Components": empty},
        INFO | {"DriverStatus": empty, "SecurityOptions": empty, "Warnings": empty},
    )
    assert info.components == {}
    assert info.security_options == frozenset()
    assert info.backing_filesystem == ""


@pytest.mark.parametrize(("text", "expected"), [("1.9", (1, 9)), ("1.41", (1, 41))])
def test_api_versions_compare_as_numbers(text: str, expected: tuple[int, int]) -> None:
    """1.9 is older than 1.41."""
    assert api_version(text) == expected


def test_an_image_is_read() -> None:
    """Its command, user and names are what the engine says."""
    image = Image.parse(
        {
            "Id": "sha256:aa",
            "RepoTags": ["nova/x:y"],
            "Size": 3,
            "Config": {"Entrypoint": None, "Cmd": ["/bin/sh"], "User": "1000:1000"},
        }
    )
    assert image == Image(
        id="sha256:aa", tags=("nova/x:y",), size=3, command=("/bin/sh",), user="1000:1000"
    )


def test_an_image_without_a_config_is_read() -> None:
    """An imported root file system has no config at all."""
    assert Image.parse({"Id": "sha256:aa", "RepoTags": None, "Config": None}) == Image("sha256:aa")


def test_a_container_is_read() -> None:
    """Its end can be told: exit code, memory, time."""
    container = Container.parse(CONTAINER)
    assert (container.name, container.user, container.labels) == ("nova-1", "www", {"a": "b"})
    assert (container.exit_code, container.out_of_memory) == (137, True)
    assert container.finished_at.startswith("2026")


@pytest.mark.parametrize(
    ("state", "alive"),
    [
        (State.CREATED, False),
        (State.RUNNING, True),
        (State.PAUSED, True),
        (State.RESTARTING, True),
        (State.REMOVING, False),
        (State.EXITED, False),
        (State.DEAD, False),
    ],
)
def test_a_container_is_alive_while_it_has_a_process(state: State, alive: bool) -> None:
    """A frozen one has; one that ended has not."""
    assert dataclasses.replace(Container.parse(CONTAINER), state=state).alive is alive


def test_an_event_is_read() -> None:
    """The engine mixes labels with attributes of its own."""
    event = Event.parse(
        {
            "Action": "die",
            "Actor": {"Attributes": {"name": "nova-1", "exitCode": "3", "a": "b"}},
            "timeNano": 17,
        }
    )
    assert (event.action, event.container, event.nanoseconds) == ("die", "nova-1", 17)
    assert event.labels["a"] == "b"


def test_a_container_has_no_rights_on_the_host() -> None:
    """Never privileged; no namespace of the host's, no device, all capabilities dropped."""
    body = SPEC.body()
    host = body["HostConfig"]
    assert host["Privileged"] is False
    assert host["CapDrop"] == ["ALL"]
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert (host["IpcMode"], host["CgroupnsMode"]) == ("private", "private")
    assert (host["PidMode"], host["UTSMode"], host["UsernsMode"]) == ("", "", "")
    assert (host["Devices"], host["DeviceRequests"], host["DeviceCgroupRules"]) == ([], [], [])
    assert not set(host) & {"VolumesFrom", "MaskedPaths", "ReadonlyPaths"}
    assert host["NetworkMode"] == "none"
    assert body["NetworkDisabled"] is True


def test_what_is_bound_into_a_container_is_read_only() -> None:
    """A tenant could else fill the host's disk."""
    mount = {"Type": "bind", "Source": "/i/1/hosts", "Target": "/etc/hosts", "ReadOnly": True}
    assert SPEC.body()["HostConfig"]["Mounts"] == [mount]


def test_the_engine_never_restarts_a_container() -> None:
    """Nova owns its state."""
    assert SPEC.body()["HostConfig"]["RestartPolicy"] == {"Name": "no"}


def test_limits_are_written_in_the_engines_units() -> None:
    """Memory and swap together are one figure there."""
    host = SPEC.body()["HostConfig"]
    assert host["Memory"] == 128 * 2**20
    assert host["MemorySwap"] == (128 + 64) * 2**20
    assert host["NanoCpus"] == 2 * 10**9
    assert host["PidsLimit"] == 77
    assert host["StorageOpt"] == {"size": str(5 * 2**30)}


def test_no_disk_limit_is_asked_for_where_there_is_none() -> None:
    """An engine without quotas refuses the option itself."""
    spec = dataclasses.replace(
        SPEC,
        settings=dataclasses.replace(
            SETTINGS, limits=dataclasses.replace(SETTINGS.limits, disk_bytes=0)
        ),
    )
    assert spec.body()["HostConfig"]["StorageOpt"] == {}


def test_the_console_log_is_bounded() -> None:
    """One log and the one before it, of the operator's size."""
    log = dataclasses.replace(SPEC, log_max_size="1m").body()["HostConfig"]["LogConfig"]
    assert log == {"Type": "json-file", "Config": {"max-size": "1m", "max-file": "2"}}
