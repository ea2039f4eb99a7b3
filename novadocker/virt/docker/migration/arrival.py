# SPDX-License-Identifier: Apache-2.0
"""Arrival of servers on their new host: judged first, then received into containers.

What arrives is a container that does not run and that nobody but the source knows of, until
Nova asks to finish the migration. Whatever goes wrong before leaves nothing of it.
"""

import json
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from typing import Any

from oslo_log import log as logging

from novadocker.errors import DockerDriverError, ImageError, ResizeRefused, TransferFailed
from novadocker.virt.docker.actions import recreate
from novadocker.virt.docker.actions.lock import lock
from novadocker.virt.docker.actions.recovery.recreations import PREDECESSOR
from novadocker.virt.docker.actions.runner import Runner
from novadocker.virt.docker.conf.values import MoveOptions
from novadocker.virt.docker.container.labels import LABEL_MOVE
from novadocker.virt.docker.container.server import Server
from novadocker.virt.docker.container.spec import refuse_root
from novadocker.virt.docker.engine import Engine
from novadocker.virt.docker.files import directories
from novadocker.virt.docker.files.owners import Owners, Root
from novadocker.virt.docker.host import disk
from novadocker.virt.docker.images import Images
from novadocker.virt.docker.migration.frames import Arriving, Connection, Outgoing
from novadocker.virt.docker.migration.manifest import Manifest, refuse_destination
from novadocker.virt.docker.migration.replica import replica_here
from novadocker.virt.docker.migration.stream import Listener, Offer
from novadocker.virt.nova_types import ImageMeta, RequestContext

LOG = logging.getLogger(__name__)


