# SPDX-License-Identifier: Apache-2.0
"""A running server on one of two hosts, and the parts of both that move it."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from novadocker.checkpoint.places import WAITING
from novadocker.virt.docker.actions.suspension import Suspension
from novadocker.virt.docker.checkpoint.checkpoints import Checkpoints
from novadocker.virt.docker.checkpoint.handover import Handover
from novadocker.virt.docker.checkpoint.places import CHECKPOINTS
from novadocker.virt.docker.checkpoint.travel import Travel
from novadocker.virt.docker.conf.values import MoveOptions
from novadocker.virt.docker.container.server import Server
from novadocker.virt.docker.engine import State
from novadocker.virt.docker.migration.live.arrival import LiveArrivals, Parts
from novadocker.virt.docker.migration.live.course import Course
from novadocker.virt.docker.migration.live.departure import LiveDepartures
from novadocker.virt.docker.migration.manifest import Manifest
from novadocker.virt.docker.migration.stream import Offer
from novadocker.virt.docker.network.networking import Network, Networking
from novadocker.virt.docker.wiring.wire import Wired
from tests.engine.migration.test_moves import PORTS, Host


class Wiring:
    """Stands in for the wiring, and notes what it was asked."""

    vif_types = ("ovs",)

    def __init__(self) -> None:
        self.calls: list[str] = []

    def ensure_wired(self, *_: Any, **__: Any) -> Wired:
        """Wire nothing."""
        self.calls.append("wire")
        return Wired()

    def unwire(self, *_: Any) -> None:
        """Unwire nothing."""
        self.calls.append("unwire")

    def mute(self, *_: Any, down: bool) -> None:
        """Silence nothing."""
        self.calls.append("mute" if down else "open")


@dataclass
class End:
    """One host's parts for running servers."""

    host: Host
    wiring: Wiring
    departures: LiveDepartures
    arrivals: LiveArrivals

    @classmethod
    def of(cls, host: Host, criu: Path) -> "End":
        """Make the parts of a host."""
        wiring: Any = Wiring()
        networking = Networking(wiring, "example.org", ())
        checkpoints = Checkpoints(host.engine, str(criu), 60)
        travel = Travel(host.engine, str(criu), 60)
        suspension = Suspension(host.engine, networking, host.runner, host.volumes, checkpoints)
        departures = LiveDepartures(
            host.engine, networking, host.runner, host.name, suspension, travel
        )
        images: Any = host.images
        place = MoveOptions(host.name, "127.0.0.1", PORTS)
        parts = Parts(networking, checkpoints, travel)
        arrivals = LiveArrivals(host.engine, images, host.runner, place, parts)
        return cls(host, wiring, departures, arrivals)


@dataclass
class Remote:
    """A destination, as its own channel would reach it."""

    end: End
    server: Server
    name: str = "h2"
    before_answer: Callable[[], None] = lambda: None

    def judge(self, manifest: Manifest) -> None:
        """Judge."""
        self.end.arrivals.judge(self.server, manifest)

    def expect(self, manifest: Manifest) -> tuple[Offer, bool]:
        """Listen."""
        return self.end.arrivals.expect_running(self.server, manifest)

    def runs(self, manifest: Manifest) -> bool:
        """Tell."""
        self.before_answer()
        return self.end.arrivals.runs(manifest.uuid, manifest.migration)

    def discard(self, manifest: Manifest) -> str:
        """Remove."""
        return self.end.arrivals.discard(manifest.uuid, manifest.migration)


@dataclass
class Move:
    """A server that counts on the first of two hosts."""

    first: End
    second: End
    server: Server
    remote: Remote

    @property
    def network(self) -> Network:
        """A network without ports."""
        return Network(SimpleNamespace(uuid=self.server.uuid), [])

    def refuse(self) -> None:
        """Judge on both hosts, as before every move."""
        there = self.second.arrivals.account(self.server.uuid)
        self.first.departures.refuse(self.server, there, self.remote)

    def send(self, migration: str = "m1", course: Course | None = None) -> None:
        """Move the server."""
        self.second.arrivals.make_ready(None, self.server, None, self.network)
        course = course or Course(lambda _: None)
        self.first.departures.send_running(
            self.server, self.network, self.remote, migration, course
        )

    def counted(self, end: End) -> list[int]:
        """Return the numbers that the server has printed on a host, kept lines of before first."""
        runner, uuid_ = end.host.runner, self.server.uuid
        text = runner.directory(uuid_).kept_console() + runner.guest(uuid_).console()
        return [int(each) for each in re.findall(r"n(\d+)", text.decode())]

    def goes_on(self, end: End) -> bool:
        """Tell whether the server prints further numbers on a host."""
        before, deadline = len(self.counted(end)), time.monotonic() + 20
        while len(self.counted(end)) == before and time.monotonic() < deadline:
            time.sleep(0.05)
        return len(self.counted(end)) > before

    def state(self, end: End) -> State | None:
        """Return the state of the container on a host."""
        found = end.host.runner.guest(self.server.uuid).find()
        return found.state if found else None

    def remove_copy(self) -> None:
        """Remove the frozen copy, as Nova asks for."""
        self.first.host.life.remove(self.server.uuid, self.network)

    def assert_untouched(self) -> None:
        """See that the server runs on the first host, and nothing of it is on the second."""
        assert self.state(self.first) is State.RUNNING
        assert self.goes_on(self.first)
        assert self.state(self.second) is None
        assert not self.second.host.runner.directory(self.server.uuid).path.exists()
        assert Handover.find(self.server.uuid) is None
        self.assert_no_leftovers()

    def assert_no_leftovers(self) -> None:
        """See that no memory and no restore is left."""
        assert not [*CHECKPOINTS.glob(f"{self.server.uuid}*")]
        assert not [*WAITING.glob("*")] if WAITING.exists() else True
        assert ".criu.cgyard" not in Path("/proc/self/mounts").read_text()
