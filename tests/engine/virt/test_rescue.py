# SPDX-License-Identifier: Apache-2.0
"""A server is rescued by another container: its files are seen, kept, and never run meanwhile."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from novadocker.errors import (
    ContainerConflict,
    ContainerNotFound,
    DockerDriverError,
    EngineError,
    GateError,
    ImageFetchFailed,
    WiringError,
)
from novadocker.virt.docker.container.guest import Guest, in_service
from novadocker.virt.docker.container.labels import container_name
from novadocker.virt.docker.container.server import Server
from novadocker.virt.docker.engine import Container, Image, State
from tests.engine.virt.breakages import FETCH, WIRING, break_create, break_images, break_start
from tests.support.eventually import eventually

GATE = "/dev/.novadocker/gate"
OF_IMAGE = "/bin/busybox"
WRITES = "echo mine > /etc/mine; echo stored > /data/stored; touch /etc/done; sleep 600"
READS = "cat /rescue/etc/mine /rescue/data/stored; sleep 600"
MENDS = "echo new > /rescue/etc/new; echo more > /rescue/data/more; touch /mended; sleep 600"


def program_of(container: Container) -> str:
    """Return what a container's first process runs."""
    return str(Path(f"/proc/{container.pid}/exe").readlink())


def has(servers: Any, path: str, container: str | None = None) -> bool:
    """Return whether a container, else the server's own, has a file."""
    try:
        return bool(b"".join(servers.engine.get_file(container or servers.asked.container, path)))
    except ContainerNotFound:
        return False


def stand_in(servers: Any, script: str = READS, **changes: Any) -> Server:
    """Return the stand-in of the server, which runs a script."""
    asked: Server = servers.asked
    return replace(asked, rescue=True, command_line=f"/bin/sh -c '{script}'", **changes)


def serving(servers: Any) -> Guest:
    """Return the container that is the server now."""
    return in_service(servers.engine, servers.asked.uuid)


def boot(servers: Any) -> None:
    """Boot a server and stop it when it has written its files, as Nova does before a rescue."""
    servers.boot(WRITES)
    assert eventually(lambda: has(servers, "/etc/done"))
    servers.actions.lifecycle.stop(servers.asked.uuid, servers.network, 0)


def rescue(servers: Any, script: str = READS, *, running: bool = True) -> Container:
    """Rescue the server and return its stand-in."""
    servers.actions.rescue.run(
        None, stand_in(servers, script), None, servers.network, running=running
    )
    found = serving(servers).get()
    assert found.name == container_name(servers.asked.uuid, rescue=True)
    return found


def unrescue(servers: Any) -> Container:
    """End the rescue and return the server's own container."""
    servers.actions.lifecycle.start(servers.asked, servers.network)
    found = serving(servers).get()
    assert found.name == servers.asked.container
    return found


def only_its_own(servers: Any, docker_api: Any) -> bool:
    """Return whether nothing but a server's own container, volume and directory is there."""
    return (
        list(servers.engine.labels_by_name("novadocker.instance")) == [servers.asked.container]
        and len(docker_api.volumes()["Volumes"]) == 1
        and not (servers.instances / servers.asked.uuid / "rescue").exists()
    )


def test_a_rescued_server_sees_its_own_files(servers: Any) -> None:
    """Its root is at /rescue and its volumes below it; its network is there at once."""
    boot(servers)
    servers.wiring.calls.clear()
    rescue(servers)
    assert servers.wiring.calls[-2:] == ["wire", "event"]
    assert eventually(lambda: serving(servers).console() == b"mine\r\nstored\r\n")


def test_nothing_of_its_own_runs_while_it_is_rescued(servers: Any) -> None:
    """Its own container stays at its gate, also when nova-compute starts again."""
    boot(servers)
    stands_in = rescue(servers)
    servers.actions.interfaces.repair(servers.asked, servers.network)
    own = servers.guest.get()
    assert eventually(lambda: program_of(stands_in) == OF_IMAGE)
    assert program_of(own) == GATE


