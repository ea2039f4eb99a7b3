# SPDX-License-Identifier: Apache-2.0
"""The double of the vRouter agent, against what the agent's source says."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from novadocker.cloud.doubles.opensdn.agent import Agent
from novadocker.cloud.doubles.opensdn.api import Server, serving
from novadocker.cloud.doubles.opensdn.data_plane import Ipam, NoPackets
from tests.support.eventually import eventually

PORT = "11111111-2222-3333-4444-555555555555"
OTHER = "66666666-2222-3333-4444-555555555555"
NETWORK = "aaaaaaaa-2222-3333-4444-555555555555"


def a_port(**changes: Any) -> dict[str, Any]:
    """Return a port as it is announced."""
    return {
        "id": PORT,
        "instance-id": "99999999-2222-3333-4444-555555555555",
        "vn-id": NETWORK,
        "vm-project-id": "77777777-2222-3333-4444-555555555555",
        "display-name": "web",
        "ip-address": "10.0.0.5",
        "ip6-address": "",
        "mac-address": "02:11:11:11:11:22",
        "system-name": "tap11111111-22",
        "type": 0,
        "rx-vlan-id": -1,
        "tx-vlan-id": -1,
        **changes,
    }


class Host:
    """An agent's host: its files, its interfaces, and the agent while it runs."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.interfaces = {"tap11111111-22"}
        self.data_plane = NoPackets()

    def agent(self, **values: Any) -> Agent:
        """Make an agent, as after its start."""
        exists = self.interfaces.__contains__
        return Agent(self.directory, self.data_plane, exists=exists, **values)

    def files(self) -> set[str]:
        """Name the ports' files."""
        return {path.name for path in self.directory.iterdir() if path.is_file()}

    def file(self, name: str = PORT) -> Any:
        """Read a port's file."""
        return json.loads((self.directory / name).read_text())


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """A host whose agent does not run yet."""
    return Host(tmp_path / "ports")


@pytest.fixture
def server(host: Host) -> Iterator[Server]:
    """The agent of the host, running."""
    with serving(host.agent()) as server:
        yield server


def call(server: Server, method: str, path: str, body: Any = None) -> tuple[int, str, str]:
    """Call the agent, and return status, reason and text."""
    with requests.Session() as session:
        session.trust_env = False
        text = body if isinstance(body, str) else json.dumps(body)
        answer = session.request(method, server.url + path, data=text, timeout=10)
        return answer.status_code, answer.reason, answer.text


def test_a_port_is_taken_and_kept_in_a_file(host: Host, server: Server) -> None:
    """The file has the agent's own members; a VLAN of -1 is kept in 16 bits."""
    assert call(server, "POST", "/port", a_port()) == (200, "OK", "{}")
    (port,) = server.agent.ports.values()
    assert (port.system_name, port.rx_vlan, port.link_state) == ("tap11111111-22", 65535, 1)
    assert host.data_plane.attached == {"tap11111111-22": port}
    kept = host.file()
    assert kept.pop("time")
    assert kept == {
        **a_port(),
        "ip6-address": "::",
        "rx-vlan-id": 65535,
        "tx-vlan-id": 65535,
        "vhostuser-mode": 0,
        "author": "contrail-vrouter-agent",
    }


REFUSED: dict[str, tuple[Any, str]] = {
    "no JSON": ("{", "Invalid Json string ==> {"),
    "neither object nor array": ("7", "Unexpected Json string ==> 7"),
    "null for an id": (a_port(id=None), "Invalid or missing data for <id>"),
    "null for a string": (a_port(**{"ip6-address": None}), "field for <ip6-address>"),
    "no name": ({k: v for k, v in a_port().items() if k != "display-name"}, "<display-name>"),
    "a type in words": (a_port(type="0"), "field for <type>"),
    "a type that is a truth": (a_port(type=True), "field for <type>"),
    "a VLAN beyond 32 bits": (a_port(**{"tx-vlan-id": 2**31}), "field for <tx-vlan-id>"),
    "a VLAN that is no whole number": (a_port(**{"rx-vlan-id": 1.0}), "field for <rx-vlan-id>"),
    "a virtual machine without network": (a_port(**{"vn-id": "x"}), "Invalid VN uuid"),
    "no MAC": (a_port(**{"mac-address": ""}), "Invalid MAC, Use xx:xx:xx:xx:xx:xx format"),
    "a MAC of zeros": (a_port(**{"mac-address": "00:00:00:00:00:00"}), "Invalid MAC"),
    "five parts of a MAC": (a_port(**{"mac-address": "02:11:11:11:11"}), "Invalid MAC"),
}


