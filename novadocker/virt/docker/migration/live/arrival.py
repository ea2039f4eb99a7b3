# SPDX-License-Identifier: Apache-2.0
"""Arrival of a running server: its files, then its memory, restored and held until the handover.

Whatever goes wrong before the source's word to go on leaves nothing here. The source is told by
the stream, and can ask: a server that does not run here when it asks never will.
"""

import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace

from oslo_log import log as logging

from novadocker.errors import DockerDriverError, ResizeRefused, TransferFailed
from novadocker.virt.docker.actions.lock import lock
from novadocker.virt.docker.actions.runner import Runner
from novadocker.virt.docker.checkpoint.account import Account
from novadocker.virt.docker.checkpoint.checkpoints import Checkpoints, Restored, refuse_closed
from novadocker.virt.docker.checkpoint.travel import Travel
from novadocker.virt.docker.conf.values import MoveOptions
from novadocker.virt.docker.container.labels import LABEL_MOVE
from novadocker.virt.docker.container.server import Server
from novadocker.virt.docker.engine import Container, Engine, State
from novadocker.virt.docker.files import directories
from novadocker.virt.docker.files.owners import Owners, Root
from novadocker.virt.docker.images import Images
from novadocker.virt.docker.migration.arrival import Arrivals
from novadocker.virt.docker.migration.frames import Arriving, Connection, Outgoing
from novadocker.virt.docker.migration.manifest import Manifest
from novadocker.virt.docker.migration.stream import Offer
from novadocker.virt.docker.network.networking import Network, Networking, ServerNetwork
from novadocker.virt.nova_types import ImageMeta, RequestContext

LOG = logging.getLogger(__name__)

# Seconds between the frames that tell the network of a server, as QEMU sends them: a switch
# that learns of the port a moment later would miss a single one.
_ANNOUNCEMENTS = (0.0, 0.1, 0.15, 0.25, 0.5, 1.0, 2.0)


@dataclass(frozen=True)
class Parts:
    """Parts of the driver that a running server arrives with.

    Attributes:
        networking: joins containers to their ports.
        checkpoints: restores processes.
        travel: memory of servers under way.
    """

    networking: Networking
    checkpoints: Checkpoints
    travel: Travel


