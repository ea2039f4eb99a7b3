# SPDX-License-Identifier: Apache-2.0
"""Servers that move between two real engines: all of a move but Nova, its bus and the network."""

import contextlib
import importlib
import json
import platform
import socket
import tempfile
import threading
import uuid
import warnings
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from novadocker.cloud.layout.engine_paths import EnginePaths
from novadocker.errors import (
    ContainerNotFound,
    ImageFetchFailed,
    PolicyRefused,
    ResizeRefused,
    TransferFailed,
)
from novadocker.gate import start_gate
from novadocker.gate.build import PROGRAM, compile_gate
from novadocker.policy import Abilities, Bounds, Flavor
from novadocker.virt.docker.actions.allowance import Allowance
from novadocker.virt.docker.actions.lifecycle import Lifecycle
from novadocker.virt.docker.actions.lock import lock
from novadocker.virt.docker.actions.rescue import Rescue
from novadocker.virt.docker.actions.resize import Resize
from novadocker.virt.docker.actions.runner import Runner
from novadocker.virt.docker.checkpoint.checkpoints import Checkpoints
from novadocker.virt.docker.conf.values import MoveOptions, Options
from novadocker.virt.docker.container.labels import LABEL_HOST, LABEL_MOVE
from novadocker.virt.docker.container.server import Server
from novadocker.virt.docker.engine import Connection, Container, Engine
from novadocker.virt.docker.migration import arrival, departure
from novadocker.virt.docker.migration.arrival import Arrivals
from novadocker.virt.docker.migration.departure import Departures
from novadocker.virt.docker.migration.manifest import Manifest
from novadocker.virt.docker.migration.stream import Offer
from novadocker.virt.docker.network.networking import Network, Networking
from novadocker.virt.docker.volumes.attachments import Volumes
from novadocker.virt.docker.volumes.connector import Connector, HostIdentity
from novadocker.virt.docker.volumes.ephemeral import EphemeralDisks
from novadocker.virt.docker.volumes.records import Records
from novadocker.virt.docker.volumes.values import Trust
from novadocker.virt.docker.wiring.wire import Wired
from tests.support.layered import Saved, shell, tar

with warnings.catch_warnings():
    # Nova warns of itself when it is imported; it is not our code.
    warnings.simplefilter("ignore")
    importlib.import_module("nova.compute.manager")

PORTS = range(49400, 49420)
SCRIPT = "/bin/busybox sh -c 'trap exit TERM; /bin/busybox sleep 600 & wait'"
WRITTEN = "cd /; /bin/busybox rm /home/app; echo x > /home/.wh.app; echo kept > /data/kept"


class _Wiring:
    vif_types = ("ovs",)

    def ensure_wired(self, *_: Any, **__: Any) -> Wired:
        """Wire nothing."""
        return Wired()

    def unwire(self, *_: Any) -> None:
        """Unwire nothing."""


@dataclass
class _Images:
    """Stands in for Glance."""

    engine: Engine
    archive: bytes = b""

    def ensure(self, context: Any, image_meta: Any, waiter: Any = None) -> Any:
        """Load the image where Glance still has it."""
        if not self.archive:
            raise ImageFetchFailed(image="i1", reason="it was deleted")
        self.engine.load_image([self.archive])
        return self.engine.find_image("box:moves")


