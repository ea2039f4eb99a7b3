# SPDX-License-Identifier: Apache-2.0
"""Ports of Contrail: the vRouter agent's double, and veth pairs of a real kernel."""

import http.server
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from nova.network import model

from novadocker.virt.docker.errors import WiringError
from novadocker.virt.docker.wiring import Wiring
from tests.engine.wiring.stand_in import Server, a_vif, run
from tests.engine.wiring.vrouter_host import ADDRESS, VRouterHost
from tests.eventually import eventually

PATIENCE = 60.0


def contrail_vif(number: int, nic: int = 0) -> model.VIF:
    """Make a port as Nova has it from Contrail's Neutron plugin."""
    vif = a_vif(number, "vrouter", nic)
    vif["details"] = {"port_filter": True}
    vif["network"]["bridge"] = None
    vif["ovs_interfaceid"] = None
    return vif


@pytest.fixture(autouse=True)
def _an_agent_that_runs(vrouter: VRouterHost) -> Iterator[None]:
    yield
    if vrouter.server is None:
        vrouter.start()
    assert vrouter.ports == {}
    assert vrouter.files() == set()
    assert vrouter.server
    assert vrouter.server.agent.troubles == []


@pytest.fixture
def one(server: Callable[..., Server]) -> Server:
    """A server with a port of Contrail's, not wired yet."""
    return server(contrail_vif(5))


def port_of(server: Server, nic: int = 0) -> str:
    """Return the id of a server's port."""
    return str(server.network_info[nic]["id"])


def device_of(server: Server, nic: int = 0) -> str:
    """Return the host end of a server's port."""
    return str(server.network_info[nic]["devname"])


def flags(device: str) -> set[str]:
    """Return the flags of a device on the host."""
    (link,) = json.loads(run("ip", "-j", "link", "show", device))
    return set(link["flags"])


def test_a_port_is_announced_as_the_agent_wants_it(
    wiring: Wiring, vrouter: VRouterHost, one: Server
) -> None:
    """Ids are UUIDs, both ends are up, and the file is there besides."""
    one.wire(wiring)
    port = vrouter.ports[port_of(one)]
    assert port.system_name == device_of(one)
    assert port.instance_id == one.instance.uuid
    assert port.vn_id == one.network_info[0]["network"]["id"]
    assert port.project_id.replace("-", "") == one.instance.project_id
    assert (port.display_name, port.ip4, port.ip6) == ("web", "10.0.0.5", "fd00::5")
    assert (port.mac, port.type) == ("fa:16:3e:00:00:05", 0)
    assert set(vrouter.data_plane.attached) == {device_of(one)}
    assert {"UP", "LOWER_UP"} <= flags(device_of(one))
    assert one.state()["links"]["eth0"] == ("fa:16:3e:00:00:05", 1442, True)
    kept = vrouter.file(port.id)
    assert (kept["author"], kept["rx-vlan-id"], kept["vm-project-id"]) == (
        "nova-docker",
        -1,
        port.project_id,
    )


def test_a_second_call_changes_nothing(wiring: Wiring, vrouter: VRouterHost, one: Server) -> None:
    """The agent is told again, which it takes for nothing; the file stays the one that it was."""
    one.wire(wiring)
    path = vrouter.directory / port_of(one)
    before, entry = _written(path), vrouter.ports
    vrouter.calls.clear()
    assert one.wire(wiring).changes == []
    assert vrouter.calls == ["POST /port"]
    assert (_written(path), vrouter.ports) == (before, entry)


def _written(path: Path) -> tuple[int, ...]:
    """Tell a file from another of its name, and when it was changed; not when it was read."""
    now = path.stat()
    return (now.st_ino, now.st_size, now.st_mtime_ns, now.st_ctime_ns)


def test_nothing_is_left_of_a_port(wiring: Wiring, vrouter: VRouterHost, one: Server) -> None:
    """Entry, file and host end go, and it may be said twice."""
    one.wire(wiring)
    for _ in range(2):
        one.unwire(wiring)
        assert vrouter.ports == {}
        assert vrouter.files() == set()
        assert vrouter.data_plane.attached == {}
    assert device_of(one) not in run("ip", "-brief", "link")


def _other_file(vrouter: VRouterHost, one: Server) -> None:
    path = vrouter.directory / port_of(one)
    path.write_text(path.read_text().replace("10.0.0.5", "10.0.0.99"))
    vrouter.restart()


BREAKAGES: dict[str, Callable[[VRouterHost, Server], object]] = {
    "the host end is deleted": lambda _, one: run("ip", "link", "delete", device_of(one)),
    "the host end is down": lambda _, one: run("ip", "link", "set", device_of(one), "down"),
    "the inner end is down": lambda _, one: one.ip("link", "set", "eth0", "down"),
    "the file is gone": lambda vrouter, one: (vrouter.directory / port_of(one)).unlink(),
    "the file is another's": _other_file,
    "the file is broken": lambda vrouter, one: (vrouter.directory / port_of(one)).write_text("{"),
    "the entry is gone, with its file": lambda vrouter, one: (
        vrouter.server and vrouter.server.agent.delete(port_of(one))
    ),
    "the entry is gone": lambda vrouter, one: (
        vrouter.server and vrouter.server.agent._entries.pop(port_of(one))
    ),
    "the agent was started again": lambda vrouter, _: vrouter.restart(),
    "the container is another": lambda _, one: one.restart(),
}


