# SPDX-License-Identifier: Apache-2.0
"""What the viewers of a console talk to: a shell in the container, or its own process.

The engine leaves a shell running when its connection ends, so it is ended by a signal. For
that a second program is run in the container; the engine tells the shell's process id on the
host, and proc(5) the one that it has inside.
"""

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from oslo_log import log as logging

from novadocker.errors import ContainerNotFound, EngineError, PolicyRefused
from novadocker.virt.docker.console.keyboard import Size
from novadocker.virt.docker.engine import Engine, Stream

LOG = logging.getLogger(__name__)

SHELLS = ("/bin/bash", "/bin/sh")
MARK = "nova-console"  # the last word of the command of every shell of ours
ENVIRONMENT = {"TERM": "xterm"}
PROC = Path("/proc")
BACKLOG_BYTES = 16 * 1024
BACKLOG_LINES = 200
HANGUP_SECONDS = 1.0
POLL_SECONDS = 0.05


class Terminal(Protocol):
    """A terminal inside a container.

    Attributes:
        stream: its bytes.
        backlog: what it showed before.
        end_message: what a viewer is told when it ends by itself.
    """

    stream: Stream
    backlog: bytes
    end_message: str

    def resize(self, size: Size) -> None:
        """Set its window.

        Args:
            size: of the window.

        Raises:
            EngineError: it has ended, or its container is frozen.
        """

    def end(self) -> bool:
        """End what was begun for it; safe to repeat.

        Returns:
            Whether nothing of it is left; False where that has to be tried again.
        """


def terminal_of(engine: Engine, name: str) -> Terminal:
    """Begin a terminal in a container that runs.

    Args:
        engine: where the container is.
        name: the container.

    Returns:
        A shell where it has one, else the terminal of its own process.

    Raises:
        ContainerNotFound: there is no such container.
        EngineError: it does not run, or is frozen.
        PolicyRefused: its lists of users are no files that can be read.
    """
    for shell in SHELLS:
        if engine.is_program(name, shell):
            end_left_shells(engine, name)
            return Shell(engine, name, shell)
    return OwnTerminal(engine, name)


class Shell:
    """A shell beside the container's own process, as its user.

    Args:
        engine: where the container is.
        name: the container.
        path: of the shell.
    """

    backlog = b""
    end_message = "the shell has ended; press a key for a new one"

    def __init__(self, engine: Engine, name: str, path: str) -> None:
        self._engine = engine
        self._name = name
        command = (path, "-c", f"exec {path}", MARK)
        self._id, self.stream = engine.run_on_terminal(name, command, ENVIRONMENT)

    def resize(self, size: Size) -> None:
        """See ``Terminal``.

        Args:
            size: of the window.
        """
        self._engine.resize_program(self._id, size.rows, size.columns)

    def end(self) -> bool:
        """See ``Terminal``.

        Returns:
            Whether it has ended.
        """
        self.stream.close()
        return end_shells(self._engine, self._name, [self._id])


class OwnTerminal:
    """The terminal of the container's own process, where the image has no shell.

    Args:
        engine: where the container is.
        name: the container.
    """

    end_message = "the connection was lost; press a key for a new one"

    def __init__(self, engine: Engine, name: str) -> None:
        self._engine = engine
        self._name = name
        self.backlog = engine.tail(name, BACKLOG_LINES, BACKLOG_BYTES)
        self.stream = engine.attach(name)

    def resize(self, size: Size) -> None:
        """See ``Terminal``.

        Args:
            size: of the window.
        """
        self._engine.resize(self._name, size.rows, size.columns)

    def end(self) -> bool:
        """See ``Terminal``: the process is the server's own and goes on.

        Returns:
            True.
        """
        self.stream.close()
        return True


def end_left_shells(engine: Engine, name: str) -> bool:
    """End shells of consoles that nobody looks at any more.

    A driver that died left them. An engine that was restarted since has forgotten them; they
    then stay as long as the server runs.

    Args:
        engine: where the container is.
        name: the container.

    Returns:
        Whether none is left.
    """
    try:
        return end_shells(engine, name, engine.inspect(name).programs)
    except ContainerNotFound:
        return True


def end_shells(engine: Engine, name: str, programs: Iterable[str]) -> bool:
    """End those of a container's programs that are shells of consoles.

    Args:
        engine: where the container is.
        name: the container.
        programs: their ids.

    Returns:
        Whether none of them runs any more.
    """
    try:
        ended = [_end(engine, name, program) for program in programs]
    except ContainerNotFound:
        return True
    except (EngineError, PolicyRefused) as error:
        # A frozen container takes no signal, a lost engine answers nothing, and one without
        # readable lists of users is asked nothing.
        LOG.debug("A shell of container %s cannot be ended now: %s", name, error)
        return False
    return all(ended)


def _end(engine: Engine, name: str, program: str) -> bool:
    # As a line that is hung up: a shell then tells its children and ends. By force after that.
    for signal in ("HUP", "KILL"):
        found = engine.program(program)
        if found is None or not found.running or found.command[-1] != MARK:
            return True
        if inner := _pid_inside(found.pid):
            engine.run(name, (found.command[0], "-c", f"kill -{signal} {inner}"), user="0")
        deadline = time.monotonic() + HANGUP_SECONDS
        while time.monotonic() < deadline:
            found = engine.program(program)
            if found is None or not found.running:
                return True
            time.sleep(POLL_SECONDS)
    return False


def _pid_inside(pid: int) -> int | None:
    try:
        status = (PROC / str(pid) / "status").read_text(encoding="utf-8")
    except OSError:  # it has ended meanwhile
        return None
    names = next((line for line in status.splitlines() if line.startswith("NSpid:")), "")
    return int(names.split()[-1]) if names else None
