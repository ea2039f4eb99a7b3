# SPDX-License-Identifier: Apache-2.0
"""Boot, start, stop, pause and removal of servers: the order of steps, and their undoing.

The network of a container is complete before its first instruction runs: the container is
started up to its gate, wired, and let through. Every operation here may be repeated.
"""

from collections.abc import Callable
from contextlib import ExitStack

from novadocker.errors import ContainerExists
from novadocker.virt.docker.actions import recreate
from novadocker.virt.docker.actions.lock import lock, operation
from novadocker.virt.docker.actions.recovery.rescues import end_rescue
from novadocker.virt.docker.actions.rescue import Rescue
from novadocker.virt.docker.actions.runner import Runner, nothing
from novadocker.virt.docker.actions.stopwatch import Stopwatch
from novadocker.virt.docker.checkpoint.checkpoints import Checkpoints
from novadocker.virt.docker.conf.values import Options
from novadocker.virt.docker.container.guest import in_service
from novadocker.virt.docker.container.labels import LABEL_IMAGE
from novadocker.virt.docker.container.server import Server
from novadocker.virt.docker.container.spec import container_spec
from novadocker.virt.docker.engine import Engine, State
from novadocker.virt.docker.images import Images, ImageWaiter
from novadocker.virt.docker.injection.inputs import NOTHING, Inputs, first_words
from novadocker.virt.docker.network.networking import Network, Networking
from novadocker.virt.nova_types import ImageMeta, RequestContext


