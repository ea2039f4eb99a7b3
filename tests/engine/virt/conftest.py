# SPDX-License-Identifier: Apache-2.0
"""Servers on a real engine: all of the driver but Nova, Glance and the wiring."""

import hashlib
import importlib
import io
import json
import tarfile
import tempfile
import time
import uuid
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import docker
import pytest

from novadocker.gate import start_gate
from novadocker.gate.build import PROGRAM, compile_gate
from novadocker.policy import Abilities, Bounds, Flavor
from novadocker.virt.docker.actions.allowance import Allowance
from novadocker.virt.docker.actions.interfaces import Interfaces
from novadocker.virt.docker.actions.lifecycle import Lifecycle
from novadocker.virt.docker.actions.recovery.recovery import Recovery
from novadocker.virt.docker.actions.rescue import Rescue
from novadocker.virt.docker.actions.resize import Resize
from novadocker.virt.docker.actions.runner import Runner
from novadocker.virt.docker.actions.suspension import Suspension
from novadocker.virt.docker.checkpoint.checkpoints import Checkpoints
from novadocker.virt.docker.compute.networks.plug_events import unknown
from novadocker.virt.docker.conf.values import Options
from novadocker.virt.docker.container.guest import Guest
from novadocker.virt.docker.container.server import Server
from novadocker.virt.docker.engine import Connection, Container, Engine, Image
from novadocker.virt.docker.files import privileged as files_privileged
from novadocker.virt.docker.injection.files import Entry
from novadocker.virt.docker.network.networking import Network, Networking, NothingExpected
from novadocker.virt.docker.volumes.attachments import Volumes
from novadocker.virt.docker.volumes.connector import Connector, HostIdentity
from novadocker.virt.docker.volumes.ephemeral import EphemeralDisks
from novadocker.virt.docker.volumes.records import Records
from novadocker.virt.docker.volumes.values import Trust
from novadocker.virt.docker.wiring.wire import Wired
from tests.engine.virt.privileges import daemon
from tests.support import busybox
from tests.support.eventually import eventually

with warnings.catch_warnings():
    # Nova warns of itself when it is imported; it is not our code.
    warnings.simplefilter("ignore")
    importlib.import_module("nova.compute.manager")

APPLETS = ("cat", "id", "ls", "mkdir", "nc", "ping", "sh", "sleep", "stat", "stty", "test", "touch")
OF_IMAGE = ("/dev/", "/bin/")
NO_DISK_LIMIT = Abilities(disk_limit=False, pids=64, userns=True)
PASSWD = "root:x:0:0::/root:/bin/sh\nweb:x:1000:1001::/srv/web:/bin/sh\n"
GROUP = "root:x:0:\nweb:x:1001:\n"


def rootfs(passwd: str | None = PASSWD) -> bytes:
    """Return the tar of a small root directory; "->" makes its passwd a link."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        busybox.put(tar, "bin/busybox")
        for applet in APPLETS:
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
        for name, text in (("passwd", passwd), ("group", GROUP)):
            info = tarfile.TarInfo(f"etc/{name}")
            if text is not None and text.startswith("->"):
                info.type, info.linkname = tarfile.SYMTYPE, text[2:]
                tar.addfile(info)
            elif text is not None:
                info.size = len(text)
                tar.addfile(info, io.BytesIO(text.encode()))
    return buffer.getvalue()


@pytest.fixture(scope="session")
def engine(engine_socket: Path) -> Iterator[Engine]:
    """The driver's client of a real engine."""
    made = Engine(Connection(f"unix://{engine_socket}", timeout=60))
    yield made
    made._api.close()


@pytest.fixture(scope="session")
def docker_api(engine_socket: Path) -> Iterator[Any]:
    """The engine as anybody else sees it."""
    client = docker.APIClient(base_url=f"unix://{engine_socket}", version="auto", timeout=60)
    yield client
    client.close()


def saved(layer: bytes, config: dict[str, Any], tag: str) -> bytes:
    """Return an image of one layer as ``docker save`` writes it."""
    digest = hashlib.sha256(layer).hexdigest()
    described = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": config,
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
        }
    )
    manifest = [{"Config": "config.json", "RepoTags": [tag], "Layers": ["layer.tar"]}]
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in (
            ("layer.tar", layer),
            ("config.json", described.encode()),
            ("manifest.json", json.dumps(manifest).encode()),
        ):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def load_box(engine: Engine, passwd: str | None = PASSWD, **config: Any) -> Image:
    """Load an image with a shell and a config into an engine."""
    tag = f"box:{uuid.uuid4().hex}"
    config = {"Cmd": ["/bin/sh"], "Volumes": {"/data": {}}} | config
    engine.load_image([saved(rootfs(passwd), config, tag)])
    image = engine.find_image(tag)
    assert image
    return image


