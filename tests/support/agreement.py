# SPDX-License-Identifier: Apache-2.0
"""Agreement of a server's state, container, network and Placement."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import docker.errors
from nova.compute import power_state

from tests.support.cloud_site import Site

# Link names have room for no more of a port's id.
PORT_DIGITS = 11
MARK = "/root/mark"
# Of a server in each status: its power state and its container's state.
STATES = {
    "ACTIVE": (power_state.RUNNING, "running"),
    "RESCUE": (power_state.RUNNING, "running"),
    "PAUSED": (power_state.PAUSED, "paused"),
    "SHUTOFF": (power_state.SHUTDOWN, "exited"),
}
GONE = "SHELVED_OFFLOADED"


@dataclass
class Belief:
    """Expected state of a server.

    Args:
        server: id of the server.
        status: as its tenant sees it.
        flavor: name of its flavor.
        powered: the process runs; used where the status does not tell.
        ports: how many it has.
        metadata: metadata set by the walk.
        mark: content of a file in it; empty where there is none.
    """

    server: str
    status: str = "ACTIVE"
    flavor: str = "c1.nano"
    powered: bool = True
    ports: int = 1
    metadata: dict[str, str] = field(default_factory=dict)
    mark: str = ""

    @property
    def running(self) -> bool:
        """Expectation of a running process, not frozen."""
        return self.status in ("ACTIVE", "RESCUE") or (
            self.status == "VERIFY_RESIZE" and self.powered
        )

    @property
    def container(self) -> str:
        """Name of the server's container at the moment."""
        rescue = "-rescue" if self.status == "RESCUE" else ""
        return f"nova-{self.server}{rescue}"


def disagreements(site: Site, standing: str, belief: Belief) -> list[str]:
    """Return the differences of a server from the expectation.

    Args:
        site: the cloud.
        standing: another server, which asks it for its page.
        belief: expected state.
    """
    return [
        *_record(site, belief),
        *_container(site, belief),
        *_network(site, standing, belief),
        *_files(site, belief),
        *_placement(site, belief),
    ]


def _expected(belief: Belief) -> tuple[int, str]:
    if belief.status == "VERIFY_RESIZE":
        return STATES["ACTIVE" if belief.powered else "SHUTOFF"]
    return STATES[belief.status]


def _record(site: Site, belief: Belief) -> Iterator[str]:
    server = site.server(belief.server)
    if (server.status, server.task_state) != (belief.status, None):
        yield f"it is {server.status} with task {server.task_state}, not {belief.status}"
    if belief.status != GONE and server.power_state != _expected(belief)[0]:
        yield f"its power state is {server.power_state}, not {_expected(belief)[0]}"
    if not belief.metadata.items() <= server.metadata.items():
        yield f"its metadata are {server.metadata}, not {belief.metadata}"


def _container(site: Site, belief: Belief) -> Iterator[str]:
    found = {
        name: state["State"]["Status"]
        for name in (f"nova-{belief.server}", f"nova-{belief.server}-rescue")
        if (state := _inspect(site, name))
    }
    expected = {} if belief.status == GONE else {belief.container: _expected(belief)[1]}
    if belief.status == "RESCUE":
        expected[f"nova-{belief.server}"] = "running"  # held at its gate
    if found != expected:
        yield f"its containers are {found}, not {expected}"
    elif found:
        limits = _inspect(site, belief.container)["HostConfig"]
        flavor = site.demo.compute.find_flavor(belief.flavor)
        if (limits["Memory"], limits["NanoCpus"]) != (flavor.ram << 20, flavor.vcpus * 10**9):
            yield f"its limits are {limits['Memory']}, {limits['NanoCpus']}, not {belief.flavor}'s"


def _inspect(site: Site, name: str) -> Any:
    try:
        return site.engine.inspect_container(name)
    except docker.errors.NotFound:
        return None


def _network(site: Site, standing: str, belief: Belief) -> Iterator[str]:
    ports = site.ports(belief.server)
    if len(ports) != belief.ports:
        yield f"it has {len(ports)} ports, not {belief.ports}"
    plugged = belief.running or belief.status == "PAUSED"
    links, switch = _links(), _switch_ports(site)
    for port in ports:
        name = f"tap{port.id[:PORT_DIGITS]}"
        if (name in links, name in switch) != (plugged, plugged):
            yield f"{name}: link {name in links}, in the switch {name in switch}, not {plugged}"
    if belief.running:
        if not site.reaches(standing, site.fixed_address(belief.server)):
            yield "its page does not answer"
        inside = _run(site, belief, "cat /sys/class/net/eth*/address").split()
        if sorted(inside) != sorted(port.mac_address for port in ports):
            yield f"its interfaces are {inside}, not those of its ports"


def _links() -> set[str]:
    shown = subprocess.run(["ip", "-o", "link"], check=True, capture_output=True, text=True)
    return {line.split(": ")[1].partition("@")[0] for line in shown.stdout.splitlines()}


def _switch_ports(site: Site) -> set[str]:
    bridge = site.host.integration_bridge
    command = ["ovs-vsctl", f"--db=unix:{site.host.switch_socket}", "list-ports", bridge]
    return set(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())


def _files(site: Site, belief: Belief) -> Iterator[str]:
    if belief.running:
        path = f"/rescue{MARK}" if belief.status == "RESCUE" else MARK
        found = _run(site, belief, f"cat {path} 2>/dev/null || true").strip()
        if found != belief.mark:
            yield f"its file says {found!r}, not {belief.mark!r}"


def mark(site: Site, belief: Belief) -> None:
    """Write a file into a server."""
    _run(site, belief, f"echo {belief.mark} > {MARK}")


def _run(site: Site, belief: Belief, line: str) -> str:
    return site.run(belief.container.removeprefix("nova-"), "sh", "-c", line)


def _placement(site: Site, belief: Belief) -> Iterator[str]:
    answer = site.admin.placement.get(f"/allocations/{belief.server}").json()
    found = [each["resources"] for each in answer["allocations"].values()]
    flavor = site.demo.compute.find_flavor(belief.flavor)
    resources = {"VCPU": flavor.vcpus, "MEMORY_MB": flavor.ram, "DISK_GB": flavor.disk}
    expected = [] if belief.status == GONE else [resources]
    if found != expected:
        yield f"Placement has {found}, not {expected}"
