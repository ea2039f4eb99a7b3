# SPDX-License-Identifier: Apache-2.0
"""Health of a server: conclusions from probes, and their memory across restarts.

The memory is a file in the instance's directory. Conclusions follow the engine's own rules, so
that a HEALTHCHECK means here what it means elsewhere.
"""

import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from oslo_log import log as logging

from novadocker.virt.docker.engine import Container, Health, HealthStatus, Probe

LOG = logging.getLogger(__name__)
FILE = "health.json"
OUTPUT_BYTES = 4096  # as the engine keeps


@dataclass(frozen=True)
class Result:
    """End of one probe.

    Attributes:
        exit_code: exit code of the program; -1 for an end by force or no start.
        output: beginning of the output.
        age: seconds since the image's command began.
    """

    exit_code: int
    output: str
    age: float


def after(health: Health, probe: Probe, result: Result) -> Health:
    """Conclude a server's health from one more probe. Pure but for the clock.

    Args:
        health: health until now.
        probe: HEALTHCHECK of the image.
        result: end of the probe.

    Returns:
        The health from now on.
    """
    told = replace(
        health,
        exit_code=result.exit_code,
        output=result.output[:OUTPUT_BYTES],
        probed_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    if result.exit_code == 0:
        return replace(told, status=HealthStatus.HEALTHY, failures=0)
    if health.status is HealthStatus.STARTING and result.age < probe.start_period:
        return told  # a start may take its time
    failures = health.failures + 1
    status = HealthStatus.UNHEALTHY if failures >= probe.retries else health.status
    return replace(told, status=status, failures=failures)


def recall(directory: Path, container: Container) -> Health:
    """Recall the health of a container's present run.

    Args:
        directory: directory of the instance.
        container: as it is now.

    Returns:
        The health before a restart of the driver; "starting" for another run, or without a
        memory.
    """
    try:
        kept = json.loads((directory / FILE).read_text(encoding="utf-8"))
        if kept["run"] == _run(container):
            health = kept["health"]
            return Health(**health | {"status": HealthStatus(health["status"])})
    except FileNotFoundError:
        pass  # the first run of a server
    except (OSError, ValueError, KeyError, TypeError) as error:
        LOG.warning("The health of %s is not known any more: %s", container.name, error)
    return Health(HealthStatus.STARTING)


def remember(directory: Path, container: Container, health: Health) -> None:
    """Remember the health of a container's present run.

    Args:
        directory: directory of the instance; may be gone with its server.
        container: container of the run.
        health: health from now on.
    """
    text = json.dumps({"run": _run(container), "health": asdict(health)})
    new = directory / f"{FILE}.new"
    try:
        new.write_text(text, encoding="utf-8")
        new.replace(directory / FILE)  # at once: a driver killed here finds a whole file
    except OSError as error:
        LOG.debug("The health of %s is not remembered: %s", container.name, error)


def _run(container: Container) -> list[str]:
    return [container.id, container.started_at]
