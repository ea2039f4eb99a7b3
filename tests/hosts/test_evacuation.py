# SPDX-License-Identifier: Apache-2.0
"""Servers of a host that died, rebuilt on the other one."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from novadocker.cloud.layout.host import ComputeHost
from tests.hosts.moved import MOVE, Moved, act
from tests.support.cloud_site import Site, Tenant, until

ALL_PROTOCOLS = socket.htons(3)
RETURN = 240.0
NONE_HERE = "cat /root/file 2>/dev/null || echo none"


@pytest.fixture
def doomed(site: Site, owner: Tenant, web: str) -> Iterator[Moved]:
    """Return a server on the second host, which is back after the test."""
    first, second = site.layout.hosts[:2]
    (service,) = site.admin.compute.services(binary="nova-compute", host=first.name)
    site.admin.compute.disable_service(service)
    try:
        made = Moved(site, owner.boot(web))
    finally:
        site.admin.compute.enable_service(service)
    assert made.host.name == second.name
    made.run("echo lost > /root/file")
    yield made
    act("start", second)
    until(lambda: _is_up(site, second), "the second host to be up", RETURN)
    owner.delete(made.server)


def _is_up(site: Site, host: ComputeHost) -> bool:
    (service,) = site.admin.compute.services(binary="nova-compute", host=host.name)
    return bool(service.state == "up")


def _evacuate(moved: Moved) -> None:
    """Have a server rebuilt on the other host, and run there."""
    site, server = moved.site, moved.server
    lost, first = moved.host, site.host.name
    until(lambda: not _is_up(site, lost), "Nova to call the host down", RETURN)
    site.admin.compute.evacuate_server(server)
    until(lambda: moved.host.name == first, "the server to be on the first host", MOVE)
    until(lambda: not site.server(server).task_state, "the rebuild to end", MOVE)
    if site.server(server).status == "SHUTOFF":  # as newer microversions leave a server
        site.demo.compute.start_server(server)
    site.wait(server, "ACTIVE", MOVE)


@contextmanager
def _frames_of(mac: str, device: str) -> Iterator[list[bytes]]:
    """Collect frames that come out of a host's tunnel with an address in them.

    All devices are listened to: the cable of a killed host comes back with it.
    """
    wanted, found, ended = bytes.fromhex(mac.replace(":", "")), [], threading.Event()
    heard: list[bytes] = found

    def listen(sniffer: socket.socket) -> None:
        while not ended.is_set():
            try:
                frame, (name, _, kind, *_) = sniffer.recvfrom(65535)
            except TimeoutError:
                continue
            if name == device and kind != socket.PACKET_OUTGOING and wanted in frame[14:]:
                heard.append(frame)

    with closing(socket.socket(socket.AF_PACKET, socket.SOCK_RAW, ALL_PROTOCOLS)) as sniffer:
        sniffer.settimeout(0.2)
        listener = threading.Thread(target=listen, args=(sniffer,))
        listener.start()
        try:
            yield heard
        finally:
            ended.set()
            listener.join()


def test_a_lost_hosts_server_is_rebuilt_elsewhere(doomed: Moved) -> None:
    """An evacuated server has its address and none of its files; the old host gives up its own.

    The old host sends nothing by the server's address when it returns.
    """
    site, lost = doomed.site, doomed.host
    (port,) = site.ports(doomed.server)
    assert lost.cabling is not None
    act("kill", lost)
    _evacuate(doomed)
    assert doomed.run(NONE_HERE) == "none\n"
    (now,) = site.ports(doomed.server)
    assert (now.id, now.mac_address, now.fixed_ips) == (port.id, port.mac_address, port.fixed_ips)
    with _frames_of(port.mac_address, lost.cabling.tunnel(lost.number).plug) as frames:
        act("start", lost)
        until(lambda: doomed.container(lost) is None, "the old container to go", RETURN)
    assert frames == []
    doomed.assert_alone_on(site.host)
