# SPDX-License-Identifier: Apache-2.0
"""What a server is told of its rights, inside of it."""

from dataclasses import replace
from typing import Any

import pytest

from novadocker.errors import EngineError
from novadocker.policy import Flavor

SMALL = Flavor(vcpus=1, memory_mib=32, root_gib=1)
ROUTER = replace(SMALL, memory_mib=64, extra_specs={"docker:cap_add": "NET_ADMIN"})
READS = "cat /dev/.novadocker/rights; echo x > /dev/.novadocker/rights; echo end; sleep 600"

pytestmark = pytest.mark.usefixtures("privileged")


def told(servers: Any) -> str:
    """Return what it reads of its rights."""
    servers.wait_for("end")
    return str(servers.guest.console().decode().replace("\r\n", "\n").rpartition("What this")[2])


def test_a_server_reads_its_rights(servers: Any) -> None:
    """In words, and cannot change them."""
    servers.boot(READS, flavor=SMALL)
    read = told(servers)
    assert "profile: baseline" in read
    assert "capability: CHOWN" in read
    assert "memory: 32 MiB" in read
    assert "can't create" in read


def test_a_resized_server_reads_others(servers: Any) -> None:
    """Those of the flavor that it has now."""
    servers.boot(READS, flavor=SMALL)
    told(servers)
    servers.ask(flavor=ROUTER)
    servers.actions.resize.prepare(servers.asked, servers.network, 0)
    servers.actions.resize.finish(servers.asked, servers.network, power_on=True)
    assert "capability: NET_ADMIN (flavor docker:cap_add" in servers.actions.lifecycle.told_rights(
        servers.asked.uuid
    )


def test_a_resize_that_fails_tells_nothing(servers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server has the rights that it had."""
    servers.boot(READS, flavor=SMALL)
    before = servers.actions.lifecycle.told_rights(servers.asked.uuid)
    servers.ask(flavor=replace(SMALL, memory_mib=48))
    servers.actions.resize.prepare(servers.asked, servers.network, 0)
    servers.wiring.fault = EngineError(action="x", reason="y")
    with pytest.raises(EngineError):
        servers.actions.resize.finish(servers.asked, servers.network, power_on=True)
    assert servers.actions.lifecycle.told_rights(servers.asked.uuid) == before
