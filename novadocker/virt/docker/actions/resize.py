# SPDX-License-Identifier: Apache-2.0
"""Another flavor for a server: limits and rights of the existing container.

Nova asks twice, before and after it knows that the server may have the flavor here.
"""

from contextlib import ExitStack

from novadocker.policy import notice
from novadocker.virt.docker.actions import recreate
from novadocker.virt.docker.actions.lock import operation
from novadocker.virt.docker.actions.runner import Runner
from novadocker.virt.docker.actions.stopwatch import Stopwatch
from novadocker.virt.docker.container.server import Server
from novadocker.virt.docker.container.spec import refuse_root
from novadocker.virt.docker.engine import Container, Engine
from novadocker.virt.docker.injection.injector import refuse_root_users
from novadocker.virt.docker.network.networking import Network, Networking


class Resize:
    """Flavors of the servers on one host; each operation may be repeated.

    Args:
        engine: runs the containers.
        networking: joins containers to their ports.
        runner: makes and runs containers.
    """

    def __init__(self, engine: Engine, networking: Networking, runner: Runner) -> None:
        self._engine = engine
        self._networking = networking
        self._runner = runner

    def prepare(self, server: Server, network: Network, timeout: int) -> None:
        """Stop a server for another flavor; a refused server goes on unchanged.

        Args:
            server: the server with its new flavor.
            network: ports of the server.
            timeout: seconds between the image's stop signal and the end by force.

        Raises:
            ContainerNotFound: there is no container.
            PolicyRefused: an extra spec of the flavor cannot be honoured.
            ResizeRefused: the flavor's disk is too small.
        """
        settings = self._runner.settings(server)
        with operation(self._engine, server.uuid), ExitStack() as undo:
            # A confirmation that nova-compute died in left the original of an earlier resize.
            recreate.confirm(self._engine, server.uuid)
            guest = self._runner.guest(server.uuid)
            container = guest.get()
            refuse_root(settings, container.user)
            refuse_root_users(self._engine, container, settings)
            recreate.refuse_smaller_disk(self._engine, container, settings.limits)
            if container.alive:
                undo.callback(self._runner.run_again, server, network)
            guest.stop(timeout)
            self._networking.unwire(network)
            # Nova has new connections made for them before the server runs under its new flavor;
            # a server that goes on as it was needs the old ones before it runs again.
            undo.callback(self._runner.connect_again, self._runner.volumes(server.uuid))
            self._runner.release_volumes(server.uuid)
            undo.pop_all()

    def finish(self, server: Server, network: Network, *, power_on: bool) -> None:
        """Give a server limits and rights of its flavor; a failure brings the original back.

        Args:
            server: the server with the flavor that it has now.
            network: ports of the server.
            power_on: the server is to run.

        Raises:
            ContainerNotFound: there is no container.
            PolicyRefused: an extra spec of the flavor cannot be honoured.
        """
        settings = self._runner.settings(server)
        with operation(self._engine, server.uuid), ExitStack() as undo:
            guest = self._runner.guest(server.uuid)
            before = guest.get()
            # Again: until its stop the server could write another passwd(5) than the one that
            # was read then.
            refuse_root(settings, before.user)
            refuse_root_users(self._engine, before, settings)
            directory = self._runner.directory(server.uuid)
            undo.callback(directory.tell_rights, directory.told_rights())
            undo.callback(self._undo, server.uuid, before)
            recreate.apply(self._engine, server.uuid, settings.limits, settings.rights)
            directory.tell_rights(notice.words(settings))
            if power_on:
                self._runner.ensure_running(server, network, Stopwatch())
            undo.pop_all()

    def confirm(self, uuid: str) -> None:
        """Remove the original of a resized server, which no revert will want."""
        with operation(self._engine, uuid):
            recreate.confirm(self._engine, uuid)

    def revert(self, server: Server, network: Network, *, power_on: bool) -> None:
        """Bring back the original of a resized server, with the files of that time.

        Args:
            server: the server with its old flavor.
            network: ports of the server, unplugged.
            power_on: the server is to run.

        Raises:
            ContainerNotFound: there is no container.
        """
        with operation(self._engine, server.uuid):
            recreate.put_back(self._engine, server.uuid)
        self.finish(server, network, power_on=power_on)

    def _undo(self, uuid: str, before: Container) -> None:
        recreate.put_back(self._engine, uuid)
        recreate.apply(self._engine, uuid, recreate.current_limits(before), before.rights)
