# SPDX-License-Identifier: Apache-2.0
"""Duration of the driver's wiring, and disturbance of others."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import os_vif
from nova import monkey_patch
from oslo_config import cfg

from bench.measuring import figures
from bench.measuring.figures import Verdict

# Nova chooses its threads when it is imported first.
monkey_patch.patch(backend="threading")

from vif_plug_ovs.privsep import vif_plug  # noqa: E402

from novadocker.virt.docker.conf.values import VRouterOptions  # noqa: E402
from novadocker.virt.docker.privileged import context as daemon  # noqa: E402
from novadocker.virt.docker.wiring import Wiring, backends  # noqa: E402
from tests.engine.wiring.stand_in import (  # noqa: E402
    CLONE_NEWNET,
    LIBC,
    Server,
    Switch,
    a_vif,
    an_instance,
    run,
    sleeping,
)

MUST_WIRE = MUST_UNWIRE = 0.040
MUST_WIRE_MANY = 0.5
MANY = 16
# What os-vif takes, or an agent.
OTHERS_PARTS = ("bind", "unbind")
_PING_PAUSE = 0.002


@dataclass
class Host:
    """Switch in a network namespace of this process."""

    switch: Switch
    wiring: Wiring

    def server(self, *numbers: int, nics: int = 1) -> Server:
        """Make a server not wired yet."""
        vifs = [a_vif(number, nic=nic) for nic in range(nics) for number in numbers]
        instance = an_instance("bench")
        return Server(sleeping(), instance, vifs)

    def devices(self) -> set[str]:
        """Name the possible remains of a server's port: devices, ports of the switch."""
        links = {line.split("@")[0].split()[0] for line in run("ip", "-br", "link").splitlines()}
        return {name for name in (*links, *self.switch.ports()) if name.startswith("tap")}


@contextmanager
def host() -> Iterator[Host]:
    """Make a host with the privileged daemons of nova-compute."""
    with Path("/proc/thread-self/ns/net").open() as before, ExitStack() as stack:
        assert LIBC.unshare(CLONE_NEWNET) == 0
        stack.callback(lambda: LIBC.setns(before.fileno(), CLONE_NEWNET))
        run("ip", "link", "set", "lo", "up")
        where = stack.enter_context(tempfile.TemporaryDirectory(prefix="nd-bench-"))
        switch = Switch(Path(where))
        switch.start(stack)
        wiring = _wiring(switch.database)
        for context in (daemon.context, vif_plug):
            stack.callback(context.stop)
        yield Host(switch, wiring)


def _wiring(database: str) -> Wiring:
    helper = str(Path(sys.prefix) / "bin" / "privsep-helper")
    for context in (daemon.context, vif_plug):
        cfg.CONF.set_override("helper_command", helper, group=context.cfg_section)
    os_vif.initialize(reset=True)
    cfg.CONF.set_override("ovsdb_connection", database, group="os_vif_ovs")
    os_vif.initialize(reset=True)
    wiring = Wiring(backends.load(VRouterOptions()))
    wiring.warm_up()
    return wiring


@dataclass
class Measured:
    """Seconds."""

    wire: list[float] = field(default_factory=list)
    of_others: list[float] = field(default_factory=list)
    again: list[float] = field(default_factory=list)
    unwire: list[float] = field(default_factory=list)
    wire_many: list[float] = field(default_factory=list)
    many_of_others: list[float] = field(default_factory=list)

    def verdicts(self) -> list[Verdict]:
        """Judge the figures."""
        own = median(a - b for a, b in zip(self.wire, self.of_others, strict=True))
        many = median(self.wire_many)
        return [
            Verdict("wiring a NIC beyond what os-vif takes, p50", own, MUST_WIRE, "s"),
            Verdict("taking it away, p50", median(self.unwire), MUST_UNWIRE, "s"),
            Verdict(f"wiring {MANY} NICs at once, p50", many, MUST_WIRE_MANY, "s"),
        ]

    def table(self) -> str:
        """Write the figures as a table."""
        rows = {
            "wire a NIC": self.wire,
            "  of it os-vif": self.of_others,
            "look at what is wired": self.again,
            "take a NIC away": self.unwire,
            f"wire {MANY} NICs": self.wire_many,
            "  of them os-vif": self.many_of_others,
        }
        unit = median(self.wire)
        return figures.table({name: figures.Summary.of(each) for name, each in rows.items()}, unit)


