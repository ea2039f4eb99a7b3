# SPDX-License-Identifier: Apache-2.0
"""A server from image to running container and back: the order of things, and their undoing.

A container's network is complete before its first instruction runs: it is started up to its
gate, wired, and let go. Every operation here may be repeated.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oslo_concurrency import lockutils
from oslo_log import log as logging

from novadocker.virt.docker.engine import Container, Engine
from novadocker.virt.docker.errors import ContainerExists, EngineError, EngineUnavailable
from novadocker.virt.docker.guest import Guest
from novadocker.virt.docker.images import Images
from novadocker.virt.docker.instance_directory import (
    HOSTNAME,
    HOSTS,
    RESOLV_CONF,
    InstanceDirectory,
)
from novadocker.virt.docker.policy import Abilities, settings_for
from novadocker.virt.docker.server import Server, container_spec
from novadocker.virt.docker.stopwatch import Stopwatch
from novadocker.virt.docker.wiring import Wiring, names
from novadocker.virt.docker.wiring.plan import Plan, make_plan

LOG = logging.getLogger(__name__)
LOCK_PREFIX = "novadocker-"


@dataclass(frozen=True)
class Options:
    """What an operator sets for all servers of a host.

    Attributes:
        instances_path: where the files of instances are.
        domain: domain of the servers' names, and their resolvers' search domain.
        dns_servers: resolvers for subnets that name none.
        inject_key: whether key pairs are put into containers.
        log_max_size: size of a console log before rotation.
        gate_timeout: seconds that a started container may take until it is at its gate.
        abilities: what the host can enforce.
    """

    instances_path: Path
    domain: str
    dns_servers: tuple[str, ...]
    inject_key: bool
    log_max_size: str
    gate_timeout: int
    abilities: Abilities


@dataclass(frozen=True)
class Network:
    """A server's ports as Nova has them, and the news of them that it waits for.

    Attributes:
        instance: Nova's instance, which os-vif wants.
        info: Nova's network_info; touching it blocks until Neutron made the ports.
        plugged: makes a context that, when it is left, waits until Neutron says that the
            ports plugged in it are up.
    """

    instance: Any
    info: Any
    plugged: Callable[[], AbstractContextManager[None]]


class Lifecycle:
    """What is done to servers on one host.

    Args:
        engine: runs the containers.
        images: gets their images.
        wiring: joins them to their ports.
        options: set by the operator.
    """

    def __init__(self, engine: Engine, images: Images, wiring: Wiring, options: Options) -> None:
        self._engine = engine
        self._images = images
        self._wiring = wiring
        self._options = options

    def boot(
        self, context: Any, server: Server, image_meta: Any, network: Network, *, power_on: bool
    ) -> None:
        """Make a server's container and run it; leaves nothing behind when it fails.

        Args:
            context: the request's, for Glance.
            server: what was asked for.
            image_meta: Nova's account of the image.
            network: its ports.
            power_on: whether it is to run.

        Raises:
            DockerDriverError: whatever went wrong, by its own class.
        """
        watch = Stopwatch()
        guest, directory = self._guest(server.uuid), self._directory(server.uuid)
        with _lock(server.uuid), ExitStack() as undo:
            if guest.find():
                raise ContainerExists(name=guest.name)
            settings = settings_for(server.flavor, self._options.abilities)
            image = self._images.ensure(context, image_meta)
            watch.mark("image")
            undo.callback(directory.remove)
            directory.make()
            spec = container_spec(
                server, image, settings, directory.binds(), self._options.log_max_size
            )
            undo.callback(guest.remove)
            guest.create(spec)
            if self._options.inject_key and server.public_key:
                self._authorize(guest, server.public_key)
            if power_on:
                self._run(server, network, watch)
            undo.pop_all()
        LOG.info("Boot of %s took, in seconds: %s", server.container, watch)

    def start(self, server: Server, network: Network) -> None:
        """Run a server's container, with its network.

        Args:
            server: whose.
            network: its ports.

        Raises:
            ContainerNotFound: there is no container.
        """
        with _lock(server.uuid):
            container = self._guest(server.uuid).get()
            self._run(server, network, Stopwatch(), running=container if container.alive else None)

    def stop(self, uuid: str, network: Network, timeout: int) -> None:
        """End a server's process and unplug its ports; the container stays.

        Args:
            uuid: of the instance.
            network: its ports.
            timeout: seconds between the image's stop signal and the end by force.

        Raises:
            ContainerNotFound: there is no container.
        """
        with _lock(uuid):
            self._guest(uuid).stop(timeout)
            self._wiring.unwire(network.instance, network.info)

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

    def repair_network(self, server: Server, network: Network) -> None:
        """Bring the network of a running container to what it should be.

        Args:
            server: whose; one without a running container is left alone.
            network: its ports.
        """
        with _lock(server.uuid):
            container = self._guest(server.uuid).find()
            if container and container.alive:
                self._wire(server, network, container, self._plan(server, network))
                # A driver that died between start and wiring left it waiting.
                self._directory(server.uuid).gate.let_go()

    def remove(self, uuid: str, network: Network) -> None:
        """Remove all of a server that is on this host; absence is no error.

        Args:
            uuid: of the instance.
            network: its ports.
        """
        with _lock(uuid), ExitStack() as steps:
            # Each of them is tried even if another fails.
            steps.callback(self._directory(uuid).remove)
            steps.callback(self._wiring.unwire, network.instance, network.info)
            steps.callback(self._guest(uuid).remove)

    def _run(
        self, server: Server, network: Network, watch: Stopwatch, running: Container | None = None
    ) -> None:
        guest, gate = self._guest(server.uuid), self._directory(server.uuid).gate
        with ExitStack() as undo:
            if not running:
                undo.callback(guest.stop, 0)
            container = running or guest.start()
            watch.mark("container")
            plan = self._plan(server, network)
            watch.mark("ports")
            if not running:
                undo.callback(self._wiring.unwire, network.instance, network.info)
            with network.plugged():
                self._wire(server, network, container, plan, fresh=not running)
                watch.mark("wiring")
            watch.mark("event")
            if running:
                gate.let_go()
            else:
                gate.open(self._options.gate_timeout, alive=lambda: guest.get().alive)
            watch.mark("gate")
            undo.pop_all()

    @staticmethod
    def _authorize(guest: Guest, public_key: str) -> None:
        # What a tenant's image makes of its users harms that tenant's login alone.
        try:
            reason = "" if guest.authorize(public_key) else "its user has no home in the image"
        except EngineUnavailable:
            raise
        except EngineError as error:
            reason = str(error)
        if reason:
            LOG.warning("No key was put into %s: %s", guest.name, reason)

    def _plan(self, server: Server, network: Network) -> Plan:
        return make_plan(
            network.info,
            hostname=server.hostname,
            domain=self._options.domain,
            default_dns=self._options.dns_servers,
        )

    def _wire(
        self,
        server: Server,
        network: Network,
        container: Container,
        plan: Plan,
        *,
        fresh: bool = False,
    ) -> None:
        self._directory(server.uuid).write(
            {
                HOSTS: names.hosts(plan),
                HOSTNAME: names.hostname(plan),
                RESOLV_CONF: names.resolv_conf(plan),
            }
        )
        self._wiring.ensure_wired(
            network.instance, network.info, plan, container.pid, container.id, fresh=fresh
        )

    def _guest(self, uuid: str) -> Guest:
        return Guest(self._engine, f"nova-{uuid}")

    def _directory(self, uuid: str) -> InstanceDirectory:
        return InstanceDirectory(self._options.instances_path / uuid, f"nova-{uuid}")


def _lock(uuid: str) -> AbstractContextManager[Any]:
    # Nova holds a lock named by the bare id around most of its calls to us.
    lock: AbstractContextManager[Any] = lockutils.lock(f"{LOCK_PREFIX}{uuid}")
    return lock
