# SPDX-License-Identifier: Apache-2.0
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from novadocker.errors import (
    ContainerConflict,
    ContainerExists,
    ContainerNotFound,
    DockerDriverError,
    EngineError,
    GateError,
    ImageFetchFailed,
    PlugTimeout,
    WiringError,
)
from novadocker.gate.start_gate import process_is_at_gate
from novadocker.virt.docker.container.server import Server
from novadocker.virt.docker.engine import Engine, Image, State
from tests.engine.virt.breakages import WIRING, break_create, break_images, break_start
from tests.support.eventually import eventually

KEY = "ssh-ed25519 AAAA me"
LATE = PlugTimeout(port="p", seconds=1)


def program_of(pid: int) -> str:
    """Return what a process runs."""
    return str(Path(f"/proc/{pid}/exe").readlink())


def nothing_is_left(servers: Any, docker_api: Any) -> bool:
    """Return whether neither container nor volume nor file of any server is there."""
    return (
        not servers.engine.labels_by_name("novadocker.instance")
        and not docker_api.volumes()["Volumes"]
        and not list(servers.instances.iterdir())
    )


def test_the_image_runs_when_its_network_is_complete(servers: Any) -> None:
    """Until it is wired and Neutron has said so only the gate runs; then PID 1 is the image's."""
    during: list[str] = []
    servers.during_event = lambda _: during.append(program_of(servers.guest.get().pid))
    container = servers.boot()
    assert servers.wiring.calls == ["wire", "event"]
    assert servers.wiring.program == "/dev/.novadocker/gate"
    assert during == ["/dev/.novadocker/gate"]
    assert eventually(lambda: program_of(container.pid) == "/bin/busybox")


def test_a_server_sees_its_names(servers: Any) -> None:
    """Its hostname, itself in hosts, and resolvers where its subnets name none."""
    told = servers.tell("cat /proc/sys/kernel/hostname /etc/hostname /etc/hosts /etc/resolv.conf")
    assert told.startswith("web-1\nweb-1")
    assert "localhost" in told
    assert "nameserver 192.0.2.53" in told


def test_metadata_are_in_the_environment(servers: Any) -> None:
    """Beside what the image sets."""
    assert "<1 2>" in servers.tell('echo "<$COLOUR>"', metadata={"COLOUR": "1 2"})


@pytest.mark.parametrize(
    ("command_line", "status"),
    [("/no/such", 127), ("/etc/passwd", 126), ("/bin/sh -c 'exit 7'", 7)],
)
def test_a_command_that_ends_is_a_server_that_stopped(
    servers: Any, command_line: str, status: int
) -> None:
    """It is no failed boot: exit code and output stay to be read."""
    servers.boot(command_line=command_line)
    assert eventually(lambda: not servers.guest.get().alive)
    assert servers.guest.get().exit_code == status
    assert f"ended with exit code {status} at" in servers.guest.console().decode()


def test_a_server_can_be_made_without_being_run(servers: Any) -> None:
    """Nova starts it later."""
    assert servers.boot(power_on=False).state is State.CREATED
    assert servers.wiring.calls == []
    servers.actions.lifecycle.start(servers.asked, servers.network)
    assert servers.guest.get().state is State.RUNNING


def break_wiring(servers: Any, _: Any) -> None:
    """A port cannot be plugged."""
    servers.wiring.fault = WIRING


def break_event(servers: Any, _: Any) -> None:
    """Neutron says nothing."""

    def late(_: Server) -> None:
        raise LATE

    servers.during_event = late


def break_gate(servers: Any, _: Any) -> None:
    """The container dies before it is let go."""
    servers.during_event = lambda server: servers.engine.stop(server.container, 0)


@pytest.mark.parametrize(
    ("fault", "error", "calls"),
    [
        (break_images, ImageFetchFailed, []),
        (break_create, EngineError, []),
        (break_start, EngineError, []),
        (break_wiring, WiringError, ["wire", "unwire"]),
        (break_event, PlugTimeout, ["wire", "event", "unwire"]),
        (break_gate, GateError, ["wire", "event", "unwire"]),
    ],
)
def test_a_boot_that_fails_leaves_nothing(
    servers: Any,
    docker_api: Any,
    make_image: Callable[..., Image],
    fault: Callable[[Any, Any], None],
    error: type[DockerDriverError],
    calls: list[str],
) -> None:
    """At whichever step: no container, no volume, no file, no port."""
    fault(servers, make_image)
    with pytest.raises(error):
        servers.boot(public_key=KEY)
    assert nothing_is_left(servers, docker_api)
    assert servers.wiring.calls == calls


def test_a_failed_boot_disturbs_no_other_server(servers: Any) -> None:
    """Another one on the host keeps its process."""
    other = servers.boot()
    servers.wiring.fault = WIRING
    with pytest.raises(WiringError):
        servers.boot(uuid=str(uuid.uuid4()))
    still = servers.engine.inspect(other.name)
    assert (still.state, still.pid) == (State.RUNNING, other.pid)
    assert [each.name for each in servers.instances.iterdir()] == [other.name[5:]]


def test_a_foreign_container_of_that_name_is_left_alone(
    servers: Any, docker_api: Any, box: Image
) -> None:
    """The boot says what stands in its way and what to do."""
    config = docker_api.create_container_config(box.id, ["/bin/sh"])
    made = docker_api.create_container_from_config(config, servers.asked.container)
    with pytest.raises(ContainerConflict, match="was not made by this driver"):
        servers.boot()
    with pytest.raises(ContainerConflict):
        servers.actions.lifecycle.remove(servers.asked.uuid, servers.network)
    assert docker_api.inspect_container(made["Id"])["Id"] == made["Id"]
    docker_api.remove_container(made["Id"], v=True)


