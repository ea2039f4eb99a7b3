# SPDX-License-Identifier: Apache-2.0
"""A tenant's servers, seen through the SDK: waiting, looking, and taking away again."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from keystoneauth1.exceptions import ClientException
from openstack.exceptions import SDKException

from novadocker.cloud.demo.errors import ProofFailed, ServerFailed
from novadocker.cloud.layout.layout import Layout
from novadocker.cloud.machine import remains_of_server
from novadocker.cloud.seed.identity import connect

_PATIENCE = 120
_PAUSE = 0.3


class Tenant:
    """The project ``demo``.

    Args:
        layout: the cloud.
        cloud: a connection as the tenant.
        admin: a connection as the administrator, who alone sees some of the traces.
    """

    def __init__(self, layout: Layout, cloud: Any, admin: Any) -> None:
        self.layout = layout
        self.cloud = cloud
        self._admin = admin

    @classmethod
    @contextmanager
    def connected(cls, layout: Layout) -> Iterator["Tenant"]:
        """Connect as the tenant; the connections last as long as the context."""
        with ExitStack() as stack:
            yield cls(
                layout,
                stack.enter_context(connect(layout, "demo")),
                stack.enter_context(connect(layout, "admin")),
            )

    def free_name(self, name: str) -> str:
        """Return a free name for a server and an image: the given, or the given with a number."""
        taken = {server.name for server in self.cloud.compute.servers()}
        taken |= {image.name for image in self.cloud.image.images()}
        numbered = (f"{name}-{number}" for number in range(2, len(taken) + 3))
        return next(each for each in (name, *numbered) if each not in taken)

    def server(self, name: str) -> Any:
        """Return a server's current state."""
        return self.cloud.compute.get_server(self.cloud.compute.find_server(name).id)

    def wait_until_built(self, name: str) -> Any:
        """Wait for the end of a server's build, and return the server.

        Raises:
            ServerFailed: it is in the state ERROR.
        """
        wait_for(lambda: self.server(name).status != "BUILD", f"server {name} to be built")
        server = self.server(name)
        if server.status == "ERROR":
            fault = (server.fault or {}).get("message", "none is told")
            raise ServerFailed(name=name, status=server.status, fault=fault)
        return server

    def subject(self, name: str) -> remains_of_server.Subject:
        """Return the ids and addresses by which a server's traces are found."""
        return remains_of_server.subject(self.cloud, self.server(name).id)

    def subject_of(self, server: str) -> remains_of_server.Subject:
        """Return the ids and addresses by which a server's traces are found, by its id."""
        return remains_of_server.subject(self.cloud, server)

    def host_of(self, server: str) -> str:
        """Return the name of a server's host, which the administrator sees."""
        return str(self._admin.compute.get_server(server).compute_host)

    def prove_gone(self, subjects: list[remains_of_server.Subject]) -> None:
        """Wait until nothing of some servers is left anywhere.

        Raises:
            ProofFailed: something stays.
        """

        def left() -> list[str]:
            return [
                trace
                for each in subjects
                for trace in remains_of_server.left(self.layout, self._admin, each)
            ]

        with suppress(ProofFailed):
            wait_for(lambda: not left(), "the servers to be gone")
        if found := left():
            raise ProofFailed(reason="left behind: " + ", ".join(found))

    def tidy(self, server: str, image: str, tell: Callable[[str], None]) -> None:
        """Remove the servers and images of a failed demonstration, as far as possible.

        Args:
            server: the server's name.
            image: the image's name.
            tell: called with what could not be done; the failure itself is told by others.
        """
        try:
            self._remove(server, image)
        except (SDKException, ClientException) as error:
            tell(f"Server and image {server!r} may be left in the cloud: {error}")

    def _remove(self, server: str, image: str) -> None:
        if found := self.cloud.compute.find_server(server):
            ports = {port.id for port in self.cloud.network.ports(device_id=found.id)}
            for address in self.cloud.network.ips():
                if address.port_id in ports:
                    self.cloud.network.delete_ip(address)
            self.cloud.compute.delete_server(found)
            self.cloud.compute.wait_for_delete(found, interval=_PAUSE, wait=_PATIENCE)
        if found := self.cloud.image.find_image(image):
            self.cloud.image.delete_image(found)


def wait_for(condition: Callable[[], bool], what: str, patience: float = _PATIENCE) -> None:
    """Wait until something is so.

    Raises:
        ProofFailed: it is not so when the time is up.
    """
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            raise ProofFailed(reason=f"waited {patience:.0f} s for {what}")
        time.sleep(_PAUSE)


def listening(address: str, port: int) -> bool:
    """Say whether somebody accepts connections at an address."""
    try:
        socket.create_connection((address, port), timeout=_PAUSE).close()
    except OSError:
        return False
    return True
