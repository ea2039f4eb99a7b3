# SPDX-License-Identifier: Apache-2.0
"""Bare engine: cost of an action without Nova, Neutron and Glance.

A twin is a container as the driver makes them, without a network. To it is done what the driver
does to a server, by the engine's API alone.
"""

import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace

from bench.measuring.cloud import Cloud
from novadocker.policy import Abilities, Flavor, settings_for
from novadocker.virt.docker.container.directory import InstanceDirectory
from novadocker.virt.docker.container.server import Server
from novadocker.virt.docker.container.spec import container_spec
from novadocker.virt.docker.engine import ContainerSpec, Engine
from novadocker.virt.docker.images import NAMESPACE

# Not the name of a compute host: no driver takes its containers for its own.
HOST = "bench"
PATIENCE = 60
CONSOLE_LINES, CONSOLE_BYTES = 10_000, 100 * 1024


@dataclass
class Twin:
    """Container of the bare engine, like a server's.

    Args:
        engine: where it is.
        spec: settings of the container.
        directory: folder bound into the container.
        stand_in: the same of what takes its place in a rescue.
    """

    engine: Engine
    spec: ContainerSpec
    directory: InstanceDirectory
    stand_in: "Twin | None" = None
    saved: list[bytes] = field(default_factory=list)

    def create(self) -> None:
        """Make the container."""
        self.engine.create(self.spec)

    def hold(self) -> None:
        """Start the container up to the gate."""
        self.engine.start(self.spec.name)

    def start(self) -> None:
        """Start the container."""
        self.hold()
        self.directory.gate.open_when_reached(
            PATIENCE, alive=lambda: self.engine.inspect(self.spec.name).alive
        )

    def stop(self) -> None:
        """End the container by the image's signal."""
        self.engine.stop(self.spec.name, PATIENCE)

    def kill(self) -> None:
        """End the container by force."""
        self.engine.stop(self.spec.name, 0)

    def remove(self) -> None:
        """Remove the container."""
        self.engine.remove(self.spec.name)

    def pause(self) -> None:
        """Freeze the container."""
        self.engine.pause(self.spec.name)

    def unpause(self) -> None:
        """Thaw the container."""
        self.engine.unpause(self.spec.name)

    def tail(self) -> None:
        """Read the end of the log."""
        self.engine.tail(self.spec.name, CONSOLE_LINES, CONSOLE_BYTES)

    def save(self) -> None:
        """Commit the container and read the image."""
        tag = f"{HOST}/twin:{uuid.uuid4().hex}"
        image = self.engine.commit(self.spec.name, tag, pause=True)
        self.saved = list(self.engine.save_image(image))
        self.engine.remove_image(tag)

    def reboot_softly(self) -> None:
        """End the container and start again."""
        self.stop()
        self.start()

    def reboot_hard(self) -> None:
        """End the container by force and start again."""
        self.kill()
        self.start()

    def rebuild(self) -> None:
        """Replace the container by a new one."""
        self.remove()
        self.create()
        self.start()

    def resize(self) -> None:
        """Change the limits of the stopped container."""
        self.stop()
        self.engine.update(self.spec.name, self.spec.settings)
        self.start()

    def rescue(self) -> None:
        """Run a stand-in while the container is held at the gate."""
        assert self.stand_in
        self.kill()
        self.hold()
        self.stand_in.create()
        self.stand_in.start()

    def unrescue(self) -> None:
        """End the stand-in, and start the container again."""
        assert self.stand_in
        self.stand_in.remove()
        self.kill()
        self.start()

    def shelve(self) -> None:
        """Commit the container, and remove the container."""
        self.stop()
        self.save()
        self.remove()

    def unshelve(self) -> None:
        """Load the image and run a container."""
        self.engine.load_image(iter(self.saved))
        self.create()
        self.start()


@contextmanager
def twin(cloud: Cloud, image: str, flavor: Flavor) -> Iterator[Twin]:
    """Give a twin of a server, not made yet; nothing stays behind.

    Args:
        cloud: owner of the engine.
        image: Glance's id of an image that the engine has.
        flavor: server's flavor.
    """
    server = Server(
        uuid=str(uuid.uuid4()),
        project=HOST,
        host=HOST,
        hostname="bench",
        flavor=flavor,
        image=image,
    )
    (tag, *_) = cloud.engine.image_tags(f"{NAMESPACE}{image}:")
    found = cloud.engine.find_image(tag)
    if found is None:
        raise LookupError(tag)
    settings = settings_for(flavor, Abilities(disk_limit=False, pids=1024))
    path = cloud.host.nova_state / "instances" / server.uuid
    with ExitStack() as undo:
        bodies = []
        for name, place in ((server.container, path), (f"{server.container}-rescue", path / "2")):
            directory = InstanceDirectory(place, name)
            undo.callback(directory.remove)
            directory.make()
            spec = container_spec(server, found, settings, directory.binds(), "8m")
            undo.callback(cloud.engine.remove, name)
            bodies.append(Twin(cloud.engine, replace(spec, name=name), directory))
        first, second = bodies
        first.stand_in = second
        yield first
