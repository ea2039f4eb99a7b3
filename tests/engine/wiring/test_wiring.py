# SPDX-License-Identifier: Apache-2.0
"""Wiring on a real kernel and a real Open vSwitch, with the privileged daemons as in production.

The host's side is a network namespace of the tests' own, so that Open vSwitch's user-space
datapath, of which a namespace can have one, disturbs nobody's and is disturbed by none. A
container is stood in for by a process with user and network namespaces of its own.
"""

import contextlib
import json
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from nova.network import model

from novadocker.errors import WiringError
from novadocker.virt.docker.privileged import context as daemon
from novadocker.virt.docker.wiring import Wiring
from tests.engine.wiring.stand_in import Server, Switch, a_vif, run, talk
from tests.support.eventually import eventually

ROUNDS = 50
DESCRIPTORS_OF_CHANCE = 3


def test_a_container_gets_all_that_was_planned(
    wiring: Wiring, server: Callable[..., Server], switch: Switch
) -> None:
    """MAC, MTU, addresses of both families and all routes are there when the call returns."""
    one = server(a_vif(5), a_vif(6, nic=1))
    one.wire(wiring)
    state = one.state()
    assert state["links"]["lo"][2]
    assert state["links"]["eth0"] == ("fa:16:3e:00:00:05", 1442, True)
    assert state["links"]["eth1"] == ("fa:16:3e:00:01:06", 1442, True)
    assert {
        ("eth0", "10.0.0.5/24", "global"),
        ("eth0", "fd00::5/64", "global"),
        ("eth1", "10.1.0.6/24", "global"),
        ("eth1", "fd00:1::6/64", "global"),
    } <= state["addresses"]
    routes = {route[:3] for route in state["routes"]}
    assert {
        ("default", "10.0.0.1", "eth0"),
        ("default", "fd00::1", "eth0"),
        ("169.254.169.254", None, "eth0"),
        ("192.168.0.0/24", "10.0.0.254", "eth0"),
        ("192.168.1.0/24", "10.1.0.254", "eth1"),
    } <= routes
    assert ("default", "10.1.0.1", "eth1") not in routes
    assert {vif["devname"] for vif in one.network_info} <= set(switch.ports())


def test_any_user_may_ping_and_bind_low_ports(
    wiring: Wiring, server: Callable[..., Server]
) -> None:
    """Docker's liberties for networks of its own hold here too."""
    one = server(a_vif(5))
    one.wire(wiring)
    read = one.inside
    assert read(Path("/proc/sys/net/ipv4/ping_group_range").read_text).split()[0] == "0"
    assert read(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text) == "0\n"


@pytest.mark.parametrize("network", ["10.0.0.{}", "fd00::{}"])
def test_two_containers_speak_tcp_through_the_switch(
    wiring: Wiring, server: Callable[..., Server], network: str
) -> None:
    """The user-space datapath, without completion of checksums, carries TCP both ways."""
    one, other = server(a_vif(5)), server(a_vif(6))
    one.wire(wiring)
    other.wire(wiring)
    talk(one, other, network.format(5))
    talk(other, one, network.format(6))


def test_a_second_call_changes_nothing(wiring: Wiring, server: Callable[..., Server]) -> None:
    """A second wiring is a comparison only."""
    one = server(a_vif(5), a_vif(6, nic=1))
    assert one.wire(wiring).changes
    assert one.wire(wiring).changes == []


def test_a_muted_port_is_silent_and_kept(wiring: Wiring, server: Callable[..., Server]) -> None:
    """Nothing passes a muted port, through repairs too, until the port is opened again."""
    one, other = server(a_vif(5)), server(a_vif(6))
    one.wire(wiring)
    other.wire(wiring)
    before = one.state()
    wiring.mute(one.network_info, down=True)
    muted = replace(one.plan, nics=tuple(replace(nic, link_down=True) for nic in one.plan.nics))
    pid = one.process.pid
    assert wiring.ensure_wired(one.instance, one.network_info, muted, pid).changes == []
    with (
        one.inside(lambda: socket.create_server(("10.0.0.5", 80))),
        pytest.raises(OSError, match="timed out"),
    ):
        other.inside(socket.create_connection, ("10.0.0.5", 80), 2)
    wiring.mute(one.network_info, down=False)
    assert one.state() == before
    talk(one, other, "10.0.0.5")
    assert one.wire(wiring).changes == []


def test_what_is_detached_goes_and_what_is_attached_gets_a_free_name(
    wiring: Wiring, server: Callable[..., Server]
) -> None:
    """An interface keeps its name while its process runs, whatever its position becomes."""
    one = server(a_vif(5), a_vif(6, nic=1))
    one.wire(wiring)
    kept, added = one.network_info[1], a_vif(7, nic=2)
    wiring.unwire(one.instance, one.network_info[:1])
    one.network_info[:] = [kept, added]
    one.wire(wiring)
    links = one.state()["links"]
    assert links["eth1"][0] == kept["address"]
    assert links["eth0"][0] == added["address"]
    assert one.wire(wiring).changes == []


