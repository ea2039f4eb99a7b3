# SPDX-License-Identifier: Apache-2.0
"""Suspend and resume of servers on a real engine by a real CRIU."""

import re
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from novadocker.checkpoint.places import WAITING
from novadocker.errors import CheckpointError, PlugTimeout, WiringError
from novadocker.virt.docker.actions.recovery.repairs import Expected
from novadocker.virt.docker.checkpoint.places import CHECKPOINTS, IMAGES, directory_of
from novadocker.virt.docker.checkpoint.privileged import tasks
from novadocker.virt.docker.engine import State
from tests.engine.virt.conftest import Servers

COUNT = "i=0; while :; do i=$((i+1)); echo n$i; sleep 0.1; done"


def suspend(servers: Servers) -> None:
    """Suspend the server."""
    servers.actions.suspension.suspend(servers.asked.uuid, servers.network)


def resume(servers: Servers) -> None:
    """Resume the server."""
    servers.actions.suspension.resume(servers.asked, servers.network)


def counted(servers: Servers) -> list[int]:
    """Return the numbers that the server has printed."""
    return [int(number) for number in re.findall(r"n(\d+)", servers.guest.console().decode())]


def goes_on(servers: Servers) -> bool:
    """Tell whether the server prints further numbers."""
    before, deadline = len(counted(servers)), time.monotonic() + 20
    while len(counted(servers)) == before and time.monotonic() < deadline:
        time.sleep(0.1)
    return len(counted(servers)) > before


def is_suspended(servers: Servers) -> bool:
    """Tell whether the server's memory is on disk and its processes have ended."""
    return servers.checkpoints.suspended(servers.asked.uuid, servers.guest.get())


def leftovers(servers: Servers) -> list[Path]:
    """Return what is left of checkpoints and restores of the server."""
    uuid, container = servers.asked.uuid, servers.guest.find()
    waiting = [WAITING / container.id] if container else []
    found = [*CHECKPOINTS.glob(f"{uuid}*"), *(each for each in waiting if each.exists())]
    mounted = Path("/proc/self/mounts").read_text()
    return found + [Path("cgroups still mounted")] * (".criu.cgyard" in mounted)


@pytest.fixture
def counting(suspendable: Servers) -> Servers:
    """A server that counts, and has come to three."""
    suspendable.boot(COUNT)
    suspendable.wait_for("n3")
    return suspendable


def test_a_resumed_server_goes_on_where_it_was(counting: Servers) -> None:
    """A program counts on, from the number that the suspension ended at."""
    suspend(counting)
    assert counting.guest.get().state is State.EXITED
    assert is_suspended(counting)
    resume(counting)
    assert counting.guest.get().state is State.RUNNING
    assert goes_on(counting)
    numbers = counted(counting)
    assert numbers == list(range(1, len(numbers) + 1))
    assert not leftovers(counting)


def test_a_server_can_be_suspended_again(counting: Servers) -> None:
    """A restored server is checkpointed like any other."""
    for _ in range(2):
        suspend(counting)
        resume(counting)
    assert goes_on(counting)
    numbers = counted(counting)
    assert numbers == list(range(1, len(numbers) + 1))


def test_a_restored_process_has_the_rights_of_before(counting: Servers) -> None:
    """Capabilities, seccomp, no_new_privs and the map of users are the same."""

    def rights() -> list[dict[str, str]]:
        container = counting.guest.get()
        found = tasks.rights(container.pid, container.id)
        return [{key: each[key] for key in each if key not in ("pid", "user")} for each in found]

    before = rights()
    suspend(counting)
    resume(counting)
    assert rights()[0] == before[0]


def test_a_ports_host_end_is_down_until_every_process_is_there(counting: Servers) -> None:
    """Wiring comes first, then Neutron's event, and the ports open last."""
    suspend(counting)
    counting.wiring.calls.clear()
    resume(counting)
    assert counting.wiring.calls == ["wire", "event", "open"]


def test_a_suspended_server_that_is_started_begins_anew(counting: Servers) -> None:
    """A hard reboot gives the memory up, and wipes it."""
    suspend(counting)
    counting.actions.lifecycle.start(counting.asked, counting.network)
    assert goes_on(counting)
    assert counted(counting).count(1) == 2
    assert not leftovers(counting)


def test_a_suspended_server_that_is_removed_leaves_nothing(counting: Servers) -> None:
    """Container, directory and memory are gone."""
    suspend(counting)
    counting.actions.lifecycle.remove(counting.asked.uuid, counting.network)
    assert counting.guest.find() is None
    assert not leftovers(counting)


def test_a_memory_older_than_the_last_start_is_never_used(counting: Servers) -> None:
    """A container that somebody started meanwhile has files of another time."""
    suspend(counting)
    counting.engine.start(counting.guest.name)
    counting.engine.stop(counting.guest.name, 0)
    assert not is_suspended(counting)
    with pytest.raises(CheckpointError, match="hard reboot"):
        resume(counting)


