# SPDX-License-Identifier: Apache-2.0
"""A server from image to running container and back: the order of things, and their undoing.

A container's network is complete before its first instruction runs: it is started up to its
gate, wired, and let go. Every operation here may be repeated.
"""

from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from oslo_log import log as logging

from novadocker.errors import ContainerExists
from novadocker.policy import Settings
from novadocker.virt.docker.actions import recreate
from novadocker.virt.docker.actions.interfaces import Rewiring
from novadocker.virt.docker.actions.lock import lock
from novadocker.virt.docker.actions.rescue import files_of
from novadocker.virt.docker.actions.resize import Resizing
from novadocker.virt.docker.actions.stopwatch import Stopwatch
from novadocker.virt.docker.conf.values import Options
from novadocker.virt.docker.container.guest import in_service
from novadocker.virt.docker.container.labels import LABEL_IMAGE
from novadocker.virt.docker.container.server import Server
from novadocker.virt.docker.container.spec import container_spec
from novadocker.virt.docker.engine import Engine
from novadocker.virt.docker.images import Boot, Images
from novadocker.virt.docker.injection.inputs import NOTHING, Inputs, first_words
from novadocker.virt.docker.network.networking import Network
from novadocker.virt.docker.wiring import Wiring

LOG = logging.getLogger(__name__)


