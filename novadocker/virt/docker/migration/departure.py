# SPDX-License-Identifier: Apache-2.0
"""Departure of servers to another host: everything heavy, while a failure costs nothing.

Nova calls this while the instance still belongs to this host. The destination judges first, then
the server stops and its files are sent; the stopped container stays here, whole and by its
name, until Nova confirms the migration.
"""

import json
import os
import platform
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from typing import Any, Protocol

from oslo_log import log as logging

from novadocker.errors import TransferFailed
from novadocker.virt.docker.actions import recreate
from novadocker.virt.docker.actions.lock import lock
from novadocker.virt.docker.actions.runner import Runner
from novadocker.virt.docker.container.labels import LABEL_BASE
from novadocker.virt.docker.container.server import Server
from novadocker.virt.docker.engine import Container, Engine
from novadocker.virt.docker.engine.calls.stores import Stores
from novadocker.virt.docker.migration import files
from novadocker.virt.docker.migration.frames import Arriving, Outgoing
from novadocker.virt.docker.migration.manifest import Manifest, refuse_source
from novadocker.virt.docker.migration.owners import Root
from novadocker.virt.docker.migration.stream import Offer, connected
from novadocker.virt.docker.network.networking import Network, Networking

LOG = logging.getLogger(__name__)


class Destination(Protocol):
    """Host that a server moves to, as Nova's bus reaches it."""

    def prepare(self, manifest: Manifest) -> bool:
        """Have it judge the server; True where it has the image of the container."""

    def expect(self, manifest: Manifest) -> Offer:
        """Have it listen for the server's files."""

    def discard(self, manifest: Manifest) -> str:
        """Have it remove what came; its reason why not all did, or ""."""


class Departures:
    """Servers that leave this host.

    Args:
        engine: runs the containers.
        networking: joins containers to their ports.
        runner: makes and runs containers.
        host: name of this host in Nova.
    """

    def __init__(self, engine: Engine, networking: Networking, runner: Runner, host: str) -> None:
        self._engine = engine
        self._networking = networking
        self._runner = runner
        self._host = host

    def send(
        self,
        server: Server,
        network: Network,
        destination: Destination,
        migration: str,
        timeout: int,
    ) -> None:
        """Stop a server and send its files; a server that cannot leave runs on as before.

        Args:
            server: the server with the flavor that it gets.
            network: ports of the server here.
            destination: the host that it goes to.
            migration: id of Nova's migration.
            timeout: seconds between the image's stop signal and the end by force.

        Raises:
            ContainerNotFound: there is no container.
            ResizeRefused: the destination cannot take the server; it has not been stopped.
            PolicyRefused: the destination does not grant what its flavor or image ask for.
            TransferFailed: not all of it arrived.
        """
        with lock(server.uuid), ExitStack() as undo:
            recreate.recover(self._engine, server.uuid)
            guest = self._runner.guest(server.uuid)
            container = guest.get()
            stores = self._engine.stores(guest.name)
            refuse_source(container, stores)
            manifest = self._manifest(server, container, stores, migration)
            has_image = destination.prepare(manifest)
            if container.alive:
                undo.callback(self._runner.run_again, server, network)
            guest.stop(timeout)
            self._networking.unwire(network)
            undo.callback(_discard, destination, manifest)
            began = time.monotonic()
            sent = self._push(destination, manifest, container, has_image=has_image)
            seconds = time.monotonic() - began
            LOG.info(
                "%s was sent: %d bytes in %.1f s, %.1f MB/s",
                guest.name,
                sent,
                seconds,
                sent / seconds / 1e6,
            )
            undo.pop_all()

    def _manifest(
        self, server: Server, container: Container, stores: Stores, migration: str
    ) -> Manifest:
        info = self._engine.info()
        root = Root.of(info.root_directory)
        places = (place for place in (stores.writable, *stores.volumes.values()) if place)
        return Manifest(
            uuid=server.uuid,
            migration=migration,
            host=self._host,
            image=container.image,
            base=container.labels.get(LABEL_BASE, container.image),
            written=sum(files.measure(place) for place in places),
            machine=platform.machine(),
            driver=info.storage_driver,
            user=root.user,
            group=root.group,
            owner=os.geteuid(),
            owners_group=os.getegid(),
        )

    def _push(
        self, destination: Destination, manifest: Manifest, container: Container, *, has_image: bool
    ) -> int:
        try:
            with connected(destination.expect(manifest)) as connection:
                out = Outgoing(connection)
                for heading, pieces in self._sections(manifest, container, has_image=has_image):
                    LOG.debug("Sending %s of %s", heading, container.name)
                    out.section(heading, pieces())
                out.section({"section": "end"})
                Arriving(connection).heading()  # comes when all is on the other disk
                return out.sent
        except TransferFailed as error:
            # Our end of a broken connection rarely knows why it broke.
            if reason := destination.discard(manifest):
                raise TransferFailed(reason=reason) from error
            raise

    def _sections(
        self, manifest: Manifest, container: Container, *, has_image: bool
    ) -> Iterator[tuple[Mapping[str, Any], Callable[[], Iterator[bytes]]]]:
        name, stores = container.name, self._engine.stores(container.name)
        if not has_image:
            image = self._engine.find_image(container.image)
            tag = image.tags[0] if image and image.tags else container.image
            yield {"section": "image"}, lambda: self._engine.save_image(tag)
        body = json.dumps(self._engine.description(name)).encode()
        yield {"section": "container"}, lambda: iter([body])
        layer = stores.writable
        if layer is not None:
            yield {"section": "layer"}, lambda: files.packed(layer)
        for seen, place in sorted(stores.volumes.items()):
            yield {"section": "volume", "seen": seen}, lambda place=place: files.packed(place)  # type: ignore[misc]
        path = self._runner.directory(manifest.uuid).path
        yield {"section": "directory"}, lambda: files.packed(path)


def _discard(destination: Destination, manifest: Manifest) -> None:
    try:
        destination.discard(manifest)
    except TransferFailed as error:
        # Its own start finds what is left, by the label of the move.
        LOG.warning("What came of %s may be left on its destination: %s", manifest.uuid, error)