def test_what_a_rescue_writes_is_there_afterwards(servers: Any, docker_api: Any) -> None:
    """In the root and in the volume; of the stand-in nothing is left."""
    boot(servers)
    rescue(servers, MENDS)
    assert eventually(lambda: has(servers, "/mended", serving(servers).name))
    own = unrescue(servers)
    assert eventually(lambda: program_of(own) == OF_IMAGE)
    assert all(has(servers, path) for path in ("/etc/mine", "/etc/new", "/data/more"))
    assert has(servers, "/data/stored")
    assert only_its_own(servers, docker_api)


def test_the_stand_in_has_the_limits_and_rights_of_the_server(
    servers: Any, docker_api: Any
) -> None:
    """Nothing is granted to a rescue that its server lacks."""
    boot(servers)
    own = docker_api.inspect_container(servers.asked.container)["HostConfig"]
    other = docker_api.inspect_container(rescue(servers).name)["HostConfig"]
    differing = {key for key in own | other if own.get(key) != other.get(key)}
    assert differing == {"Mounts"}


def test_the_owner_of_the_key_pair_is_let_into_the_stand_in(servers: Any) -> None:
    """As into the server itself; and it is labelled with the image that it is made from."""
    boot(servers)
    asked = stand_in(servers, public_key="ssh-ed25519 AAAA me", image="rescuer")
    servers.actions.rescue.run(None, asked, None, servers.network, running=True)
    found = serving(servers).get()
    assert has(servers, "/root/.ssh/authorized_keys", found.name)
    assert not has(servers, "/root/.ssh/authorized_keys")
    assert found.labels["novadocker.image"] == "rescuer"


def test_a_rescue_and_its_end_may_be_repeated(servers: Any, docker_api: Any) -> None:
    """A second rescue begins anew; a second end changes nothing."""
    boot(servers)
    first = rescue(servers)
    assert rescue(servers).id != first.id
    ended = unrescue(servers)
    assert unrescue(servers).pid == ended.pid
    assert only_its_own(servers, docker_api)


def test_a_rescued_server_is_removed_whole(servers: Any, docker_api: Any) -> None:
    """Both containers, all volumes, all files."""
    boot(servers)
    rescue(servers)
    servers.actions.lifecycle.remove(servers.asked.uuid, servers.network)
    assert not servers.engine.labels_by_name("novadocker.instance")
    assert not docker_api.volumes()["Volumes"]
    assert not list(servers.instances.iterdir())


def test_a_rescued_server_starts_again_with_its_host(servers: Any) -> None:
    """Its own container comes to its gate first, so that its files are there."""
    boot(servers)
    name = rescue(servers).name
    for each in (servers.asked.container, name):
        servers.engine.stop(each, 0)
    servers.actions.lifecycle.start(stand_in(servers), servers.network)
    assert serving(servers).get().alive
    assert program_of(servers.guest.get()) == GATE
    assert eventually(lambda: serving(servers).console().count(b"mine\r\nstored") == 2)


def test_a_start_of_what_is_not_rescued_ends_the_rescue(servers: Any, docker_api: Any) -> None:
    """An operator reset the server's state: Nova means the server's own container."""
    boot(servers)
    rescue(servers)
    servers.actions.lifecycle.restart(servers.asked, servers.network, 0)
    assert serving(servers).name == servers.asked.container
    assert only_its_own(servers, docker_api)


def break_wiring(servers: Any, _: Any) -> None:
    """A port cannot be plugged, the first time."""

    def refuse(*arguments: Any, **named: Any) -> None:
        del servers.wiring.ensure_wired
        raise WIRING

    servers.wiring.ensure_wired = refuse


def break_gate(servers: Any, _: Any) -> None:
    """The stand-in dies before it is let go."""
    name = container_name(servers.asked.uuid, rescue=True)

    def end(_: Server) -> None:
        servers.during_event = lambda _: None
        servers.engine.stop(name, 0)

    servers.during_event = end


