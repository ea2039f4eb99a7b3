# SPDX-License-Identifier: Apache-2.0
"""Site of the tests of a whole cloud, seen as tenant, administrator and operator."""

import contextlib
import io
import threading
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from openstack.exceptions import NotFoundException

from novadocker.cloud.config.common import Common
from novadocker.cloud.layout import credentials
from novadocker.cloud.layout.host import ComputeHost
from novadocker.cloud.layout.layout import Layout
from novadocker.cloud.machine import remains_of_server
from novadocker.cloud.supervision import services, starting, supervisor
from novadocker.cloud.supervision.service import Service

PATIENCE = 90
PAUSE = 0.2
UNBUILT = ("BUILD", "REBUILD")


def until(condition: Callable[[], Any], what: str, patience: float = PATIENCE) -> Any:
    """Wait for something to be true and return it."""
    deadline = time.monotonic() + patience
    while not (found := condition()):
        if time.monotonic() > deadline:
            pytest.fail(f"waited {patience:.0f} s for {what}")
        time.sleep(PAUSE)
    return found


@dataclass
class Site:
    """One running cloud."""

    layout: Layout
    admin: Any
    demo: Any
    engine: Any

    @property
    def host(self) -> ComputeHost:
        """The compute host with the Docker Engine."""
        return self.layout.hosts[0]

    # Servers, as their tenant sees them

    def server(self, server: str) -> Any:
        """Return a server as it is now."""
        return self.demo.compute.get_server(server)

    def wait(self, server: str, status: str, patience: float = PATIENCE) -> Any:
        """Wait until a server has a status and nothing is being done to it."""

        def reached() -> Any:
            now = self.server(server)
            if now.status == "ERROR" != status:
                pytest.fail(f"server is in ERROR: {self.fault(server)}")
            return now if now.status == status and not now.task_state else None

        return until(reached, f"server {server} to be {status}", patience)

    def fault(self, server: str) -> str:
        """Return the message of a server's fault."""
        return str((self.server(server).fault or {}).get("message", ""))

    def refusal(self, server: str, action: str) -> str:
        """Wait until a server's newest action of a kind has failed, and return the reason."""

        def failed() -> str:
            actions = self.demo.compute.server_actions(server)
            newest = next((each for each in actions if each.action == action), None)
            if newest is None:
                return ""
            whole = self.demo.compute.get_server_action(newest.request_id, server)
            events = whole.events or []
            return next((each["details"] or "" for each in events if each["result"] == "Error"), "")

        return str(until(failed, f"{action} to be refused"))

    def console(self, server: str) -> str:
        """Return a server's console log."""
        return str(self.demo.compute.get_server_console_output(server)["output"])

    def fixed_address(self, server: str, network: str = "private") -> str:
        """Return a server's own address on a network."""
        addresses = self.server(server).addresses[network]
        return next(each["addr"] for each in addresses if each["OS-EXT-IPS:type"] == "fixed")

    def ports(self, server: str) -> list[Any]:
        """Return a server's ports."""
        return list(self.demo.network.ports(device_id=server))

    def give_address(self, server: str) -> str:
        """Give a server a floating address."""
        public = self.demo.network.find_network("public")
        (port,) = self.ports(server)
        made = self.demo.network.create_ip(floating_network_id=public.id, port_id=port.id)
        return str(made.floating_ip_address)

    # Servers, as the operator of their host sees them

    def container(self, server: str) -> Any:
        """Return what the engine says of a server's container."""
        return self.engine.inspect_container(f"nova-{server}")

    def run(self, server: str, *argv: str) -> str:
        """Run a program inside a server and return the output."""
        made = self.engine.exec_create(f"nova-{server}", list(argv))
        output = self.engine.exec_start(made["Id"]).decode(errors="replace")
        code = self.engine.exec_inspect(made["Id"])["ExitCode"]
        assert code == 0, f"{argv} ended with {code}: {output}"
        return output

    def reaches(self, server: str, address: str) -> bool:
        """Say whether the web server at an address answers to a server."""
        made = self.engine.exec_create(
            f"nova-{server}", ["timeout", "3", "wget", "-q", "-O", "-", f"http://{address}/"]
        )
        return b"Hello from" in self.engine.exec_start(made["Id"])

    def log(self, service: str) -> str:
        """Return a service's log."""
        return self.layout.log_of(service).read_text(errors="replace")

    # The cloud's services

    def service(self, name: str) -> Service:
        """Return one service of the cloud."""
        passwords = credentials.load_or_make(self.layout.state / "credentials.json")
        table = services.table(Common(self.layout, passwords))
        return next(service for service in table if service.name == name)

    def pid(self, service: str) -> int:
        """Return the process id of a service."""
        return supervisor.process(self.layout, service).pid

    @contextlib.contextmanager
    def configured(
        self, service: str, options: str, conf: str | None = None, **sections: str
    ) -> Iterator[None]:
        """Run a service of Nova's with other options, those of [DEFAULT] first, then as before."""
        path = self.layout.conf(conf or service) / "nova.conf"
        text = changed = path.read_text()
        for section, more in {"DEFAULT": options, **sections}.items():
            if f"[{section}]\n" not in changed:
                changed += f"\n[{section}]\n"
            changed = changed.replace(f"[{section}]\n", f"[{section}]\n{more}\n", 1)
        path.write_text(changed)
        try:
            self.restart(service)
            yield
        finally:
            path.write_text(text)
            self.restart(service)

    def restart(self, service: str) -> None:
        """Stop a service and start it again."""
        self.stop(service)
        self.start(service)

    def stop(self, service: str) -> None:
        """Stop a service."""
        supervisor.stop(self.layout, service)

    def start(self, service: str) -> None:
        """Start a service and wait until it answers."""
        until(lambda: self._start(service), f"{service} to start")

    def _start(self, service: str) -> bool:
        try:
            starting.start(self.layout, self.service(service), threading.Event())
        except starting.ServiceFailed:  # seen while the supervisor itself starts it again
            return False
        return True


