# SPDX-License-Identifier: Apache-2.0
"""Kills of nova-compute at every point of every action, and the repairs of the next life."""

import contextlib
import json
import math
import os
import random
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from novadocker.gate import start_gate
from tests.engine.virt.conftest import rootfs, saved

# The image of nova_record, which is loaded beside a whole nova-compute alone.
REPOSITORY = "nova/91a9ce00-0000-4000-8000-000000000003"
ROOT = Path(__file__).parents[3]
ALL = os.environ.get("NOVADOCKER_KILLS") == "all"
SEED = os.environ.get("NOVADOCKER_KILL_SEED", str(random.randrange(10**6)))  # noqa: S311
SHARE = 0.1
NAMES = (
    "spawn",
    "destroy",
    "stop",
    "start",
    "reboot",
    "rebuild",
    "resize",
    "confirm",
    "revert",
    "snapshot",
    "rescue",
    "unrescue",
    "attach",
    "detach",
)


class Host:
    """Host in a process of its own, spoken to by lines of JSON."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def live(self, action: str, *steps: str, **more: Any) -> dict[str, Any]:
        """Have nova-compute live through some steps, and return the reports of the steps."""
        assert self._process.stdin
        assert self._process.stdout
        job = {"action": action, "steps": steps, **more}
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        told: dict[str, Any] = json.loads(self._process.stdout.readline())
        return told

    def points(self, action: str) -> list[str]:
        """Return the fault points of an action that nobody kills."""
        told = self._acted(action)
        assert "failed" not in told, told["failed"]
        self.live(action, "clear")
        points: list[str] = told["act"]
        return points

    def faults(self, action: str, fatal: int) -> list[str]:
        """Kill an action at a point, start again, and return all that is wrong afterwards."""
        told = self._acted(action, fatal)
        if "failed" in told:
            return [told["failed"]]
        found = self._faults_after(action)
        self.live(action, "clear")
        return found

    def _acted(self, action: str, fatal: int = -1) -> dict[str, Any]:
        fresh = {"uuid": str(uuid.uuid4()), "fatal": fatal}
        first = ["forget image"] if action == "spawn" else []
        return self.live(action, *first, "begin", "before", "act", **fresh)

    def _faults_after(self, action: str) -> list[str]:
        started = self.live(action, "start", "faults of start")
        if "failed" in started:
            return [f"start: {started['failed']}"]
        found = [f"after the start: {each}" for each in started["faults of start"]]
        again = self.live(action, "mend", "again", "faults", "destroy", "leaks")
        found += [f"the second time: {each}" for each in again.get("faults", [])]
        found += [f"left: {each}" for each in again.get("leaks", [])]
        return found + ([again["failed"]] if "failed" in again else [])


@pytest.fixture(scope="module")
def host(engine_socket: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A host with an engine, and nova-compute's modules loaded."""
    image = tmp_path_factory.mktemp("image") / "box.tar"
    image.write_bytes(saved(rootfs(), {"Cmd": ["/bin/sh"], "Volumes": {"/data": {}}}, "box:kills"))
    environment = os.environ | {
        "NOVADOCKER_TEST_ENGINE": f"unix://{engine_socket}",
        "NOVADOCKER_TEST_IMAGE": str(image),
        "NOVADOCKER_TEST_GATE": str(start_gate.PROGRAM),
        "OS_NOVA_DISABLE_EVENTLET_PATCHING": "true",
    }
    command = ["unshare", "--net", sys.executable, "-m", "tests.engine.kills.host"]
    log = tmp_path_factory.mktemp("log") / "nova-compute.log"
    with (
        log.open("wb") as errors,
        subprocess.Popen(
            command,
            stderr=errors,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env=environment,
            text=True,
        ) as process,
    ):
        yield Host(process)
        assert process.stdin
        process.stdin.close()
        process.wait(timeout=60)
    _forget_image(engine_socket)


def _forget_image(engine_socket: Path) -> None:
    """Remove what the boots have loaded: other modules use the same engine."""
    with contextlib.closing(docker.DockerClient(base_url=f"unix://{engine_socket}")) as client:
        for image in client.images.list(name=REPOSITORY):
            client.images.remove(image.id, force=True)


def drawn(action: str, points: list[str]) -> list[int]:
    """Draw a share of the points of an action, or all of them in the long suite."""
    numbers = range(len(points))
    if ALL:
        return list(numbers)
    chance = random.Random(f"{SEED} {action}")  # noqa: S311 - a seed that fails is tried again
    return sorted(chance.sample(numbers, math.ceil(len(points) * SHARE)))


@pytest.mark.timeout(7200 if ALL else 600)
@pytest.mark.parametrize("action", NAMES)
def test_a_killed_nova_compute_leaves_nothing_half_done(host: Host, action: str) -> None:
    """A server is whole or absent after the next start; its action works; nothing is left."""
    points = host.points(action)
    print(f"seed {SEED}: {action} has {len(points)} points")  # noqa: T201 - shown of a failure
    found = {
        f"{number} {points[number]}": faults
        for number in drawn(action, points)
        if (faults := host.faults(action, number))
    }
    assert not found, "\n".join(
        f"{action} killed at {point}: {'; '.join(faults)}" for point, faults in found.items()
    )
