# SPDX-License-Identifier: Apache-2.0
"""What an image's HEALTHCHECK says of its container."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

LONGEST_PROBE = 60 * 10**9  # less than Nova waits for an answer of the engine


class HealthStatus(enum.StrEnum):
    """``State.Health.Status`` of a container whose image has a HEALTHCHECK."""

    STARTING = "starting"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"


@dataclass(frozen=True)
class Health:
    """The last that probes found.

    Attributes:
        status: what the engine makes of them.
        failures: how many failed in a row.
        exit_code: of the last probe.
        output: of the last probe; the engine keeps 4 KiB.
        probed_at: ISO 8601 time of its end.
    """

    status: HealthStatus
    failures: int = 0
    exit_code: int = 0
    output: str = ""
    probed_at: str = ""

    @classmethod
    def parse(cls, state: Mapping[str, Any]) -> Self | None:
        """Read the engine's answer.

        Args:
            state: ``State`` of ``GET /containers/NAME/json``.

        Returns:
            The value, or None where the image has no HEALTHCHECK.
        """
        body = state.get("Health") or {}
        if body.get("Status") not in list(HealthStatus):
            return None
        last = (body.get("Log") or [{}])[-1]
        return cls(
            status=HealthStatus(body["Status"]),
            failures=body.get("FailingStreak", 0),
            exit_code=last.get("ExitCode", 0),
            output=last.get("Output", ""),
            probed_at=last.get("End", ""),
        )


def bounded_timeout(config: Mapping[str, Any]) -> int:
    """Say how long a probe may take where its image would have it take longer.

    While a probe does not begin, because its container does not let it, the engine answers
    nothing about that container.

    Args:
        config: ``Config`` of ``GET /images/NAME/json``.

    Returns:
        Nanoseconds; 0 where what the image says is good.
    """
    asked = (config.get("Healthcheck") or {}).get("Timeout") or 0
    return LONGEST_PROBE if asked > LONGEST_PROBE else 0


def has_probe(config: Mapping[str, Any]) -> bool:
    """Tell whether an image is probed.

    Args:
        config: ``Config`` of ``GET /images/NAME/json``.

    Returns:
        Whether it has a HEALTHCHECK other than NONE.
    """
    test = (config.get("Healthcheck") or {}).get("Test") or ["NONE"]
    return bool(test[0] != "NONE")
