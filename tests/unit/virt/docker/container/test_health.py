# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace
from pathlib import Path

import pytest

from novadocker.virt.docker.container.health import FILE, Result, after, recall, remember
from novadocker.virt.docker.engine import Container, Health, HealthStatus, Probe, State

STARTING, HEALTHY, UNHEALTHY = HealthStatus.STARTING, HealthStatus.HEALTHY, HealthStatus.UNHEALTHY
CONTAINER = Container("c" * 64, "nova-1", {}, State.RUNNING, started_at="2026-01-01T00:00:00Z")


@pytest.mark.parametrize(
    ("codes", "status", "failures"),
    [
        ([0], HEALTHY, 0),
        ([1], STARTING, 1),
        ([1, 1], UNHEALTHY, 2),
        ([0, 1], HEALTHY, 1),
        ([0, 1, -1], UNHEALTHY, 2),
        ([1, 1, 1, 0], HEALTHY, 0),
        ([1, 0, 1], HEALTHY, 1),
    ],
)
def test_health_follows_from_probes_as_in_the_engine(
    codes: list[int], status: HealthStatus, failures: int
) -> None:
    """Failures in a row make a server unhealthy, and one success makes the server healthy."""
    health = Health(STARTING)
    for code in codes:
        health = after(health, Probe(("true",), retries=2), Result(code, "said", age=100.0))
    assert (health.status, health.failures) == (status, failures)
    assert (health.exit_code, health.output) == (codes[-1], "said")


def test_a_failure_in_the_start_period_does_not_count() -> None:
    """A server once healthy has started, whatever the age."""
    probe = Probe(("true",), start_period=60.0, retries=1)
    early = Result(1, "", age=30.0)
    assert after(Health(STARTING), probe, early).status is STARTING
    assert after(Health(STARTING), probe, replace(early, age=61.0)).status is UNHEALTHY
    assert after(Health(HEALTHY), probe, early).status is UNHEALTHY


def test_health_outlives_the_driver(tmp_path: Path) -> None:
    """The run of a container keeps its health; another run starts anew."""
    health = Health(UNHEALTHY, 3, 1, "é", "2026-01-01T00:00:01+00:00")
    remember(tmp_path, CONTAINER, health)
    assert recall(tmp_path, CONTAINER) == health
    assert recall(tmp_path, replace(CONTAINER, started_at="later")) == Health(STARTING)
    assert recall(tmp_path, replace(CONTAINER, id="d" * 64)) == Health(STARTING)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"run": 1}', '{"run": [], "health": {}}'])
def test_a_broken_memory_is_a_start(tmp_path: Path, text: str) -> None:
    """A file that nobody can read costs no probe."""
    (tmp_path / FILE).write_text(text)
    assert recall(tmp_path, CONTAINER) == Health(STARTING)


def test_a_server_that_is_gone_is_not_remembered(tmp_path: Path) -> None:
    """A probe may end after the server's directory was removed."""
    remember(tmp_path / "gone", CONTAINER, Health(HEALTHY))
    assert not (tmp_path / "gone").exists()
