# SPDX-License-Identifier: Apache-2.0
"""Host of a nova-compute that is killed again and again: each life is a forked process.

Jobs come as lines of JSON: a list of steps, and the fault point at which the last one dies. The
program runs in a network namespace of its own, so that each link there is the server's.
"""

import json
import os
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

warnings.simplefilter("ignore")  # Nova and what it stands on warn of themselves

# ruff: noqa: E402 - the imports below are what warns
from nova import objects

objects.register_all()  # the modules below name the kinds of objects

from novadocker.gate import start_gate
from tests.engine.kills.actions import ACTIONS
from tests.engine.kills.compute_service import ComputeService, configure
from tests.engine.kills.fault_points import NEVER, FaultPoints
from tests.engine.kills.invariants import Host
from tests.engine.kills.nova_record import Database

ENGINE, GATE, IMAGE = (f"NOVADOCKER_TEST_{each}" for each in ("ENGINE", "GATE", "IMAGE"))


class Life:
    """One life of nova-compute.

    Args:
        root: directory of the host's files.
        fatal: fault point at which the step "act" dies.
    """

    def __init__(self, root: Path, fatal: int) -> None:
        self._points = FaultPoints(root / "instances", fatal)
        self._armed = False
        database = Database(root / "record.json")
        image = Path(os.environ[IMAGE]).read_bytes()
        self._service = ComputeService(database, image, self._reach)
        self._host = Host(self._service, root)

    def take(self, step: str, action: str) -> Any:
        """Take one step, and return the report of the step."""
        wanted = ACTIONS[action]
        steps: Mapping[str, Callable[[], Any]] = {
            "begin": self._begin,
            "before": lambda: [act(self._service) for act in wanted.before] and None,
            "act": lambda: self._act(action),
            "again": lambda: wanted.act(self._service),
            "mend": lambda: wanted.mend(self._service),
            "start": self._service.start_service,
            "faults of start": self._host.faults_of_start,
            "faults": lambda: self._host.faults_of_server(
                alive=wanted.alive, stand_in=wanted.stand_in, keeps=wanted.keeps
            ),
            "destroy": lambda: ACTIONS["destroy"].act(self._service),
            "leaks": lambda: self._host.leaks([]),
            "clear": self._host.clear,
            "forget image": self._host.forget_image,
        }
        return steps[step]()

    def _begin(self) -> None:
        self._service.driver.init_host("h1")

    def _act(self, action: str) -> list[str]:
        # Not before: points of the preparations are none of the action's.
        self._points.install()
        self._armed = True
        ACTIONS[action].act(self._service)
        self._armed = False
        self._points.reach("the end")
        return self._points.reached

    def _reach(self, words: str) -> None:
        if self._armed:
            self._points.reach(words)


def live(root: Path, job: Mapping[str, Any]) -> dict[str, Any]:
    """Run one life in a forked process, and report the end."""
    told = root / "told.json"
    told.unlink(missing_ok=True)
    # A fork has all modules already: a fresh interpreter would take five seconds for them.
    child = os.fork()
    if not child:
        _end_with(lambda: _tell(told, root, job))
    _, status = os.waitpid(child, 0)
    result = json.loads(told.read_text()) if told.exists() else {}
    return {"killed": os.WIFSIGNALED(status), **result}


def _tell(told: Path, root: Path, job: Mapping[str, Any]) -> None:
    results: dict[str, Any] = {}
    try:
        made = Life(root, job.get("fatal", NEVER))
        for step in job["steps"]:
            results[step] = made.take(step, job["action"])
    except Exception:  # noqa: BLE001 - told to the test, which fails by it
        results["failed"] = traceback.format_exc()
    told.write_text(json.dumps(results))


def _end_with(work: Callable[[], None]) -> None:
    try:
        work()
    finally:
        # Threads of the driver may run on; a life must not wait for them.
        os._exit(0)


def main() -> None:
    """Serve jobs until the input ends."""
    start_gate.PROGRAM = Path(os.environ[GATE])
    with tempfile.TemporaryDirectory(prefix="nd-", dir="/var/tmp") as made:
        root = Path(made)
        root.chmod(0o711)
        (root / "instances").mkdir()
        (root / "state").mkdir()
        configure(root, os.environ[ENGINE])
        for line in sys.stdin:
            job = json.loads(line)
            # By this process, which nobody kills: the record outlives each life.
            if "uuid" in job:
                Database(root / "record.json").begin(job["uuid"])
            sys.stdout.write(json.dumps(live(root, job)) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
