# SPDX-License-Identifier: Apache-2.0
"""What an earlier nova-compute left half done, on a real engine."""

import time
from typing import Any

import pytest

from novadocker.errors import EngineUnavailable
from novadocker.gate.start_gate import process_is_at_gate
from novadocker.virt.docker.actions.recovery.repairs import Expected
from novadocker.virt.docker.engine import Connection, Engine, State

PATIENCE = 5


def recovered(servers: Any, expected: Expected) -> Any:
    """Return the container afterwards, or None."""
    servers.actions.recovery.at_start(servers.asked.uuid, expected, servers.network)
    return servers.guest.find()


def at_its_gate(servers: Any) -> None:
    """Start a container that nobody lets go."""
    servers.boot(power_on=False)
    pid = servers.guest.start().pid
    deadline = time.monotonic() + PATIENCE
    while not process_is_at_gate(pid):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_what_a_snapshot_froze_is_thawed(servers: Any) -> None:
    """The same process goes on."""
    pid = servers.boot().pid
    servers.guest.pause()
    found = recovered(servers, Expected.AWAKE)
    assert (found.state, found.pid) == (State.RUNNING, pid)


def test_a_pause_that_nova_knows_of_stays(servers: Any) -> None:
    """It is its tenant's."""
    servers.boot()
    servers.guest.pause()
    assert recovered(servers, Expected.OTHER).state is State.PAUSED


def test_a_half_built_server_leaves_nothing(servers: Any) -> None:
    """Neither container nor files of one that never ran."""
    at_its_gate(servers)
    assert recovered(servers, Expected.UNBUILT) is None
    assert not list(servers.instances.iterdir())
    servers.boot(power_on=False)
    assert recovered(servers, Expected.UNBUILT) is None


def test_what_has_run_is_kept(servers: Any) -> None:
    """Nova may say what it will: there may be something in it."""
    servers.boot("echo up; sleep 600")
    servers.wait_for("up")
    assert recovered(servers, Expected.UNBUILT).state is State.RUNNING
    servers.guest.stop(0)
    assert recovered(servers, Expected.UNBUILT).state is State.EXITED


def test_a_repair_that_is_impossible_says_why(servers: Any) -> None:
    """The start of nova-compute goes on all the same: see compute/service.py."""
    servers.engine = Engine(Connection("unix:///nowhere/engine.sock", timeout=1))
    with pytest.raises(EngineUnavailable):
        servers.actions.recovery.at_start("5a1c", Expected.AWAKE, servers.network)