@pytest.mark.parametrize("case", list(REFUSED))
def test_what_is_not_valid_is_refused(host: Host, server: Server, case: str) -> None:
    """The answer is the agent's error in the agent's frame, and nothing is kept."""
    body, words = REFUSED[case]
    status, reason, text = call(server, "POST", "/port", body)
    assert (status, reason) == (500, "OK")
    error = json.loads(text)["error"]
    assert error.startswith("{ ")
    assert error.endswith(" }")
    assert words in error
    assert server.agent.ports == {}
    assert host.files() == set()


def test_what_cannot_be_read_becomes_nothing(server: Server) -> None:
    """Addresses and ids that are none are taken as unspecified, without a word."""
    odd = a_port(**{"ip-address": "None", "ip6-address": "x", "vm-project-id": "77" * 16})
    assert call(server, "POST", "/port", odd)[0] == 200
    (port,) = server.agent.ports.values()
    assert (port.ip4, port.ip6) == ("0.0.0.0", "::")
    assert port.project_id == "00000000-0000-0000-0000-000000000000"


def test_a_namespaces_port_needs_no_network(server: Server) -> None:
    """Type 1 is for services of the agent's own."""
    assert call(server, "POST", "/port", a_port(type=1, **{"vn-id": ""}))[0] == 200


def test_an_array_is_taken_whole_or_not_at_all_and_always_well(server: Server) -> None:
    """A bad element adds nothing, and the answer is success."""
    both = [a_port(), a_port(id=OTHER, **{"system-name": "tap66666666-22"})]
    assert call(server, "POST", "/port", [*both, a_port(type=None)])[0] == 200
    assert call(server, "POST", "/port", [*both, 7])[0] == 200
    assert server.agent.ports == {}
    assert call(server, "POST", "/port", both)[0] == 200
    assert set(server.agent.ports) == {PORT, OTHER}


def test_a_second_announcement_changes_nothing(host: Host, server: Server) -> None:
    """Entry and file stay as they were; deleted first, both are as announced."""
    call(server, "POST", "/port", a_port())
    renamed = a_port(**{"system-name": "tap-new"})
    assert call(server, "POST", "/port", renamed)[0] == 200
    assert server.agent.ports[PORT].system_name == host.file()["system-name"] == "tap11111111-22"
    call(server, "DELETE", f"/port/{PORT}")
    call(server, "POST", "/port", renamed)
    assert server.agent.ports[PORT].system_name == host.file()["system-name"] == "tap-new"
    assert set(host.data_plane.attached) == {"tap-new"}


def test_another_virtual_machine_replaces_the_entry_and_not_the_file(
    host: Host, server: Server
) -> None:
    """An agent that is started again has the old one."""
    call(server, "POST", "/port", a_port())
    call(server, "POST", "/port", a_port(**{"instance-id": OTHER}))
    assert server.agent.ports[PORT].instance_id == OTHER
    assert host.file()["instance-id"] == a_port()["instance-id"]


def test_a_file_that_cannot_be_written_is_a_port_that_is_not_there(
    host: Host, server: Server
) -> None:
    """The answer is success all the same."""
    for path in (host.directory / "vm", host.directory):
        path.rmdir()
    assert call(server, "POST", "/port", a_port())[0] == 200
    assert server.agent.ports == {}


