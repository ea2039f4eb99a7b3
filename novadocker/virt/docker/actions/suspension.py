# SPDX-License-Identifier: Apache-2.0
"""Suspension of a server to disk, and its way back."""

from contextlib import ExitStack
from dataclasses import replace

from novadocker.errors import CheckpointError
from novadocker.virt.docker.actions.lock import operation
from novadocker.virt.docker.actions.runner import Runner
from novadocker.virt.docker.checkpoint.checkpoints import Checkpoints, Restored
from novadocker.virt.docker.container.guest import in_service
from novadocker.virt.docker.container.labels import container_name
from novadocker.virt.docker.container.server import Server
from novadocker.virt.docker.engine import Container, Engine, State
from novadocker.virt.docker.network.networking import Network, Networking, ServerNetwork
from novadocker.virt.docker.volumes.attachments import Volumes

_END = "KILL"


class Suspension:
    """Suspended servers of one host.

    Args:
        engine: runs the containers.
        networking: joins containers to their ports.
        runner: knows the containers and their directories.
        volumes: Cinder volumes on this host.
        checkpoints: memory of servers on disk.
    """

    def __init__(
        self,
        engine: Engine,
        networking: Networking,
        runner: Runner,
        volumes: Volumes,
        checkpoints: Checkpoints,
    ) -> None:
        self._engine = engine
        self._networking = networking
        self._runner = runner
        self._volumes = volumes
        self._checkpoints = checkpoints

    def suspend(self, uuid: str, network: Network) -> None:
        """Write a server's memory to disk and end its processes; its files and ports stay.

        The server runs on after a failure. Once the record of the checkpoint is written, the
        server is suspended, whatever happens next.

        Args:
            uuid: id of the instance.
            network: ports of the server.

        Raises:
            CheckpointError: the server cannot be checkpointed, and why.
            ContainerNotFound: there is no container.
        """
        with operation(self._engine, uuid):
            guest = in_service(self._engine, uuid)
            container = guest.get()
            self.refuse(uuid, container)
            with ExitStack() as undo:
                undo.callback(guest.unpause)
                guest.pause()
                undo.callback(self._networking.mute, network, down=False)
                # First its ports: a peer must not see what the record may not hold.
                self._networking.mute(network, down=True)
                self._checkpoints.write(uuid, guest.get())
                undo.pop_all()
            self.end(uuid, network)

    def end(self, uuid: str, network: Network) -> None:
        """End the frozen processes of a server that is on disk; the caller holds the lock.

        Args:
            uuid: id of the instance.
            network: ports of the server.
        """
        guest = in_service(self._engine, uuid)
        if guest.get().alive:
            # Not by ``stop``, which thaws first: a process that ran on would change its files.
            self._engine.signal(guest.name, _END)  # returns when it has ended
        self._networking.unwire(network)

    def tidy(self, uuid: str, container: Container | None) -> bool:
        """Wipe what a death left of a checkpoint, unless the checkpoint is the last run's.

        Args:
            uuid: id of the instance.
            container: its container as it is now.

        Returns:
            True for a server whose memory is on disk, complete.
        """
        if container and self._checkpoints.holds(uuid, container):
            return True
        self._checkpoints.discard(uuid)
        return False

    def resume(self, server: Server, network: Network) -> None:
        """Let a suspended server go on where it was.

        Args:
            server: the server of the container.
            network: ports of the server.

        Raises:
            CheckpointError: its memory is not here, or cannot be restored; it stays suspended.
            ContainerNotFound: there is no container.
            WiringError: the container could not be joined to its ports; it stays suspended.
        """
        with operation(self._engine, server.uuid), ExitStack() as undo:
            container = self._runner.guest(server.uuid).get()
            if container.alive:
                return
            self._networking.plan(server.hostname, network)
            undo.callback(self._networking.unwire, network)
            self._restore(server, network, container)
            undo.pop_all()

    def _restore(self, server: Server, network: Network, container: Container) -> None:
        directory = self._runner.directory(server.uuid)
        with network.expected() as event:  # before the plugging, or an event is missed

            def wire(pid: int) -> None:
                # Frozen for the wiring: its host ends stay down, or the kernel would refuse the
                # peers of connections that are not restored yet.
                frozen = replace(container, pid=pid, state=State.PAUSED)
                target = ServerNetwork(server.hostname, network, frozen, directory)
                self._networking.settle(target, fresh=True)

            def release() -> None:
                event.wait()
                self._networking.mute(network, down=False)

            steps = Restored(wire, release)
            self._checkpoints.restore(server.uuid, container, directory.path, steps)

    def refuse(self, uuid: str, container: Container) -> None:
        """Refuse a server that cannot be checkpointed, before anything changes.

        Args:
            uuid: id of the instance.
            container: its container as it is now.

        Raises:
            CheckpointError: it cannot, and why.
        """
        if container.name != container_name(uuid):
            raise CheckpointError(reason="it is in rescue")
        if container.state is not State.RUNNING:
            raise CheckpointError(reason=f"its container is {container.state.value}")
        if self._volumes.attached(uuid):
            raise CheckpointError(reason="it has volumes; detach them, or stop the server")
        self._checkpoints.refuse(container, self._runner.directory(uuid).path)
