# SPDX-License-Identifier: Apache-2.0
"""Making and running of a server's container, up to its first instruction.

The container is made, started up to its gate, joined to its network and let through the gate,
in this order. Actions call this module and hold the server's lock.
"""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace

from oslo_log import log as logging

from novadocker.errors import DockerDriverError
from novadocker.policy import Settings, notice
from novadocker.virt.docker.actions.allowance import Allowance
from novadocker.virt.docker.actions.stopwatch import Stopwatch
from novadocker.virt.docker.conf.values import Options
from novadocker.virt.docker.container import cgroup
from novadocker.virt.docker.container.accounts import PASSWD, owner_of, user_name
from novadocker.virt.docker.container.directory import InstanceDirectory
from novadocker.virt.docker.container.guest import Guest
from novadocker.virt.docker.container.labels import RESCUE, container_name
from novadocker.virt.docker.container.server import Server
from novadocker.virt.docker.container.spec import container_spec
from novadocker.virt.docker.engine import Container, Engine, Image, Shared
from novadocker.virt.docker.injection.injector import inject, read_accounts
from novadocker.virt.docker.injection.inputs import Inputs, first_words
from novadocker.virt.docker.network.networking import Network, Networking, ServerNetwork
from novadocker.virt.docker.volumes.attachments import Volumes
from novadocker.virt.docker.volumes.ephemeral import EphemeralDisks
from novadocker.virt.docker.volumes.values import Attachment

LOG = logging.getLogger(__name__)

SEEN_AT = "/rescue"


def nothing() -> None:
    """Use the wait for Neutron for nothing."""


