# SPDX-License-Identifier: Apache-2.0
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from novadocker.errors import EngineError, EngineUnavailable
from novadocker.virt.docker.container import probing
from novadocker.virt.docker.container.prober import Prober
from novadocker.virt.docker.container.probing import Watch
from novadocker.virt.docker.engine import Container, HealthStatus, Probe, Program, State

PROBE = Probe(("/bin/check",), interval=1.0, retries=1, timeout=5.0)
CONTAINER = Container(
    "c" * 64,
    "nova-1",
    {"novadocker.instance": "1", "novadocker.probe": PROBE.written()},
    State.RUNNING,
    pid=4711,
    started_at="2026-01-01T00:00:00Z",
)


class Stream:
    """Output of a program, piece by piece."""

    def __init__(self, *pieces: bytes | None) -> None:
        """Begin with pieces."""
        self._pieces = list(pieces)
        self.closed = False

    def read(self) -> bytes | None:
        """Return the next piece."""
        return self._pieces.pop(0) if self._pieces else None

    def close(self) -> None:
        """Note the end."""
        self.closed = True


class Engine:
    """An engine with one container and one program."""

    def __init__(self) -> None:
        """Begin with a server that runs."""
        self.found: Container | None = CONTAINER
        self.fault: Exception | None = None
        self.after_preparation: Callable[[], None] = lambda: None
        self.stream = Stream(b"\1\0\0\0\0\0\0\4sick", b"")
        self.program_now: Program | None = Program(False, 4712, ("/bin/check",), 3)
        self.started: list[str] = []

    def find(self, name: str) -> Container | None:
        """Look for the container."""
        return self.found

    def prepare_program(self, name: str, argv: tuple[str, ...]) -> str:
        """Prepare the program, or fail."""
        if self.fault:
            raise self.fault
        self.after_preparation()
        return "program"

    def start_program(self, program: str) -> Stream:
        """Start the program."""
        self.started.append(program)
        return self.stream

    def program(self, program: str) -> Program | None:
        """Look for the program."""
        return self.program_now


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Any:
    """An engine with a server past its gate."""
    made = Engine()
    monkeypatch.setattr(probing, "process_is_at_gate", lambda *_, **__: False)
    return made


@pytest.fixture
def watch(engine: Any, tmp_path: Path) -> Watch:
    """The probes of the server."""
    return Watch(engine, CONTAINER, PROBE, tmp_path)


def test_a_probe_is_run_and_concluded(watch: Watch, engine: Any) -> None:
    """The first probe comes after the interval; exit code and output are kept."""
    assert not watch.step(time.monotonic())
    assert watch.step(time.monotonic() + PROBE.interval)
    watch.take()
    assert engine.started == ["program"]
    assert watch.step(time.monotonic())
    watch.take()
    health = watch.health
    assert (health.status, health.exit_code, health.output) == (HealthStatus.UNHEALTHY, 3, "sick")
    assert engine.stream.closed


def test_nothing_is_probed_at_the_gate(
    watch: Watch, engine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server waiting for its network, or for the end of a rescue, runs no probe."""
    monkeypatch.setattr(probing, "process_is_at_gate", lambda *_, **__: True)
    watch.take()
    assert engine.started == []
    assert not watch.over


def test_a_server_held_at_its_gate_meanwhile_is_not_probed(
    watch: Watch, engine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rescue may begin between two questions; a prepared program has not run yet."""

    def rescue() -> None:
        monkeypatch.setattr(probing, "process_is_at_gate", lambda *_, **__: True)

    engine.after_preparation = rescue
    watch.take()
    assert engine.started == []


@pytest.mark.parametrize(
    "found",
    [None, replace(CONTAINER, state=State.EXITED), replace(CONTAINER, started_at="later")],
)
def test_probes_end_with_their_run(watch: Watch, engine: Any, found: Container | None) -> None:
    """A server that ended, or was started again, has another watch or none."""
    engine.found = found
    watch.take()
    assert watch.over
    assert engine.started == []


def test_a_paused_server_is_not_probed(watch: Watch, engine: Any) -> None:
    """The health of a frozen server stays, and a later probe is due."""
    engine.found = replace(CONTAINER, state=State.PAUSED)
    watch.take()
    assert engine.started == []
    assert watch.step(time.monotonic() + PROBE.interval)


def test_a_probe_without_an_end_is_killed(
    watch: Watch, engine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The signal comes from outside, and the reason is the probe's output."""
    killed: list[tuple[object, ...]] = []
    monkeypatch.setattr(probing.process, "send_signal", lambda *told: killed.append(told))
    engine.stream = Stream()
    engine.program_now = Program(True, 4712, ("/bin/check",))
    watch.take()
    assert not watch.step(time.monotonic())
    assert watch.running
    watch.running.deadline = 0.0
    assert watch.step(time.monotonic())
    watch.take()
    assert killed == [(4712, CONTAINER.id, 9)]
    assert (watch.health.exit_code, watch.health.output) == (-1, "no end after 5 s")


def test_a_program_that_cannot_run_is_a_failure(watch: Watch, engine: Any) -> None:
    """The engine's reason is told as the probe's output."""
    engine.fault = EngineError(action="run", reason="no such program")
    watch.take()
    assert watch.health.status is HealthStatus.UNHEALTHY
    assert "no such program" in watch.health.output


def test_a_container_that_does_not_answer_is_asked_less_often(watch: Watch, engine: Any) -> None:
    """Silence is no failure of the image's, and holds no thread for long."""
    engine.fault = EngineUnavailable(url="unix:///x", reason="timed out")
    watch.take()
    assert watch.health.status is HealthStatus.STARTING
    assert not watch.step(time.monotonic() + probing.SILENCE_SECONDS - 1)


@pytest.fixture
def prober(engine: Any, tmp_path: Path) -> Iterator[Prober]:
    """The probes of a host, not started."""
    made = Prober(engine, tmp_path)
    yield made
    made.stop()


def test_a_server_is_followed_while_it_runs(prober: Prober) -> None:
    """A stop ends the probes, and another start begins anew."""
    assert prober.follow("1", CONTAINER)
    first = prober._watches["1"]
    assert prober.follow("1", CONTAINER)
    assert prober._watches["1"] is first
    assert prober.follow("1", replace(CONTAINER, started_at="later"))
    assert prober._watches["1"] is not first
    assert first.over
    assert prober.follow("1", replace(CONTAINER, state=State.EXITED)) is None
    assert prober.follow("1", None) is None
    assert prober.health("1") is None


def test_a_server_without_a_probe_has_no_health(prober: Prober) -> None:
    """Containers made before the driver probed have the engine's."""
    assert prober.follow("1", replace(CONTAINER, labels={})) is None
    assert prober._watches == {}


def test_one_probe_that_fails_badly_ends_no_others(prober: Prober, engine: Any) -> None:
    """An unforeseen error ends the probes of a single server."""
    prober.follow("1", CONTAINER)
    engine.fault = ValueError("nobody foresaw")
    watch = prober._watches["1"]
    prober._take("1", watch)
    assert watch.over
    assert not watch.busy
