# SPDX-License-Identifier: Apache-2.0
from pathlib import Path
from typing import Any

import pytest

from novadocker.virt.docker.compute.health import HealthReporter, concerns, tags_for
from novadocker.virt.docker.container.prober import Prober
from novadocker.virt.docker.engine import Container, Health, HealthStatus, State

PROBED = Health(HealthStatus.UNHEALTHY, failures=3)


def container(state: State = State.RUNNING, health: Health | None = PROBED) -> Container:
    """Return a container of instance 1."""
    return Container("f" * 64, "nova-1", {"novadocker.instance": "1"}, state, health=health)


@pytest.mark.parametrize(
    ("found", "tags"),
    [
        (container(), {"docker_health=unhealthy"}),
        (container(State.PAUSED), {"docker_health=unhealthy"}),
        (container(health=Health(HealthStatus.STARTING)), {"docker_health=starting"}),
        (container(State.EXITED), set()),
        (container(health=None), set()),
        (None, set()),
    ],
)
def test_a_server_that_is_probed_and_runs_has_one_tag(
    found: Container | None, tags: set[str]
) -> None:
    """What does not run has no health."""
    assert tags_for(found, found.health if found else None) == tags


@pytest.mark.parametrize(
    ("action", "concerned"),
    [
        ("health_status: healthy", True),
        ("health_status: unhealthy", True),
        ("start", True),
        ("die", True),
        ("destroy", True),
        ("exec_start: /bin/sh -c true", False),
        ("pause", False),
    ],
)
def test_only_what_may_change_it_concerns_health(action: str, concerned: bool) -> None:
    """Each probe makes three events more; they are no news."""
    assert concerns(action) is concerned


class Tags:
    """A server's tags."""

    def __init__(self, *tags: str) -> None:
        """Begin with some."""
        self.tags = set(tags)

    def of(self, uuid: str) -> frozenset[str]:
        """Return them."""
        return frozenset(self.tags)

    def add(self, uuid: str, tag: str) -> None:
        """Add one."""
        self.tags.add(tag)

    def remove(self, uuid: str, tag: str) -> None:
        """Take one away."""
        self.tags.remove(tag)


class Engine:
    """An engine with one container."""

    def __init__(self, found: Container | None) -> None:
        """Begin with it."""
        self.found = found

    def find(self, name: str) -> Container | None:
        """Look for it."""
        return self.found if self.found and self.found.name == name else None


def test_a_tenants_own_tags_are_left_alone() -> None:
    """Ours are made what they should be, however they are found."""
    tags = Tags("mine", "docker_health=healthy", "docker_health=starting")
    engine: Any = Engine(container())
    reporter = HealthReporter(engine, "h1", lambda _: True, tags, Prober(engine, Path()))
    assert reporter._tell("1") is True
    assert tags.tags == {"mine", "docker_health=unhealthy"}
    engine.found = None
    assert reporter._tell("1") is True
    assert tags.tags == {"mine"}


def test_news_wait_while_nova_works_on_the_server() -> None:
    """As it is by then, it is told after."""
    tags = Tags("docker_health=healthy")
    engine: Any = Engine(container())
    reporter = HealthReporter(engine, "h1", lambda _: False, tags, Prober(engine, Path()))
    assert reporter._tell("1") is False
    assert tags.tags == {"docker_health=healthy"}
