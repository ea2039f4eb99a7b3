# SPDX-License-Identifier: Apache-2.0
from typing import Any

import pytest

from novadocker.virt.docker.engine import Health, HealthStatus, Probe

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


SECOND = 10**9


@pytest.mark.parametrize(
    ("config", "probe"),
    [
        ({}, None),
        ({"Healthcheck": None}, None),
        ({"Healthcheck": {"Test": []}}, None),
        ({"Healthcheck": {"Test": ["NONE"]}}, None),
        ({"Healthcheck": {"Test": ["CMD"]}}, None),
        ({"Healthcheck": {"Test": ["CMD", "true", "x y"]}}, Probe(("true", "x y"))),
        ({"Healthcheck": {"Test": ["CMD-SHELL", "a && b"]}}, Probe(("/bin/sh", "-c", "a && b"))),
        (
            {"Shell": ["/bin/ash", "-ec"], "Healthcheck": {"Test": ["CMD-SHELL", "a"]}},
            Probe(("/bin/ash", "-ec", "a")),
        ),
        (
            {
                "Healthcheck": {
                    "Test": ["CMD", "true"],
                    "Interval": 7 * SECOND,
                    "Timeout": SECOND // 2,
                    "StartPeriod": 90 * SECOND,
                    "StartInterval": 2 * SECOND,
                    "Retries": 5,
                }
            },
            Probe(("true",), 7.0, 0.5, 90.0, 2.0, 5),
        ),
        (
            {"Healthcheck": {"Test": ["CMD", "true"], "Timeout": 3600 * SECOND, "Interval": 1}},
            Probe(("true",), interval=1.0, timeout=60.0),
        ),
    ],
)
def test_a_probe_is_what_the_image_says(config: dict[str, Any], probe: Probe | None) -> None:
    """Defaults are the engine's; an endless timeout and a tiny interval are bounded."""
    assert Probe.parse(config) == probe
    if probe:
        assert Probe.read(probe.written()) == probe
