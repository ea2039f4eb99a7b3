# SPDX-License-Identifier: Apache-2.0
"""The vRouter agent's double away, started again or standing still, and the driver likewise."""

import json
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from novadocker.virt.docker.wiring import Wiring
from tests.engine.wiring.contrail_ports import contrail_vif, device_of, port_of
from tests.engine.wiring.stand_in import Server, run
from tests.engine.wiring.vrouter_host import VRouterHost
from tests.support.eventually import eventually

pytestmark = pytest.mark.usefixtures("agent_left_empty")
PATIENCE = 60.0


def test_a_boot_waits_for_an_agent_that_is_started_again(
    wiring: Wiring, vrouter: VRouterHost, one: Server
) -> None:
    """For a little while."""
    vrouter.stop()
    timer = threading.Timer(0.2, vrouter.start)
    timer.start()
    one.wire(wiring)
    timer.join()
    assert set(vrouter.ports) == {port_of(one)}


def test_a_boot_does_not_fail_for_want_of_an_agent(
    wiring: Wiring,
    vrouter: VRouterHost,
    server: Callable[..., Server],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A start goes on without the agent, after one wait: the files are read at its next start."""
    one, other = server(contrail_vif(5)), server(contrail_vif(6))
    vrouter.stop()
    one.wire(wiring)
    agent = wiring._backends["vrouter"]._agent  # type: ignore[attr-defined]
    monkeypatch.setattr(agent, "_patience", PATIENCE)
    monkeypatch.setattr(agent, "_away_since", time.monotonic() - PATIENCE)
    before = time.monotonic()
    other.wire(wiring)
    assert time.monotonic() - before < PATIENCE
    vrouter.start()
    assert {port.system_name for port in vrouter.ports.values()} == {
        device_of(one),
        device_of(other),
    }


def test_a_port_can_go_while_the_agent_is_away(
    wiring: Wiring, vrouter: VRouterHost, one: Server
) -> None:
    """A port deleted in the agent's absence does not return with the agent."""
    one.wire(wiring)
    vrouter.stop()
    one.unwire(wiring)
    assert vrouter.files() == set()
    vrouter.start()
    assert vrouter.ports == {}


def test_an_agent_that_did_not_hear_of_an_end_is_told_later(
    wiring: Wiring, vrouter: VRouterHost, server: Callable[..., Server], monkeypatch: Any
) -> None:
    """An agent that stood still at a deletion, and knows the port, is told on going on."""
    one, other = server(contrail_vif(5)), server(contrail_vif(6))
    one.wire(wiring)
    other.wire(wiring)
    agent = wiring._backends["vrouter"]._agent  # type: ignore[attr-defined]
    with monkeypatch.context() as still:
        still.setattr(agent, "_url", "http://127.0.0.1:9")
        one.unwire(wiring)
    assert set(vrouter.ports) == {port_of(one), port_of(other)}
    other.network_info[0]["address"] = "fa:16:3e:00:00:07"
    other.wire(wiring)
    assert set(vrouter.ports) == {port_of(other)}


def of_another_hypervisor(vrouter: VRouterHost) -> dict[str, Any]:
    """Announce a port in the way of another program, the file being the agent's."""
    port = {
        "id": "0be00000-0000-4000-8000-000000000001",
        "instance-id": "0be00000-0000-4000-8000-000000000002",
        "vn-id": "0be00000-0000-4000-8000-000000000003",
        "vm-project-id": "0be00000-0000-4000-8000-000000000004",
        "display-name": "a virtual machine",
        "ip-address": "10.0.0.9",
        "ip6-address": "None",
        "mac-address": "02:00:00:00:00:09",
        "system-name": "lo",
        "type": 0,
        "rx-vlan-id": -1,
        "tx-vlan-id": -1,
    }
    assert vrouter.server
    vrouter.server.agent.add(json.dumps(port))
    return port


def test_at_its_start_the_driver_has_the_agent_synchronized(
    wiring: Wiring, vrouter: VRouterHost, server: Callable[..., Server]
) -> None:
    """Ports of the driver and of others stay; ports of gone servers do not."""
    one, gone, lost = (server(contrail_vif(number)) for number in (5, 6, 7))
    other = of_another_hypervisor(vrouter)
    for each in (one, gone, lost):
        each.wire(wiring)
    gone.end()
    lost.end()
    (vrouter.directory / port_of(lost)).unlink()  # an entry without a file
    _until_gone(gone, lost)
    kept = {port_of(one), other["id"]}
    wiring.resume()
    assert vrouter.files() == kept
    assert "POST /syncports" in vrouter.calls
    assert eventually(lambda: set(vrouter.ports) == kept)
    time.sleep(0.6)
    assert set(vrouter.ports) == kept
    assert vrouter.server
    vrouter.server.agent.delete(other["id"])


def _until_gone(*servers: Server) -> None:
    devices = {device_of(each) for each in servers}
    assert eventually(
        lambda: not devices & set(run("ip", "-brief", "link").replace("@", " ").split())
    )


def test_nothing_is_removed_where_a_port_could_not_be_announced_again(
    wiring: Wiring, vrouter: VRouterHost, one: Server
) -> None:
    """An unreadable file keeps all ports, since a running virtual machine may own the file."""
    one.wire(wiring)
    broken = vrouter.directory / "0be00000-0000-4000-8000-000000000009"
    broken.write_text("{")
    vrouter.calls.clear()
    wiring.resume()
    assert "POST /syncports" not in vrouter.calls
    assert vrouter.calls[-1] == "POST /port"
    broken.unlink()


def test_a_start_without_agent_is_no_failure(
    wiring: Wiring, vrouter: VRouterHost, server: Callable[..., Server]
) -> None:
    """Stale files go while the agent is away; the rest is announced at the next start."""
    one, gone = server(contrail_vif(5)), server(contrail_vif(6))
    for each in (one, gone):
        each.wire(wiring)
    vrouter.stop()
    gone.end()
    _until_gone(gone)
    wiring.resume()
    assert vrouter.files() == {port_of(one)}
    vrouter.start()
    assert set(vrouter.ports) == {port_of(one)}


def test_a_broken_off_write_is_not_loaded_and_goes_with_the_port(
    wiring: Wiring, vrouter: VRouterHost, one: Server
) -> None:
    """A half-written file has a name passed over by the agent."""
    one.wire(wiring)
    draft = vrouter.directory / f".{port_of(one)}.novadocker"
    draft.write_text((vrouter.directory / port_of(one)).read_text())
    one.end()
    (vrouter.directory / port_of(one)).unlink()
    vrouter.restart()
    assert vrouter.ports == {}
    one.unwire(wiring)
    assert vrouter.files() == set()


def test_restarts_lose_no_packet(
    wiring: Wiring, vrouter: VRouterHost, one: Server, server: Callable[..., Server]
) -> None:
    """A stream goes on while the agent and the driver start anew and a neighbour comes and goes."""
    one.wire(wiring)
    run("ip", "address", "add", "10.0.0.1/24", "dev", device_of(one))
    listener = one.inside(lambda: socket.create_server(("10.0.0.5", 80)))
    with listener, socket.create_connection(("10.0.0.5", 80), 5) as client:
        conversation, _ = listener.accept()
        with conversation:
            conversation.settimeout(5)
            before = _lost(one)
            for round_ in range(20):
                client.sendall(b"x" * 1000)
                if round_ == 5:
                    vrouter.restart()
                if round_ == 10:
                    wiring.resume()
                    assert one.wire(wiring).changes == []
                if round_ == 15:
                    neighbour = server(contrail_vif(6))
                    neighbour.wire(wiring)
                    neighbour.unwire(wiring)
                assert len(conversation.recv(1000, socket.MSG_WAITALL)) == 1000
    assert _lost(one) == before


def _lost(server: Server) -> dict[str, int]:
    """Count the segments lost or sent again, in the container and on the host."""
    counts = {}
    for where, text in (
        ("inside", server.inside(Path("/proc/thread-self/net/snmp").read_text)),
        ("outside", Path("/proc/thread-self/net/snmp").read_text()),
    ):
        names, values = (line.split()[1:] for line in text.splitlines() if line[:4] == "Tcp:")
        counts[where] = int(dict(zip(names, values, strict=True))["RetransSegs"])
    return counts
