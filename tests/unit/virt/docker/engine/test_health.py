# SPDX-License-Identifier: Apache-2.0
from typing import Any

import pytest

from novadocker.virt.docker.engine import Health, HealthStatus
from novadocker.virt.docker.engine.health import LONGEST_PROBE, bounded_timeout, has_probe

PROBE = {"Start": "2026-01-01T00:00:00Z", "End": "2026-01-01T00:00:01Z", "ExitCode": 1}


@pytest.mark.parametrize(
    ("state", "health"),
    [
        ({}, None),
        ({"Health": None}, None),
        ({"Health": {"Status": "none"}}, None),
        ({"Health": {"Status": "starting", "Log": None}}, Health(HealthStatus.STARTING)),
        (
            {
                "Health": {
                    "Status": "unhealthy",
                    "FailingStreak": 3,
                    "Log": [PROBE | {"ExitCode": 0}, PROBE | {"Output": "no\n"}],
                }
            },
            Health(HealthStatus.UNHEALTHY, 3, 1, "no\n", "2026-01-01T00:00:01Z"),
        ),
    ],
)
def test_health_is_what_the_last_probe_found(state: dict[str, Any], health: Health | None) -> None:
    """A container without probes has none."""
    assert Health.parse(state) == health


@pytest.mark.parametrize(
    ("config", "probed"),
    [
        ({}, False),
        ({"Healthcheck": None}, False),
        ({"Healthcheck": {"Test": []}}, False),
        ({"Healthcheck": {"Test": ["NONE"]}}, False),
        ({"Healthcheck": {"Test": ["CMD", "true"]}}, True),
        ({"Healthcheck": {"Test": ["CMD-SHELL", "true"]}}, True),
    ],
)
def test_an_image_is_probed_unless_it_says_none(config: dict[str, Any], probed: bool) -> None:
    """HEALTHCHECK NONE takes the one away that an image is built on."""
    assert has_probe(config) is probed


@pytest.mark.parametrize(
    ("config", "timeout"),
    [
        ({}, 0),
        ({"Healthcheck": None}, 0),
        ({"Healthcheck": {"Test": ["CMD", "true"]}}, 0),
        ({"Healthcheck": {"Timeout": None}}, 0),
        ({"Healthcheck": {"Timeout": LONGEST_PROBE}}, 0),
        ({"Healthcheck": {"Timeout": LONGEST_PROBE + 1}}, LONGEST_PROBE),
    ],
)
def test_a_probe_takes_no_longer_than_an_engine_may_be_silent(
    config: dict[str, Any], timeout: int
) -> None:
    """One that cannot begin would silence it for as long as the image says."""
    assert bounded_timeout(config) == timeout