@pytest.fixture(scope="session")
def make_image(engine: Engine) -> Callable[..., Image]:
    """How to make an image with a shell and a config."""
    return partial(load_box, engine)


@pytest.fixture(scope="session")
def make_with(engine: Engine) -> Callable[..., Image]:
    """How to make an image with further files and links."""

    def make(*entries: Entry, passwd: str | None = PASSWD, **config: Any) -> Image:
        tag, layer = f"with:{uuid.uuid4().hex}", io.BytesIO(rootfs(passwd))
        with tarfile.open(fileobj=layer, mode="a") as tar:
            for entry in entries:
                member = tarfile.TarInfo(entry.path)
                member.type, member.linkname = entry.kind, entry.target
                member.mode, member.uid, member.gid = entry.mode, entry.uid, entry.gid
                member.size = len(entry.content)
                tar.addfile(member, io.BytesIO(entry.content))
        config = {"Cmd": ["/bin/sh"], "Env": ["PATH=/bin:/usr/bin"]} | config
        engine.load_image([saved(layer.getvalue(), config, tag)])
        image = engine.find_image(tag)
        assert image
        return image

    return make


@pytest.fixture(scope="session")
def box(make_image: Callable[..., Image]) -> Image:
    """An image with a shell, a volume and a stop signal of its own."""
    return make_image(StopSignal="SIGUSR1")


@pytest.fixture
def instances() -> Iterator[Path]:
    """A directory of instances that containers get to."""
    with tempfile.TemporaryDirectory(prefix="nd-", dir="/var/tmp") as made:
        root = Path(made)
        root.chmod(0o711)
        (root / "instances").mkdir()
        yield root / "instances"


@pytest.fixture(scope="session", autouse=True)
def _gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        if not PROGRAM.exists():
            compiled = tmp_path_factory.mktemp("gate") / "gate"
            compile_gate(compiled)
            patch.setattr(start_gate, "PROGRAM", compiled)
        yield


@pytest.fixture(scope="module")
def privileged() -> Iterator[None]:
    """The privileged daemon, with the capabilities that it has in production."""
    with daemon(), daemon(files_privileged):
        yield


@dataclass
class Wiring:
    """Stands in for the wiring: notes what it was asked and what ran at that moment."""

    calls: list[str] = field(default_factory=list)
    program: str = ""
    programs: tuple[str, ...] = OF_IMAGE
    fault: Exception | None = None
    vif_types: tuple[str, ...] = ("ovs",)
    silent_vif_types: tuple[str, ...] = ()
    installed: Any = unknown

    def ensure_wired(
        self,
        instance: Any,
        network_info: Any,
        plan: Any,
        pid: int,
        container_id: str,
        *,
        fresh: bool,
        keep_others: bool = False,
    ) -> Wired:
        """Wire nothing."""
        self.calls.append("wire")
        deadline = time.monotonic() + 5
        # The engine reports the start while its own program becomes the container's.
        while not (program := str(Path(f"/proc/{pid}/exe").readlink())).startswith(self.programs):
            assert time.monotonic() < deadline, program
        self.program = program
        if self.fault:
            raise self.fault
        return Wired()

    def unwire(self, instance: Any, network_info: Any) -> None:
        """Unwire nothing."""
        self.calls.append("unwire")

    def resume(self) -> None:
        """Resume nothing."""

    def mute(self, network_info: Any, *, down: bool) -> None:
        """Silence nothing."""
        self.calls.append("mute" if down else "open")
        if self.fault:
            raise self.fault


@dataclass
class Images:
    """Stands in for Glance: the engine has every image already."""

    image: Image
    fault: Exception | None = None

    def adapt(self, info: Any) -> None:
        """Mind no kind of engine."""

    def ensure(self, context: Any, image_meta: Any, boot: Any = None) -> Image:
        """Return the image."""
        if self.fault:
            raise self.fault
        return self.image


@dataclass(frozen=True)
class Actions:
    """Actions of the driver on an engine."""

    lifecycle: Lifecycle
    rescue: Rescue
    resize: Resize
    interfaces: Interfaces
    recovery: Recovery
    suspension: Suspension


