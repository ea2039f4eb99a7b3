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
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack, closing
from typing import Any, Protocol

from oslo_log import log as logging

from novadocker.errors import TransferFailed
from novadocker.virt.docker.actions import recreate
from novadocker.virt.docker.actions.lock import operation
from novadocker.virt.docker.actions.runner import Runner
from novadocker.virt.docker.container.labels import LABEL_BASE
from novadocker.virt.docker.container.server import Server
from novadocker.virt.docker.engine import Container, Engine
from novadocker.virt.docker.engine.calls.stores import Stores
from novadocker.virt.docker.files import directories
from novadocker.virt.docker.files.owners import Root
from novadocker.virt.docker.injection.injector import process_user
from novadocker.virt.docker.migration.frames import Arriving, Outgoing
from novadocker.virt.docker.migration.manifest import Manifest, refuse_source
from novadocker.virt.docker.migration.stream import Offer, connected
from novadocker.virt.docker.network.networking import Network, Networking

LOG = logging.getLogger(__name__)


class Destination(Protocol):
    """Destination of a server, reached over Nova's bus."""

    def prepare(self, manifest: Manifest) -> bool:
        """Judge the server; return True where the image of the container is present."""

    def expect(self, manifest: Manifest) -> Offer:
        """Listen for the server's files."""

    def discard(self, manifest: Manifest) -> str:
        """Remove received files; return the reason of an incomplete arrival, or ""."""


class Departures:
    """Departures of servers from one host.

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
        """Stop a server and send the files; a refused server runs on as before.

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
        directories.warm_up()
        with operation(self._engine, server.uuid), ExitStack() as undo:
            # A confirmation that nova-compute died in left the original of an earlier resize.
            recreate.confirm(self._engine, server.uuid)
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
            # The destination has new connections of them before the server runs there.
            undo.callback(self._runner.connect_again, self._runner.volumes(server.uuid))
            self._runner.release_volumes(server.uuid)
            undo.callback(_discard, destination, manifest)
            self._push(destination, manifest, container, has_image=has_image)
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
            written=sum(directories.measure(place) for place in places),
            used=recreate.used(self._engine, container),
            disk=recreate.current_limits(container).disk_bytes,
            process=process_user(self._engine, container),
            machine=platform.machine(),
            driver=info.storage_driver,
            user=root.user,
            group=root.group,
            owner=os.geteuid(),
            owners_group=os.getegid(),
        )

    def _push(
        self, destination: Destination, manifest: Manifest, container: Container, *, has_image: bool
    ) -> None:
        began = time.monotonic()
        try:
            with connected(destination.expect(manifest)) as connection:
                out = Outgoing(connection)
                for heading, pieces in self._sections(manifest, container, has_image=has_image):
                    LOG.debug("Sending %s of %s", heading, container.name)
                    # Closed at once after a fault, and with it the daemon's end.
                    with closing(pieces()) as content:
                        out.section(heading, content)
                out.section({"section": "end"})
                Arriving(connection).heading()  # comes when all is on the other disk
                seconds = time.monotonic() - began
                rate = out.sent / seconds / 1e6
                told = container.name, out.sent, seconds, rate
                LOG.info("%s was sent: %d bytes in %.1f s, %.1f MB/s", *told)
        except TransferFailed as error:
            # Our end of a broken connection rarely knows why it broke.
            if reason := destination.discard(manifest):
                raise TransferFailed(reason=reason) from error
            raise

    def _sections(
        self, manifest: Manifest, container: Container, *, has_image: bool
    ) -> Iterator[tuple[Mapping[str, Any], Callable[[], Generator[bytes]]]]:
        name, stores = container.name, self._engine.stores(container.name)
        if not has_image:
            image = self._engine.find_image(container.image)
            tag = image.tags[0] if image and image.tags else container.image
            yield {"section": "image"}, lambda: self._engine.save_image(tag)
        body = json.dumps(self._engine.description(name)).encode()
        yield {"section": "container"}, lambda: _whole(body)
        layer = stores.writable
        if layer is not None:
            yield {"section": "layer"}, lambda: directories.packed(layer)
        for seen, place in sorted(stores.volumes.items()):
            yield {"section": "volume", "seen": seen}, lambda place=place: directories.packed(place)  # type: ignore[misc]
        path = self._runner.directory(manifest.uuid).path
        console = self._console(manifest.uuid)
        yield {"section": "directory"}, lambda: directories.packed(path)
        # After the directory, which has the lines of a host before this one.
        yield {"section": "console"}, lambda: _whole(console)

    def _console(self, uuid: str) -> bytes:
        return self._runner.directory(uuid).kept_console() + self._runner.guest(uuid).console()


def _whole(content: bytes) -> Generator[bytes]:
    yield content


def _discard(destination: Destination, manifest: Manifest) -> None:
    try:
        destination.discard(manifest)
    except TransferFailed as error:
        # Its own start finds what is left, by the label of the move.
        LOG.warning("What came of %s may be left on its destination: %s", manifest.uuid, error)