def test_removing_a_server_leaves_nothing_and_may_be_repeated(
    servers: Any, docker_api: Any
) -> None:
    """Container, volume, files and ports go; absence is no error."""
    servers.boot()
    assert docker_api.volumes()["Volumes"]
    servers.actions.lifecycle.remove(servers.asked.uuid, servers.network)
    servers.actions.lifecycle.remove(servers.asked.uuid, servers.network)
    assert nothing_is_left(servers, docker_api)
    assert servers.wiring.calls == ["wire", "event", "unwire", "unwire"]


def test_what_cannot_be_removed_keeps_nothing_else(servers: Any, docker_api: Any) -> None:
    """Ports that will not go do not keep the container and its files."""
    servers.boot()

    def refuse(*_: Any) -> None:
        raise WIRING

    servers.wiring.unwire = refuse
    with pytest.raises(WiringError):
        servers.actions.lifecycle.remove(servers.asked.uuid, servers.network)
    assert nothing_is_left(servers, docker_api)


def test_a_restart_keeps_the_files_and_wires_anew(servers: Any) -> None:
    """The process is another one; it waits at the gate again."""
    before = servers.boot("touch /kept; sleep 600")
    servers.actions.lifecycle.restart(servers.asked, servers.network, 0)
    after = servers.guest.get()
    assert after.pid != before.pid
    assert servers.wiring.calls == ["wire", "event", "unwire", "wire", "event"]
    assert b"".join(servers.engine.get_file(after.name, "/kept"))


def test_starting_what_runs_changes_nothing(servers: Any) -> None:
    """Nova starts running servers when the host comes back; their network is looked after."""
    before = servers.boot()
    servers.actions.lifecycle.start(servers.asked, servers.network)
    assert servers.guest.get().pid == before.pid
    assert servers.wiring.calls.count("wire") == 2


def test_a_start_that_fails_leaves_the_server_stopped(servers: Any) -> None:
    """It has its container and can be started again."""
    servers.boot()
    servers.actions.lifecycle.stop(servers.asked.uuid, servers.network, 0)
    servers.wiring.fault = WIRING
    with pytest.raises(WiringError):
        servers.actions.lifecycle.start(servers.asked, servers.network)
    assert servers.guest.get().state is State.EXITED
    servers.wiring.fault = None
    servers.actions.lifecycle.start(servers.asked, servers.network)
    assert servers.guest.get().state is State.RUNNING


def test_a_container_that_was_left_at_its_gate_is_let_go(servers: Any, box: Image) -> None:
    """A nova-compute that died in a boot has left it waiting; repairing its network frees it."""
    servers.boot(power_on=False)
    servers.guest.start()
    pid = servers.guest.get().pid
    # The gate's own words, not the runtime's of before: only then does somebody wait.
    assert eventually(lambda: process_is_at_gate(pid))
    servers.actions.interfaces.repair(servers.asked, servers.network)
    assert eventually(lambda: program_of(pid) == "/bin/busybox")


@pytest.mark.parametrize("state", ["absent", "stopped"])
def test_repairing_what_does_not_run_does_nothing(servers: Any, state: str) -> None:
    """Nova repairs every server of the host when it starts."""
    if state == "stopped":
        servers.boot(power_on=False)
    servers.actions.interfaces.repair(servers.asked, servers.network)
    assert servers.wiring.calls == []


@pytest.mark.parametrize("operation", ["start", "restart"])
def test_what_is_not_there_is_not_found(servers: Any, operation: str) -> None:
    """Nova is told, and decides."""
    timeout = () if operation == "start" else (0,)
    with pytest.raises(ContainerNotFound):
        getattr(servers.actions.lifecycle, operation)(servers.asked, servers.network, *timeout)


def test_what_is_not_there_is_stopped(servers: Any) -> None:
    """Nova stops a server before it rebuilds it, and what is lost must be rebuilt above all."""
    servers.actions.lifecycle.stop(servers.asked.uuid, servers.network, 0)
    assert servers.wiring.calls == ["unwire"]


def test_a_boot_over_a_container_of_ours_is_refused(servers: Any, engine: Engine) -> None:
    """The server that has it keeps it."""
    before = servers.boot()
    with pytest.raises(ContainerExists):
        servers.boot()
    assert engine.inspect(before.name).pid == before.pid
    assert (Path(servers.instances) / servers.asked.uuid).is_dir()


def test_a_server_whose_ports_cannot_be_silenced_is_not_paused(servers: Any) -> None:
    """A pause that fails half way leaves it running; one that works can be repeated."""
    servers.boot()
    servers.wiring.fault = WIRING
    with pytest.raises(WiringError):
        servers.actions.lifecycle.pause(servers.asked.uuid, servers.network)
    assert servers.guest.get().state is State.RUNNING
    servers.wiring.fault = None
    servers.actions.lifecycle.pause(servers.asked.uuid, servers.network)
    servers.actions.lifecycle.pause(servers.asked.uuid, servers.network)
    assert servers.guest.get().state is State.PAUSED
    servers.actions.lifecycle.unpause(servers.asked.uuid, servers.network)
    assert servers.guest.get().state is State.RUNNING
    assert servers.wiring.calls[-1] == "open"
