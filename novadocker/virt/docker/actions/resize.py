# SPDX-License-Identifier: Apache-2.0
"""A server given another flavor: the limits and rights of the container that it has.

Nova asks twice, before and after it knows that the server may have the flavor here.
"""

from contextlib import ExitStack

from novadocker.policy import notice
from novadocker.virt.docker.actions import recreate
from novadocker.virt.docker.actions.lock import lock
from novadocker.virt.docker.actions.servers import Servers
from novadocker.virt.docker.actions.stopwatch import Stopwatch
from novadocker.virt.docker.container.server import Server
from novadocker.virt.docker.container.spec import refuse_root
from novadocker.virt.docker.injection.injector import refuse_root_users
from novadocker.virt.docker.network.networking import Network


class Resizing(Servers):
    """The servers of one host and their flavors; each operation may be repeated."""

    def prepare_resize(self, server: Server, network: Network, timeout: int) -> None:
        """End a server that gets another flavor; one that cannot have it stays as it is.

        Args:
            server: with the flavor that it gets.
            network: its ports.
            timeout: seconds between the image's stop signal and the end by force.

        Raises:
            ContainerNotFound: there is no container.
            PolicyRefused: an extra spec of the flavor cannot be honoured.
            ResizeRefused: the flavor's disk is too small.
        """
        settings = self._runner.settings(server)
        with lock(server.uuid), ExitStack() as undo:
            guest = self._runner.guest(server.uuid)
            container = guest.get()
            refuse_root(settings, container.user)
            refuse_root_users(self._engine, container, settings)
            recreate.refuse_smaller_disk(self._engine, container, settings.limits)
            if container.alive:
                undo.callback(self._runner.run_again, server, network)
            guest.stop(timeout)
            self._networking.unwire(network)
            undo.pop_all()

    def resize(self, server: Server, network: Network, *, power_on: bool) -> None:
        """Give a server limits and rights of its flavor; one that fails keeps what it had.

        Args:
            server: with the flavor that it has now.
            network: its ports.
            power_on: whether it is to run.

        Raises:
            ContainerNotFound: there is no container.
            PolicyRefused: an extra spec of the flavor cannot be honoured.
        """
        settings = self._runner.settings(server)
        with lock(server.uuid), ExitStack() as undo:
            guest = self._runner.guest(server.uuid)
            before = guest.get()
            # Again: until its stop the server could write another passwd(5) than the one that
            # was read then.
            refuse_root(settings, before.user)
            refuse_root_users(self._engine, before, settings)
            had = recreate.given(before), before.rights
            directory = self._runner.directory(server.uuid)
            undo.callback(directory.tell_rights, directory.told_rights())
            undo.callback(recreate.fit, self._engine, server.uuid, *had)
            recreate.fit(self._engine, server.uuid, settings.limits, settings.rights)
            directory.tell_rights(notice.words(settings))
            if power_on:
                now = guest.get()
                self._runner.run(server, network, Stopwatch(), running=now if now.alive else None)
            undo.pop_all()
