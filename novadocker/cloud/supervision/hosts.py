# SPDX-License-Identifier: Apache-2.0
"""Services of a cloud with several hosts: management network, and the host of each service."""

import dataclasses
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import novadocker
from novadocker.cloud.config.common import Common
from novadocker.cloud.layout.host import LOOPBACK, ComputeHost
from novadocker.cloud.layout.layout import HOST, Layout
from novadocker.cloud.machine.command import Command, entering
from novadocker.cloud.supervision import readiness
from novadocker.cloud.supervision.service import Service, program_words

CENTRAL = "management"
_SOURCE = Path(novadocker.__file__).parent / "cloud/programs/forwarder.py"
# Ports of the control plane that no compute host has any business with.
_NOT_FORWARDED = {"epmd", "horizon", "mariadb", "openflow", "rabbitmq_nodes", "serial_proxy"}


def control_plane(common: Common) -> Iterable[Service]:
    """Yield the forwarder for hosts' connections to the control plane, if any."""
    layout = common.layout
    if layout.cabling is None:
        return
    words = (
        "--listen",
        layout.hosts[0].management_address,
        "--to",
        LOOPBACK,
        "--device",
        layout.cabling.management_hub,
        "--unix",
        str(layout.ports.southbound),
        layout.southbound.removeprefix("unix:"),
    )
    yield _forwarder(layout, CENTRAL, layout.run, words, ("hubs",))


def on_host(common: Common, host: ComputeHost) -> Iterable[Service]:
    """Yield the forwarder on a host's loopback, where the machine's own is out of reach."""
    if host.namespace is None:
        return
    words = ("--listen", LOOPBACK, "--to", common.layout.hosts[0].management_address)
    after = (CENTRAL, host.service("cables"))
    name = host.service(CENTRAL)
    yield inside(host, _forwarder(common.layout, name, host.run, words, after))


def owned(host: ComputeHost, service: Service) -> Service:
    """Return a service with a host's mark, by which processes are found."""
    environment = {**service.command.env, HOST: host.name}
    return _with(service, dataclasses.replace(service.command, env=environment))


def inside(host: ComputeHost, service: Service) -> Service:
    """Return a service of a host, run in the host's network namespace."""
    command = service.command
    argv = (*entering(host.namespace), *command.argv)
    placed = owned(host, _with(service, dataclasses.replace(command, argv=argv)))
    if host.namespace is None or command.name == host.service(CENTRAL):
        return placed
    # Without the forwarder a service would start, fail to reach anybody, and end.
    return dataclasses.replace(placed, after=(*placed.after, host.service(CENTRAL)))


def _forwarder(
    layout: Layout, name: str, run: Path, words: tuple[str, ...], after: tuple[str, ...]
) -> Service:
    ports = dataclasses.asdict(layout.ports)
    forwarded = [str(port) for each, port in ports.items() if each not in _NOT_FORWARDED]
    socket = run / "forwarder.sock"
    argv = (*program_words(layout, "forwarder"), *words, "--socket", str(socket), *forwarded)
    return Service(
        Command(name, argv),
        after=after,
        ready=partial(readiness.unix_socket, f"unix:{socket}"),
        sources=(_SOURCE,),
        wave=4,
    )


def _with(service: Service, command: Command) -> Service:
    return dataclasses.replace(service, command=command)
