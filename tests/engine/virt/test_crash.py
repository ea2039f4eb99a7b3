# SPDX-License-Identifier: Apache-2.0
from typing import Any

import pytest

from novadocker.errors import ContainerNotFound, CrashDumpRefused
from novadocker.virt.docker.actions.crash_dump import crash
from novadocker.virt.docker.engine import Engine
from tests.support.eventually import eventually


def test_a_process_that_handles_the_signal_gets_it(servers: Any, engine: Engine) -> None:
    """What it makes of it is its own affair."""
    servers.boot('trap "echo dumped; exit 6" ABRT; echo ready; while :; do sleep 0.1; done')
    assert eventually(lambda: b"ready" in servers.guest.console())
    crash(engine, servers.guest)
    assert eventually(lambda: b"ended with exit code 6" in servers.guest.console())
    assert b"dumped" in servers.guest.console()


def test_a_process_that_would_not_notice_is_left_alone(servers: Any, engine: Engine) -> None:
    """The kernel would drop the signal, and nobody would know."""
    servers.boot("exec sleep 600")
    with pytest.raises(CrashDumpRefused, match="does not handle SIGABRT"):
        crash(engine, servers.guest)
    servers.guest.stop(0)
    with pytest.raises(CrashDumpRefused, match="it is exited"):
        crash(engine, servers.guest)
    servers.guest.remove()
    with pytest.raises(ContainerNotFound):
        crash(engine, servers.guest)
