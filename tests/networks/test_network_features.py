# SPDX-License-Identifier: Apache-2.0
"""Neutron's features for ports, the same for containers as for virtual machines."""

import contextlib
import json
import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from novadocker.cloud.layout.settings import CONTRAIL, OVS
from novadocker.cloud.machine import packages
from novadocker.virt.docker.privileged import namespace
from tests.support.cloud_site import (
    Site,
    Tenant,
    page,
    until,
)

V4, V6 = "10.88.0.0/24", "fd88::/64"
SHARED = "10.88.0.200"
GROUP = "239.1.2.3"
PROGRAMS = {"udhcpc": "udhcpc", "curl": "curl", "ping": "iputils-ping"}


@pytest.fixture(scope="module", autouse=True)
def _neutrons_own(site: Site) -> None:
    if site.layout.settings.network == CONTRAIL:
        pytest.skip(f"this cloud's network is {site.layout.settings.network}")
    packages.ensure(PROGRAMS)


@pytest.fixture(scope="module")
def group(owner: Tenant) -> str:
    """Security group without a rule."""
    return owner.group()


@pytest.fixture(scope="module")
def servers(site: Site, owner: Tenant, web: str, group: str) -> Iterator[tuple[str, str]]:
    """Two servers on a network with both families."""
    net = site.demo.network
    name = owner.network(V4, routed=True)
    made = net.find_network(name)
    subnet = net.create_subnet(
        name=f"{name}-6",
        network_id=made.id,
        ip_version=6,
        cidr=V6,
        ipv6_address_mode="slaac",
        ipv6_ra_mode="slaac",
    )
    router = net.find_router("router")
    with contextlib.ExitStack() as undo:
        net.add_interface_to_router(router, subnet_id=subnet.id)
        undo.callback(net.remove_interface_from_router, router, subnet_id=subnet.id)
        pair = [owner.request(web, networks=(name,), groups=(group,)) for _ in range(2)]
        for server in pair:
            undo.callback(owner.delete, server)
        for server in pair:
            site.wait(server, "ACTIVE")
        yield pair[0], pair[1]


@pytest.fixture(scope="module")
def floating(site: Site, servers: tuple[str, str]) -> str:
    """The floating address of the second server."""
    return site.give_address(servers[1])


def port_of(site: Site, server: str) -> Any:
    """Return a server's only port."""
    (port,) = site.ports(server)
    return port


def address_of(site: Site, server: str, family: str) -> str:
    """Return a server's address of a family."""
    addresses = [each["ip_address"] for each in port_of(site, server).fixed_ips]
    return next(each for each in addresses if (":" in each) == (family == "IPv6"))


def url_of(site: Site, server: str, family: str) -> str:
    """Return the URL of a server's page."""
    address = address_of(site, server, family)
    return f"http://[{address}]/" if ":" in address else f"http://{address}/"


def pid(site: Site, server: str) -> int:
    """Return a server's first process."""
    return int(site.container(server)["State"]["Pid"])