class Lifecycle(Resizing, Rewiring):
    """What is done to servers on one host.

    Args:
        engine: runs the containers.
        images: gets their images.
        wiring: joins them to their ports.
        options: set by the operator.
    """

    def __init__(self, engine: Engine, images: Images, wiring: Wiring, options: Options) -> None:
        super().__init__(engine, wiring, options)
        self._images = images

    def boot(
        self,
        context: Any,
        server: Server,
        image_meta: Any,
        network: Network,
        inputs: Inputs = NOTHING,
        *,
        power_on: bool,
        waiting: Boot | None = None,
    ) -> None:
        """Make a server's container and run it; leaves nothing behind when it fails.

        Args:
            context: the request's, for Glance.
            server: what was asked for.
            image_meta: Nova's account of the image.
            network: its ports.
            inputs: what its tenant handed over.
            power_on: whether it is to run.
            waiting: is told while its image loads, and may end that.

        Raises:
            DockerDriverError: whatever went wrong, by its own class.
        """
        watch = Stopwatch()
        guest, directory = self._runner.guest(server.uuid), self._runner.directory(server.uuid)
        with lock(server.uuid), ExitStack() as undo:
            if guest.find():
                raise ContainerExists(name=guest.name)
            self._runner.settings(server)  # before anything is fetched
            image = self._images.ensure(context, image_meta, waiting)
            watch.mark("image")
            undo.callback(directory.remove)
            undo.callback(guest.remove)
            self._runner.make(server, image, inputs, network, watch)
            if power_on:
                self._runner.run(server, network, watch)
            undo.pop_all()
        LOG.info("Boot of %s took, in seconds: %s", server.container, watch)

    def foresee(
        self,
        context: Any,
        server: Server,
        image_meta: Any,
        inputs: Inputs = NOTHING,
        waiting: Boot | None = None,
    ) -> None:
        """Refuse what ``boot`` would refuse, and have its image here; nothing else changes.

        Args:
            context: the request's, for Glance.
            server: what was asked for.
            image_meta: Nova's account of the image.
            inputs: what its tenant handed over.
            waiting: is told while its image loads, and may end that.

        Raises:
            DockerDriverError: what is wrong with it, by its own class.
        """
        settings = self._runner.settings(server)
        first = first_words(inputs, settings)
        image = self._images.ensure(context, image_meta, waiting)
        size = self._options.log_max_size
        container_spec(server, image, settings, {}, size, first_words=first)

    def settings(self, server: Server) -> Settings:
        """Say what a server may use and do here.

        Args:
            server: what was asked for.

        Returns:
            Its limits and rights.

        Raises:
            PolicyRefused: its flavor or its image asks for what is not granted here.
        """
        return self._runner.settings(server)

    def told_rights(self, uuid: str) -> str:
        """Return what a server was told of its rights.

        Args:
            uuid: of the instance.

        Returns:
            The words; "" of a server that was made without.
        """
        return self._runner.directory(uuid).told_rights()

    def image_of(self, uuid: str) -> str:
        """Say which image a server was made of.

        Args:
            uuid: of the instance.

        Returns:
            Its Glance id; "" of a server without a container.
        """
        container = self._runner.guest(uuid).find()
        return container.labels.get(LABEL_IMAGE, "") if container else ""

    def start(self, server: Server, network: Network) -> None:
        """Run a server's container, with its network.

        The one that Nova means: the server's own, which ends a rescue, or in a rescue the
        stand-in.

        Args:
            server: whose.
            network: its ports.

        Raises:
            ContainerNotFound: there is no container.
        """
        with lock(server.uuid):
            guest = self._runner.guest(server.uuid, rescue=server.rescue)
            container = guest.get()
            if not server.rescue:
                self._rescue.end(server.uuid, network)
                container = guest.get()
            elif not container.alive:
                self._rescue.hold(server.uuid)
            self._runner.run(
                server, network, Stopwatch(), running=container if container.alive else None
            )

    def stop(self, uuid: str, network: Network, timeout: int) -> None:
        """End a server's process and unplug its ports; the container stays.

        What is not there does not run: so a server that lost its container can be rebuilt.

        Args:
            uuid: of the instance.
            network: its ports.
            timeout: seconds between the image's stop signal and the end by force.
        """
        with lock(uuid):
            guest = in_service(self._engine, uuid)
            if guest.find():
                guest.stop(timeout)
            self._networking.unwire(network)

    def restart(self, server: Server, network: Network, timeout: int) -> None:
        """End a server's process and run it again, its files kept.

        Args:
            server: whose.
            network: its ports.
            timeout: seconds between the image's stop signal and the end by force.

        Raises:
            ContainerNotFound: there is no container.
        """
        self.stop(server.uuid, network, timeout)
        self.start(server, network)

    def pause(self, uuid: str, network: Network) -> None:
        """Freeze a server, and silence its ports; safe to repeat.

        Args:
            uuid: of the instance.
            network: its ports.

        Raises:
            ContainerNotFound: there is no container.
            WiringError: its ports could not be silenced; it runs on.
        """
        with lock(uuid), ExitStack() as undo:
            guest = in_service(self._engine, uuid)
            undo.callback(guest.unpause)
            guest.pause()
            self._networking.mute(network, muted=True)
            undo.pop_all()

    def unpause(self, uuid: str, network: Network) -> None:
        """Let a frozen server go on, with its ports; safe to repeat.

        Args:
            uuid: of the instance.
            network: its ports.

        Raises:
            ContainerNotFound: there is no container.
            WiringError: its ports could not be opened; it stays frozen.
        """
        with lock(uuid):
            guest = in_service(self._engine, uuid)
            self._networking.mute(network, muted=False)
            guest.unpause()

    def commit(self, uuid: str, tag: str, *, live: bool) -> str:
        """Make an image of a server's own container as it is.

        Args:
            uuid: of the instance.
            tag: "REPOSITORY:TAG", the image's name.
            live: whether it runs on meanwhile.

        Returns:
            The image's id.

        Raises:
            ContainerNotFound: there is no container.
        """
        with lock(uuid):
            return self._runner.guest(uuid).commit(tag, live=live)

    def rescue(
        self,
        context: Any,
        server: Server,
        image_meta: Any,
        network: Network,
        inputs: Inputs = NOTHING,
        *,
        running: bool,
        waiting: Boot | None = None,
    ) -> None:
        """Run a stand-in from another image, with the server's own files below ``/rescue``.

        A rescue that is under way begins anew. One that fails leaves the server as it was.

        Args:
            context: the request's, for Glance.
            server: the stand-in as it was asked for.
            image_meta: Nova's account of its image.
            network: the server's ports.
            inputs: what is handed to the stand-in.
            running: whether the server ran before, and is to run again after a failure.
            waiting: is told while the stand-in's image loads, and may end that.

        Raises:
            ContainerNotFound: the server's own container does not exist.
            RescueRefused: its files cannot be shown to another.
            DockerDriverError: whatever else went wrong, by its own class.
        """
        watch, uuid = Stopwatch(), server.uuid
        own = self._runner.guest(uuid)
        with lock(uuid), ExitStack() as undo:
            files_of(own.get())  # refused before anything changes
            self._runner.settings(server)
            self._rescue.end(uuid, network)
            if running:
                undo.callback(self._runner.run_again, replace(server, rescue=False), network)
            own.stop(0)
            self._networking.unwire(network)
            image = self._images.ensure(context, image_meta, waiting)
            watch.mark("image")
            self._rescue.begin(server, image, inputs, network, watch)
            undo.pop_all()
        LOG.info("Rescue by %s took, in seconds: %s", server.container, watch)

    def remove(self, uuid: str, network: Network) -> None:
        """Remove all of a server that is on this host; absence is no error.

        Args:
            uuid: of the instance.
            network: its ports.
        """
        with lock(uuid), ExitStack() as steps:
            # Each of them is tried even if another fails.
            steps.callback(recreate.forget, self._engine, uuid)
            steps.callback(self._runner.directory(uuid).remove)
            steps.callback(self._networking.unwire, network)
            steps.callback(self._runner.guest(uuid).remove)
            steps.callback(self._runner.guest(uuid, rescue=True).remove)
