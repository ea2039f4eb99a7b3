# SPDX-License-Identifier: Apache-2.0
"""Terminal behind a console: a shell in the container, or the container's own process.

The engine leaves a shell running when its connection ends, so it is ended by a signal. That
comes from outside, by the process id on the host: a program of the image that sent it would have
to be root's, which a profile may exclude.
"""

import contextlib
import signal
import time
from collections.abc import Iterable
from typing import Protocol

from oslo_log import log as logging

from novadocker.errors import ContainerNotFound, EngineError
from novadocker.virt.docker.console.keyboard import Size
from novadocker.virt.docker.engine import Engine, Stream
from novadocker.virt.docker.privileged import process

LOG = logging.getLogger(__name__)

SHELLS = ("/bin/bash", "/bin/sh")
MARK = "nova-console"  # the last word of the command of every shell of ours
ENVIRONMENT = {"TERM": "xterm"}
BACKLOG_BYTES = 16 * 1024
BACKLOG_LINES = 200
HANGUP_SECONDS = 1.0
POLL_SECONDS = 0.05


class Terminal(Protocol):
    """A terminal inside a container.

    Attributes:
        stream: bytes both ways.
        backlog: output of before.
        end_message: message for viewers at an end by itself.
    """

    stream: Stream
    backlog: bytes
    end_message: str

    def resize(self, size: Size) -> None:
        """Set the size of the window.

        Args:
            size: new size.

        Raises:
            EngineError: the program has ended, or its container is frozen.
        """

    def end(self) -> bool:
        """End the program begun for the terminal; safe to repeat.

        Returns:
            True if nothing is left; False if the end has to be tried again.
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
        path: absolute path of the shell.
    """

    backlog = b""
    end_message = "the shell has ended; press a key for a new one"

    def __init__(self, engine: Engine, name: str, path: str) -> None:
        self._engine = engine
        self._name = name
        command = _shell_command(path)
        self._id, self.stream = engine.run_on_terminal(name, command, ENVIRONMENT)

    def resize(self, size: Size) -> None:
        """See ``Terminal``.

        Args:
            size: new size.
        """
        self._engine.resize_program(self._id, size.rows, size.columns)

    def end(self) -> bool:
        """See ``Terminal``.

        Returns:
            True if the shell has ended.
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
            size: new size.
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
    """End shells of consoles without a viewer.

    A driver that died left them. An engine that was restarted since has forgotten them; they
    then stay as long as the server runs.

    Args:
        engine: home of the container.
        name: container's name.

    Returns:
        True if none is left.
    """
    try:
        return end_shells(engine, name, engine.inspect(name).programs)
    except ContainerNotFound:
        return True


def end_shells(engine: Engine, name: str, programs: Iterable[str]) -> bool:
    """End the shells of consoles among a container's programs.

    Args:
        engine: home of the container.
        name: container's name.
        programs: ids of programs run beside the container's own process.

    Returns:
        True if no shell among them runs any more.
    """
    try:
        container_id = engine.inspect(name).id
        ended = [_end(engine, container_id, program) for program in programs]
    except ContainerNotFound:
        return True
    except (EngineError, OSError) as error:
        # A lost engine answers nothing; who opens the next console tries again.
        LOG.debug("A shell of container %s cannot be ended now: %s", name, error)
        return False
    return all(ended)


def _end(engine: Engine, container_id: str, program: str) -> bool:
    # As a line that is hung up: a shell then tells its children and ends. By force after that.
    for number in (signal.SIGHUP, signal.SIGKILL):
        found = engine.program(program)
        if found is None or not found.running or not _is_ours(found.command):
            return True
        with contextlib.suppress(ProcessLookupError):  # it has ended meanwhile
            process.send_signal(found.pid, container_id, number)
        deadline = time.monotonic() + HANGUP_SECONDS
        while time.monotonic() < deadline:
            found = engine.program(program)
            if found is None or not found.running:
                return True
            time.sleep(POLL_SECONDS)
    return False


def _is_ours(command: tuple[str, ...]) -> bool:
    # All of the words: a HEALTHCHECK may have any last word that it likes.
    return command in {_shell_command(path) for path in SHELLS}


def _shell_command(path: str) -> tuple[str, ...]:
    return (path, "-c", f"exec {path}", MARK)
