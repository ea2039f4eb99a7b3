# SPDX-License-Identifier: Apache-2.0
"""Host with bad servers among good ones, and the work on all of them that Nova asks for."""

import contextlib
import json
import os
import shutil
import tempfile
import threading
import time
import uuid
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

warnings.simplefilter("ignore")  # Nova and what it stands on warn of themselves

# ruff: noqa: E402 - the imports below are what warns
from nova import objects
from nova.compute import vm_states

from bench.measuring.figures import Verdict

objects.register_all()

from novadocker.gate import start_gate
from novadocker.gate.build import PROGRAM, compile_gate
from novadocker.virt.docker.container.labels import container_name
from novadocker.virt.docker.driver import CONF
from novadocker.virt.docker.engine import State
from novadocker.virt.docker.network.audit import Audited, NetworkAudit
from novadocker.virt.docker.network.networking import Network
from tests.engine.conftest import _running_engine
from tests.engine.kills.compute_service import ComputeService, configure
from tests.engine.kills.nova_record import Database, Record
from tests.engine.virt.conftest import rootfs, saved
from tests.engine.wiring.stand_in import CLONE_NEWNET, LIBC
from tests.support.doubles.lossy_engine import LossyEngine

TOLD_EACH = 10
MUST_START = 1.5
MUST_NEWS_SECONDS = 5.0
PATIENCE = 120.0


@dataclass
class Server:
    """Server of the host.

    Attributes:
        record: Nova's record.
        bad: others are not to suffer from this server.
    """

    record: Record
    bad: bool = False


@dataclass
class Host:
    """Host with servers.

    Attributes:
        root: directory of the host's files.
        proxy: way to the engine, which can be silent.
        service: nova-compute of the host.
        servers: servers, in Nova's order.
    """

    root: Path
    proxy: LossyEngine
    service: ComputeService
    servers: list[Server] = field(default_factory=list)

    def boot(self, count: int, tell: Callable[[str], None]) -> None:
        """Build servers, one after another."""
        for number in range(count):
            self.service.database.begin(str(uuid.uuid4()))
            record = self.service.database.record
            self.service.driver.spawn(
                self.service.context,
                record.instance(),
                self.service.image_meta,
                [],
                None,
                {},
                network_info=record.network,
            )
            active = replace(record, vm_state=vm_states.ACTIVE, task_state=None)
            self.servers.append(Server(active))
            if (number + 1) % TOLD_EACH == 0:
                tell(f"{number + 1} of {count} servers run")

    def start(self) -> float:
        """Start nova-compute anew as Nova does, and return the seconds that it took."""
        fresh = self._life()
        begun = time.monotonic()
        fresh.start([each.record for each in self.servers])
        return time.monotonic() - begun

    def audit(self) -> tuple[float, int]:
        """Take a turn of the audit; return the seconds, and the number of good servers missed."""
        looked: list[str] = []
        interfaces = self.service.driver._parts.interfaces

        def look_after(audited: Audited) -> list[str]:
            looked_after = interfaces.look_after(audited)
            looked.append(audited.uuid)
            return looked_after

        audit = NetworkAudit(self._audited, look_after, interval=0.001)
        begun = time.monotonic()
        time.sleep(0.01)
        audit.poke()
        audit._turn.acquire(timeout=PATIENCE)
        seconds = time.monotonic() - begun
        good = {each.record.uuid for each in self.servers if not each.bad}
        return seconds, len(good - set(looked))

    def news(self) -> float:
        """End the last server's process; return the seconds until Nova was told."""
        last = self.servers[-1].record.uuid
        told = threading.Event()

        def tell(uuid: str, state: State | None) -> None:
            if uuid == last and state is State.EXITED:
                told.set()

        watcher = self._life().driver._parts.watcher
        watcher._settled = lambda _: True
        watcher.start(tell)
        time.sleep(3)  # the first look at all servers is under way
        begun = time.monotonic()
        self.service.engine.signal(container_name(last), "KILL")
        told.wait(PATIENCE)
        watcher.stop()
        return time.monotonic() - begun

    def _life(self) -> ComputeService:
        return ComputeService(self.service.database, b"", lambda _: None)

    def _audited(self) -> Iterator[Audited]:
        for each in self.servers:
            instance = each.record.instance()
            network = Network(instance, each.record.network)
            yield Audited(instance.uuid, instance.hostname, network, time.monotonic())


def _hanging(host: Host, server: Server) -> None:
    host.proxy.silence(f"GET /containers/{container_name(server.record.uuid)}/json")


def _unwirable(host: Host, server: Server) -> None:
    vifs = [each | {"type": "binding_failed"} for each in server.record.vifs]
    server.record = replace(server.record, vifs=vifs)


def _lost_directory(host: Host, server: Server) -> None:
    shutil.rmtree(host.root / "instances" / server.record.uuid)


