# SPDX-License-Identifier: Apache-2.0
import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest

from novadocker.gate.start_gate import StartGate
from novadocker.virt.docker.compute.health import HealthReporter
from novadocker.virt.docker.container.prober import Prober
from novadocker.virt.docker.engine import Engine, Image
from tests.engine.virt.privileges import daemon
from tests.support.eventually import eventually

SECOND = 10**9


class Tags:
    """Servers' tags in Nova."""

    def __init__(self) -> None:
        """Begin with none."""
        self.now: dict[str, set[str]] = {}

    def of(self, uuid: str) -> frozenset[str]:
        """Return a server's."""
        return frozenset(self.now.get(uuid, ()))

    def add(self, uuid: str, tag: str) -> None:
        """Add one."""
        self.now.setdefault(uuid, set()).add(tag)

    def remove(self, uuid: str, tag: str) -> None:
        """Take one away."""
        self.now[uuid].remove(tag)


@pytest.fixture(scope="module", autouse=True)
def _rights() -> Iterator[None]:
    """Have the privileged daemon, which ends probes by force."""
    with daemon():
        yield


@pytest.fixture
def tags() -> Tags:
    """Tags of servers, none yet."""
    return Tags()


@pytest.fixture
def report(servers: Any, engine: Engine, tags: Tags) -> Iterator[Callable[[], HealthReporter]]:
    """How to follow the health of a host's servers, as a start of nova-compute does."""
    with contextlib.ExitStack() as undo:

        def begin() -> HealthReporter:
            prober = Prober(engine, servers.instances)
            made = HealthReporter(engine, servers.asked.host, lambda _: True, tags, prober)
            made.start()
            undo.callback(made.stop)
            return made

        yield begin


def test_a_probe_runs_and_is_told(
    servers: Any, make_image: Callable[..., Image], docker_api: Any, report: Any, tags: Tags
) -> None:
    """A tag tells the health, and the console the last words of a probe that failed."""
    probe = "test ! -e /sick || { echo it is sick; exit 3; }"
    servers.images.image = make_image(
        Healthcheck={"Test": ["CMD-SHELL", probe], "Interval": SECOND, "Retries": 1}
    )
    reporter = report()
    servers.boot("exec sleep 600")
    uuid = servers.asked.uuid
    assert eventually(lambda: tags.of(uuid) == {"docker_health=starting"})
    assert eventually(lambda: tags.of(uuid) == {"docker_health=healthy"})
    assert servers.guest.console(reporter.of(uuid)) == b""
    made = docker_api.exec_create(servers.guest.name, ["touch", "/sick"])
    docker_api.exec_start(made)
    assert eventually(lambda: tags.of(uuid) == {"docker_health=unhealthy"})
    told = servers.guest.console(reporter.of(uuid)).decode()
    assert "[nova-docker] the image's HEALTHCHECK failed 1 times, the last with" in told
    assert "exit code 3 at 20" in told
    assert told.endswith(":\r\nit is sick\r\n")
    servers.guest.stop(0)
    assert eventually(lambda: not tags.of(uuid))
    assert "ended with exit code" in servers.guest.console().decode()


def test_a_server_without_a_probe_is_not_followed(servers: Any, engine: Engine) -> None:
    """A container without the label makes no events for the reporter."""
    container = servers.boot()
    assert container.health is None
    assert "novadocker.health" not in container.labels


def test_the_engine_probes_nothing(
    servers: Any, make_image: Callable[..., Image], docker_api: Any
) -> None:
    """The image's HEALTHCHECK is the driver's to run, behind the gate."""
    servers.images.image = make_image(
        Healthcheck={"Test": ["CMD-SHELL", "touch /probed"], "Interval": SECOND}
    )
    servers.boot()
    found = docker_api.inspect_container(servers.guest.name)
    assert found["Config"]["Healthcheck"]["Test"] == ["NONE"]
    assert "Health" not in found["State"]


def test_no_probe_runs_at_the_gate(
    servers: Any, make_image: Callable[..., Image], docker_api: Any, report: Any, tags: Tags
) -> None:
    """A server that waits for its network, or is held for a rescue, runs nothing of its image."""
    servers.images.image = make_image(
        Healthcheck={"Test": ["CMD-SHELL", "touch /probed"], "Interval": SECOND}
    )
    report()
    servers.boot("exec sleep 600", power_on=False)
    servers.guest.start()
    assert eventually(lambda: tags.of(servers.asked.uuid) == {"docker_health=starting"})
    time.sleep(3)  # three intervals
    assert "/probed" not in str(docker_api.diff(servers.guest.name))
    assert servers.guest.get().programs == ()
    gate = StartGate(servers.instances / servers.asked.uuid / "gate", servers.guest.name)
    gate.open_when_reached(10, alive=lambda: True)
    assert eventually(lambda: "/probed" in str(docker_api.diff(servers.guest.name)))


def test_health_is_known_when_nobody_listened(
    servers: Any, make_image: Callable[..., Image], report: Any, tags: Tags
) -> None:
    """A driver that starts goes on with the health that another has found."""
    servers.images.image = make_image(
        Healthcheck={"Test": ["CMD", "/bin/nothing"], "Interval": SECOND, "Retries": 2}
    )
    servers.boot("exec sleep 600")
    uuid = servers.asked.uuid
    first = report()
    assert eventually(lambda: tags.of(uuid) == {"docker_health=unhealthy"})
    first.stop()
    tags.now.clear()
    told = []
    tags.add = lambda _, tag: told.append(tag)  # type: ignore[method-assign]
    report()
    assert eventually(lambda: told)
    assert told[0] == "docker_health=unhealthy"


def test_slow_probes_hold_up_no_others(
    servers: Any, make_image: Callable[..., Image], docker_api: Any, report: Any, tags: Tags
) -> None:
    """A dozen probes without an end are killed in time, and leave the others theirs."""
    report()
    check = {"Test": ["CMD", "/bin/sleep", "1000"], "Interval": SECOND, "Timeout": 2 * SECOND}
    servers.images.image = make_image(Healthcheck=check | {"Retries": 1}, Volumes={})
    slow = []
    for number in range(12):
        servers.boot("exec sleep 600", uuid=str(uuid4()), hostname=f"slow-{number}")
        slow.append(servers.asked)
    servers.images.image = make_image(
        Healthcheck={"Test": ["CMD", "/bin/true1"], "Interval": SECOND, "Retries": 1}, Volumes={}
    )
    servers.boot("exec sleep 600", uuid=str(uuid4()))
    began = time.monotonic()
    assert eventually(lambda: tags.of(servers.asked.uuid) == {"docker_health=unhealthy"})
    assert time.monotonic() - began < 5
    for each in slow:
        assert eventually(lambda uuid=each.uuid: tags.of(uuid) == {"docker_health=unhealthy"})
        running = docker_api.top(each.container)["Processes"]
        assert sum("sleep 1000" in " ".join(row) for row in running) <= 1
