# SPDX-License-Identifier: Apache-2.0
"""Cloud under measurement: servers of a tenant, and the host behind."""

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import openstack.exceptions
import psutil

from bench.measuring import figures
from novadocker.cloud.layout.layout import Layout
from novadocker.cloud.machine import processes
from novadocker.cloud.seed.identity import connect
from novadocker.virt.docker.engine import Connection, Engine

OURS, FAKE = "nova", "fake"
NETWORK = "private"
PREFIX = "bench-"
PATIENCE = 300.0
# How often the API is asked: it answers in about 20 ms, and every question costs it some.
PAUSE = 0.05
ROOM = 64.0


class Cloud:
    """Running cloud.

    Args:
        layout: where it is.
    """

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.host = layout.hosts[0]
        self.engine = Engine(Connection(self.host.engine.url))
        self.tenant = connect(layout, "demo")
        self.admin = connect(layout, "admin")
        self._flavors: dict[str, Any] = {}
        self.network = self.tenant.network.find_network(NETWORK, ignore_missing=False).id

    @contextmanager
    def image(self, chunks: Iterator[bytes], **properties: str) -> Iterator[str]:
        """Upload an image from a stream; deleted at the end.

        Args:
            chunks: bytes of the image.
            **properties: image properties.

        Yields:
            Its id.
        """
        glance = self.tenant.image
        body = {"name": "bench", "container_format": "docker", "disk_format": "raw"}
        body |= properties
        image = glance.post("/images", json=body).json()["id"]
        try:
            headers = {"Content-Type": "application/octet-stream"}
            answer = glance.put(f"/images/{image}/file", data=chunks, headers=headers)
            openstack.exceptions.raise_from_response(answer)
            yield image
        finally:
            glance.delete(f"/images/{image}")

    def flavor(self, name: str) -> Any:
        """Return a flavor, asked for once."""
        if name not in self._flavors:
            found = self.tenant.compute.find_flavor(name, ignore_missing=False)
            self._flavors[name] = found
        return self._flavors[name]

    def create(self, image: str, flavor: str, zone: str = OURS) -> tuple[str, float]:
        """Create a server with a single NIC and wait for ACTIVE.

        Returns:
            Its id, and the seconds that it took.
        """
        flavor_id = self.flavor(flavor).id
        began = time.monotonic()
        server = self.tenant.compute.create_server(
            name=f"{PREFIX}{uuid.uuid4().hex[:8]}",
            image_id=image,
            flavor_id=flavor_id,
            networks=[{"uuid": self.network}],
            availability_zone=zone,
        ).id
        self._until(lambda: self._is_active(server), f"server {server} to be ACTIVE")
        return server, time.monotonic() - began

    def reboot(self, server: str, kind: str) -> float:
        """Reboot a server and return the seconds to ACTIVE without a task."""
        began = time.monotonic()
        self.tenant.compute.reboot_server(server, kind)
        self._until(lambda: self._is_idle(server), f"server {server} to have rebooted")
        return time.monotonic() - began

    def act(
        self, server: str, ask: Callable[["Cloud", str], Any], status: str, ports: int
    ) -> float:
        """Ask an action of a server and return the seconds to the end.

        Args:
            server: server's id.
            ask: asks for it.
            status: server's status at the end; empty for a deleted one.
            ports: how many it has then.
        """
        began = time.monotonic()
        ask(self, server)
        self._until(lambda: self._is(server, status, ports), f"server {server} to be {status}")
        return time.monotonic() - began

    @contextmanager
    def without_fake(self) -> Iterator[None]:
        """Keep the fake host from taking a rescheduled server.

        The zone of all other hosts is no aggregate, and Nova holds a resize to none else.
        """
        (service,) = self.admin.compute.services(host=FAKE, binary="nova-compute")
        self.admin.compute.disable_service(service)
        try:
            yield
        finally:
            self.admin.compute.enable_service(service)

    @contextmanager
    def room(self) -> Iterator[None]:
        """Let more servers be on our host than the processors would allow."""
        (provider,) = self.admin.placement.resource_providers(name=self.host.name)
        url = f"/resource_providers/{provider.id}/inventories/VCPU"
        before = self._ratio(url, ROOM)
        try:
            yield
        finally:
            self._ratio(url, before)

    def _ratio(self, url: str, ratio: float) -> float:
        inventory = self.admin.placement.get(url).json()
        before = float(inventory["allocation_ratio"])
        answer = self.admin.placement.put(url, json=inventory | {"allocation_ratio": ratio})
        openstack.exceptions.raise_from_response(answer)
        return before

    def delete(self, server: str) -> float:
        """Delete a server and return the seconds to the API's 404."""
        began = time.monotonic()
        self.tenant.compute.delete_server(server)
        self._until(lambda: not self._status(server), f"server {server} to be gone")
        return time.monotonic() - began

    def parts(self, server: str) -> dict[str, float]:
        """Return how long the parts of a server's boot took, by nova-compute's log."""
        log = self.layout.log_of(self.host.service("nova-compute"))
        boots: dict[str, dict[str, float]] = {}

        def told() -> bool:
            boots.update(figures.boots(log.read_text(errors="replace")))
            return server in boots

        self._until(told, f"{log} to tell of the boot of {server}")
        return boots[server]

    def tidy(self) -> None:
        """Delete the servers left behind by any run."""
        servers = [each.id for each in self.tenant.compute.servers(name=f"^{PREFIX}")]
        for server in servers:
            self.tenant.compute.delete_server(server)
        for image in self.tenant.image.images(owner=self.tenant.current_project_id):
            if image.name.startswith(PREFIX):
                self.tenant.image.delete_image(image)
        for server in servers:
            self._until(lambda gone=server: not self._status(gone), f"server {server} to be gone")

    def loads(self, image: str) -> int:
        """Return how often an image was brought into the engine, by nova-compute's log."""
        log = self.layout.log_of(self.host.service("nova-compute"))
        return log.read_text(errors="replace").count(f"Loaded image {image} as ")

    def nova_compute(self) -> psutil.Process:
        """Return our host's nova-compute."""
        return self._process(str(self.layout.conf(self.host.service("nova-compute")) / "nova.conf"))

    def glance(self) -> psutil.Process:
        """Return the process of Glance's API."""
        return self._process("glance.wsgi.api")

    def _process(self, argument: str) -> psutil.Process:
        (found,) = [
            process
            for process in processes.processes(self.layout)
            if argument in process.cmdline() and "privsep" not in " ".join(process.cmdline())
        ]
        return found

    def _get(self, server: str) -> dict[str, Any]:
        answer = self.tenant.compute.get(f"/servers/{server}")
        if answer.status_code == 404:  # noqa: PLR2004 - HTTP's own number
            return {}
        openstack.exceptions.raise_from_response(answer)
        found: dict[str, Any] = answer.json()["server"]
        return found

    def _status(self, server: str) -> str:
        return str(self._get(server).get("status", ""))

    def _is(self, server: str, status: str, ports: int) -> bool:
        found = self._get(server)
        if not found:
            return not status
        if found["status"] == "ERROR":
            raise RuntimeError(f"server {server} is in ERROR: {found.get('fault')}")
        has = sum(len(addresses) for addresses in found["addresses"].values())
        idle = not found["OS-EXT-STS:task_state"]
        return idle and (found["status"], has) == (status, ports)

    def _is_active(self, server: str) -> bool:
        found = self._get(server)
        if found["status"] == "ERROR":
            raise RuntimeError(f"server {server} is in ERROR: {found.get('fault')}")
        return bool(found["status"] == "ACTIVE")

    def _is_idle(self, server: str) -> bool:
        return self._is_active(server) and not self._get(server)["OS-EXT-STS:task_state"]

    def _until(self, holds: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not holds():
            if time.monotonic() > deadline:
                raise TimeoutError(f"waited {PATIENCE:.0f} s for {what}")
            time.sleep(PAUSE)
