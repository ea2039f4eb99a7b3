# SPDX-License-Identifier: Apache-2.0
"""Trial of CRIU at the start of nova-compute, whose result is the host's trait."""

import threading

from oslo_log import log as logging
from oslo_privsep.daemon import FailedToDropPrivileges

from novadocker.checkpoint.places import RUNTIME_NAME
from novadocker.errors import DockerDriverError
from novadocker.virt.docker.checkpoint import criu
from novadocker.virt.docker.checkpoint.privileged import probe
from novadocker.virt.docker.engine import Engine

LOG = logging.getLogger(__name__)

TRAIT = "CUSTOM_DOCKER_CHECKPOINT"


class Trial:
    """Trial of one host's CRIU.

    Args:
        engine: has the runtimes.
        program: name or path of CRIU by ``[docker] criu``.
        seconds: time limit of each step.
    """

    def __init__(self, engine: Engine, program: str, seconds: int) -> None:
        self._engine = engine
        self._program = program
        self._seconds = seconds
        self._over = threading.Event()
        self.reason = "it has not been tried yet"

    def start(self) -> None:
        """Begin the trial in a thread of its own: no server waits for it."""
        threading.Thread(target=self.run, name="criu-trial", daemon=True).start()

    def run(self) -> None:
        """Try CRIU; what goes wrong is the reason why the host has no trait."""
        try:
            self.reason = self._attempt()
        except (DockerDriverError, OSError, FailedToDropPrivileges) as error:
            self.reason = str(error)
        self._over.set()
        if self.reason:
            LOG.info("Servers here can neither be suspended nor moved alive: %s", self.reason)

    @property
    def traits(self) -> dict[str, bool]:
        """The host's trait, and whether the host has it."""
        return {TRAIT: self._over.is_set() and not self.reason}

    def _attempt(self) -> str:
        path, runtime = criu.find(self._program), self._engine.info().default_runtime
        if runtime != RUNTIME_NAME:
            return f"the engine's default runtime is {runtime}, not {RUNTIME_NAME}"
        return probe.attempt(path, self._seconds)