def _paused(servers: Servers) -> None:
    servers.guest.pause()


def _without_criu(servers: Servers) -> None:
    servers.criu = "/nowhere/criu"


def _in_a_closed_place(servers: Servers) -> None:
    servers.instances.parent.chmod(0o700)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_paused, "paused"),
        (_without_criu, "names no program called criu"),
        (_in_a_closed_place, "can be entered by its owner alone"),
    ],
)
def test_what_cannot_be_suspended_is_refused_before_anything_changes(
    counting: Servers, change: Callable[[Servers], None], reason: str
) -> None:
    """The error says why, and the server is as it was."""
    change(counting)
    before = counting.guest.get()
    with pytest.raises(CheckpointError, match=reason):
        suspend(counting)
    assert counting.guest.get() == before
    assert not leftovers(counting)


def test_a_server_of_another_runtime_is_refused(suspendable: Servers) -> None:
    """A container keeps the runtime of its creation."""
    suspendable.abilities = replace(suspendable.abilities, default_runtime="runc")
    suspendable.boot(COUNT)
    with pytest.raises(CheckpointError, match="runtime is runc"):
        suspend(suspendable)
    assert goes_on(suspendable)


def test_a_server_whose_checkpoint_fails_goes_on(counting: Servers, tmp_path: Path) -> None:
    """The reason is CRIU's own, and nothing of the try is left."""
    broken = tmp_path / "criu"
    broken.write_text('#!/bin/sh\n[ "$1" != --version ] || echo Version: 4.2\nexit 1\n')
    broken.chmod(0o755)
    counting.criu = str(broken)
    with pytest.raises(CheckpointError):
        suspend(counting)
    assert counting.guest.get().state is State.RUNNING
    assert goes_on(counting)
    assert not leftovers(counting)
    assert counting.wiring.calls[-2:] == ["mute", "open"]


def test_a_damaged_memory_leaves_its_server_suspended(counting: Servers) -> None:
    """A restore that fails ends with its reason, and a hard reboot works."""
    suspend(counting)
    core = next((directory_of(counting.asked.uuid) / IMAGES).glob("core-*.img"))
    core.write_bytes(core.read_bytes()[:100])
    with pytest.raises(CheckpointError):
        resume(counting)
    assert is_suspended(counting)
    counting.actions.lifecycle.start(counting.asked, counting.network)
    assert goes_on(counting)
    assert not leftovers(counting)


def test_a_server_that_cannot_be_wired_stays_suspended(counting: Servers) -> None:
    """No process has run an instruction, so that the next try goes on from the same point."""
    suspend(counting)
    counting.wiring.fault = WiringError(port="p1", reason="no switch")
    with pytest.raises(WiringError, match="no switch"):
        resume(counting)
    assert is_suspended(counting)
    counting.wiring.fault = None
    resume(counting)
    assert goes_on(counting)
    numbers = counted(counting)
    assert numbers == list(range(1, len(numbers) + 1))
    assert not leftovers(counting)


def test_a_server_whose_ports_do_not_come_up_stays_suspended(counting: Servers) -> None:
    """The restored processes are killed before their first instruction."""
    suspend(counting)

    def late(_server: object) -> None:
        raise PlugTimeout(port="p1", seconds=1)

    counting.during_event = late
    with pytest.raises(PlugTimeout):
        resume(counting)
    assert is_suspended(counting)
    counting.during_event = lambda _server: None
    resume(counting)
    assert goes_on(counting)
    numbers = counted(counting)
    assert numbers == list(range(1, len(numbers) + 1))
    assert not leftovers(counting)


def test_a_death_before_the_record_lets_the_server_go_on(counting: Servers) -> None:
    """Half a checkpoint is wiped at the next start of the driver."""
    counting.guest.pause()
    half = directory_of(counting.asked.uuid) / IMAGES
    half.mkdir(parents=True)
    (half / "pages-1.img").write_bytes(b"secret")
    uuid, network = counting.asked.uuid, counting.network
    counting.actions.recovery.at_start(uuid, Expected.AWAKE, network)
    assert goes_on(counting)
    assert not leftovers(counting)


def test_a_death_after_the_record_leaves_the_server_suspended(counting: Servers) -> None:
    """Frozen processes whose memory is on disk are ended at the next start of the driver."""
    counting.guest.pause()
    counting.checkpoints.write(counting.asked.uuid, counting.guest.get())
    uuid, network = counting.asked.uuid, counting.network
    counting.actions.recovery.at_start(uuid, Expected.AWAKE, network)
    assert is_suspended(counting)
    resume(counting)
    assert goes_on(counting)