@dataclass
class Host:
    """A compute host: an engine, and the parts of the driver that move servers."""

    name: str
    engine: Engine
    instances: Path
    images: _Images
    able: Abilities = field(
        default_factory=lambda: Abilities(disk_limit=False, pids=64, userns=True)
    )
    bounds: Bounds = field(default_factory=Bounds)

    def __post_init__(self) -> None:
        """Make the parts."""
        options = Options(
            instances_path=self.instances,
            domain="example.org",
            dns_servers=(),
            inject_key=False,
            log_max_size="1m",
            gate_timeout=10,
        )
        images: Any = self.images
        networking = Networking(_Wiring(), options.domain, options.dns_servers)
        allowance = Allowance(SimpleNamespace(abilities=lambda _pids: self.able), 64, self.bounds)
        connector = Connector(lambda: HostIdentity(self.name, "127.0.0.1"))
        self.volumes = Volumes(Records(self.instances / "volumes"), connector, Trust.CHECKED)
        disks = EphemeralDisks(self.instances / "ephemeral")
        self.runner = Runner(self.engine, networking, options, allowance, self.volumes, disks)
        rescue = Rescue(self.engine, images, networking, self.runner)
        parts = (self.engine, images, networking, self.runner, rescue, options)
        self.life = Lifecycle(*parts, Checkpoints(self.engine, "criu", 60))
        self.resize = Resize(self.engine, networking, self.runner)
        self.departures = Departures(self.engine, networking, self.runner, self.name)
        place = MoveOptions(self.name, "127.0.0.1", PORTS)
        self.arrivals = Arrivals(self.engine, images, self.runner, place)

    def container(self, server: Server) -> Container:
        """Return a server's container here."""
        return self.runner.guest(server.uuid).get()

    def run(self, server: Server, script: str) -> str:
        """Run a script in a server, and return what it printed."""
        words = ("/bin/busybox", "sh", "-ec", script)
        code, output = self.engine.run(server.container, words)
        assert code == 0, output
        return output.decode() if isinstance(output, bytes) else str(output)


@dataclass
class Remote:
    """A destination, as JSON on a bus would reach it."""

    host: Host
    server: Server
    after_offer: Callable[[Offer], None] = lambda _: None

    def prepare(self, told: Manifest) -> bool:
        """Judge."""
        return self.host.arrivals.prepare(None, self.server, None, self._carried(told))

    def expect(self, told: Manifest) -> Offer:
        """Listen."""
        offer = self.host.arrivals.expect(self.server, self._carried(told))
        self.after_offer(offer)
        return Offer(**json.loads(json.dumps(offer.as_dictionary())))

    def discard(self, told: Manifest) -> str:
        """Remove."""
        return self.host.arrivals.discard(told.uuid, told.migration)

    def _carried(self, told: Manifest) -> Manifest:
        return Manifest.of(json.loads(json.dumps(told.as_dictionary())))


@pytest.fixture(scope="session", autouse=True)
def _gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        if not PROGRAM.exists():
            compiled = tmp_path_factory.mktemp("gate") / "gate"
            compile_gate(compiled)
            patch.setattr(start_gate, "PROGRAM", compiled)
        yield


@pytest.fixture(autouse=True)
def _locks_of_two_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    # The source holds the server's lock while it waits for the destination: in one process, as
    # here, both would be the same lock.
    monkeypatch.setattr(arrival, "lock", lambda uuid: lock(f"h2-{uuid}"))


@pytest.fixture(scope="module")
def second_socket(
    running_engine: Callable[[], contextlib.AbstractContextManager[EnginePaths]],
) -> Iterator[Path]:
    """Another engine."""
    with running_engine() as paths:
        yield paths.socket


@pytest.fixture(scope="module")
def archive() -> bytes:
    """An image with a shell, a volume and files."""
    layers = [shell(), tar({"home/app": b"app"})]
    return Saved(layers, tag="box:moves").archive()


@pytest.fixture
def hosts(engine_socket: Path, second_socket: Path, archive: bytes) -> Iterator[tuple[Host, Host]]:
    """Two hosts, the first of which has the image; the second finds it in Glance."""
    # Containers do not get to pytest's own directories.
    with tempfile.TemporaryDirectory(prefix="nd-", dir="/var/tmp") as made:
        root = Path(made)
        root.chmod(0o711)
        both = []
        for name, place in (("h1", engine_socket), ("h2", second_socket)):
            engine = Engine(Connection(f"unix://{place}", timeout=60))
            (root / name).mkdir()
            both.append(Host(name, engine, root / name, _Images(engine, archive)))
        yield both[0], both[1]
        for host in both:
            for labelled in host.engine.labels_by_name("novadocker.instance"):
                host.engine.remove(labelled)
            host.engine.remove_image("box:moves")
            host.engine._api.close()