class Lifecycle:
    """Life of the servers on one host, from image to running container and back.

    Args:
        engine: runs the containers.
        images: fetches images from Glance.
        networking: joins containers to their ports.
        runner: makes and runs containers.
        rescue: holds a server's own container for its stand-in.
        options: settings of the operator.
        checkpoints: memory of suspended servers.
    """

    def __init__(
        self,
        engine: Engine,
        images: Images,
        networking: Networking,
        runner: Runner,
        rescue: Rescue,
        options: Options,
        checkpoints: Checkpoints,
    ) -> None:
        self._engine = engine
        self._images = images
        self._networking = networking
        self._runner = runner
        self._rescue = rescue
        self._options = options
        self._checkpoints = checkpoints

    def boot(
        self,
        context: RequestContext,
        server: Server,
        image_meta: ImageMeta,
        network: Network,
        inputs: Inputs = NOTHING,
        *,
        power_on: bool,
        waiter: ImageWaiter | None = None,
        while_waiting: Callable[[], None] = nothing,
    ) -> None:
        """Make a server's container and run it; a failed boot leaves nothing behind.

        Args:
            context: token for Glance.
            server: the server as its tenant asked for it.
            image_meta: Nova's record of the image.
            network: ports of the server.
            inputs: files, password, user data and config drive of the tenant.
            power_on: the server is to run.
            waiter: hears how far the image is, and may end the boot.
            while_waiting: work that fits into the wait for Neutron.

        Raises:
            DockerDriverError: the server cannot be built; each reason has its own class.
        """
        watch = Stopwatch()
        guest, directory = self._runner.guest(server.uuid), self._runner.directory(server.uuid)
        with lock(server.uuid), ExitStack() as undo:
            if found := guest.find():
                if found.state is not State.CREATED or directory.path.exists():
                    raise ContainerExists(name=guest.name)
                # The engine came to the end of a creation after its boot had been given up.
                guest.remove()
            self._runner.settings(server)  # refuses before an image is fetched for nothing
            image = self._images.ensure(context, image_meta, waiter)
            watch.mark("image")
            undo.callback(directory.remove)
            undo.callback(guest.remove)
            self._runner.make(server, image, inputs, network, watch)
            if power_on:
                self._runner.run(server, network, watch, while_waiting)
            undo.pop_all()

    def check_rebuild(
        self,
        context: RequestContext,
        server: Server,
        image_meta: ImageMeta,
        inputs: Inputs = NOTHING,
        waiter: ImageWaiter | None = None,
    ) -> None:
        """Validate a rebuild: run every check of ``boot`` and fetch the image; change nothing.

        Args:
            context: token for Glance.
            server: the server as it is to be rebuilt.
            image_meta: Nova's record of the new image.
            inputs: files, password, user data and config drive of the tenant.
            waiter: hears how far the image is, and may end the rebuild.

        Raises:
            DockerDriverError: ``boot`` would fail; each reason has its own class.
        """
        settings = self._runner.settings(server)
        first = first_words(inputs, settings)
        image = self._images.ensure(context, image_meta, waiter)
        size = self._options.log_max_size
        container_spec(server, image, settings, {}, size, first_words=first)

    def told_rights(self, uuid: str) -> str:
        """Return the words on rights given to a server; "" for a server made without."""
        return self._runner.directory(uuid).told_rights()

    def image_of(self, uuid: str) -> str:
        """Return the Glance id of the image that a server was made from; "" without container."""
        container = self._runner.guest(uuid).find()
        return container.labels.get(LABEL_IMAGE, "") if container else ""

    def start(self, server: Server, network: Network) -> None:
        """Run a server's container, with its network.

        Nova says by ``server.rescue`` which container is meant: the server's own, whose start
        ends a rescue, or in a rescue the stand-in.

        Args:
            server: the server of the container.
            network: ports of the server.

        Raises:
            ContainerNotFound: there is no container.
        """
        with operation(self._engine, server.uuid):
            container = self._runner.guest(server.uuid, rescue=server.rescue).get()
            if not server.rescue:
                end_rescue(self._runner, self._networking, server.uuid, network)
            elif not container.alive:
                self._rescue.hold(server.uuid)
            self._runner.ensure_running(server, network, Stopwatch())
            self._checkpoints.discard(server.uuid)  # stale from this start on

    def stop(self, uuid: str, network: Network, timeout: int) -> None:
        """End a server's process and unplug its ports; the container stays.

        A lost container counts as stopped, so that its server can be rebuilt. The ports go last:
        the process may say good-bye to its peers until it has ended.

        Args:
            uuid: id of the instance.
            network: ports of the server.
            timeout: seconds between the image's stop signal and the end by force.
        """
        with operation(self._engine, uuid):
            guest = in_service(self._engine, uuid)
            if guest.find():
                guest.stop(timeout)
            self._networking.unwire(network)

    def restart(self, server: Server, network: Network, timeout: int) -> None:
        """End a server's process and run the container again; the files are kept.

        Args:
            server: the server of the container.
            network: ports of the server.
            timeout: seconds between the image's stop signal and the end by force.

        Raises:
            ContainerNotFound: there is no container.
        """
        self.stop(server.uuid, network, timeout)
        self.start(server, network)

    def pause(self, uuid: str, network: Network) -> None:
        """Freeze a server and set its ports down; safe to repeat.

        The kernel answers pings for frozen processes, which a halted machine does not.

        Raises:
            ContainerNotFound: there is no container.
            WiringError: a port could not be set down; the server runs on.
        """
        with operation(self._engine, uuid), ExitStack() as undo:
            guest = in_service(self._engine, uuid)
            undo.callback(guest.unpause)
            guest.pause()
            self._networking.mute(network, down=True)
            undo.pop_all()

    def unpause(self, uuid: str, network: Network) -> None:
        """Set the ports of a frozen server up and let it go on; safe to repeat.

        Raises:
            ContainerNotFound: there is no container.
            WiringError: a port could not be set up; the server stays frozen.
        """
        with operation(self._engine, uuid):
            guest = in_service(self._engine, uuid)
            self._networking.mute(network, down=False)
            guest.unpause()

    def remove_files(self, uuid: str) -> bool:
        """Remove the instance directory of a server without a container here.

        Returns:
            False if a container of the server is still here; then nothing is removed.

        Raises:
            OSError: a file could not be removed.
        """
        with lock(uuid):
            guests = (self._runner.guest(uuid, rescue=rescue) for rescue in (False, True))
            if any(guest.find() for guest in guests):
                return False
            self._runner.directory(uuid).remove()
            self._runner.remove_ephemeral_disks(uuid)
            return True

    def remove(self, uuid: str, network: Network) -> None:
        """Remove everything of a server from this host; absence is no error."""
        with lock(uuid), ExitStack() as steps:
            # Last in, first out: the stand-in goes first, as it uses the own container's files;
            # the directory stays until no container has it bound. Each step is tried even if
            # another fails.
            steps.callback(recreate.remove_leftovers, self._engine, uuid)
            steps.callback(self._runner.directory(uuid).remove)
            steps.callback(self._checkpoints.discard, uuid)
            steps.callback(self._networking.unwire, network)
            steps.callback(self._runner.remove_ephemeral_disks, uuid)
            steps.callback(self._runner.release_volumes, uuid)
            steps.callback(self._runner.guest(uuid).remove)
            steps.callback(self._runner.guest(uuid, rescue=True).remove)
