# SPDX-License-Identifier: Apache-2.0
"""A server rescued: another container stands in for its own, and sees its files.

The own container is started up to its gate and held there. So the engine mounts its root, and
nothing of what may be broken in it runs; the stand-in gets that root, and its volumes, bound
below ``/rescue``. No mount is made here, and what the engine does for it ends with the two.
"""

from contextlib import ExitStack
from dataclasses import replace

from novadocker.errors import RescueRefused
from novadocker.virt.docker.actions.runner import Runner
from novadocker.virt.docker.actions.stopwatch import Stopwatch
from novadocker.virt.docker.container.server import Server
from novadocker.virt.docker.engine import Container, Image, Shared
from novadocker.virt.docker.injection.inputs import Inputs
from novadocker.virt.docker.network.networking import Network, Networking

SEEN_AT = "/rescue"


class Rescue:
    """The rescue of servers on one host; locks nothing.

    Args:
        runner: makes and runs their containers.
        networking: joins them to their ports.
    """

    def __init__(self, runner: Runner, networking: Networking) -> None:
        self._runner = runner
        self._networking = networking

    def begin(
        self, server: Server, image: Image, inputs: Inputs, network: Network, watch: Stopwatch
    ) -> None:
        """Run a stand-in; one that fails leaves nothing but the stopped server.

        Args:
            server: the stand-in, as it was asked for.
            image: what it is made from.
            inputs: what is handed to it.
            network: the server's ports, unplugged.
            watch: is told what took how long.

        Raises:
            RescueRefused: the server's files cannot be shown to another container.
            DockerDriverError: whatever else went wrong, by its own class.
        """
        own = self._runner.guest(server.uuid)
        files = files_of(own.get())
        with ExitStack() as undo:
            undo.callback(self.end, server.uuid, network)
            # First: as long as it is there, all of this is known to be undone.
            self._runner.directory(server.uuid, rescue=True).make()
            own.start()  # up to its gate, where it stays
            stand_in = replace(server, rescue=True)
            self._runner.make(stand_in, image, inputs, network, watch, files)
            self._runner.run(stand_in, network, watch)
            undo.pop_all()

    def hold(self, uuid: str) -> None:
        """Start a server's own container up to its gate, so that its stand-in can run again.

        Args:
            uuid: of the instance.

        Raises:
            ContainerNotFound: it does not exist.
        """
        self._runner.guest(uuid).start()

    def end(self, uuid: str, network: Network) -> None:
        """Remove a stand-in and leave the server stopped; where there is none do nothing.

        Args:
            uuid: of the instance.
            network: its ports.
        """
        own, guest = self._runner.guest(uuid), self._runner.guest(uuid, rescue=True)
        directory = self._runner.directory(uuid, rescue=True)
        if not (directory.path.exists() or guest.find()):
            return
        guest.remove()
        self._networking.unwire(network)
        if own.find():
            own.stop(0)  # it is held at its gate, and what it sees is older than the rescue
        directory.remove()  # last: as long as it is there, this is not done


def files_of(own: Container) -> tuple[Shared, ...]:
    """Say how the files of a server's own container get into its stand-in.

    Args:
        own: the server's own container.

    Returns:
        Its root at ``/rescue``, and each of its volumes where it is below that.

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