@pytest.fixture
def server(hosts: tuple[Host, Host]) -> Server:
    """A server that runs on the first host and has written files."""
    asked = Server(
        uuid=str(uuid.uuid4()),
        project="p1",
        host="h1",
        hostname="web-1",
        flavor=Flavor(vcpus=1, memory_mib=32, root_gib=1),
        command_line=SCRIPT,
        metadata={"color": "blue"},
    )
    hosts[0].life.boot(None, asked, None, network_of(asked), power_on=True)
    hosts[0].run(asked, "mkdir -p /data; " + WRITTEN)
    return asked


def network_of(server: Server) -> Network:
    """A network without ports."""
    return Network(SimpleNamespace(uuid=server.uuid), [])


def send(hosts: tuple[Host, Host], server: Server, remote: Remote, migration: str = "m1") -> None:
    """Move a server from the first host to the second."""
    hosts[0].departures.send(server, network_of(server), remote, migration, 0)


def _untouched(hosts: tuple[Host, Host], server: Server) -> None:
    """Tell that a server runs on the first host as before, and the second has nothing of it."""
    assert hosts[0].container(server).alive
    assert hosts[0].run(server, "cat /home/.wh.app") == "x\n"
    assert hosts[1].runner.guest(server.uuid).find() is None
    assert not hosts[1].runner.directory(server.uuid).path.exists()


def test_server_moves(hosts: tuple[Host, Host], server: Server) -> None:
    """A server arrives stopped, with its files, and the copy on its old host stays until then."""
    first, second = hosts
    send(hosts, server, Remote(second, server))
    assert not first.container(server).alive
    arrived = second.container(server)
    assert not arrived.alive
    assert arrived.labels[LABEL_HOST] == "h2"
    assert arrived.labels[LABEL_MOVE] == "m1"
    second.resize.finish(server, network_of(server), power_on=True)
    assert second.run(server, "ls -a /home; cat /home/.wh.app /data/kept; echo $color") == (
        ".\n..\n.wh.app\nx\nkept\nblue\n"
    )
    first.life.remove(server.uuid, network_of(server))
    assert first.runner.guest(server.uuid).find() is None
    assert second.run(server, "cat /home/.wh.app") == "x\n"


def test_server_goes_and_comes_back(hosts: tuple[Host, Host], server: Server) -> None:
    """A revert finds the server on its old host as it was; a later move replaces a stale copy."""
    first, second = hosts
    send(hosts, server, Remote(second, server))
    first.resize.finish(server, network_of(server), power_on=True)
    assert first.run(server, "cat /data/kept") == "kept\n"
    first.run(server, "echo newer > /data/kept")
    send(hosts, server, Remote(second, server), "m2")
    second.resize.finish(server, network_of(server), power_on=True)
    assert second.run(server, "cat /data/kept") == "newer\n"
    assert [*second.engine.labels_by_name(LABEL_MOVE)] == [server.container]


def test_layers_do_not_grow(hosts: tuple[Host, Host], server: Server) -> None:
    """A server that moved ten times stands on the image that it began with."""
    here, there = hosts
    image = here.container(server).image
    for number in range(10):
        send((here, there), server, Remote(there, server), f"m{number}")
        here.life.remove(server.uuid, network_of(server))
        here, there = there, here
    here.resize.finish(server, network_of(server), power_on=True)
    assert here.container(server).image == image
    assert here.run(server, "cat /home/.wh.app") == "x\n"


def test_image_comes_from_the_source(hosts: tuple[Host, Host], server: Server) -> None:
    """An image that was deleted from Glance comes with the server."""
    second = hosts[1]
    second.images.archive = b""
    send(hosts, server, Remote(second, server))
    second.resize.finish(server, network_of(server), power_on=True)
    assert second.run(server, "cat /home/.wh.app") == "x\n"