def test_an_interface_that_is_not_planned_is_taken_away(
    wiring: Wiring, server: Callable[..., Server]
) -> None:
    """An unplanned port loses the interface; the container's own interfaces stay."""
    one = server(a_vif(5), a_vif(6, "tap", nic=1))
    one.wire(wiring)
    one.ip("link", "add", "mine0", "type", "veth", "peer", "name", "mine1")
    del one.network_info[1]
    one.wire(wiring)
    assert set(one.state()["links"]) == {"lo", "eth0", "mine0", "mine1"}


def test_nothing_is_left_after_unwiring(
    wiring: Wiring, server: Callable[..., Server], switch: Switch
) -> None:
    """Port, host end and inner end go; a second call, without a container, is no error."""
    one = server(a_vif(5), a_vif(6, "tap", nic=1))
    devices = {vif["devname"] for vif in one.network_info}
    one.wire(wiring)
    one.unwire(wiring)
    assert set(one.state()["links"]) == {"lo"}
    assert not devices & {link["ifname"] for link in json.loads(run("ip", "-j", "link"))}
    assert not devices & set(switch.ports())
    one.end()
    one.unwire(wiring)


def test_a_port_whose_container_died_can_be_unwired(
    wiring: Wiring, server: Callable[..., Server], switch: Switch
) -> None:
    """The switch forgets a port though the kernel has taken the device already."""
    one = server(a_vif(5))
    one.wire(wiring)
    one.end()
    one.unwire(wiring)
    assert one.network_info[0]["devname"] not in switch.ports()


def test_hybrid_plug_goes_through_its_bridge(
    wiring: Wiring, server: Callable[..., Server], switch: Switch
) -> None:
    """With iptables_hybrid the host end is a port of qbr, and all devices go again."""
    vif = a_vif(5, ovs_hybrid_plug=True)
    one = server(vif)
    one.wire(wiring)
    assert one.wire(wiring).changes == []
    (link,) = json.loads(run("ip", "-j", "link", "show", vif["devname"]))
    assert link["master"] == f"qbr{vif['id']}"[:14]
    one.unwire(wiring)
    names = {link["ifname"] for link in json.loads(run("ip", "-j", "link"))}
    assert not {name for name in names if vif["id"][:11] in name}
    assert f"qvo{vif['id']}"[:14] not in switch.ports()


def test_a_process_of_another_container_is_not_wired(
    wiring: Wiring, server: Callable[..., Server]
) -> None:
    """A PID of another container is noticed by the control group."""
    one = server(a_vif(5))
    with pytest.raises(WiringError, match="is not of container"):
        wiring.ensure_wired(one.instance, one.network_info, one.plan, one.process.pid, "c" * 64)
    assert set(one.state()["links"]) == {"lo"}


def test_a_process_that_is_gone_is_named(wiring: Wiring, server: Callable[..., Server]) -> None:
    """The error names the missing process."""
    one = server(a_vif(5))
    one.end()
    with pytest.raises(WiringError, match=f"process {one.process.pid} is gone"):
        one.wire(wiring)


def test_sixteen_ports_are_wired_at_once(wiring: Wiring, server: Callable[..., Server]) -> None:
    """Every port gets its interface, and no part of the work is done twice."""
    one = server(*(a_vif(5, nic=nic) for nic in range(16)))
    one.wire(wiring)
    assert set(one.state()["links"]) == {"lo", *(f"eth{nic}" for nic in range(16))}
    assert one.wire(wiring).changes == []


def _odd(mtu: int, *subnets: tuple[str, str, str]) -> model.VIF:
    vif = a_vif(5, "tap")
    vif["network"]["meta"]["mtu"] = mtu
    vif["network"]["subnets"] = [
        model.Subnet(
            cidr=cidr,
            ips=[model.FixedIP(address=address)],
            gateway=model.IP(address=gateway, type="gateway"),
        )
        for cidr, address, gateway in subnets
    ]
    return vif


def _odd_routes(*destinations: str) -> model.VIF:
    vif = _odd(1442, ("10.0.0.0/24", "10.0.0.5", "10.0.0.1"))
    gateway = model.IP(address="10.0.0.9", type="gateway")
    routes = [model.Route(cidr=cidr, gateway=gateway) for cidr in destinations]
    vif["network"]["subnets"][0]["routes"] = routes
    return vif


