# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable
from typing import Any

from novadocker.virt.docker.compute.health import HealthReporter
from novadocker.virt.docker.engine import Engine, HealthStatus, Image
from novadocker.virt.docker.engine.health import LONGEST_PROBE
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


def test_a_probe_runs_and_is_told(
    servers: Any, engine: Engine, make_image: Callable[..., Image], docker_api: Any
) -> None:
    """In our containers as in others; the console has its last words."""
    probe = "test ! -e /sick || { echo it is sick; exit 3; }"
    servers.images.image = make_image(
        Healthcheck={"Test": ["CMD-SHELL", probe], "Interval": SECOND, "Retries": 1}
    )
    tags = Tags()
    reporter = HealthReporter(engine, servers.asked.host, lambda _: True, tags)
    reporter.start()
    try:
        servers.boot("exec sleep 600")
        uuid = servers.asked.uuid
        assert eventually(lambda: tags.of(uuid) == {"docker_health=starting"})
        assert eventually(lambda: tags.of(uuid) == {"docker_health=healthy"})
        assert servers.guest.console() == b""
        made = docker_api.exec_create(servers.guest.name, ["touch", "/sick"])
        docker_api.exec_start(made)
        assert eventually(lambda: tags.of(uuid) == {"docker_health=unhealthy"})
        told = servers.guest.console().decode()
        assert "[nova-docker] the image's HEALTHCHECK failed 1 times, the last with" in told
        assert "exit code 3 at 20" in told
        assert told.endswith(":\r\nit is sick\r\n")
        servers.guest.stop(0)
        assert eventually(lambda: not tags.of(uuid))
        assert "ended with exit code" in servers.guest.console().decode()
    finally:
        reporter.stop()


def test_a_server_without_a_probe_is_not_followed(servers: Any, engine: Engine) -> None:
    """It has no label, so that its events do not even come."""
    container = servers.boot()
    assert container.health is None
    assert "novadocker.health" not in container.labels


def test_a_probe_is_the_images_but_for_too_long_a_timeout(
    servers: Any, make_image: Callable[..., Image], docker_api: Any
) -> None:
    """The engine answers nothing about a container whose probe does not begin."""
    probe = {"Test": ["CMD", "true"], "Interval": 7 * SECOND, "Timeout": 3600 * SECOND}
    servers.images.image = make_image(Healthcheck=probe)
    servers.boot()
    found = docker_api.inspect_container(servers.guest.name)["Config"]["Healthcheck"]
    assert found == probe | {"Timeout": LONGEST_PROBE}


def test_health_is_known_when_nobody_listened(
    servers: Any, engine: Engine, make_image: Callable[..., Image]
) -> None:
    """A driver that starts looks after all that it finds."""
    servers.images.image = make_image(
        Healthcheck={"Test": ["CMD", "/bin/true"], "Interval": SECOND}
    )
    servers.boot()
    assert eventually(lambda: servers.guest.get().health.status is HealthStatus.UNHEALTHY)
    tags = Tags()
    reporter = HealthReporter(engine, servers.asked.host, lambda _: True, tags)
    reporter.start()
    try:
        assert eventually(lambda: tags.of(servers.asked.uuid) == {"docker_health=unhealthy"})
    finally:
        reporter.stop()
