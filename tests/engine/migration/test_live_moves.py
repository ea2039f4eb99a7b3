# SPDX-License-Identifier: Apache-2.0
"""Running servers that move between two real engines: all but Nova, its bus and the network."""

import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from novadocker.checkpoint.places import RUNTIME_NAME
from novadocker.cloud.machine import criu as program
from novadocker.errors import (
    CheckpointError,
    DockerDriverError,
    HandedOver,
    MoveAborted,
    TransferFailed,
)
from novadocker.policy import Flavor
from novadocker.virt.docker.actions.lock import lock
from novadocker.virt.docker.checkpoint import travel
from novadocker.virt.docker.checkpoint.handover import Handover
from novadocker.virt.docker.checkpoint.privileged import context as for_checkpoints
from novadocker.virt.docker.checkpoint.travel import Travel
from novadocker.virt.docker.container.server import Server
from novadocker.virt.docker.engine import State
from novadocker.virt.docker.migration import arrival as cold_arrival
from novadocker.virt.docker.migration.live import arrival, departure
from novadocker.virt.docker.migration.live.course import Course, Progress
from novadocker.virt.docker.privileged import context as for_networks
from tests.engine.migration.live_move import End, Move, Remote, Wiring
from tests.engine.migration.test_moves import (  # noqa: F401 - fixtures
    Host,
    archive,
    hosts,
    second_socket,
)
from tests.engine.virt.privileges import daemon

COUNT = (
    "/bin/busybox sh -c 'i=0; while :; do i=$((i+1)); echo n$i; echo $i > /last;"
    " /bin/busybox usleep 50000; done'"
)


@pytest.fixture(scope="module", autouse=True)
def _daemons() -> Iterator[None]:
    with daemon(for_networks), daemon(for_checkpoints):
        yield


@pytest.fixture(autouse=True)
def _locks_of_two_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    # In one process the two hosts would have the same lock.
    for module in (cold_arrival, arrival):
        monkeypatch.setattr(module, "lock", lambda uuid: lock(f"h2-{uuid}"))


@pytest.fixture(scope="session")
def criu() -> Path:
    """CRIU, of the version that the project is tried with."""
    return program.ensure()


@pytest.fixture
def move(hosts: tuple[Host, Host], criu: Path) -> Iterator[Move]:  # noqa: F811 - the fixture
    """A server that counts, and has come to three."""
    for host in hosts:
        host.able = replace(host.able, default_runtime=RUNTIME_NAME)
    server = Server(
        uuid=str(uuid.uuid4()),
        project="p1",
        host="h1",
        hostname="web-1",
        flavor=Flavor(vcpus=1, memory_mib=32, root_gib=1),
        command_line=COUNT,
    )
    first, second = (End.of(host, criu) for host in hosts)
    made = Move(first, second, server, Remote(second, server))
    first.host.life.boot(None, server, None, made.network, power_on=True)
    deadline = time.monotonic() + 20
    while len(made.counted(first)) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    yield made
    note = Handover.find(server.uuid)
    if note:
        note.forget()
    for end in (first, second):
        end.host.life.remove(server.uuid, made.network)


def test_a_server_goes_on_elsewhere(move: Move) -> None:
    """A program counts on, on another engine, from the number that it had come to."""
    move.refuse()
    move.send()
    assert move.state(move.second) is State.RUNNING
    assert move.state(move.first) is State.PAUSED
    assert move.goes_on(move.second)
    numbers = move.counted(move.second)
    assert numbers == list(range(1, len(numbers) + 1))
    move.remove_copy()
    assert move.goes_on(move.second)
    note = Handover.find(move.server.uuid)
    assert note is not None
    note.forget()
    move.assert_no_leftovers()


def test_files_written_meanwhile_arrive(move: Move) -> None:
    """What the server wrote during the move, and what it removed, is so on the other host."""
    move.first.host.run(move.server, "echo old > /old; echo gone > /gone; mkdir /d; echo x > /d/x")
    readings = departure.directories.changing

    def changed(place: Path) -> Any:
        yield from readings(place)
        move.first.host.run(move.server, "echo new > /old; rm -f /gone; mv /d /e 2>/dev/null; true")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(departure.directories, "changing", changed)
        move.send()
    seen = move.second.host.run(move.server, "cat /old /e/x; ls /")
    assert seen.startswith("new\nx\n")
    assert "gone" not in seen.split()
    last = int(move.second.host.run(move.server, "cat /last"))
    assert last >= 3


def test_ports_open_only_after_the_handover(move: Move) -> None:
    """The source is silent from the freeze on, the destination until it may run."""
    move.send()
    assert move.first.wiring.calls[-1] == "mute"
    assert move.second.wiring.calls == ["wire", "open"]