def page(address: str, patience: float = 30) -> str:
    """Return the page that a web server shows at a floating address."""
    found = until(lambda: _page(address), f"a page from {address}", patience)
    return str(found)


def _page(address: str) -> str:
    try:
        with urllib.request.urlopen(f"http://{address}/", timeout=2) as answer:
            return str(answer.read().decode())
    except OSError:
        return ""


@dataclass
class Tenant:
    """Makes things in the cloud, and takes them all away again."""

    site: Site
    servers: list[str] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    ports: list[str] = field(default_factory=list)
    _undo: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def upload(self, data: bytes | Path, **properties: str) -> str:
        """Upload a saved image and return its id."""
        values = {"container_format": "docker", "disk_format": "raw", **properties}
        image = self.site.demo.image.create_image(f"test-{uuid.uuid4().hex[:8]}", **values)
        self.images.append(image.id)
        content = data.read_bytes() if isinstance(data, Path) else data
        image.data = io.BytesIO(content)
        image.upload(self.site.demo.image)
        return str(image.id)

    def request(self, image: str, networks: tuple[str, ...] = ("private",), **values: Any) -> str:
        """Ask for a server and return its id."""
        compute, network = self.site.demo.compute, self.site.demo.network
        flavor = compute.find_flavor(values.pop("flavor", "c1.nano"))
        ports = values.pop("ports", ())
        groups = values.pop("groups", ("web",))
        made = compute.create_server(
            name=values.pop("name", f"test-{uuid.uuid4().hex[:8]}"),
            image_id=image,
            flavor_id=flavor.id,
            networks=[
                *({"port": port} for port in ports),
                *({"uuid": network.find_network(name).id} for name in networks if not ports),
            ]
            or "none",
            security_groups=[{"name": group} for group in groups],
            **values,
        )
        self.servers.append(made.id)
        return str(made.id)

    def boot(self, image: str, status: str = "ACTIVE", **values: Any) -> str:
        """Make a server, wait for a status, and return the id."""
        server = self.request(image, **values)
        if status == "ERROR":
            until(lambda: self.site.server(server).status not in UNBUILT, "the build to end")
        self.site.wait(server, status)
        return server

    def network(self, cidr: str, *, routed: bool) -> str:
        """Make a network and return its name."""
        network, name = self.site.demo.network, f"test-{uuid.uuid4().hex[:8]}"
        made = network.create_network(name=name)
        self._undo.callback(network.delete_network, made)
        subnet = network.create_subnet(
            name=name, network_id=made.id, ip_version=4, cidr=cidr, enable_dhcp=True
        )
        if routed:
            router = network.find_router("router")
            network.add_interface_to_router(router, subnet_id=subnet.id)
            self._undo.callback(network.remove_interface_from_router, router, subnet_id=subnet.id)
        return name

    def port(self, network: str, address: str, **values: Any) -> str:
        """Make a port with an address on a network, and return its id."""
        neutron = self.site.demo.network
        made = neutron.create_port(
            network_id=neutron.find_network(network).id,
            fixed_ips=[{"ip_address": address}],
            **values,
        )
        self._undo.callback(neutron.delete_port, made)
        self.ports.append(made.id)
        return str(made.id)

    def group(self, *ports: int) -> str:
        """Make a security group with open TCP ports, and return the name."""
        network, name = self.site.demo.network, f"test-{uuid.uuid4().hex[:8]}"
        made = network.create_security_group(name=name)
        self._undo.callback(network.delete_security_group, made)
        for port in ports:
            self.open(name, port)
        return name

    def open(self, group: str, port: int) -> None:
        """Let a TCP port in."""
        network = self.site.demo.network
        network.create_security_group_rule(
            security_group_id=network.find_security_group(group).id,
            direction="ingress",
            ether_type="IPv4",
            protocol="tcp",
            port_range_min=port,
            port_range_max=port,
        )

    def delete(self, server: str) -> None:
        """Delete a server, and look for leftovers."""
        subject = remains_of_server.subject(self.site.demo, server, self.ports)
        self.servers.remove(server)
        for address in remains_of_server.floating_addresses(self.site.demo):
            if address.floating_ip_address in subject.addresses:
                self.site.demo.network.delete_ip(address)
        with contextlib.suppress(NotFoundException):
            self.site.demo.compute.delete_server(server)
        found: list[str] = ["not looked for yet"]

        def gone() -> bool:
            found[:] = remains_of_server.left(self.site.layout, self.site.admin, subject)
            return not found

        deadline = time.monotonic() + PATIENCE
        while not gone():
            assert time.monotonic() < deadline, f"left behind: {found}"
            time.sleep(PAUSE)

    def leave(self) -> None:
        """Take away all that was made."""
        with self._undo:
            for server in list(self.servers):
                self.delete(server)
            for image in self.images:
                self.site.demo.image.delete_image(image)