@pytest.mark.parametrize("breakage", list(BREAKAGES))
def test_what_broke_is_repaired(
    wiring: Wiring, vrouter: VRouterHost, one: Server, breakage: str
) -> None:
    """One call brings all back, on the host, in the container and at the agent."""
    one.wire(wiring)
    before = (one.state(), vrouter.ports, vrouter.file(port_of(one)))
    BREAKAGES[breakage](vrouter, one)
    one.wire(wiring)
    assert (one.state(), vrouter.ports, vrouter.file(port_of(one))) == before
    assert set(vrouter.data_plane.attached) == {device_of(one)}
    assert {"UP", "LOWER_UP"} <= flags(device_of(one))
    assert one.wire(wiring).changes == []


def test_what_is_different_is_deleted_before_it_is_announced(
    wiring: Wiring, vrouter: VRouterHost, one: Server
) -> None:
    """The agent would keep what it was told first."""
    one.wire(wiring)
    one.network_info[0]["network"]["subnets"][0]["ips"][0]["address"] = "10.0.0.77"
    one.wire(wiring)
    assert (
        vrouter.ports[port_of(one)].ip4 == "10.0.0.77" == vrouter.file(port_of(one))["ip-address"]
    )


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
    """The files are enough: the agent reads them when it starts. Its absence is waited for once."""
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
    """It does not come back with the agent."""
    one.wire(wiring)
    vrouter.stop()
    one.unwire(wiring)
    assert vrouter.files() == set()
    vrouter.start()
    assert vrouter.ports == {}


def test_an_agent_that_did_not_hear_of_an_end_is_told_later(
    wiring: Wiring, vrouter: VRouterHost, server: Callable[..., Server], monkeypatch: Any
) -> None:
    """One that stood still, and knows the port when it goes on."""
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


def test_a_project_that_is_no_uuid_is_refused(
    wiring: Wiring, vrouter: VRouterHost, one: Server
) -> None:
    """The agent would take it for none, without a word."""
    one.instance.project_id = "ldap-people"
    with pytest.raises(WiringError, match="its project, 'ldap-people', is no UUID"):
        one.wire(wiring)
    one.unwire(wiring)


@pytest.mark.parametrize("name", ["a --oper=delete", 'say "hi"', "новая\n--uuid", "-"])
def test_a_name_is_no_argument(
    wiring: Wiring, vrouter: VRouterHost, one: Server, name: str
) -> None:
    """Whatever a tenant calls a server, the agent is told of it as a name."""
    one.instance.display_name = name
    one.wire(wiring)
    assert (
        vrouter.ports[port_of(one)].display_name
        == name
        == vrouter.file(port_of(one))["display-name"]
    )


def test_no_proxy_is_asked(
    wiring: Wiring, vrouter: VRouterHost, one: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The agent is this host's own, whatever the environment says."""
    for variable in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    one.wire(wiring)
    assert set(vrouter.ports) == {port_of(one)}


@pytest.mark.parametrize(
    ("status", "answer", "words"),
    [
        (404, "404 page not found", "'404 page not found' is no answer of an agent"),
        (500, '{"error":"{ Invalid VN uuid }"}', "status 500, Invalid VN uuid"),
        (302, "", "status 302"),
    ],
)
def test_what_is_refused_is_told_in_the_words_of_who_listens(
    wiring: Wiring, vrouter: VRouterHost, one: Server, status: int, answer: str, words: str
) -> None:
    """An agent, or another program: there are some that listen at 9091 too."""

    class Other(http.server.BaseHTTPRequestHandler):
        def do_DELETE(self) -> None:
            self.send_response(status)
            self.send_header("Location", "http://192.0.2.1/")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer.encode())

        do_POST = do_DELETE  # noqa: N815 - the base's name

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    vrouter.stop()
    with http.server.HTTPServer(ADDRESS, Other) as other:
        thread = threading.Thread(target=other.serve_forever, args=(0.02,))
        thread.start()
        with pytest.raises(WiringError, match=words):
            one.wire(wiring)
        other.shutdown()
        thread.join()


def test_a_port_that_is_bound_no_more_is_forgotten(
    wiring: Wiring, vrouter: VRouterHost, one: Server
) -> None:
    """Neutron may take back a binding before the server is deleted."""
    one.wire(wiring)
    wiring.unwire(one.instance, [model.VIF(**one.network_info[0] | {"type": "unbound"})])
    assert vrouter.ports == {}
    assert vrouter.files() == set()


def of_another_hypervisor(vrouter: VRouterHost) -> dict[str, Any]:
    """Announce a port as another program does, which leaves its file to the agent."""
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
    """Its own ports and others' stay; those of servers that are gone do not."""
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
    """A file that cannot be read may be that of a virtual machine which runs."""
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
    """What is stale in its files goes; the rest is there when it comes."""
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
    """Whatever stays of it has a name that the agent passes over."""
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
    """Count what was lost or sent again, in the container and on the host."""
    counts = {}
    for where, text in (
        ("inside", server.inside(Path("/proc/thread-self/net/snmp").read_text)),
        ("outside", Path("/proc/thread-self/net/snmp").read_text()),
    ):
        names, values = (line.split()[1:] for line in text.splitlines() if line[:4] == "Tcp:")
        counts[where] = int(dict(zip(names, values, strict=True))["RetransSegs"])
    return counts