def measure(host: Host, count: int, tell: Callable[[str], None]) -> Measured:
    """Wire servers and take all away again.

    Args:
        host: where.
        count: how many.
        tell: is told how far it is.
    """
    done = Measured()
    with _serving(host, host.server(5)):
        pass  # the first one starts what all others find
    for number in range(count):
        with _serving(host, host.server(5), done.wire, done.of_others, done.unwire) as server:
            began = time.monotonic()
            server.wire(host.wiring)
            done.again.append(time.monotonic() - began)
        if number % 10 == 0:
            many = host.server(5, nics=MANY)
            with _serving(host, many, done.wire_many, done.many_of_others):
                tell(f"wired {number + 1} of {count}")
    return done


@contextmanager
def _serving(
    host: Host,
    server: Server,
    wires: list[float] | None = None,
    of_others: list[float] | None = None,
    unwires: list[float] | None = None,
) -> Iterator[Server]:
    began = time.monotonic()
    done = host.wiring.ensure_wired(
        server.instance, server.network_info, server.plan, server.process.pid, fresh=True
    )
    (wires if wires is not None else []).append(time.monotonic() - began)
    others = sum(done.seconds.get(part, 0.0) for part in OTHERS_PARTS)
    (of_others if of_others is not None else []).append(others)
    try:
        yield server
    finally:
        began = time.monotonic()
        server.unwire(host.wiring)
        (unwires if unwires is not None else []).append(time.monotonic() - began)
        server.end()


def losses(host: Host, count: int, tell: Callable[[str], None]) -> list[Verdict]:
    """Count the losses of a conversation while other servers come and go.

    Args:
        host: where.
        count: servers to come and go.
        tell: is told how far it is.
    """
    one, other = host.server(50), host.server(51)
    with _serving(host, one), _serving(host, other):
        tell("watching a conversation while others are wired")
        with _lost(one, "10.0.0.51") as while_wired:
            for number in range(count):
                with _serving(host, host.server(5 + number % 40)):
                    pass
        with _lost(one, "10.0.0.51") as while_restarted:
            # What nova-compute does to servers that run when it starts.
            again = Wiring(backends.load(VRouterOptions()))
            for server in (one, other):
                server.wire(again)
            time.sleep(1)
    return [
        Verdict(f"packets lost by others while {count} NICs come and go", *while_wired, 0, ""),
        Verdict("packets lost when a new driver looks at them", *while_restarted, 0, ""),
    ]


@contextmanager
def _lost(server: Server, address: str) -> Iterator[list[float]]:
    lost: list[float] = []
    words = ["nsenter", f"--net=/proc/{server.process.pid}/ns/net", "ping", "-q", address]
    with tempfile.TemporaryFile("w+") as said:
        pinging = subprocess.Popen([*words, "-i", str(_PING_PAUSE)], stdout=said)
        yield lost
        time.sleep(0.2)
        pinging.send_signal(signal.SIGINT)
        pinging.wait()
        said.seek(0)
        summary = next(line for line in said if "transmitted" in line)
        sent, received = (int(part.split()[0]) for part in summary.split(",")[:2])
        # The last one may be on its way when the counting ends.
        lost.append(float(max(sent - received - 1, 0)))


def kills(host: Host, rounds: int, tell: Callable[[str], None]) -> list[Verdict]:
    """Plug and unplug under random kills, and count the remains.

    Args:
        host: where.
        rounds: how often.
        tell: is told how far it is.
    """
    left = 0
    before = host.devices()
    for number in range(rounds):
        server = host.server(5)
        child = os.fork()
        if child == 0:
            _round_in_child(server)
        time.sleep(random.uniform(0, 0.15))  # noqa: S311 - no secret
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        # What its successor does, be the server still wanted or not.
        if number % 2:
            server.wire(host.wiring)
        server.unwire(host.wiring)
        server.end()
        if number % 50 == 0:
            tell(f"round {number + 1} of {rounds}")
    left = len(host.devices() - before)
    return [Verdict(f"devices and ports left after {rounds} rounds with kills", left, 0, "")]


def _round_in_child(server: Server) -> None:
    """Wire and unwire by commands of one's own, until killed."""
    # The parent's channels to its daemons are not ours to speak on.
    for context in (daemon.context, vif_plug):
        context.set_client_mode(False)
    wiring = Wiring(backends.load(VRouterOptions()))
    with contextlib.suppress(Exception):
        while True:
            server.wire(wiring)
            server.unwire(wiring)
    os._exit(0)