class LiveArrivals(Arrivals):
    """Arrivals of running servers on one host.

    Args:
        engine: runs the containers.
        images: fetches images from Glance.
        runner: knows directories, limits and rights of servers here.
        options: settings of the operator.
        parts: network and memory.
    """

    def __init__(
        self, engine: Engine, images: Images, runner: Runner, options: MoveOptions, parts: Parts
    ) -> None:
        super().__init__(engine, images, runner, options)
        self._parts = parts
        self._networks: dict[str, Network] = {}

    def account(self, uuid: str) -> Account:
        """Return the account of this host.

        Args:
            uuid: id of an instance that may come.

        Raises:
            CheckpointError: the host cannot restore.
        """
        refuse_closed(self._runner.directory(uuid).path.parent)
        return self._parts.travel.account()

    def judge(self, server: Server, manifest: Manifest) -> None:
        """Judge a server before anything changes.

        Args:
            server: the server.
            manifest: the source's account.

        Raises:
            ResizeRefused: the host cannot take the server.
            PolicyRefused: flavor or image ask for more than is granted here.
        """
        self._judge(server, manifest)

    def make_ready(
        self, context: RequestContext, server: Server, image_meta: ImageMeta, network: Network
    ) -> None:
        """Fetch the image and remember the ports of a server that comes soon; safe to repeat.

        Args:
            context: token for Glance.
            server: the server.
            image_meta: Nova's record of its image.
            network: ports of the server as they will be bound here.

        Raises:
            VifRefused: a container cannot have one of the ports here.
        """
        self._parts.networking.plan(server.hostname, network)
        self._fetch(context, server, image_meta)
        directories.warm_up()
        self._parts.travel.warm_up()
        self._networks[server.uuid] = network

    def expect_running(self, server: Server, manifest: Manifest) -> tuple[Offer, bool]:
        """Listen for a running server.

        Args:
            server: the server.
            manifest: the source's account.

        Returns:
            Invitation for the source, and True where the engine has the server's image.

        Raises:
            TransferFailed: no port is free, or nothing was made ready here.
            ResizeRefused: the host cannot take the server.
        """
        if server.uuid not in self._networks:
            raise TransferFailed(reason="nova-compute was started anew on the destination")
        self._judge(server, manifest)
        offer = self.expect(server, manifest)
        return offer, self._engine.find_image(manifest.image) is not None

    def runs(self, uuid: str, migration: str) -> bool:
        """Return whether a server runs here; False is a promise that it never will.

        Args:
            uuid: id of the instance.
            migration: id of Nova's migration.
        """
        with lock(uuid):  # a restore under way ends first
            return self._is_alive(uuid, migration)

    def discard(self, uuid: str, migration: str) -> str:
        """Remove the remains of a move that failed; absence is no error.

        Args:
            uuid: id of the instance.
            migration: id of Nova's migration.

        Returns:
            The reason why it was not received; "" where none is known here.

        Raises:
            ResizeRefused: the server runs here.
        """
        with lock(uuid):
            if self._is_alive(uuid, migration):
                raise ResizeRefused(reason="it runs on the destination")
            network = self._networks.pop(uuid, None)
            if network:
                self._parts.networking.unwire(network)
            self._parts.checkpoints.discard(uuid)
        return super().discard(uuid, migration)

    def _is_alive(self, uuid: str, migration: str) -> bool:
        container = self._runner.guest(uuid).find()
        return bool(container and container.alive and container.labels.get(LABEL_MOVE) == migration)

    def _take(
        self, connection: Connection, server: Server, manifest: Manifest, undo: ExitStack
    ) -> None:
        arriving, out = Arriving(connection), Outgoing(connection)
        self._sections(arriving, server, manifest, undo)
        undo.callback(self._parts.checkpoints.discard, server.uuid)
        maps = self._rest(arriving, server, manifest)
        self._go_on(server, maps, (arriving, out), undo)
        # A source that does not hear it asks.
        with suppress(OSError):
            out.section({"section": "runs"})

    def _rest(self, arriving: Arriving, server: Server, manifest: Manifest) -> Mapping[str, str]:
        stores = self._engine.stores(server.container)
        places = {f"volume {seen}": place for seen, place in stores.volumes.items()}
        owners = Owners(manifest.root, Root.of(self._engine.info().root_directory))
        while (heading := arriving.heading())["section"] != "restore":
            pieces, place = arriving.pieces(), heading.get("of", "")
            if heading["section"] == "memory":
                images = self._parts.travel.expect(server.uuid)
                directories.fill(images, pieces, Owners())
            elif heading["section"] == "console":
                self._runner.directory(server.uuid).keep_console(b"".join(pieces))
            elif place == "layer" and stores.writable:
                directories.amend(stores.writable, pieces, owners)
            elif place in places:
                directories.amend(places[place], pieces, owners)
            else:
                raise TransferFailed(reason=f"there is no place here for {dict(heading)}")
        list(arriving.pieces())
        maps: Mapping[str, str] = heading["maps"]
        return maps

    def _go_on(
        self,
        server: Server,
        maps: Mapping[str, str],
        ends: tuple[Arriving, Outgoing],
        undo: ExitStack,
    ) -> None:
        arriving, out = ends
        container = self._runner.guest(server.uuid).get()
        network, directory = self._networks[server.uuid], self._runner.directory(server.uuid)
        self._parts.travel.accept(server.uuid, container, maps)
        undo.callback(self._parts.networking.unwire, network)
        first: list[int] = []

        def wire(pid: int) -> None:
            first.append(pid)
            # Its host ends stay down: nothing of it may reach a peer while the source can go on.
            held = replace(container, pid=pid, state=State.PAUSED)
            target = ServerNetwork(server.hostname, network, held, directory)
            self._parts.networking.settle(target, fresh=True)

        def release() -> None:
            out.section({"section": "restored"})
            if arriving.heading()["section"] != "commit":
                raise TransferFailed(reason="the source took it back")
            list(arriving.pieces())
            self._parts.networking.mute(network, down=False)
            self._announce(first[0], container)

        steps = Restored(wire, release)
        self._parts.checkpoints.restore(server.uuid, container, directory.path, steps)
        undo.pop_all()  # it runs
        self._networks.pop(server.uuid, None)

    def _announce(self, pid: int, container: Container) -> None:
        def repeat() -> None:
            for pause in _ANNOUNCEMENTS:
                time.sleep(pause)
                try:
                    self._parts.travel.announce(pid, container)
                except (OSError, DockerDriverError) as error:
                    LOG.debug("%s is not announced: %s", container.name, error)

        threading.Thread(target=repeat, name=f"announce-{container.name}", daemon=True).start()
