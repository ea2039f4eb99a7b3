# SPDX-License-Identifier: Apache-2.0
"""Rescue of a server: a stand-in from another image runs, and sees the server's files.

The server's own container is started up to its gate and held there. So the engine mounts its
root, and nothing runs of the image that may be broken; the stand-in gets that root, and its
volumes, bound below ``/rescue``. The driver makes no mount, and the engine's end with the two.
"""

from contextlib import ExitStack
from dataclasses import replace

from novadocker.errors import RescueRefused
from novadocker.virt.docker.actions.lock import operation
from novadocker.virt.docker.actions.recovery.rescues import end_rescue
from novadocker.virt.docker.actions.runner import SEEN_AT, Runner
from novadocker.virt.docker.actions.stopwatch import Stopwatch
from novadocker.virt.docker.container.server import Server
from novadocker.virt.docker.engine import Container, Engine, Image, Shared
from novadocker.virt.docker.images import Images, ImageWaiter
from novadocker.virt.docker.injection.inputs import NOTHING, Inputs
from novadocker.virt.docker.network.networking import Network, Networking
from novadocker.virt.nova_types import ImageMeta, RequestContext


class Rescue:
    """Rescues of the servers on one host.

    ``run`` takes the server's lock; ``begin`` and ``hold`` are steps of operations that hold
    the lock.

    Args:
        engine: runs the containers.
        images: fetches images from Glance.
        networking: joins containers to their ports.
        runner: makes and runs containers.
    """

    def __init__(
        self, engine: Engine, images: Images, networking: Networking, runner: Runner
    ) -> None:
        self._engine = engine
        self._images = images
        self._networking = networking
        self._runner = runner

    def run(
        self,
        context: RequestContext,
        server: Server,
        image_meta: ImageMeta,
        network: Network,
        inputs: Inputs = NOTHING,
        *,
        running: bool,
        waiter: ImageWaiter | None = None,
    ) -> None:
        """Run a stand-in from another image, with the server's own files below ``/rescue``.

        A rescue that is under way begins anew. A failed rescue leaves the server as it was.

        Args:
            context: token for Glance.
            server: the stand-in as it was asked for.
            image_meta: Nova's record of the stand-in's image.
            network: ports of the server.
            inputs: files and password for the stand-in.
            running: the server ran before, and is to run again after a failure.
            waiter: hears how far the image is, and may end the rescue.

        Raises:
            ContainerNotFound: the server's own container does not exist.
            RescueRefused: the server's files cannot be shown to another container.
            DockerDriverError: the stand-in cannot run; each reason has its own class.
        """
        watch, uuid = Stopwatch(), server.uuid
        own = self._runner.guest(uuid)
        with operation(self._engine, uuid), ExitStack() as undo:
            files_of(own.get())  # refuses before anything changes
            self._runner.settings(server)
            end_rescue(self._runner, self._networking, uuid, network)
            if running:
                undo.callback(self._runner.run_again, replace(server, rescue=False), network)
            own.stop(0)
            self._networking.unwire(network)
            image = self._images.ensure(context, image_meta, waiter)
            watch.mark("image")
            self.begin(server, image, inputs, network, watch)
            undo.pop_all()

    def begin(
        self, server: Server, image: Image, inputs: Inputs, network: Network, watch: Stopwatch
    ) -> None:
        """Run a stand-in; a failure leaves nothing but the stopped server.

        Args:
            server: the stand-in as it was asked for.
            image: image of the stand-in.
            inputs: files and password for the stand-in.
            network: ports of the server, unplugged.
            watch: notes how long each part took.

        Raises:
            RescueRefused: the server's files cannot be shown to another container.
            DockerDriverError: the stand-in cannot run; each reason has its own class.
        """
        own = self._runner.guest(server.uuid)
        files = files_of(own.get())
        with ExitStack() as undo:
            undo.callback(end_rescue, self._runner, self._networking, server.uuid, network)
            # First: a directory of a stand-in without one tells recovery of a broken rescue.
            self._runner.directory(server.uuid, rescue=True).make()
            own.start()  # up to its gate, where it stays
            stand_in = replace(server, rescue=True)
            self._runner.make(stand_in, image, inputs, network, watch, files)
            self._runner.run(stand_in, network, watch)
            undo.pop_all()

    def hold(self, uuid: str) -> None:
        """Start a server's own container up to the gate, so that the stand-in can run again.

        Raises:
            ContainerNotFound: the server's own container does not exist.
        """
        self._runner.guest(uuid).start()


def files_of(own: Container) -> tuple[Shared, ...]:
    """Return mounts of the files of a server's own container for the stand-in.

    The root is at ``/rescue``, each volume at its own path below.

    Raises:
        RescueRefused: the engine does not tell where the root is.
    """
    if not own.root:
        raise RescueRefused(
            name=own.name,
            reason="the engine's storage driver does not tell where it mounts a container's "
            "root; a rescue needs overlay2",
        )
    volumes = (
        Shared(name, f"{SEEN_AT}{seen}", volume=True) for seen, name in sorted(own.volumes.items())
    )
    return Shared(own.root, SEEN_AT), *volumes
