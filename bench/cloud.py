# SPDX-License-Identifier: Apache-2.0
"""The cloud under measurement: servers as its tenant has them, and the host behind them."""

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import figures
import openstack.exceptions
import psutil

from novadocker.cloud import members
from novadocker.cloud.identity import connect
from novadocker.cloud.layout import Layout
from novadocker.virt.docker.engine import Connection, Engine

OURS, FAKE = "nova", "fake"
NETWORK = "private"
PATIENCE = 300.0
# How often the API is asked: it answers in about 20 ms, and every question costs it some.
PAUSE = 0.05


class Cloud:
    """One running cloud.

    Args:
        layout: where it is.
    """

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.host = layout.hosts[0]
        self.engine = Engine(Connection(self.host.engine.url))
        self.tenant = connect(layout, "demo")
        self.admin = connect(layout, "admin")
        self._network = self.tenant.network.find_network(NETWORK, ignore_missing=False).id

    @contextmanager
    def image(self, chunks: Iterator[bytes]) -> Iterator[str]:
        """Upload an image as it comes; it is deleted at the end.

        Yields:
            Its id.
        """
        glance = self.tenant.image
        body = {"name": "bench", "container_format": "docker", "disk_format": "raw"}
        image = glance.post("/images", json=body).json()["id"]
        try:
            headers = {"Content-Type": "application/octet-stream"}
            answer = glance.put(f"/images/{image}/file", data=chunks, headers=headers)
            openstack.exceptions.raise_from_response(answer)
            yield image
        finally:
            glance.delete(f"/images/{image}")

    def create(self, image: str, flavor: str, zone: str = OURS) -> tuple[str, float]:
        """Create a server with one NIC and wait until it is ACTIVE.

        Returns:
            Its id, and the seconds that it took.
        """
        began = time.monotonic()
        server = self.tenant.compute.create_server(
            name=f"bench-{uuid.uuid4().hex[:8]}",
            image_id=image,
            flavor_id=flavor,
            networks=[{"uuid": self._network}],
            availability_zone=zone,
        ).id
        self._until(lambda: self._status(server) == "ACTIVE", f"server {server} to be ACTIVE")
        return server, time.monotonic() - began

    def reboot(self, server: str, kind: str) -> float:
        """Reboot a server and return the seconds until it is ACTIVE without a task."""
        began = time.monotonic()
        self.tenant.compute.reboot_server(server, kind)
        self._until(lambda: self._is_idle(server), f"server {server} to have rebooted")
        return time.monotonic() - began

    def delete(self, server: str) -> float:
        """Delete a server and return the seconds until the API does not know it."""
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

    def nova_compute(self) -> psutil.Process:
        """Return our host's nova-compute."""
        conf = str(self.layout.conf(self.host.service("nova-compute")) / "nova.conf")
        (found,) = [
            process
            for process in members.processes(self.layout)
            if conf in process.cmdline() and "privsep" not in " ".join(process.cmdline())
        ]
        return found

    def _get(self, server: str) -> dict[str, Any]:
        answer = self.tenant.compute.get(f"/servers/{server}")
        if answer.status_code == 404:  # noqa: PLR2004 - HTTP's own number
            return {}
        openstack.exceptions.raise_from_response(answer)
        found: dict[str, Any] = answer.json()["server"]
        if found["status"] == "ERROR":
            raise RuntimeError(f"server {server} is in ERROR: {found.get('fault')}")
        return found

    def _status(self, server: str) -> str:
        return str(self._get(server).get("status", ""))

    def _is_idle(self, server: str) -> bool:
        found = self._get(server)
        return found["status"] == "ACTIVE" and found["OS-EXT-STS:task_state"] is None

    def _until(self, holds: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not holds():
            if time.monotonic() > deadline:
                raise TimeoutError(f"waited {PATIENCE:.0f} s for {what}")
            time.sleep(PAUSE)
