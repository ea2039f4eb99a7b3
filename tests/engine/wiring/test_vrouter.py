# SPDX-License-Identifier: Apache-2.0
"""Ports of Contrail: the vRouter agent's double, and veth pairs of a real kernel."""

import http.server
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from nova.network import model

from novadocker.errors import WiringError
from novadocker.virt.docker.wiring import Wiring
from tests.engine.wiring.contrail_ports import device_of, port_of
from tests.engine.wiring.stand_in import Server, run
from tests.engine.wiring.vrouter_host import ADDRESS, VRouterHost

pytestmark = pytest.mark.usefixtures("agent_left_empty")


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
    """A second announcement changes nothing at the agent, and the file stays untouched."""
    one.wire(wiring)
    path = vrouter.directory / port_of(one)
    before, entry = _written(path), vrouter.ports
    vrouter.calls.clear()
    assert one.wire(wiring).changes == []
    assert vrouter.calls == ["POST /port"]
    assert (_written(path), vrouter.ports) == (before, entry)


def _written(path: Path) -> tuple[int, ...]:
    """Identify a file and the last change, but not the last reading."""
    now = path.stat()
    return (now.st_ino, now.st_size, now.st_mtime_ns, now.st_ctime_ns)


def test_nothing_is_left_of_a_port(wiring: Wiring, vrouter: VRouterHost, one: Server) -> None:
    """Entry, file and host end go at the first call; a second is no error."""
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
    """A changed port is deleted at the agent before the new announcement."""
    one.wire(wiring)
    one.network_info[0]["network"]["subnets"][0]["ips"][0]["address"] = "10.0.0.77"
    one.wire(wiring)
    assert (
        vrouter.ports[port_of(one)].ip4 == "10.0.0.77" == vrouter.file(port_of(one))["ip-address"]
    )


def test_a_project_that_is_no_uuid_is_refused(
    wiring: Wiring, vrouter: VRouterHost, one: Server
) -> None:
    """A project id that is no UUID is refused, since the agent would silently take none."""
    one.instance.project_id = "ldap-people"
    with pytest.raises(WiringError, match="its project, 'ldap-people', is no UUID"):
        one.wire(wiring)
    one.unwire(wiring)


@pytest.mark.parametrize("name", ["a --oper=delete", 'say "hi"', "новая\n--uuid", "-"])
def test_a_name_is_no_argument(
    wiring: Wiring, vrouter: VRouterHost, one: Server, name: str
) -> None:
    """A server's name reaches the agent as data, however odd."""
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
    """The agent of this host is asked without a proxy of the environment's."""
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
    """A refusal is told in the words of the agent, or of another program at port 9091."""

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
