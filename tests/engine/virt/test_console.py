# SPDX-License-Identifier: Apache-2.0
import contextlib
import io
import re
import socket
import tarfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from novadocker.errors import ConsoleUnavailable, ContainerNotFound
from novadocker.gate.start_gate import StartGate
from novadocker.policy import Flavor
from novadocker.virt.docker.console import (
    Consoles,
    ConsoleSettings,
    audience,
    line,
    terminal,
    viewer,
)
from novadocker.virt.docker.engine import Engine, Image
from tests.engine.virt.privileges import daemon
from tests.support import busybox
from tests.support.console_viewer import PATIENCE, QUESTION, Viewer
from tests.support.eventually import eventually

PLACE = ConsoleSettings("127.0.0.1", acquire=lambda _: 0, release=lambda *_: None, idle=60)


@pytest.fixture(scope="module", autouse=True)
def _rights() -> Iterator[None]:
    """Have the privileged daemon, which signals shells."""
    with daemon():
        yield


@pytest.fixture
def look() -> Iterator[Callable[..., Viewer]]:
    """How to look at a console."""
    with contextlib.ExitStack() as undo:

        def made(place: tuple[str, int], **values: Any) -> Viewer:
            seen = Viewer(place, **values)
            undo.callback(seen.socket.close)
            return seen

        yield made


@pytest.fixture
def hosts_consoles(engine: Engine) -> Iterator[Callable[..., Consoles]]:
    """How to have the consoles of a host."""
    with contextlib.ExitStack() as undo:

        def made(**changes: Any) -> Consoles:
            consoles = Consoles(engine, replace(PLACE, **changes))
            undo.callback(consoles.close_all)
            return consoles

        yield made


@pytest.fixture
def consoles(hosts_consoles: Callable[..., Consoles]) -> Consoles:
    """The consoles of a host."""
    return hosts_consoles()


def processes(docker_api: Any, name: str) -> list[str]:
    """List the programs in a container."""
    return [row[-1] for row in docker_api.top(name)["Processes"]]


def test_a_shell_answers_with_the_window_of_its_viewer(
    servers: Any, consoles: Consoles, look: Callable[..., Viewer], make_image: Callable[..., Image]
) -> None:
    """It is the image's own, as the image's user; what the terminal answers is no input."""
    servers.images.image = make_image(User="web", WorkingDir="/srv/web")
    servers.boot(metadata={"COLOUR": "light green"})
    place = consoles.open("u1", servers.asked.container)
    assert consoles.open("u1", servers.asked.container) == place
    seen = look(place)
    assert seen.socket.recv(len(QUESTION), socket.MSG_WAITALL) == QUESTION
    assert seen.asks("stty size") == "24 80"
    seen.type(b"\x1b[33")
    time.sleep(0.01)
    seen.type(b";101R")
    assert eventually(lambda: seen.asks("stty size") == "33 101")
    told = seen.asks("echo $TERM $COLOUR $PWD `id -u`")
    assert told == "xterm light green /srv/web 1000"
    seen.type(b"\x1b[8;40;120t")
    assert eventually(lambda: seen.asks("stty size") == "40 120")


def test_viewers_share_one_shell(
    servers: Any, consoles: Consoles, look: Callable[..., Viewer]
) -> None:
    """Who comes later sees what was there, and all see what one types."""
    servers.boot()
    place = consoles.open("u1", servers.asked.container)
    first = look(place)
    assert first.asks("mine=4711; echo set") == "set"
    second = look(place)
    second.sees("set")
    assert second.asks("echo it is $mine") == "it is 4711"
    first.sees("it is 4711")
    second.socket.close()
    assert first.asks("echo still $mine") == "still 4711"


def test_a_window_fits_all_viewers(
    servers: Any, consoles: Consoles, look: Callable[..., Viewer]
) -> None:
    """The smaller counts, as long as it is there."""
    servers.boot()
    place = consoles.open("u1", servers.asked.container)
    large, small = look(place), look(place)
    large.type(b"\x1b[50;200R")
    assert eventually(lambda: large.asks("stty size") == "50 200")
    small.type(b"\x1b[30;90R")
    assert eventually(lambda: large.asks("stty size") == "30 90")
    small.socket.close()
    assert eventually(lambda: large.asks("stty size") == "50 200")


def test_a_shell_that_ends_is_followed_by_another(
    servers: Any, consoles: Consoles, look: Callable[..., Viewer]
) -> None:
    """At the next key, as a login prompt is."""
    servers.boot()
    seen = look(consoles.open("u1", servers.asked.container))
    seen.asks("mine=1; echo set")
    seen.type("exit\n")
    seen.sees("the shell has ended; press a key for a new one")
    seen.type("x")
    seen.sees("# ")
    assert seen.asks("echo new${mine}") == "new"


