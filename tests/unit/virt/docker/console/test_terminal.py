# SPDX-License-Identifier: Apache-2.0
import socket
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from novadocker.errors import PolicyRefused
from novadocker.virt.docker.console import line, terminal
from novadocker.virt.docker.engine import Program

REFUSAL = PolicyRefused(setting="/etc/passwd of the server", value="a FIFO", accepted="a file")


class Engine:
    """An engine with a container in which one shell of a console is left."""

    def __init__(self, fault: Exception | None = None) -> None:
        self._fault = fault
        self._running = True
        self.ran: list[tuple[tuple[str, ...], str]] = []

    def program(self, program: str) -> Program:
        """Describe the shell."""
        return Program(self._running, 4711, ("/bin/sh", "-c", "exec /bin/sh", terminal.MARK))

    def run(self, name: str, argv: tuple[str, ...], user: str) -> None:
        """End the shell."""
        if self._fault:
            raise self._fault
        self.ran.append((argv, user))
        self._running = False


@pytest.fixture(autouse=True)
def _proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "4711").mkdir()
    (tmp_path / "4711" / "status").write_text("Name:\tsh\nNSpid:\t4711\t17\n")
    monkeypatch.setattr(terminal, "PROC", tmp_path)


def test_a_shell_is_ended_by_root() -> None:
    """By a signal, as a line that is hung up, to the process id that it has inside."""
    engine: Any = Engine()
    assert terminal.end_shells(engine, "nova-1", ["shell"])
    assert engine.ran == [(("/bin/sh", "-c", "kill -HUP 17"), "0")]


def test_a_shell_that_nobody_may_look_up_is_left() -> None:
    """What a server did to its lists of users stops no sweep of consoles."""
    engine: Any = Engine(REFUSAL)
    assert not terminal.end_shells(engine, "nova-1", ["shell"])
    assert not engine.ran


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
    """The console stays, for the server may mend its list; it begins when it has."""
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