def within(site: Site, server: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a program of the host in a server's network namespace."""
    enter = ("nsenter", f"--net=/proc/{pid(site, server)}/ns/net")
    return subprocess.run((*enter, *words), check=False, capture_output=True, text=True, timeout=30)


def gets(site: Site, server: str, url: str) -> str:
    """Return a server's answer from a URL, or nothing."""
    done = within(site, server, "curl", "-s", "--globoff", "--max-time", "2", url)
    return done.stdout


@contextlib.contextmanager
def rule(site: Site, group: str, **values: Any) -> Iterator[None]:
    """Let something in for a while."""
    net = site.demo.network
    made = net.create_security_group_rule(
        security_group_id=net.find_security_group(group).id, direction="ingress", **values
    )
    try:
        yield
    finally:
        net.delete_security_group_rule(made)


WEB = {"protocol": "tcp", "port_range_min": 80, "port_range_max": 80}


@pytest.mark.parametrize("family", ["IPv4", "IPv6"])
def test_a_group_lets_its_own_members_in(
    site: Site, servers: tuple[str, str], group: str, family: str
) -> None:
    """A rule that names a group holds at once for running servers, and ends with the rule."""
    one, other = servers
    url = url_of(site, other, family)
    members = site.demo.network.find_security_group(group).id
    assert not gets(site, one, url)
    with rule(site, group, ether_type=family, remote_group_id=members, **WEB):
        until(lambda: gets(site, one, url), "a member to be let in")
    until(lambda: not gets(site, one, url), "the rule to end")


def test_what_a_server_began_is_answered(
    site: Site, servers: tuple[str, str], floating: str, group: str
) -> None:
    """Groups know conversations: nobody is let in, and answers to the server are.

    It leaves by its floating address, or without one by the router's.
    """
    one, other = servers
    router = site.demo.network.find_router("router")
    outside = router.external_gateway_info["external_fixed_ips"][0]["ip_address"]
    until(lambda: source_of(site, one) == outside, f"{outside} to be its source")
    until(lambda: source_of(site, other) == floating, f"{floating} to be its source")


def source_of(site: Site, server: str) -> str:
    """Return a server's address in the world outside, or nothing without an answer."""
    gateway = str(site.layout.public_gateway.ip)
    with socket.create_server((gateway, 0)) as listener:
        listener.settimeout(5)
        seen: list[str] = []
        answering = threading.Thread(target=_answer, args=(listener, seen))
        answering.start()
        answer = gets(site, server, f"http://{gateway}:{listener.getsockname()[1]}/")
        answering.join()
    return seen[0] if answer == "well" else ""


def _answer(listener: socket.socket, seen: list[str]) -> None:
    with contextlib.suppress(TimeoutError):
        conversation, (address, _) = listener.accept()
        with conversation:
            seen.append(address)
            conversation.recv(4096)
            conversation.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nwell")


def test_a_floating_address_leads_in_as_far_as_the_group_does(
    site: Site, servers: tuple[str, str], floating: str, group: str
) -> None:
    """Ping and page pass by a rule each."""

    def pings() -> bool:
        words = ("ping", "-c", "1", "-W", "1", floating)
        return subprocess.run(words, check=False, capture_output=True).returncode == 0

    assert not pings()
    with rule(site, group, ether_type="IPv4", protocol="icmp"):
        until(pings, "a ping to be answered")
        with pytest.raises(pytest.fail.Exception):
            page(floating, patience=1)
    with rule(site, group, ether_type="IPv4", **WEB):
        page(floating)
        until(lambda: not pings(), "the other rule to end")


def test_servers_meet_by_floating_addresses(
    site: Site, servers: tuple[str, str], floating: str, group: str
) -> None:
    """Servers of a router reach each other by floating addresses, and are seen by the own."""
    one, _ = servers
    net = site.demo.network
    (port,) = site.ports(one)
    own = net.create_ip(floating_network_id=net.find_network("public").id, port_id=port.id)
    try:
        with rule(site, group, ether_type="IPv4", remote_ip_prefix=own.floating_ip_address, **WEB):
            until(lambda: gets(site, one, f"http://{floating}/"), "a page by floating addresses")
    finally:
        net.delete_ip(own)


def test_an_address_that_is_not_the_ports_own(
    site: Site, servers: tuple[str, str], group: str
) -> None:
    """An added address is silent until among the port's allowed pairs, or without port security."""
    one, other = servers
    port, url = port_of(site, other), f"http://{SHARED}/"
    within(site, other, "ip", "address", "add", f"{SHARED}/24", "dev", "eth0")
    update = site.demo.network.update_port
    with rule(site, group, ether_type="IPv4", **WEB):
        assert not gets(site, one, url)
        update(port, allowed_address_pairs=[{"ip_address": SHARED}])
        until(lambda: gets(site, one, url), "the allowed address to answer")
        update(port, allowed_address_pairs=[])
        until(lambda: not gets(site, one, url), "the address to be silent")
    groups = port.security_group_ids
    update(port, security_groups=[], port_security_enabled=False)
    until(lambda: gets(site, one, url), "a port without security to answer")
    update(port, port_security_enabled=True, security_groups=groups)
    until(lambda: not gets(site, one, url), "the port to be secured")
    within(site, other, "ip", "address", "delete", f"{SHARED}/24", "dev", "eth0")


def kernel_polices() -> bool:
    """Tell whether the kernel can limit an interface's intake."""
    device = "nd-police"
    steps = (
        ("ip", "link", "add", device, "type", "dummy"),
        ("tc", "qdisc", "add", "dev", device, "ingress"),
        ("tc", "filter", "add", "dev", device, "parent", "ffff:", "basic", *POLICE),
    )
    try:
        done = [subprocess.run(step, check=False, capture_output=True) for step in steps]
    finally:
        subprocess.run(("ip", "link", "delete", device), check=False, capture_output=True)
    return not any(each.returncode for each in done)


POLICE = ("police", "rate", "1mbit", "burst", "10k", "drop")


def test_a_limit_of_bandwidth_holds(site: Site, servers: tuple[str, str], group: str) -> None:
    """A port's sending is slowed down under a policy."""
    if site.layout.settings.network == OVS and not kernel_polices():
        pytest.skip("the Open vSwitch agent limits by what this kernel was built without")
    one, other = servers
    site.run(other, "sh", "-c", "head -c 400000 /dev/zero > /www/big || true")
    admin, port = site.admin.network, port_of(site, other)
    policy = admin.create_qos_policy(name="test-slow")
    admin.create_qos_bandwidth_limit_rule(
        policy, max_kbps=1000, max_burst_kbps=100, direction="egress"
    )
    url = url_of(site, other, "IPv4") + "big"
    try:
        with rule(site, group, ether_type="IPv4", **WEB):
            until(lambda: gets(site, one, url_of(site, other, "IPv4")), "the page")
            fast = _seconds(site, one, url)
            admin.update_port(port.id, qos_policy_id=policy.id)
            until(lambda: _seconds(site, one, url) > max(4 * fast, 1.0), "the limit to hold")
            admin.update_port(port.id, qos_policy_id=None)
            until(lambda: _seconds(site, one, url) < 1.0, "the limit to end")
    finally:
        admin.update_port(port.id, qos_policy_id=None)
        admin.delete_qos_policy(policy)


def _seconds(site: Site, server: str, url: str) -> float:
    began = time.monotonic()
    within(site, server, "curl", "-s", "-o", "/dev/null", "--max-time", "8", url)
    return time.monotonic() - began


def test_multicast_reaches_the_network(site: Site, servers: tuple[str, str], group: str) -> None:
    """A datagram to a multicast group arrives at the members."""
    one, other = servers
    own = {server: address_of(site, server, "IPv4") for server in servers}

    def receiver() -> socket.socket:
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.bind(("", 5000))
        membership = socket.inet_aton(GROUP) + socket.inet_aton(own[other])
        made.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
        made.settimeout(1)
        return made

    def send() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            out = socket.inet_aton(own[one])
            sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, out)
            sender.sendto(b"hear", (GROUP, 5000))

    def heard() -> bool:
        with contextlib.suppress(TimeoutError):
            _inside(site, one, send)
            return bool(listening.recv(16) == b"hear")
        return False

    udp = {"protocol": "udp", "port_range_min": 5000, "port_range_max": 5000}
    with (
        rule(site, group, ether_type="IPv4", **udp),
        contextlib.closing(_inside(site, other, receiver)) as listening,
    ):
        until(heard, "the datagram")