def test_a_console_that_nobody_looks_at_ends_with_its_shell(
    servers: Any,
    hosts_consoles: Callable[..., Consoles],
    look: Callable[..., Viewer],
    docker_api: Any,
) -> None:
    """The engine would leave the shell, and the listener would wait for strangers."""
    servers.boot("exec sleep 600")
    name = servers.asked.container
    released: list[int] = []
    consoles = hosts_consoles(idle=0.5, release=lambda _, port: released.append(port))
    place = consoles.open("u1", name)
    seen = look(place)
    seen.asks("trap '' HUP; echo deaf")
    time.sleep(1)  # it is not idle while somebody looks
    seen.asks("echo here")
    assert len(processes(docker_api, name)) == 2
    seen.socket.close()
    assert eventually(lambda: released)
    assert processes(docker_api, name) == ["sleep 600"]
    assert released == [place[1]]
    with pytest.raises(ConnectionRefusedError):
        look(place)
    assert consoles.open("u1", name) != place


def test_a_console_ends_with_its_server(
    servers: Any, consoles: Consoles, look: Callable[..., Viewer]
) -> None:
    """Viewers are told; there is none of a server that does not run."""
    servers.boot()
    name = servers.asked.container
    place = consoles.open("u1", name)
    seen = look(place)
    seen.asks("echo here")
    servers.guest.stop(0)
    assert "[nova-docker] the server has stopped" in seen.rest()
    assert eventually(lambda: _refused(look, place))
    with pytest.raises(ConsoleUnavailable, match="it is exited"):
        consoles.open("u1", name)
    servers.guest.remove()
    with pytest.raises(ContainerNotFound):
        consoles.open("u1", name)


def _refused(look: Callable[..., Viewer], place: tuple[str, int]) -> bool:
    try:
        look(place)
    except ConnectionRefusedError:
        return True
    return False


def test_a_program_without_a_shell_is_reached_itself(
    servers: Any,
    consoles: Consoles,
    look: Callable[..., Viewer],
    engine: Engine,
    docker_api: Any,
) -> None:
    """With what it wrote before; it does not end when its viewers leave."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        busybox.put(tar, "bin/busybox")
        for name in ("sh", "bash"):
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "/nowhere"
            tar.addfile(link)
    docker_api.import_image_from_data(buffer.getvalue(), repository="bare", tag="1")
    image = engine.find_image("bare:1")
    assert image
    servers.images.image = image
    servers.boot(command_line="/bin/busybox awk 'BEGIN {print 41+1} {print $1*2; fflush()}'")
    assert eventually(lambda: b"42" in servers.guest.console())
    place = consoles.open("u1", servers.asked.container)
    seen = look(place)
    seen.sees("42\n")
    seen.type(b"\x1b[30;90R11\n")
    seen.sees("22\n")
    seen.socket.close()
    again = look(place)
    again.sees("22\n")
    again.type("12\n")
    again.sees("24\n")


def test_a_paused_server_answers_when_it_goes_on(
    servers: Any, consoles: Consoles, look: Callable[..., Viewer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A terminal cannot begin in it; its viewer is told, and waits."""
    monkeypatch.setattr(line, "RETRY_SECONDS", 0.2)
    servers.boot()
    servers.guest.pause()
    seen = look(consoles.open("u1", servers.asked.container))
    seen.sees("the server is paused")
    servers.guest.unpause()
    seen.sees("# ")
    assert seen.asks("echo awake") == "awake"


def test_a_console_outlives_a_reboot(
    servers: Any, consoles: Consoles, look: Callable[..., Viewer]
) -> None:
    """As a VM's serial line does; the shell is a new one, begun by a key."""
    servers.boot()
    seen = look(consoles.open("u1", servers.asked.container))
    seen.asks("mine=1; echo here")
    servers.actions.lifecycle.restart(servers.asked, servers.network, 0)
    seen.sees("press a key for a new one")
    seen.type("x")
    seen.sees("# ")
    assert seen.asks("echo new${mine}") == "new"


def test_a_server_at_its_gate_has_no_shell_yet(
    servers: Any, consoles: Consoles, look: Callable[..., Viewer], docker_api: Any
) -> None:
    """Nothing runs before the network is there; the viewer waits."""
    servers.boot("exec sleep 600", power_on=False)
    name = servers.asked.container
    servers.guest.start()
    seen = look(consoles.open("u1", name))
    seen.sees("the server is starting")
    assert len(processes(docker_api, name)) == 1
    gate = StartGate(servers.instances / servers.asked.uuid / "gate", name)
    gate.open_when_reached(PATIENCE, alive=lambda: True)
    seen.sees("# ")
    assert seen.asks("echo there") == "there"