class Runner:
    """Containers of the servers on one host; takes no lock.

    Args:
        engine: runs the containers.
        networking: joins containers to their ports.
        options: settings of the operator.
        allowance: limits and rights on this host.
        volumes: Cinder volumes on this host.
        ephemeral_disks: files behind the ephemeral disks of servers.
    """

    def __init__(
        self,
        engine: Engine,
        networking: Networking,
        options: Options,
        allowance: Allowance,
        volumes: Volumes,
        ephemeral_disks: EphemeralDisks,
    ) -> None:
        self._engine = engine
        self._networking = networking
        self._options = options
        self._allowance = allowance
        self._volumes = volumes
        self._ephemeral_disks = ephemeral_disks

    def guest(self, uuid: str, *, rescue: bool = False) -> Guest:
        """Return the container of an instance, existing or not.

        Args:
            uuid: id of the instance.
            rescue: the stand-in is meant, not the server's own container.
        """
        return Guest(self._engine, container_name(uuid, rescue=rescue))

    def directory(self, uuid: str, *, rescue: bool = False) -> InstanceDirectory:
        """Return the directory of an instance's container, existing or not.

        Args:
            uuid: id of the instance.
            rescue: the stand-in's directory is meant.
        """
        path = self._options.instances_path / uuid
        name = container_name(uuid, rescue=rescue)
        return InstanceDirectory(path / RESCUE if rescue else path, name)

    def settings(self, server: Server) -> Settings:
        """Return the limits and rights of a server's container on this host.

        Raises:
            PolicyRefused: flavor or image ask for more than is granted here.
        """
        return self._allowance.settings(server)

    def make(
        self,
        server: Server,
        image: Image,
        inputs: Inputs,
        network: Network,
        watch: Stopwatch,
        shared: tuple[Shared, ...] = (),
    ) -> None:
        """Make a container with its directory; leftovers of a failure are the caller's.

        Args:
            server: the server as its tenant asked for it.
            image: image of the container.
            inputs: files, password, user data and config drive of the tenant.
            network: ports, which a config drive tells of.
            watch: notes how long each part took.
            shared: files of another container.

        Raises:
            DockerDriverError: the container cannot be made; each reason has its own class.
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
        self,
        server: Server,
        network: Network,
        watch: Stopwatch,
        while_waiting: Callable[[], None] = nothing,
    ) -> None:
        """Run a container with its network; a failed container is stopped again.

        While a container is held at its gate, nothing of its image has run. So the order is:
        start, plug, work during the wait for Neutron, wait, open the gate.

        Args:
            server: the server of the container.
            network: ports of the server.
            watch: notes how long each part took.
            while_waiting: work that fits into the wait for Neutron.

        Raises:
            ContainerNotFound: there is no container.
            GateError: the container did not come to its gate.
            VolumeError: a volume could not be mounted.
            WiringError: the container could not be joined to its ports.
        """
        guest = self.guest(server.uuid, rescue=server.rescue)
        directory = self.directory(server.uuid, rescue=server.rescue)
        with ExitStack() as undo:
            undo.callback(guest.stop, 0)
            # Before its process: the operator may have divided the processors anew meanwhile.
            self._confine(server, guest.get())
            container = guest.start()
            self._delegate_cgroup(container)
            watch.mark("container")
            self._mount_volumes(server, container)
            watch.mark("volumes")
            self._networking.plan(server.hostname, network)  # reads, hence awaits, the ports
            watch.mark("ports")
            target = ServerNetwork(server.hostname, network, container, directory)
            undo.callback(self._networking.unwire, network)
            with network.expected() as event:  # before the plugging, or an event is missed
                self._networking.settle(target, fresh=True)
                watch.mark("wiring")
                while_waiting()
                event.wait()
            watch.mark("event")
            directory.gate.open_when_reached(
                self._options.gate_timeout, alive=lambda: guest.get().alive
            )
            watch.mark("gate")
            undo.pop_all()

    def keep_running(self, server: Server, network: Network, container: Container) -> None:
        """Bring the network of a container that runs already to the plan.

        Args:
            server: the server of the container.
            network: ports of the server.
            container: state of the container at the moment.

        Raises:
            WiringError: the container could not be joined to its ports.
        """
        directory = self.directory(server.uuid, rescue=server.rescue)
        self._delegate_cgroup(container)
        self._mount_volumes(server, container)
        self._networking.settle(ServerNetwork(server.hostname, network, container, directory))
        # A driver that died between start and wiring left the container at its gate.
        directory.gate.open_if_reached()
        self._confine(server, container)

    def ensure_running(self, server: Server, network: Network, watch: Stopwatch) -> None:
        """Run a container, or look after the network of a container that runs already.

        Args:
            server: the server of the container.
            network: ports of the server.
            watch: notes how long each part took.

        Raises:
            ContainerNotFound: there is no container.
            DockerDriverError: the container cannot run; each reason has its own class.
        """
        container = self.guest(server.uuid, rescue=server.rescue).get()
        if container.alive:
            self.keep_running(server, network, container)
        else:
            self.run(server, network, watch)

    def run_again(self, server: Server, network: Network) -> None:
        """Run a server as before, after a failed operation; a failure is logged alone.

        The tenant has to know why the operation failed, not why its undoing did.

        Args:
            server: the server as before.
            network: ports of the server.
        """
        try:
            self.ensure_running(server, network, Stopwatch())
        except DockerDriverError as error:
            LOG.warning("Cannot run %s as before: %s", server.container, error)

    def release_volumes(self, uuid: str) -> None:
        """Let go of the volumes of a server whose containers have ended.

        Raises:
            VolumeError: a volume could not be let go, and another host must not have it.
        """
        self._volumes.release_all(uuid)

    def remove_ephemeral_disks(self, uuid: str) -> None:
        """Remove the ephemeral disks of a server that is gone, with their content."""
        # A file with a device would stay on the disk without a name, and the device, too.
        if not any(each.ephemeral for each in self._volumes.of(uuid)):
            self._ephemeral_disks.remove(uuid)

    def volumes(self, uuid: str) -> list[Attachment]:
        """Return the volumes of a server, for ``connect_again``."""
        return self._volumes.of(uuid)

    def connect_again(self, released: list[Attachment]) -> None:
        """Connect the volumes released for a failed operation; failures are logged."""
        self._volumes.connect_again(released)

    def owner_of_files(self, container: Container | None) -> tuple[int, int]:
        """Return user and group that a container's process has, as known inside.

        Args:
            container: as it is now; root is assumed for none.
        """
        if container is None:
            return 0, 0
        passwd = read_accounts(self._engine, container.name, PASSWD).text
        owner = owner_of(user_name(container.user), passwd)
        return owner.uid, owner.gid

    def _mount_volumes(self, server: Server, container: Container) -> None:
        self._volumes.ensure_mounted(
            container,
            server.uuid,
            lambda: self.owner_of_files(container),
            # A stand-in sees the server's files there, its volumes among them.
            SEEN_AT if server.rescue else "",
        )

    def _confine(self, server: Server, container: Container) -> None:
        cpuset = self._allowance.cpuset(server)
        if cpuset and cpuset != container.limits.cpuset:
            self._engine.confine(container.name, cpuset)

    def _delegate_cgroup(self, container: Container) -> None:
        if container.rights.init:
            cgroup.delegate(container)