def _inside(site: Site, server: str, work: Any) -> Any:
    with namespace.held(pid(site, server), site.container(server)["Id"]) as target:
        return namespace.inside(target, work)


def test_a_client_of_dhcp_gets_what_the_port_has(site: Site, servers: tuple[str, str]) -> None:
    """An image's own DHCP client gets the present address."""
    one, _ = servers
    words = ("udhcpc", "-f", "-q", "-n", "-t", "5", "-i", "eth0", "-s", "/bin/true")
    done = within(site, one, *words)
    assert f"lease of {address_of(site, one, 'IPv4')} obtained" in done.stderr + done.stdout


@pytest.mark.parametrize("host", ["169.254.169.254", "[fe80::a9fe:a9fe%25eth0]"])
def test_metadata_answers_by_both_families(site: Site, servers: tuple[str, str], host: str) -> None:
    """Metadata of the asking server answer by IPv4 and IPv6."""
    one, _ = servers
    url = f"http://{host}/openstack/latest/meta_data.json"
    found = until(lambda: gets(site, one, url), "the metadata")
    assert json.loads(found)["uuid"] == one


def test_what_fills_the_mtu_arrives_in_one_piece(
    site: Site, servers: tuple[str, str], group: str
) -> None:
    """A packet of the MTU's size arrives whole; a byte more is refused at the sender."""
    one, other = servers
    address = address_of(site, other, "IPv4")
    mtu = site.demo.network.get_network(port_of(site, other).network_id).mtu

    def pings(size: int) -> bool:
        words = ("ping", "-c", "1", "-W", "1", "-M", "do", "-s", str(size - 28), address)
        return within(site, one, *words).returncode == 0

    with rule(site, group, ether_type="IPv4", protocol="icmp"):
        until(lambda: pings(mtu), "the largest packet")
        assert not pings(mtu + 1)


def test_a_restart_of_nova_compute_loses_no_packet(
    site: Site, servers: tuple[str, str], group: str
) -> None:
    """A starting nova-compute looks at all networks and touches no sound one."""
    one, other = servers
    address = address_of(site, other, "IPv4")
    enter = ("nsenter", f"--net=/proc/{pid(site, one)}/ns/net")
    with rule(site, group, ether_type="IPv4", protocol="icmp"):
        until(lambda: within(site, one, "ping", "-c", "1", address).returncode == 0, "a ping")
        words = (*enter, "ping", "-q", "-i", "0.01", address)
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as pinging:
            try:
                site.restart("nova-compute")
                time.sleep(5)  # its first look at the servers' networks
            finally:
                pinging.send_signal(signal.SIGINT)
            told = pinging.communicate()[0]
    sent, received = map(int, re.findall(r"(\d+) (?:packets transmitted|received)", told))
    assert sent > 500, told
    assert sent == received, told