@pytest.mark.parametrize(
    ("vif", "routes"),
    [
        (_odd(1442, ("10.0.0.5/32", "10.0.0.5", "169.254.0.1")), ["default via 169.254.0.1"]),
        (_odd(1442, ("10.0.0.4/31", "10.0.0.5", "10.0.0.4")), ["default via 10.0.0.4"]),
        (_odd(1442, ("10.0.0.0/24", "10.0.0.5", "10.9.9.9")), ["default via 10.9.9.9"]),
        (_odd(1442, ("fd00::/64", "fd00::5", "fe80::1")), ["default via fe80::1"]),
        (_odd(1442, ("fd00::/64", "fd00::5", "fd09::1")), ["default via fd09::1"]),
        (_odd(1442, ("fd00::5/128", "fd00::5", "fd00::1")), ["default via fd00::1"]),
        (_odd_routes("10.0.0.0/24", "192.168.0.0/16"), ["default via 10.0.0.1"]),
        (_odd(9000, ("fd00::/64", "fd00::5", "fd00::1")), ["default via fd00::1"]),
        (
            _odd(
                1200, ("10.0.0.0/24", "10.0.0.5", "10.0.0.1"), ("fd00::/64", "fd00::5", "fd00::1")
            ),
            ["default via 10.0.0.1"],
        ),
    ],
)
def test_odd_subnets_are_settled_at_once_and_for_good(
    wiring: Wiring, server: Callable[..., Server], vif: model.VIF, routes: list[str]
) -> None:
    """The kernel takes the plan, and shows the same again."""
    one = server(vif)
    one.wire(wiring)
    found = [f"{to} via {via}" for to, via, *_ in one.state()["routes"] if to == "default"]
    assert found == routes
    assert one.wire(wiring).changes == []


def test_a_port_that_is_bound_no_more_loses_its_host_end(
    wiring: Wiring, server: Callable[..., Server]
) -> None:
    """Neutron may forget a binding before the server is deleted."""
    vif = a_vif(5, "tap")
    one = server(vif)
    one.wire(wiring)
    wiring.unwire(one.instance, [model.VIF(**vif | {"type": "unbound"})])
    assert set(one.state()["links"]) == {"lo"}


def test_servers_are_wired_at_once(wiring: Wiring, server: Callable[..., Server]) -> None:
    """Calls for different servers do not disturb one another."""
    servers = [server(a_vif(number)) for number in range(5, 13)]
    with ThreadPoolExecutor(len(servers)) as pool:
        list(pool.map(lambda one: one.wire(wiring), servers))
    for one in servers:
        assert one.wire(wiring).changes == []
    talk(servers[0], servers[-1], "10.0.0.5")


def _descriptors() -> dict[str, int]:
    """Count the descriptors of this process and of the namespace's privileged daemons."""
    counts = {"self": len(list(Path("/proc/self/fd").iterdir()))}
    here = Path("/proc/thread-self/ns/net").stat().st_ino
    for process in Path("/proc").glob("[0-9]*"):
        # Processes of others end while we look; the daemons do not.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            words = (process / "cmdline").read_bytes().split(b"\0")
            if b"--privsep_context" in words and (process / "ns/net").stat().st_ino == here:
                context = words[words.index(b"--privsep_context") + 1].decode()
                counts[context] = len(list((process / "fd").iterdir()))
    return counts


def test_wiring_and_unwiring_leaks_no_descriptor(
    wiring: Wiring, server: Callable[..., Server]
) -> None:
    """Neither nova-compute's process nor the daemons grow, and nothing stays on the host."""
    one = server(a_vif(5))
    one.wire(wiring)
    one.unwire(wiring)
    links, before = run("ip", "-brief", "link"), _descriptors()
    assert {"self", "vif_plug_ovs.privsep.vif_plug", daemon.context.pypath} <= set(before)
    for _ in range(ROUNDS):
        one.wire(wiring)
        one.unwire(wiring)
    after = _descriptors()
    assert all(after[name] <= before[name] + DESCRIPTORS_OF_CHANCE for name in before), after
    assert run("ip", "-brief", "link") == links


def test_a_stream_goes_on_while_neighbours_come_and_go(
    wiring: Wiring, server: Callable[..., Server]
) -> None:
    """Nothing is sent again for a neighbour's sake, nor for a look at a sound network."""
    one, other = server(a_vif(5)), server(a_vif(6))
    for each in (one, other):
        each.wire(wiring)
    with one.inside(lambda: socket.create_server(("10.0.0.5", 80))) as listener:
        listener.settimeout(10)
        with other.inside(socket.create_connection, ("10.0.0.5", 80), 10) as client:
            conversation, _ = listener.accept()
            conversation.settimeout(10)
            with conversation, conversation.makefile("rb") as heard:
                before = _lost(one, other)
                for _ in range(3):
                    neighbour = server(a_vif(7), a_vif(7, "tap", nic=1))
                    for step in (neighbour.wire, one.wire, other.wire, neighbour.unwire):
                        client.sendall(b"x" * 4000)
                        step(wiring)
                        assert len(heard.read(4000)) == 4000
                assert eventually(lambda: _lost(one, other) == before), _lost(one, other)


def _lost(*servers: Server) -> list[int]:
    """Return how many segments of each were lost.

    They are those that it sent again, but for those of which the other end says (RFC 2883)
    that it had them: on a busy machine a sender loses its patience.
    """
    return [
        _counted(each, "snmp", "Tcp:", "RetransSegs")
        - _counted(each, "netstat", "TcpExt:", "TCPDSACKRecv")
        for each in servers
    ]


def _counted(server: Server, file: str, protocol: str, name: str) -> int:
    text = server.inside(Path("/proc/thread-self/net", file).read_text)
    names, values = (line.split() for line in text.splitlines() if line.startswith(protocol))
    return int(dict(zip(names, values, strict=True))[name])