@dataclass
class Event(NothingExpected):
    """Neutron's event for the ports of servers, which comes at once."""

    servers: "Servers"

    def wait(self) -> None:
        """Note the moment, and do what a test wants done in it."""
        self.servers.wiring.calls.append("event")
        self.servers.during_event(self.servers.asked)


@dataclass
class Servers:
    """Servers on the engine, as a test asks for them."""

    engine: Engine
    images: Images
    instances: Path
    wiring: Wiring = field(default_factory=Wiring)
    abilities: Abilities = NO_DISK_LIMIT
    bounds: Bounds = field(default_factory=Bounds)
    criu: str = "criu"
    during_event: Callable[[Server], None] = lambda _: None
    asked: Server = field(
        default_factory=lambda: Server(
            uuid=str(uuid.uuid4()),
            project="p1",
            host="h1",
            hostname="web-1",
            flavor=Flavor(vcpus=1, memory_mib=32, root_gib=1),
            command_line="/bin/sh -c 'sleep 600'",
        )
    )

    @property
    def actions(self) -> Actions:
        """What is tested."""
        options = Options(
            instances_path=self.instances,
            domain="example.org",
            dns_servers=("192.0.2.53",),
            inject_key=True,
            log_max_size="1m",
            gate_timeout=10,
        )
        images: Any = self.images
        wiring: Any = self.wiring
        able = SimpleNamespace(abilities=lambda _pids: self.abilities)
        networking = Networking(wiring, options.domain, options.dns_servers)
        allowance = Allowance(able, self.abilities.pids, self.bounds)
        disks = EphemeralDisks(self.instances / "ephemeral")
        runner = Runner(self.engine, networking, options, allowance, self.volumes, disks)
        rescue = Rescue(self.engine, images, networking, runner)
        checkpoints = self.checkpoints
        lifecycle = Lifecycle(self.engine, images, networking, runner, rescue, options, checkpoints)
        suspension = Suspension(self.engine, networking, runner, self.volumes, checkpoints)
        recovery = Recovery(self.engine, networking, runner, lifecycle, suspension)
        return Actions(
            lifecycle=lifecycle,
            rescue=rescue,
            resize=Resize(self.engine, networking, runner),
            interfaces=Interfaces(self.engine, networking, runner, recovery),
            recovery=recovery,
            suspension=suspension,
        )

    @property
    def checkpoints(self) -> Checkpoints:
        """The memory of the host's suspended servers."""
        return Checkpoints(self.engine, self.criu, seconds=60)

    @property
    def volumes(self) -> Volumes:
        """The volumes of the host, which outlive this process as their records do."""
        records = Records(self.instances / "volumes")
        connector = Connector(lambda: HostIdentity("h1", "127.0.0.1"))
        return Volumes(records, connector, Trust.CHECKED)

    @property
    def guest(self) -> Guest:
        """The container of the server."""
        return Guest(self.engine, self.asked.container)

    @property
    def network(self) -> Network:
        """A network without ports."""
        return Network(SimpleNamespace(uuid=self.asked.uuid), [], partial(Event, self))

    def ask(self, script: str | None = None, **changes: Any) -> None:
        """Ask for another server, or one that runs a script of the shell."""
        if script is not None:
            changes["command_line"] = f"/bin/sh -c '{script}'"
        self.asked = replace(self.asked, **changes)

    def boot(self, script: str | None = None, **changes: Any) -> Container:
        """Boot it and return its container."""
        power_on = changes.pop("power_on", True)
        self.ask(script, **changes)
        self.actions.lifecycle.boot(None, self.asked, None, self.network, power_on=power_on)
        return self.guest.get()

    def tell(self, script: str, **changes: Any) -> str:
        """Boot a script and return what it printed, when it has ended."""
        self.boot(script, **changes)
        self.wait_for_end()
        return self.guest.console().decode().replace("\r\n", "\n")

    def wait_for_end(self) -> None:
        """Wait until its process has ended."""
        assert eventually(lambda: not self.guest.get().alive, 20)

    def wait_for(self, text: str) -> None:
        """Wait until it has printed something."""
        found = eventually(lambda: text.encode() in self.guest.console(), 20)
        assert found, self.guest.console()


@pytest.fixture
def servers(engine: Engine, box: Image, instances: Path) -> Iterator[Servers]:
    """Servers; those that a test leaves are removed."""
    made = Servers(engine, Images(box), instances)
    yield made
    for name in engine.labels_by_name("novadocker.instance"):
        engine.remove(name)