def test_flavor_changes_on_the_way(hosts: tuple[Host, Host], server: Server) -> None:
    """A resize to another host gives the limits of the new flavor there."""
    second = hosts[1]
    larger = replace(server, flavor=Flavor(vcpus=2, memory_mib=64, root_gib=1))
    send(hosts, larger, Remote(second, larger))
    second.resize.finish(larger, network_of(larger), power_on=True)
    assert second.container(larger).limits.memory_bytes == 64 * 1024 * 1024


@pytest.mark.parametrize("case", ["full", "platform", "driver", "policy", "running"])
def test_refused_before_it_stops(
    hosts: tuple[Host, Host], server: Server, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A destination that cannot take a server says so while the server runs on."""
    second, asked = hosts[1], server
    began = hosts[0].container(server).started_at
    if case == "full":
        monkeypatch.setattr(arrival.disk, "disk", lambda _: SimpleNamespace(free=1))
    elif case == "platform":
        machines = iter([platform.machine(), "riscv64"])
        monkeypatch.setattr(departure.platform, "machine", lambda: next(machines))
    elif case == "driver":
        told = second.engine.info()
        other = replace(told, storage_driver="btrfs")
        monkeypatch.setattr(second.engine, "info", lambda: other)
    elif case == "policy":
        flavor = replace(server.flavor, extra_specs={"docker:runtime": "runsc"})
        asked = replace(server, flavor=flavor)
    else:
        second.life.boot(None, server, None, network_of(server), power_on=True)
    with pytest.raises((ResizeRefused, PolicyRefused)):
        send(hosts, asked, Remote(second, asked))
    monkeypatch.undo()
    if case == "running":
        second.life.remove(server.uuid, network_of(server))
    _untouched(hosts, server)
    assert hosts[0].container(server).started_at == began


def test_connection_cut_in_the_middle(
    hosts: tuple[Host, Host], server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server whose stream breaks runs on where it was, and nothing of it is left elsewhere."""
    hosts[0].run(server, "dd if=/dev/zero of=/big bs=1M count=20 2>/dev/null")
    packed = departure.directories.packed

    def cut(directory: Path) -> Generator[bytes]:
        pieces = packed(directory)
        yield next(pieces)
        pieces.close()
        raise TransferFailed(reason="the network is gone")

    monkeypatch.setattr(departure.directories, "packed", cut)
    with pytest.raises(TransferFailed):
        send(hosts, server, Remote(hosts[1], server))
    _untouched(hosts, server)


def test_destination_that_fails_says_why(
    hosts: tuple[Host, Host], server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reason of the other end reaches the source, and the server runs on."""

    def full(*_: Any) -> None:
        raise TransferFailed(reason="No space left on device")

    monkeypatch.setattr(arrival.directories, "fill", full)
    with pytest.raises(TransferFailed, match="No space left"):
        send(hosts, server, Remote(hosts[1], server))
    _untouched(hosts, server)


def test_stranger_gets_nothing(hosts: tuple[Host, Host], server: Server) -> None:
    """A stranger who connects first does not stop a server from moving."""

    def intrude(offer: Offer) -> None:
        with socket.create_connection((offer.address, offer.port)) as plain:
            plain.sendall(b"GET / HTTP/1.0\r\n\r\n")

    def also(offer: Offer) -> None:
        threading.Thread(target=intrude, args=(offer,)).start()

    send(hosts, server, Remote(hosts[1], server, also))
    assert hosts[1].container(server)


def test_no_container_is_told(hosts: tuple[Host, Host], server: Server) -> None:
    """A server without a container cannot move."""
    hosts[0].life.remove(server.uuid, network_of(server))
    with pytest.raises(ContainerNotFound):
        send(hosts, server, Remote(hosts[1], server))
