# SPDX-License-Identifier: Apache-2.0
"""Traces of a living server in a cloud, none of which may be there afterwards."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import docker
import psutil

from novadocker.cloud.layout.host import ComputeHost
from novadocker.cloud.layout.layout import Layout
from novadocker.cloud.layout.settings import CONTRAIL
from novadocker.cloud.machine.command import entering, run
from novadocker.cloud.underlay import libvirt, opensdn

_LABEL = "novadocker.instance"
# Link names have room for no more of a port's id.
_PORT_DIGITS = 11


@dataclass(frozen=True)
class Subject:
    """Server with every id and address by which traces are found.

    Args:
        server: id in Nova.
        ports: the ids of its ports.
        addresses: floating addresses.
        kept: those of its ports that were there before it, and stay.
    """

    server: str
    ports: frozenset[str] = frozenset()
    addresses: frozenset[str] = frozenset()
    kept: frozenset[str] = frozenset()


def subject(cloud: Any, server: str, kept: Iterable[str] = ()) -> Subject:
    """Return the ids and addresses of a server as of now.

    Args:
        cloud: a connection as its tenant.
        server: id in Nova.
        kept: the ids of ports that are not to go with it.
    """
    ports = frozenset(port.id for port in cloud.network.ports(device_id=server))
    addresses = frozenset(
        address.floating_ip_address
        for address in floating_addresses(cloud)
        if address.port_id in ports
    )
    return Subject(server, ports, addresses, frozenset(kept))


def floating_addresses(cloud: Any) -> list[Any]:
    """Return the floating addresses of a user; none where the network has no routers.

    Args:
        cloud: a connection as that user.
    """
    if cloud.network.find_extension("router") is None:
        return []
    return list(cloud.network.ips())


def left(layout: Layout, admin: Any, subject: Subject) -> list[str]:
    """Return the traces of a server by name; a deleted server has none.

    Args:
        layout: the cloud.
        admin: a connection as its administrator.
        subject: the server.
    """
    hosts = [host for host in layout.hosts if host.real]
    return [
        *_records(admin, subject),
        *(trace for host in hosts for trace in _on_host(layout, host, subject)),
    ]


def _records(admin: Any, subject: Subject) -> Iterator[str]:
    if any(server.id == subject.server for server in admin.compute.servers(all_projects=True)):
        yield f"server {subject.server}"
    for port in admin.network.ports():
        if port.id in subject.ports - subject.kept or port.device_id == subject.server:
            yield f"Neutron port {port.id}"
    for address in floating_addresses(admin):
        if address.floating_ip_address in subject.addresses:
            yield f"floating address {address.floating_ip_address}"
    allocations = admin.placement.get(f"/allocations/{subject.server}").json()["allocations"]
    for provider in allocations:
        yield f"allocation of resource provider {provider}"


def _on_host(layout: Layout, host: ComputeHost, subject: Subject) -> Iterator[str]:
    for name in _containers(host, subject):
        yield f"container {name}"
    if subject.server in _machines(host):
        yield f"virtual machine {subject.server}"
    for tag in _snapshots(host, subject):
        yield f"image {tag}"
    links = _links(host)
    for port in sorted(subject.ports):
        yield from _at_network(layout, host, port)
        yield from (f"link {link}" for link in sorted(links) if port[:_PORT_DIGITS] in link)
    directory = host.nova_state / "instances" / subject.server
    if directory.exists():
        yield f"directory {directory}"


def _links(host: ComputeHost) -> set[str]:
    if host.namespace is None:
        return set(psutil.net_if_addrs())
    lines = run(*entering(host.namespace), "ip", "-oneline", "link").splitlines()
    return {line.split()[1].rstrip(":").partition("@")[0] for line in lines}


def _containers(host: ComputeHost, subject: Subject) -> list[str]:
    with closing(docker.APIClient(base_url=host.engine.url, version="auto")) as engine:
        filters = {"label": f"{_LABEL}={subject.server}"}
        return [found["Names"][0] for found in engine.containers(all=True, filters=filters)]


def _machines(host: ComputeHost) -> list[str]:
    if not host.has_machines:
        return []
    return run("virsh", "--connect", libvirt.uri(host), "list", "--all", "--uuid").split()


def _snapshots(host: ComputeHost, subject: Subject) -> list[str]:
    # An image that is committed from a container has its labels, until it is in Glance.
    with closing(docker.APIClient(base_url=host.engine.url, version="auto")) as engine:
        filters = {"label": f"{_LABEL}={subject.server}"}
        return [tag for found in engine.images(filters=filters) for tag in found["RepoTags"] or ()]


def _at_network(layout: Layout, host: ComputeHost, port: str) -> Iterator[str]:
    if layout.settings.network == CONTRAIL:
        if (announced := opensdn.ports_directory(host) / port).exists():
            yield f"port file {announced}"
    elif interface := _switch_interface(host, port):
        yield f"switch interface {interface}"


def _switch_interface(host: ComputeHost, port: str) -> str:
    return run(
        "ovs-vsctl",
        f"--db=unix:{host.switch_socket}",
        "--timeout=10",
        "--bare",
        "--columns=name",
        "find",
        "interface",
        f"external_ids:iface-id={port}",
    ).strip()