def test_a_deletion_is_always_well(host: Host, server: Server) -> None:
    """Known or not, with its file or without; only in lower case."""
    call(server, "POST", "/port", a_port())
    for _ in range(2):
        assert call(server, "DELETE", f"/port/{PORT}") == (200, "OK", "{}")
    assert (server.agent.ports, host.files(), host.data_plane.attached) == ({}, set(), {})
    assert call(server, "DELETE", f"/port/{PORT[:-1]}A")[0] == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/port"), ("PUT", f"/port/{PORT}"), ("POST", "/port/"), ("GET", "/syncports")],
)
def test_an_unknown_request_is_so_called(server: Server, method: str, path: str) -> None:
    """Path and method must both be right."""
    assert call(server, method, path) == (404, "OK", '{"error":"Unknown Request"}')


def test_a_port_is_shown_once_the_control_node_knows_it(host: Host, server: Server) -> None:
    """With its prefix, gateway and resolver."""
    assert call(server, "GET", f"/port/{PORT}")[0] == 404
    call(server, "POST", "/port", a_port())
    assert call(server, "GET", f"/port/{PORT}") == (404, "OK", '{"error":"{ Not Found }"}')
    host.data_plane.networks[NETWORK] = [Ipam("10.0.0.0/24", "10.0.0.1", "10.0.0.2")]
    status, _, text = call(server, "GET", f"/port/{PORT}")
    shown = json.loads(text)
    assert (status, shown["ip-address"], shown["plen"]) == (200, "10.0.0.5", 24)
    assert (shown["gateway"], shown["dns-server"]) == ("10.0.0.1", "10.0.0.2")


def test_only_ports_of_other_hosts_are_enabled_and_disabled(host: Host, server: Server) -> None:
    """Type 2; its state is kept."""
    assert call(server, "PUT", f"/enable-port/{PORT}")[2] == (
        f'{{"error":"{{Port Not found {PORT}}}"}}'
    )
    call(server, "POST", "/port", a_port())
    assert call(server, "PUT", f"/disable-port/{PORT}")[0] == 500
    call(server, "POST", "/port", a_port(id=OTHER, type=2))
    assert host.file(OTHER)["link-state"] == 0
    assert call(server, "PUT", f"/enable-port/{OTHER}") == (200, "OK", "{}")
    assert host.file(OTHER)["link-state"] == 1


def test_files_are_loaded_at_start_where_the_interface_exists(host: Host) -> None:
    """A file whose interface is gone stays, unused; a name that begins with a UUID will do."""
    host.interfaces |= {"tap-b"}
    with serving(host.agent()) as server:
        for each, name in ((PORT, "tap11111111-22"), (OTHER, "tap-gone")):
            call(server, "POST", "/port", a_port(id=each, **{"system-name": name}))
    half_written = a_port(id=NETWORK, **{"system-name": "tap-b"})
    (host.directory / f"{NETWORK}.tmp").write_text(json.dumps(half_written))
    (host.directory / "readme").write_text("no port")
    with serving(host.agent()) as server:
        assert set(server.agent.ports) == {PORT, NETWORK}
    assert host.files() == {PORT, OTHER, f"{NETWORK}.tmp", "readme"}


def test_what_is_not_announced_again_after_syncports_is_removed(host: Host) -> None:
    """Entry and file go; ports of namespaces stay."""
    with serving(host.agent(stale_seconds=0.2)) as server:
        call(server, "POST", "/port", a_port())
        call(server, "POST", "/port", a_port(id=OTHER))
        call(server, "POST", "/port", a_port(id=NETWORK, type=1))
        assert call(server, "POST", "/syncports") == (200, "OK", "{}")
        call(server, "POST", "/port", a_port())
        assert eventually(lambda: OTHER not in server.agent.ports)
        assert set(server.agent.ports) == {PORT, NETWORK} == host.files()


def test_the_data_plane_does_not_answer_to_who_announces(host: Host, server: Server) -> None:
    """What goes wrong in there is kept for whoever looks."""
    host.data_plane.attach = lambda port: (_ for _ in ()).throw(OSError("no VRF"))  # type: ignore[method-assign]
    assert call(server, "POST", "/port", a_port())[0] == 200
    assert server.agent.troubles == ["tap11111111-22: no VRF"]