def test_a_server_moves_there_and_back(move: Move) -> None:
    """A restored server can be dumped and restored again."""
    move.send()
    move.remove_copy()
    back = Move(move.second, move.first, move.server, Remote(move.first, move.server, "h1"))
    # The roles of the locks are fixed by module, and no two moves run at once here.
    back.send("m2")
    assert back.goes_on(back.second)
    numbers = back.counted(back.second)
    assert numbers == list(range(1, len(numbers) + 1))


def test_an_abort_lets_the_server_run_on(move: Move) -> None:
    """A move that is aborted while files travel ends at the next piece."""
    course = Course(lambda _: move.first.departures.abort(move.server.uuid))
    with pytest.raises(MoveAborted):
        move.send(course=course)
    move.assert_untouched()


def test_progress_is_told(move: Move) -> None:
    """Bytes of files and of memory are counted."""
    told: list[Progress] = []
    course = Course(told.append)
    move.send(course=course)
    assert course.progress.memory >= course.progress.memory_total > 0
    assert course.progress.disk > 0


def test_a_dump_that_fails_lets_the_server_run_on(move: Move) -> None:
    """CRIU's own reason is told."""

    def fail(*_: Any) -> Any:
        raise CheckpointError(reason="Can't dump that")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Travel, "take", fail)
        with pytest.raises(CheckpointError, match="dump that"):
            move.send()
    move.assert_untouched()


def test_damaged_memory_lets_the_server_run_on(move: Move) -> None:
    """A restore that fails on the other host is a move that did not take place, with its reason."""
    fill = arrival.directories.fill

    def damaged(place: Path, *arguments: Any) -> None:
        fill(place, *arguments)
        core = next(iter(place.glob("core-*.img")), None)
        if core:
            core.write_bytes(core.read_bytes()[:100])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arrival.directories, "fill", damaged)
        with pytest.raises(TransferFailed):
            move.send()
    move.assert_untouched()


def test_a_destination_that_dies_before_the_handover_leaves_the_server(move: Move) -> None:
    """The restored processes are killed before their first instruction."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Wiring, "mute", _failing_open(Wiring.mute))
        with pytest.raises(TransferFailed):
            move.send()
    move.assert_untouched()


def _failing_open(mute: Callable[..., None]) -> Callable[..., None]:
    failed: list[bool] = []

    def broken(self: Wiring, *arguments: Any, down: bool) -> None:
        if not down and not failed:
            failed.append(True)
            raise TransferFailed(reason="no switch")
        mute(self, *arguments, down=down)

    return broken


def test_a_handover_without_an_answer_keeps_the_server_frozen(move: Move) -> None:
    """Nobody here thaws it, or starts it, while the other host may run it."""

    def silent() -> None:
        raise TransferFailed(reason="host h2 does not answer")

    move.remote.before_answer = silent
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(departure, "_asked", lambda remote, manifest: remote.runs(manifest))
        patch.setattr(departure.Arriving, "heading", _lost_after_restored(departure.Arriving))
        with pytest.raises(HandedOver):
            move.send()
    assert move.state(move.first) is State.PAUSED
    assert move.goes_on(move.second)
    with pytest.raises(HandedOver):
        move.first.host.life.start(move.server, move.network)


def _lost_after_restored(kind: Any) -> Callable[[Any], Any]:
    heading = kind.heading

    def lost(self: Any) -> Any:
        told = heading(self)
        if told["section"] == "runs":
            raise TransferFailed(reason="the connection was cut off")
        return told

    return lost


def _nested(move: Move, patch: pytest.MonkeyPatch) -> None:
    found = {"name": "x", "traced": False, "namespaces": ["mnt"], "files": []}
    told = {"processes": [found], "sockets": {}, "packet": 0}
    patch.setattr(travel.survey, "survey", lambda *_: told)


def _volumes(move: Move, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(type(move.first.host.volumes), "attached", lambda *_: True)


def _runtime(move: Move, patch: pytest.MonkeyPatch) -> None:
    engine = move.second.host.engine
    other = replace(engine.info(), default_runtime="runc")
    patch.setattr(engine, "info", lambda: other)


def _kernel(move: Move, patch: pytest.MonkeyPatch) -> None:
    engine = move.second.host.engine
    other = replace(engine.info(), kernel="4.4.0")
    patch.setattr(engine, "info", lambda: other)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_nested, "namespaces of its own"),
        (_volumes, "it has volumes"),
        (_runtime, "default runtime is runc"),
        (_kernel, "kernel 4.4.0 is older"),
    ],
)
def test_what_cannot_move_is_refused_before_anything_changes(
    move: Move, change: Callable[[Move, pytest.MonkeyPatch], None], reason: str
) -> None:
    """The reason is told, and the server has not been frozen."""
    before = move.first.host.container(move.server)
    with pytest.MonkeyPatch.context() as patch:
        change(move, patch)
        with pytest.raises(DockerDriverError, match=reason):
            move.refuse()
    assert move.first.host.container(move.server) == before
    assert move.first.wiring.calls == []
    move.assert_untouched()