def test_shells_that_a_driver_left_are_ended(
    servers: Any, consoles: Consoles, engine: Engine, docker_api: Any
) -> None:
    """Only those: what an operator runs in the container goes on."""
    servers.boot("exec sleep 600")
    name = servers.asked.container
    terminal.Shell(engine, name, "/bin/sh").stream.close()
    docker_api.exec_start(docker_api.exec_create(name, ["sleep", "601"]), detach=True)
    assert eventually(lambda: len(processes(docker_api, name)) == 3)
    consoles.sweep("novadocker.instance").join(PATIENCE)
    assert sorted(processes(docker_api, name)) == ["sleep 600", "sleep 601"]


def test_a_shell_is_ended_without_a_program_of_the_image(
    servers: Any,
    consoles: Consoles,
    look: Callable[..., Viewer],
    make_image: Callable[..., Image],
    docker_api: Any,
) -> None:
    """Under a profile without root no second shell is run to signal the first."""
    servers.images.image = make_image(User="web", Volumes={})
    flavor = Flavor(1, 32, 1, extra_specs={"docker:profile": "restricted"})
    began = time.time()
    servers.boot("exec sleep 600", flavor=flavor)
    name = servers.asked.container
    seen = look(consoles.open("u1", name))
    seen.sees("$ ")
    consoles.close("u1")
    assert eventually(lambda: processes(docker_api, name) == ["sleep 600"])
    told = docker_api.events(
        since=began, until=time.time(), filters={"container": name}, decode=True
    )
    run = [each["Action"] for each in told if each["Action"].startswith("exec_create")]
    assert run == ["exec_create: /bin/sh -c exec /bin/sh nova-console"]


def test_who_does_not_read_is_dropped(
    servers: Any, consoles: Consoles, look: Callable[..., Viewer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others are held up for a moment, and nothing is kept for it without end."""
    monkeypatch.setattr(viewer, "STALL_SECONDS", 0.5)
    servers.boot()
    place = consoles.open("u1", servers.asked.container)
    deaf, seen = look(place), look(place)
    seen.asks("echo here")
    (served,) = consoles._lines.values()
    seen.type("while sleep 0; do cat /bin/busybox; done\n")
    read, largest = 0, 0
    deadline = time.monotonic() + PATIENCE
    while len(served._audience) == 2 or read < 64 * 2**20:
        assert time.monotonic() < deadline, f"{read} bytes, {len(served._audience)} viewers"
        read += len(seen.socket.recv(2**20))
        largest = max([largest, *(len(each._queue) for each in served._audience._viewers)])
    assert largest <= viewer.QUEUE_BYTES + 64 * 1024
    deaf.rest()


def test_strangers_are_refused(
    servers: Any, engine: Engine, look: Callable[..., Viewer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only Nova's proxies may look; the rest is closed before it is told anything."""
    servers.boot()
    ended: list[line.Line] = []
    listener = socket.create_server(("127.0.0.1", 0))
    served = line.Line(
        engine,
        servers.asked.container,
        listener,
        lambda peer: peer != "127.0.0.9",
        60,
        ended.append,
    )
    served.start()
    place = listener.getsockname()
    assert look(place, source="127.0.0.9").rest() == ""
    many = [look(place) for _ in range(audience.VIEWERS)]
    assert many[-1].asks("echo in") == "in"
    assert look(place).rest() == ""
    many.pop().socket.close()
    served._wanted_until = 0.0  # the time of the last token is over
    assert look(place).rest() == ""
    served.hang_up("enough")
    assert eventually(lambda: ended)


def test_a_console_without_an_address_of_the_host_is_refused(
    servers: Any, hosts_consoles: Callable[..., Consoles]
) -> None:
    """The port goes back, and the operator reads why."""
    servers.boot()
    released: list[int] = []
    consoles = hosts_consoles(address="192.0.2.1", release=lambda _, port: released.append(port))
    with pytest.raises(ConsoleUnavailable, match=re.escape("192.0.2.1:0 cannot be listened at")):
        consoles.open("u1", servers.asked.container)
    assert released == [0]


def test_consoles_end_with_the_service(
    servers: Any, consoles: Consoles, look: Callable[..., Viewer], docker_api: Any
) -> None:
    """Their shells too, so that none is left in a container."""
    servers.boot("exec sleep 600")
    seen = look(consoles.open("u1", servers.asked.container))
    seen.asks("echo here")
    consoles.close_all()
    assert "the compute host stops" in seen.rest()
    assert processes(docker_api, servers.asked.container) == ["sleep 600"]