FAULTS = [
    (break_images, ImageFetchFailed),
    (break_create, EngineError),
    (break_start, EngineError),
    (break_wiring, WiringError),
    (break_gate, GateError),
]


@pytest.mark.parametrize(("fault", "error"), FAULTS)
def test_a_rescue_that_fails_leaves_the_server_as_it_was(
    servers: Any,
    docker_api: Any,
    make_image: Callable[..., Image],
    fault: Callable[[Any, Any], None],
    error: type[DockerDriverError],
) -> None:
    """At whichever step: it runs again, with its network and files, and nothing is left over."""
    boot(servers)
    fault(servers, make_image)
    with pytest.raises(error):
        rescue(servers)
    own = serving(servers).get()
    assert eventually(lambda: program_of(own) == OF_IMAGE)
    assert own.name == servers.asked.container
    assert servers.wiring.calls[-2:] == ["wire", "event"]
    assert has(servers, "/etc/mine")
    assert only_its_own(servers, docker_api)


def test_a_rescue_of_a_stopped_server_that_fails_leaves_it_stopped(
    servers: Any, docker_api: Any, make_image: Callable[..., Image]
) -> None:
    """It did not run, so it does not run."""
    boot(servers)
    break_start(servers, make_image)
    with pytest.raises(EngineError):
        rescue(servers, running=False)
    assert serving(servers).get().state is State.EXITED
    assert only_its_own(servers, docker_api)


def test_why_a_rescue_failed_is_told_even_if_the_server_cannot_run_again(
    servers: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """The second fault is in the log alone."""
    boot(servers)
    servers.images.fault = FETCH
    servers.wiring.fault = WIRING
    with pytest.raises(ImageFetchFailed), caplog.at_level("WARNING"):
        rescue(servers)
    assert "Cannot run" in caplog.text
    assert serving(servers).get().state is State.EXITED


@pytest.mark.parametrize("looks", ["repair", "start"])
def test_a_rescue_that_was_broken_off_is_ended(servers: Any, docker_api: Any, looks: str) -> None:
    """A nova-compute that died in the middle left both containers: the server is its own."""
    boot(servers)
    rescue(servers)
    name = container_name(servers.asked.uuid, rescue=True)
    image, binds = (docker_api.inspect_container(name)[key] for key in ("Image", "HostConfig"))
    servers.engine.remove(name)
    labels = {"novadocker.instance": servers.asked.uuid, "novadocker.role": "rescue"}
    host = {"Mounts": binds["Mounts"]}
    docker_api.create_container_from_config(
        {"Image": image, "Cmd": ["/bin/sh"], "Labels": labels, "HostConfig": host}, name
    )
    assert serving(servers).name == servers.asked.container
    actions = servers.actions
    look = actions.interfaces.repair if looks == "repair" else actions.lifecycle.start
    look(servers.asked, servers.network)
    assert only_its_own(servers, docker_api)
    assert servers.guest.get().alive == (looks == "start")


def test_a_foreign_container_with_the_name_of_the_stand_in_is_left_alone(
    servers: Any, docker_api: Any, box: Image
) -> None:
    """The rescue is refused before anything changes; the server does not take it for itself."""
    servers.boot(WRITES)
    name = container_name(servers.asked.uuid, rescue=True)
    made = docker_api.create_container_from_config({"Image": box.id, "Cmd": ["/bin/sh"]}, name)
    before = servers.guest.get()
    with pytest.raises(ContainerConflict):
        rescue(servers)
    assert serving(servers).get().pid == before.pid
    assert docker_api.inspect_container(made["Id"])["State"]["Status"] == "created"
    docker_api.remove_container(made["Id"], v=True)


def test_a_server_that_was_lost_cannot_be_rescued(servers: Any, docker_api: Any) -> None:
    """Nothing is made for it."""
    with pytest.raises(ContainerNotFound):
        servers.actions.rescue.run(None, stand_in(servers), None, servers.network, running=True)
    assert not servers.engine.labels_by_name("novadocker.instance")
    assert not list(servers.instances.iterdir())
