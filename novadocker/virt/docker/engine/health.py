# SPDX-License-Identifier: Apache-2.0
"""HEALTHCHECK of an image, and health of a container."""

import enum
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

NANOSECONDS = 10**9
SHELL = ("/bin/sh", "-c")  # of an image without SHELL
LONGEST_PROBE = 60.0  # seconds: a program without an end is not to be waited for
SHORTEST_INTERVAL = 1.0  # seconds, as images are checked for


class HealthStatus(enum.StrEnum):
    """Health of a container whose image has a HEALTHCHECK, in the engine's words."""

    STARTING = "starting"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"


@dataclass(frozen=True)
class Health:
    """Result of the latest probes.

    Attributes:
        status: conclusion from the probes so far.
        failures: number of failures in a row.
        exit_code: exit code of the last probe; -1 for a probe without an end of its own.
        output: beginning of the last probe's output, at most 4 KiB.
        probed_at: ISO 8601 time of the last probe's end.
    """

    status: HealthStatus
    failures: int = 0
    exit_code: int = 0
    output: str = ""
    probed_at: str = ""

    @classmethod
    def parse(cls, state: Mapping[str, Any]) -> Self | None:
        """Read the engine's own health, of a container made before the driver probed.

        Args:
            state: member ``State`` of ``GET /containers/NAME/json``.

        Returns:
            The health, or None where the engine does not probe.
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


@dataclass(frozen=True)
class Probe:
    """HEALTHCHECK of an image, with the engine's own defaults filled in.

    Attributes:
        argv: words of the program.
        interval: seconds between the end of a probe and the next.
        timeout: seconds until the end by force.
        start_period: seconds after a start in which a failure does not count.
        start_interval: seconds between probes in that period.
        retries: failures in a row until a server is unhealthy.
    """

    argv: tuple[str, ...]
    interval: float = 30.0
    timeout: float = 30.0
    start_period: float = 0.0
    start_interval: float = 5.0
    retries: int = 3

    @classmethod
    def parse(cls, config: Mapping[str, Any]) -> Self | None:
        """Read an image's settings.

        Args:
            config: member ``Config`` of ``GET /images/NAME/json``.

        Returns:
            The probe, or None without a HEALTHCHECK or with NONE.
        """
        check = config.get("Healthcheck") or {}
        kind, *words = check.get("Test") or ("NONE",)
        if kind == "NONE" or not words:
            return None
        shell = tuple(config.get("Shell") or SHELL) if kind == "CMD-SHELL" else ()
        return cls(
            argv=(*shell, *words),
            interval=max(_seconds(check, "Interval", cls.interval), SHORTEST_INTERVAL),
            timeout=min(_seconds(check, "Timeout", cls.timeout), LONGEST_PROBE),
            start_period=_seconds(check, "StartPeriod", cls.start_period),
            start_interval=max(
                _seconds(check, "StartInterval", cls.start_interval), SHORTEST_INTERVAL
            ),
            retries=check.get("Retries") or cls.retries,
        )

    def written(self) -> str:
        """Write the probe as a label.

        Returns:
            JSON.
        """
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def read(cls, label: str) -> Self:
        """Read the probe from a label.

        Args:
            label: JSON as written before.

        Returns:
            The probe.
        """
        found = json.loads(label)
        return cls(**found | {"argv": tuple(found["argv"])})


def _seconds(check: Mapping[str, Any], name: str, default: float) -> float:
    return float((check.get(name) or 0) / NANOSECONDS or default)
