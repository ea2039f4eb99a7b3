# SPDX-License-Identifier: Apache-2.0
"""Probes of one server, step by step, each a short exchange with the engine.

A step runs in a thread of ``container.prober``, which starts no second step of a server before
the first has ended: a watch needs no lock.
"""

import contextlib
import signal
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from novadocker.errors import EngineError, EngineUnavailable, PolicyRefused
from novadocker.gate.start_gate import process_is_at_gate
from novadocker.virt.docker.container.health import OUTPUT_BYTES, Result, after, recall, remember
from novadocker.virt.docker.engine import Container, Engine, Health, Probe, State, Stream
from novadocker.virt.docker.engine.calls.exec import unframed
from novadocker.virt.docker.privileged import process

GATE_SECONDS = 0.5  # between looks at a gate
FRAMES_BYTES = 4 * OUTPUT_BYTES
# A container that does not answer holds a thread of the pool: it is asked less often.
SILENCE_SECONDS = 60.0


@dataclass
class Running:
    """A probe under way.

    Attributes:
        program: engine's id of the program.
        stream: output, in frames.
        deadline: monotonic time of the end by force.
        frames: output so far.
    """

    program: str
    stream: Stream
    deadline: float
    frames: bytearray = field(default_factory=bytearray)

    def ended(self) -> bool:
        """Take the output that has come.

        Returns:
            True at the end of the output.
        """
        while (data := self.stream.read()) is not None:
            if not data:
                return True
            if len(self.frames) < FRAMES_BYTES:  # the rest is read and dropped
                self.frames += data
        return False

    @property
    def output(self) -> str:
        """Beginning of the output."""
        return unframed(bytes(self.frames))[:OUTPUT_BYTES].decode(errors="replace")


class Watch:
    """Probes of one run of a server's container.

    Args:
        engine: home of the container, with short time limits.
        container: as it is now.
        probe: HEALTHCHECK of the image.
        directory: directory of the instance.
    """

    def __init__(self, engine: Engine, container: Container, probe: Probe, directory: Path) -> None:
        self._engine = engine
        self._probe = probe
        self._directory = directory
        self._began = _moment(container.started_at)
        self.container = container
        self.health: Health = recall(directory, container)
        self.running: Running | None = None
        self.busy = False
        self.over = False
        self.due = time.monotonic() + self._pause()

    def same_run(self, container: Container) -> bool:
        """Compare with a container as it is now.

        Args:
            container: the server's.

        Returns:
            True if the container and its last start are the watched ones.
        """
        mine = self.container
        return (mine.id, mine.started_at) == (container.id, container.started_at)

    def step(self, now: float) -> bool:
        """Tell whether the next step is due.

        Args:
            now: monotonic time.

        Returns:
            True for a probe to begin, to be concluded or to be ended by force.
        """
        if self.running:
            return self.running.ended() or now >= self.running.deadline
        return now >= self.due

    def take(self) -> None:
        """Take the next step; a container that does not answer is left alone for a time."""
        try:
            if self.running:
                self._conclude(self.running)
            else:
                self._begin()
        except EngineUnavailable:
            self.close()
            self.due = time.monotonic() + max(SILENCE_SECONDS, self._probe.interval)
        except (EngineError, PolicyRefused) as error:
            self._end(-1, str(error))

    def close(self) -> None:
        """Let go of a probe under way; the program ends alone or with the server."""
        if self.running:
            self.running.stream.close()
            self.running = None

    def _begin(self) -> None:
        if not self._may_probe():
            return
        program = self._engine.prepare_program(self.container.name, self._probe.argv)
        # Again, so that a server stopped meanwhile, and held at its gate for a rescue, is seen:
        # a prepared program has not run an instruction.
        if self._may_probe():
            stream = self._engine.start_program(program)
            deadline = time.monotonic() + self._probe.timeout
            self.running = Running(program, stream, deadline)

    def _may_probe(self) -> bool:
        now = self._engine.find(self.container.name)
        if not now or not now.alive or not self.same_run(now):
            self.over = True
        elif now.state is State.PAUSED:
            self.due = time.monotonic() + self._probe.interval
        elif process_is_at_gate(now.pid, count_runtime=True):
            self._began = time.time()  # a start period begins with the image's command
            self.due = time.monotonic() + GATE_SECONDS
        else:
            return True
        return False

    def _conclude(self, running: Running) -> None:
        found = self._engine.program(running.program)
        if not (found and found.running):
            self._end(found.exit_code if found else -1, running.output)
        elif time.monotonic() >= running.deadline:
            with contextlib.suppress(ProcessLookupError):  # it has ended meanwhile
                process.send_signal(found.pid, self.container.id, signal.SIGKILL)
            self._end(-1, f"no end after {self._probe.timeout:g} s")

    def _end(self, exit_code: int, output: str) -> None:
        self.close()
        before = self.health
        result = Result(exit_code, output, time.time() - self._began)
        self.health = after(before, self._probe, result)
        self.due = time.monotonic() + self._pause()
        if _without_time(self.health) != _without_time(before):  # a healthy server writes nothing
            remember(self._directory, self.container, self.health)

    def _pause(self) -> float:
        starting = time.time() - self._began < self._probe.start_period
        return self._probe.start_interval if starting else self._probe.interval


def _without_time(health: Health) -> tuple[object, ...]:
    return health.status, health.failures, health.exit_code, health.output


def _moment(iso: str) -> float:
    try:
        return datetime.fromisoformat(iso).astimezone(UTC).timestamp()
    except ValueError:  # never started, as far as the engine tells
        return time.time()
