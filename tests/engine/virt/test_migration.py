# SPDX-License-Identifier: Apache-2.0
import uuid
from dataclasses import replace
from typing import Any

import pytest

from novadocker.errors import EngineError, PolicyRefused, WiringError
from novadocker.policy import MIB, Flavor
from novadocker.virt.docker.actions import recreate
from novadocker.virt.docker.actions.recovery import recreations
from novadocker.virt.docker.container.labels import LABEL_BASE, LABEL_KEPT
from novadocker.virt.docker.engine import Container, Engine, State

SMALL = Flavor(vcpus=1, memory_mib=32, root_gib=1)
LARGE = Flavor(vcpus=2, memory_mib=96, root_gib=1, swap_mib=16)
WRITES = "echo kept > /file; echo volume > /data/file; echo written; sleep 600"


pytestmark = pytest.mark.usefixtures("privileged")


def resized(servers: Any, flavor: Flavor, *, power_on: bool = True) -> Container:
    """Take a server through a resize as Nova does, and return its container."""
    servers.ask(flavor=flavor)
    servers.actions.resize.prepare(servers.asked, servers.network, 0)
    servers.actions.resize.finish(servers.asked, servers.network, power_on=power_on)
    return servers.guest.get()


def test_a_resize_changes_the_limits_of_the_same_container(servers: Any, docker_api: Any) -> None:
    """Up and down, each limit in the engine's unit, and no other container is there."""
    booted = servers.boot(flavor=SMALL)
    grown = resized(servers, LARGE)
    assert (grown.id, grown.state) == (booted.id, State.RUNNING)
    assert grown.limits.memory_bytes == 96 * MIB
    assert grown.limits.nano_cpus == 2 * 10**9
    assert grown.limits.cpu_shares == 2048
    host_config = docker_api.inspect_container(grown.name)["HostConfig"]
    assert host_config["MemorySwap"] in (112 * MIB, -1)  # a kernel may not count swap
    shrunk = resized(servers, replace(SMALL, extra_specs={"docker:pids_limit": "17"}))
    assert (shrunk.id, shrunk.limits.memory_bytes, shrunk.limits.pids) == (booted.id, 32 * MIB, 17)


def test_a_resize_leaves_a_stopped_server_stopped(servers: Any) -> None:
    """It has no process and no ports until it is started."""
    servers.boot(flavor=SMALL)
    servers.actions.lifecycle.stop(servers.asked.uuid, servers.network, 0)
    servers.wiring.calls.clear()
    assert resized(servers, LARGE, power_on=False).state is State.EXITED
    assert "wire" not in servers.wiring.calls


def test_a_resize_may_be_finished_again(servers: Any) -> None:
    """A server that has its limits, and runs, goes on as it is."""
    servers.boot(flavor=SMALL)
    first = resized(servers, LARGE)
    servers.actions.resize.finish(servers.asked, servers.network, power_on=True)
    assert servers.guest.get() == first


def test_a_refused_flavor_ends_nothing(servers: Any) -> None:
    """The server runs on as the same process."""
    booted = servers.boot(flavor=SMALL)
    with pytest.raises(PolicyRefused):
        resized(servers, replace(LARGE, extra_specs={"docker:pids_limit": "many"}))
    assert servers.guest.get() == booted


