# SPDX-License-Identifier: Apache-2.0
import signal
import socket
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from novadocker.errors import PolicyRefused
from novadocker.virt.docker.console import line, terminal
from novadocker.virt.docker.engine import Container, Program, State

REFUSAL = PolicyRefused(setting="/etc/passwd of the server", value="a FIFO", accepted="a file")


SHELL = ("/bin/sh", "-c", "exec /bin/sh", terminal.MARK)


class Engine:
    """An engine with a container in which one program is left."""

    def __init__(self, command: tuple[str, ...] = SHELL) -> None:
        self._command = command
        self.running = True

    def inspect(self, name: str) -> Container:
        """Describe the container."""
        return Container("c" * 64, name, {}, State.RUNNING)

    def program(self, program: str) -> Program:
        """Describe the program."""
        return Program(self.running, 4711, self._command)


class Signals:
    """Signals sent from outside, and how a program takes them."""

    def __init__(self, engine: Engine, deadly: int = signal.SIGHUP) -> None:
        self._engine = engine
        self._deadly = deadly
        self.sent: list[tuple[int, str, int]] = []

    def send_signal(self, pid: int, container_id: str, number: int) -> None:
        """Note a signal; the program ends by a deadly one."""
        self.sent.append((pid, container_id, number))
        self._engine.running = number != self._deadly


@pytest.mark.parametrize(
    ("deadly", "sent"),
    [
        (signal.SIGHUP, [signal.SIGHUP]),
        (signal.SIGKILL, [signal.SIGHUP, signal.SIGKILL]),
    ],
)
def test_a_shell_is_ended_from_outside(
    monkeypatch: pytest.MonkeyPatch, deadly: int, sent: list[int]
) -> None:
    """A shell gets a hang-up, then the end by force; no program of the image is run for that."""
    monkeypatch.setattr(terminal, "HANGUP_SECONDS", 0.1)
    engine: Any = Engine()
    signals = Signals(engine, deadly)
    monkeypatch.setattr(terminal, "process", signals)
    assert terminal.end_shells(engine, "nova-1", ["shell"])
    assert signals.sent == [(4711, "c" * 64, number) for number in sent]


@pytest.mark.parametrize(
    "command",
    [
        ("/x", "-c", "exec /x", terminal.MARK),
        ("/bin/sh", "-c", "touch /x", terminal.MARK),
        ("/bin/sh", terminal.MARK),
    ],
)
def test_a_program_that_only_ends_like_a_shell_is_left(
    monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    """A probe of the image may have the mark as its last word."""
    engine: Any = Engine(command)
    signals = Signals(engine)
    monkeypatch.setattr(terminal, "process", signals)
    assert terminal.end_shells(engine, "nova-1", ["probe"])
    assert signals.sent == []


def test_a_shell_that_cannot_be_signalled_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal by the kernel stops no sweep of consoles."""

    class Refusing:
        def send_signal(self, *_: Any) -> None:
            raise PermissionError

    engine: Any = Engine()
    monkeypatch.setattr(terminal, "process", Refusing())
    assert not terminal.end_shells(engine, "nova-1", ["shell"])


@pytest.fixture
def console(monkeypatch: pytest.MonkeyPatch) -> Iterator[line.Line]:
    """A console that has no terminal yet."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        made = line.Line(
            Engine(),  # type: ignore[arg-type]
            "nova-1",
            listener,
            admits=lambda _: True,
            idle=1.0,
            ended=lambda _: None,
        )
        yield made
        made._wake.close()
        made._waker.close()


def test_viewers_are_told_why_there_is_no_terminal(
    console: line.Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The console stays, and begins once the server has mended the list."""
    told: list[str] = []
    monkeypatch.setattr(console._audience, "tell", told.append)

    def refuse(*_: Any) -> None:
        raise REFUSAL

    monkeypatch.setattr(line, "terminal_of", refuse)
    console._begin_terminal()
    assert told == [f"{REFUSAL}; still trying"]
    assert not console._over
    begun = SimpleNamespace(backlog=b"")
    monkeypatch.setattr(line, "terminal_of", lambda *_: begun)
    console._begin_terminal()
    assert console._terminal is begun  # type: ignore[comparison-overlap]
