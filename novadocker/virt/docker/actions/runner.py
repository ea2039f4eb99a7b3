# SPDX-License-Identifier: Apache-2.0
"""A server's container, from what it is to be until its first instruction runs.

It is made, started up to its gate, joined to its network and let go, in this order.
"""

from contextlib import ExitStack
from dataclasses import replace

from oslo_log import log as logging

from novadocker.errors import DockerDriverError
from novadocker.policy import Settings, notice, settings_for
from novadocker.virt.docker.actions.stopwatch import Stopwatch
from novadocker.virt.docker.conf.values import Options
from novadocker.virt.docker.container import cgroup
from novadocker.virt.docker.container.directory import InstanceDirectory
from novadocker.virt.docker.container.guest import Guest
from novadocker.virt.docker.container.labels import RESCUE, container_name
from novadocker.virt.docker.container.server import Server
from novadocker.virt.docker.container.spec import container_spec
from novadocker.virt.docker.engine import Container, Engine, Image, Shared
from novadocker.virt.docker.injection.injector import inject
from novadocker.virt.docker.injection.inputs import Inputs, first_words
from novadocker.virt.docker.network.networking import Network, Networking

LOG = logging.getLogger(__name__)


class Runner:
    """Makes and runs the containers of servers on one host; locks nothing.

    Args:
        engine: runs them.
        networking: joins them to their ports.
        options: set by the operator.
    """

    def __init__(self, engine: Engine, networking: Networking, options: Options) -> None:
        self._engine = engine
        self._networking = networking
        self._options = options

    def guest(self, uuid: str, *, rescue: bool = False) -> Guest:
        """Return an instance's container, whether it exists or not.

        Args:
            uuid: of the instance.
            rescue: whether the one is meant that stands in for its own.

        Returns:
            The container.
        """
        return Guest(self._engine, container_name(uuid, rescue=rescue))

    def directory(self, uuid: str, *, rescue: bool = False) -> InstanceDirectory:
        """Return the directory of an instance's container, whether it exists or not.

        Args:
            uuid: of the instance.
            rescue: whether that of the stand-in is meant.

        Returns:
            The directory.
        """
        path = self._options.instances_path / uuid
        name = container_name(uuid, rescue=rescue)
        return InstanceDirectory(path / RESCUE if rescue else path, name)

    def settings(self, server: Server) -> Settings:
        """Return what a server's container may use and do here.

        Args:
            server: what was asked for.

        Returns:
            The settings.

        Raises:
            PolicyRefused: its flavor or its image asks for what is not granted here.
        """
        options = self._options
        return settings_for(
            server.flavor, options.abilities, options.bounds, server.image_properties
        )

    def make(
        self,
        server: Server,
        image: Image,
        inputs: Inputs,
        network: Network,
        watch: Stopwatch,
        shared: tuple[Shared, ...] = (),
    ) -> None:
        """Make a container with its directory; what there is of it after a failure is the caller's.

        Args:
            server: what was asked for.
            image: what it is made from.
            inputs: what its tenant handed over.
            network: its ports, which a config drive tells of.
            watch: is told what took how long.
            shared: files of another container.

        Raises:
            DockerDriverError: whatever went wrong, by its own class.
        """
        guest = self.guest(server.uuid, rescue=server.rescue)
        directory = self.directory(server.uuid, rescue=server.rescue)
        settings = self.settings(server)
        spec = container_spec(
            server,
            image,
            settings,
            directory.binds(),
            self._options.log_max_size,
            shared=shared,
            first_words=first_words(inputs, settings),
        )
        directory.make()
        directory.tell_rights(notice.words(settings))
        guest.create(spec)
        key = server.public_key if self._options.inject_key else None
        inputs, container = replace(inputs, public_key=key), guest.get()
        gate = directory.gate.directory
        inject(self._engine, container, settings, inputs, gate, network.info)
        if inputs.config_drive:
            watch.mark("config drive")

    def run(
        self, server: Server, network: Network, watch: Stopwatch, running: Container | None = None
    ) -> None:
        """Run a container with its network; one that does not come so far is stopped again.

        Args:
            server: whose.
            network: its ports.
            watch: is told what took how long.
            running: the container where it runs already: its network is looked after.

        Raises:
            ContainerNotFound: there is no container.
            GateError: it did not come to its gate.
            WiringError: it could not be joined to its ports.
        """
        guest = self.guest(server.uuid, rescue=server.rescue)
        directory = self.directory(server.uuid, rescue=server.rescue)
        with ExitStack() as undo:
            if not running:
                undo.callback(guest.stop, 0)
            container = running or guest.start()
            watch.mark("container")
            if container.rights.init:
                cgroup.delegate(container)
            plan = self._networking.plan(server.hostname, network)
            watch.mark("ports")
            if not running:
                undo.callback(self._networking.unwire, network)
            with network.plugged():
                self._networking.settle(network, plan, container, directory, fresh=not running)
                watch.mark("wiring")
            watch.mark("event")
            if running:
                directory.gate.let_go()
            else:
                directory.gate.open(self._options.gate_timeout, alive=lambda: guest.get().alive)
            watch.mark("gate")
            undo.pop_all()

    def run_again(self, server: Server, network: Network) -> None:
        """Run a server as before, after what was asked for failed.

        A failure is told in the log alone: why the first thing failed is what its tenant has
        to know.

        Args:
            server: whose.
            network: its ports.
        """
        try:
            container = self.guest(server.uuid).get()
            self.run(server, network, Stopwatch(), running=container if container.alive else None)
        except DockerDriverError as error:
            LOG.warning("Cannot run %s as before: %s", server.container, error)