def test_a_resize_that_cannot_begin_lets_the_server_run(
    servers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is started again, with its network, where its ports cannot be taken away."""
    servers.boot(flavor=SMALL)

    def broken(*_: Any) -> None:
        monkeypatch.undo()
        raise WiringError(port="p", reason="no bridge")

    monkeypatch.setattr(servers.wiring, "unwire", broken)
    with pytest.raises(WiringError):
        resized(servers, LARGE)
    assert servers.guest.get().state is State.RUNNING
    assert servers.wiring.calls[-2:] == ["wire", "event"]


def test_a_resize_that_cannot_end_keeps_the_limits(servers: Any) -> None:
    """What the server may use is what Nova then says: its old flavor's."""
    servers.boot(flavor=SMALL)
    servers.wiring.fault = WiringError(port="p", reason="no bridge")
    with pytest.raises(WiringError):
        resized(servers, LARGE)
    after = servers.guest.get()
    assert (after.state, after.limits.memory_bytes) == (State.EXITED, 32 * MIB)


OTHER_RIGHTS = replace(LARGE, extra_specs={"docker:cap_add": "NET_ADMIN"})


def test_a_reverted_resize_brings_the_original_back(servers: Any, engine: Engine) -> None:
    """The same container with the files of that time; nothing of the other one is left."""
    booted = servers.boot("echo 1 >> /count; sleep 600", flavor=SMALL)
    other = resized(servers, OTHER_RIGHTS)
    assert other.id != booted.id
    engine.run(other.name, ("touch", "/later"))
    servers.ask(flavor=SMALL)
    servers.actions.lifecycle.stop(servers.asked.uuid, servers.network, 0)
    servers.actions.resize.revert(servers.asked, servers.network, power_on=True)
    after = servers.guest.get()
    assert (after.id, after.state, after.rights) == (booted.id, State.RUNNING, booted.rights)
    assert engine.run(after.name, ("test", "-e", "/later"))[0] == 1
    assert list(engine.labels_by_name("novadocker.instance")) == [booted.name]
    assert not engine.image_tags(f"{recreate.NAMESPACE}{servers.asked.uuid}:")


def test_a_confirmed_resize_gives_up_the_original(servers: Any, engine: Engine) -> None:
    """Until then the original is there, stopped; a second confirmation is no error."""
    booted = servers.boot(flavor=SMALL)
    other = resized(servers, OTHER_RIGHTS)
    original = engine.inspect(other.name + recreations.PREDECESSOR)
    assert (original.id, original.state) == (booted.id, State.EXITED)
    for _ in range(2):
        servers.actions.resize.confirm(servers.asked.uuid)
    assert list(engine.labels_by_name("novadocker.instance")) == [other.name]


def test_files_that_no_image_carries_come_through_a_resize(servers: Any, engine: Engine) -> None:
    """A container made anew has odd names, and lacks what the server deleted from its image."""
    first = "busybox mkdir /srv && touch /srv/.wh.app /srv/app && rm /etc/group"
    booted = servers.boot(f"test -e /srv || {{ {first}; }}; echo made; sleep 600", flavor=SMALL)
    servers.wait_for("made")
    now = resized(servers, OTHER_RIGHTS)
    assert (now.id != booted.id, now.image) == (True, booted.image)
    script = "test -e /srv/.wh.app && test -e /srv/app && ! test -e /etc/group"
    assert engine.run(now.name, ("sh", "-c", script))[0] == 0


def test_an_operation_finds_a_container_that_a_lost_reply_left_elsewhere(
    servers: Any, engine: Engine
) -> None:
    """A hard reboot mends a server whose container has the name of an original."""
    booted = servers.boot(flavor=SMALL)
    engine.rename(booted.name, booted.name + recreations.PREDECESSOR)
    servers.actions.lifecycle.restart(servers.asked, servers.network, 0)
    assert servers.guest.get().id == booted.id


def made_anew(servers: Any, engine: Engine, times: int = 1) -> Container:
    """Stop a server and make its container anew, as where a disk's size is fixed in it."""
    servers.actions.lifecycle.stop(servers.asked.uuid, servers.network, 0)
    for _ in range(times):
        container = servers.guest.get()
        as_it_was = container.limits, container.rights
        recreate._make_anew(engine, servers.asked.uuid, container, *as_it_was)
    servers.actions.lifecycle.start(servers.asked, servers.network)
    return servers.guest.get()


def test_a_container_made_anew_has_all_that_the_other_had(
    servers: Any, engine: Engine, docker_api: Any
) -> None:
    """Files, volumes, command, environment, labels, binds and rights; what it wrote is counted."""
    booted = servers.boot(WRITES, flavor=SMALL, metadata={"COLOUR": "red"})
    servers.wait_for("written")
    before = docker_api.inspect_container(booted.name)
    after = made_anew(servers, engine, times=2)
    now = docker_api.inspect_container(booted.name)
    assert after.id != booted.id
    assert after.volumes == booted.volumes
    for setting in ("Cmd", "Entrypoint", "Env", "Hostname", "Tty", "User", "WorkingDir"):
        assert now["Config"][setting] == before["Config"][setting]
    for setting in ("CapAdd", "CapDrop", "Mounts", "SecurityOpt", "Sysctls", "Memory", "LogConfig"):
        assert now["HostConfig"][setting] == before["HostConfig"][setting]
    assert now["Config"]["NetworkDisabled"]
    assert before["Config"]["Labels"].items() <= now["Config"]["Labels"].items()
    assert after.labels[LABEL_BASE] == booted.image
    assert after.image == booted.image
    assert int(after.labels[LABEL_KEPT]) == 0
    told = engine.run(after.name, ("cat", "/file", "/data/file"))
    assert told == (0, b"kept\nvolume\n")


def test_nothing_of_a_container_made_anew_is_left(
    servers: Any, engine: Engine, docker_api: Any
) -> None:
    """Neither containers nor volumes nor images, once the server is deleted."""
    before = {image["Id"] for image in docker_api.images(all=True)}
    servers.boot(WRITES, flavor=SMALL)
    servers.wait_for("written")
    made_anew(servers, engine, times=2)
    servers.actions.lifecycle.remove(servers.asked.uuid, servers.network)
    recreate.remove_leftovers(engine, servers.asked.uuid)
    assert not engine.labels_by_name("novadocker.instance")
    assert not docker_api.volumes()["Volumes"]
    assert {image["Id"] for image in docker_api.images(all=True)} == before


@pytest.mark.parametrize("call", ["copy", "replicate", "rename"])
def test_a_container_that_cannot_be_made_anew_stays(
    servers: Any, engine: Engine, docker_api: Any, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """Whatever the engine refuses, the one that was there is there, and nothing else."""
    booted = servers.boot(flavor=SMALL)

    def broken(*_: Any, **__: Any) -> None:
        raise EngineError(action=call, reason="it would not")

    images = {image["Id"] for image in docker_api.images(all=True)}
    with monkeypatch.context() as patch:
        patch.setattr(recreate.directories if call == "copy" else engine, call, broken)
        with pytest.raises(EngineError):
            made_anew(servers, engine)
    assert list(engine.labels_by_name("novadocker.instance")) == [booted.name]
    assert servers.guest.get().id == booted.id
    assert {image["Id"] for image in docker_api.images(all=True)} == images


@pytest.mark.parametrize("renamed", [False, True])
def test_a_driver_that_died_while_it_made_a_container_anew_goes_on(
    servers: Any, engine: Engine, renamed: bool
) -> None:
    """The container that was there is the server's again."""
    booted = servers.boot(flavor=SMALL)
    servers.actions.lifecycle.stop(servers.asked.uuid, servers.network, 0)
    name = booted.name
    as_it_was = booted.limits, booted.rights
    engine.replicate(name, name + recreations.SUCCESSOR, booted.image, *as_it_was, {})
    if renamed:
        engine.rename(name, name + recreations.PREDECESSOR)
    recreate.apply(engine, servers.asked.uuid, *as_it_was)
    assert list(engine.labels_by_name("novadocker.instance")) == [name]
    assert servers.guest.get().id == booted.id


def test_what_was_written_is_measured(servers: Any, engine: Engine) -> None:
    """In bytes of the container's own files, whatever its image has."""
    servers.tell(f"echo {uuid.uuid4()} > /etc/new; head -c 300000 /dev/zero > /big", flavor=SMALL)
    written, whole = engine.sizes(servers.asked.container)
    assert 300_000 < written < 400_000
    assert whole > written + 500_000