def _fifo_passwd(host: Host, server: Server) -> None:
    container = host.service.engine.inspect(container_name(server.record.uuid))
    passwd = Path(f"/proc/{container.pid}/root/etc/passwd")
    passwd.unlink()
    os.mkfifo(passwd)
    # A program that the engine starts in it waits for a writer, with the container's lock held.
    threading.Thread(target=partial(_run, host, container.name), daemon=True).start()


def _run(host: Host, name: str) -> None:
    # Not by the driver's client, which refuses to run a program where users cannot be read.
    api = host.service.engine._api
    with contextlib.suppress(Exception):  # it hangs until the engine ends
        api.exec_start(api.exec_create(name, ["/bin/true"], user="web")["Id"])


def _multicast(host: Host, server: Server) -> None:
    vifs: list[Any] = json.loads(json.dumps(server.record.vifs))
    route = vifs[0]["network"]["subnets"][0]["routes"][0]
    route["gateway"]["address"] = "224.0.0.1"
    server.record = replace(server.record, vifs=vifs)


KINDS: Mapping[str, Callable[[Host, Server], None]] = {
    "unwirable port": _unwirable,
    "multicast next hop": _multicast,
    "lost directory": _lost_directory,
    "hanging inspect": _hanging,
    "FIFO passwd": _fifo_passwd,
}


@dataclass(frozen=True)
class Row:
    """Figures of one host.

    Attributes:
        kind: kind of the bad servers; "" for none.
        start: seconds of nova-compute's start.
        news: seconds until the last server's end was told.
        audit: seconds of the audit's turn.
        missed: good servers that the audit has not looked after.
    """

    kind: str
    start: float
    news: float
    audit: float
    missed: int


@dataclass(frozen=True)
class Figures:
    """Figures of a run.

    Attributes:
        rows: bad kinds, each after a host without a bad server.
        load: processes that waited for a processor at the end.
        processors: number of processors.
    """

    rows: list[tuple[Row, Row]]
    load: float
    processors: int

    def table(self) -> str:
        """Return the figures, as text."""
        lines = ["bad servers           start   news  audit missed   start without"]
        lines += [
            f"{bad.kind:20} {bad.start:6.2f} {bad.news:6.2f} {bad.audit:6.2f} {bad.missed:6}"
            f"   {good.start:6.2f}"
            for good, bad in self.rows
        ]
        busy = f"{self.load:.1f} processes for {self.processors} processors"
        return "\n".join([*lines, f"the machine was busy with {busy}"])

    def verdicts(self) -> list[Verdict]:
        """Return the figures that are bound."""
        return [
            verdict
            for good, bad in self.rows
            for verdict in (
                Verdict(f"start with {bad.kind}", bad.start / good.start, MUST_START, "times"),
                Verdict(f"news beside {bad.kind}", bad.news, MUST_NEWS_SECONDS, "s"),
                Verdict(f"servers missed beside {bad.kind}", bad.missed, 0, ""),
            )
        ]


def measure(kinds: list[str], count: int, bad: int, tell: Callable[[str], None]) -> Figures:
    """Measure hosts with bad servers of each kind, each beside itself without.

    Args:
        kinds: names in ``KINDS``.
        count: number of servers on the host.
        bad: number of bad servers among these.
        tell: is told how far it is.
    """
    rows = []
    image = saved(rootfs(), {"Cmd": ["/bin/sh"]}, "box:neighbours")
    # Links of servers are no matter of this machine's own network, which the image came by.
    assert LIBC.unshare(CLONE_NEWNET) == 0
    for kind in kinds:
        with _host(image) as host:
            host.boot(count, tell)
            good = _row(host, "")
            host.service.driver.power_on(
                None, host.servers[-1].record.instance(), host.servers[-1].record.network
            )
            for server in host.servers[:bad]:
                KINDS[kind](host, server)
                server.bad = True
            rows.append((good, _row(host, kind)))
            tell(f"{kind}: {rows[-1]}")
    return Figures(rows, os.getloadavg()[0], os.cpu_count() or 1)


def _row(host: Host, kind: str) -> Row:
    start = host.start()
    audit, missed = host.audit()
    return Row(kind, start, host.news(), audit, missed)


@contextlib.contextmanager
def _host(image: bytes) -> Iterator[Host]:
    with (
        _running_engine() as paths,
        tempfile.TemporaryDirectory(prefix="nd-", dir="/var/tmp") as made,
        LossyEngine(Path(made) / "engine.sock", paths.socket).serve() as proxy,
    ):
        root = Path(made)
        root.chmod(0o711)
        (root / "instances").mkdir()
        (root / "state").mkdir()
        _gate(root)
        configure(root, proxy.url)
        CONF.set_override("timeout", 60, group="docker")
        database = Database(root / "record.json")
        database.begin(str(uuid.uuid4()))
        yield Host(root, proxy, ComputeService(database, image, lambda _: None))


def _gate(root: Path) -> None:
    if not PROGRAM.exists():
        compile_gate(root / "gate")
        start_gate.PROGRAM = root / "gate"