class Arrivals:
    """Arrivals of servers on one host.

    Args:
        engine: runs the containers.
        images: fetches images from Glance.
        runner: knows directories, limits and rights of servers here.
        options: settings of the operator.
    """

    def __init__(
        self, engine: Engine, images: Images, runner: Runner, options: MoveOptions
    ) -> None:
        self._engine = engine
        self._images = images
        self._runner = runner
        self._options = options
        self._faults: dict[str, str] = {}

    def prepare(
        self, context: RequestContext, server: Server, image_meta: ImageMeta, manifest: Manifest
    ) -> bool:
        """Judge a server before the source stops, and fetch the image; safe to repeat.

        Args:
            context: token for Glance.
            server: the server with the flavor that it gets.
            image_meta: Nova's record of its image.
            manifest: the source's account.

        Returns:
            True where the engine has the image of the server's container now.

        Raises:
            ResizeRefused: the host cannot take the server.
            PolicyRefused: flavor or image ask for more than is granted here.
        """
        self._judge(server, manifest)
        self._fetch(context, server, image_meta)
        directories.warm_up()
        return self._engine.find_image(manifest.image) is not None

    def expect(self, server: Server, manifest: Manifest) -> Offer:
        """Listen for a server's files.

        Args:
            server: the server with the flavor that it gets.
            manifest: the source's account.

        Returns:
            Invitation for the source.

        Raises:
            TransferFailed: no port is free.
        """
        listener = Listener(self._options.address, self._options.ports)
        threading.Thread(
            target=self._receive,
            args=(listener, server, manifest),
            name=f"arrival-{server.uuid}",
            daemon=True,
        ).start()
        return listener.offer

    def discard(self, uuid: str, migration: str) -> str:
        """Remove the remains of a failed migration; absence is no error.

        Args:
            uuid: id of the instance.
            migration: id of Nova's migration.

        Returns:
            The reason why it was not received; "" where none is known here.
        """
        with lock(uuid):
            guest = self._runner.guest(uuid)
            container = guest.find()
            if container and container.labels.get(LABEL_MOVE) == migration:
                guest.remove()
                self._runner.directory(uuid).remove()
            return self._faults.pop(uuid, "")

    def _receive(self, listener: Listener, server: Server, manifest: Manifest) -> None:
        try:
            with (
                closing(listener),
                listener.accepted() as connection,
                lock(server.uuid),
                ExitStack() as undo,
            ):
                self._take(connection, server, manifest, undo)
        except DockerDriverError as error:
            LOG.warning("%s did not arrive: %s", server.container, error)
            # The source puts its own words around the reason.
            told = error.values.get("reason") if isinstance(error, TransferFailed) else None
            self._faults[server.uuid] = str(told or error)
        except Exception as error:
            # The thread is nobody's: the source asks for the reason.
            LOG.exception("%s did not arrive", server.container)
            self._faults[server.uuid] = str(error)
        else:
            LOG.info("%s arrived from %s", server.container, manifest.host)

    def _judge(self, server: Server, manifest: Manifest) -> None:
        settings = self._runner.settings(server)
        refuse_root(settings, manifest.process)
        recreate.refuse_disk(manifest.used, manifest.disk, settings.limits.disk_bytes)
        info = self._engine.info()
        refuse_destination(manifest, info, disk.disk(info).free)
        container = self._runner.guest(server.uuid).find()
        if container and container.alive:
            raise ResizeRefused(
                reason=f"container {container.name} runs on the destination already; see to it "
                "there, by docker, before the server moves"
            )

    def _fetch(self, context: RequestContext, server: Server, image_meta: ImageMeta) -> None:
        try:
            self._images.ensure(context, image_meta)
        except ImageError as error:
            LOG.info("The image of %s comes from its host: %s", server.container, error)

    def _take(
        self, connection: Connection, server: Server, manifest: Manifest, undo: ExitStack
    ) -> None:
        self._sections(Arriving(connection), server, manifest, undo)
        Outgoing(connection).section({"section": "whole"})
        undo.pop_all()

    def _sections(
        self, arriving: Arriving, server: Server, manifest: Manifest, undo: ExitStack
    ) -> None:
        name = server.container
        while (heading := arriving.heading())["section"] != "end":
            pieces = arriving.pieces()
            if heading["section"] == "image":
                self._engine.load_image(pieces)
            elif heading["section"] == "container":
                self._make(json.loads(b"".join(pieces)), server, manifest, undo)
            elif heading["section"] == "directory":
                self._directory(server.uuid, manifest, pieces)
            elif heading["section"] == "console":
                self._runner.directory(server.uuid).keep_console(b"".join(pieces))
            else:
                self._fill(name, heading, manifest, pieces)
        list(arriving.pieces())
        self._engine.remove(name + PREDECESSOR)

    def _make(
        self, body: Mapping[str, Any], server: Server, manifest: Manifest, undo: ExitStack
    ) -> None:
        name, directory = server.container, self._runner.directory(server.uuid)
        if self._engine.find(name):
            # A copy of an earlier stay, stopped: gone only when the new one is whole.
            self._engine.rename(name, name + PREDECESSOR)
            undo.callback(self._engine.rename, name + PREDECESSOR, name)
        else:
            undo.callback(directory.remove)
        directory.make()
        settings = self._runner.settings(server)
        undo.callback(self._engine.remove, name)
        made = replica_here(
            body, settings, directory.binds(), self._options.host, manifest.migration
        )
        self._engine.create_described(made, name)

    def _directory(self, uuid: str, manifest: Manifest, pieces: Iterator[bytes]) -> None:
        directory = self._runner.directory(uuid)
        owners = Owners(manifest.service, Root(os.geteuid(), os.getegid()))
        directories.fill(directory.path, pieces, owners)
        directory.make()  # the gate's program is this release's

    def _fill(
        self,
        name: str,
        heading: Mapping[str, Any],
        manifest: Manifest,
        pieces: Iterator[bytes],
    ) -> None:
        stores = self._engine.stores(name)
        places = {"layer": stores.writable, "volume": stores.volumes.get(heading.get("seen", ""))}
        place = places.get(heading["section"])
        if place is None:
            raise TransferFailed(reason=f"there is no place here for {dict(heading)}")
        here = Root.of(self._engine.info().root_directory)
        directories.fill(place, pieces, Owners(manifest.root, here))
