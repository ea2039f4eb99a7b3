# SPDX-License-Identifier: Apache-2.0
"""The engine's calls for terminals: programs run in a container, and its own terminal.

Both hijack the connection: after the engine's answer it carries a terminal's bytes both ways.
"""

import contextlib
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import docker.errors

from novadocker.virt.docker.engine.calls.files import PathCalls

STREAM_BYTES = 64 * 1024
# The engine lets go of a terminal at these keys, and holds the first of them back until the
# next is typed. Its own are ctrl-p and ctrl-q, which shells use; nobody types these.
DETACH_KEYS = ",".join(("ctrl-@", "ctrl-^") * 8)
_NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Stream:
    """A terminal's bytes, both ways; never blocks.

    Args:
        hijacked: what the SDK calls a socket.
    """

    def __init__(self, hijacked: Any) -> None:
        self._answer = hijacked._response  # noqa: SLF001 - the SDK leaves no other way to it
        self._socket: socket.socket = getattr(hijacked, "_sock", hijacked)
        self._socket.settimeout(0)
        self._first = self._read_ahead()

    def fileno(self) -> int:
        """Return the file descriptor.

        Returns:
            For a selector.
        """
        return self._socket.fileno()

    def read(self) -> bytes | None:
        """Return what has come.

        Returns:
            Bytes; none at all when it has ended; None where nothing has come yet.
        """
        if first := self._first:
            self._first = b""
            return first
        try:
            return self._socket.recv(STREAM_BYTES)
        except _NOT_NOW:
            return None
        except OSError:
            return b""  # an engine that went away has ended it

    def write(self, data: bytes | bytearray) -> int:
        """Send what can be sent now.

        Args:
            data: what is typed.

        Returns:
            How many bytes of it were sent.
        """
        try:
            return self._socket.send(data)
        except _NOT_NOW:
            return 0
        except OSError:
            return len(data)  # nobody is there; reading tells

    @property
    def waiting(self) -> bool:
        """Whether something can be read that no selector sees."""
        pending = getattr(self._socket, "pending", None)  # what TLS has decrypted already
        return bool(self._first or (pending and pending()))

    def close(self) -> None:
        """Let go of the terminal; safe to repeat."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._answer.close()
        self._socket.close()

    def _read_ahead(self) -> bytes:
        # What came in one packet with the engine's answer is in the buffer of its headers.
        try:
            read: bytes = self._answer.raw._fp.fp.read1(STREAM_BYTES)  # noqa: SLF001
        except _NOT_NOW:
            return b""
        return read


@dataclass(frozen=True)
class Program:
    """A program that was run in a container beside its own, from ``GET /exec/ID/json``.

    Attributes:
        running: whether it still runs.
        pid: its process on the engine's host; 0 where it has none.
        command: its words.
    """

    running: bool
    pid: int
    command: tuple[str, ...]

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> Self:
        """Read the engine's answer.

        Args:
            body: of ``GET /exec/ID/json``.

        Returns:
            The value.
        """
        process = body["ProcessConfig"]
        return cls(
            running=body["Running"],
            pid=body["Pid"],
            command=(process["entrypoint"], *(process.get("arguments") or ())),
        )


class SessionCalls(PathCalls):
    """What the engine does with programs and terminals."""

    def run_on_terminal(
        self, name: str, command: tuple[str, ...], environment: Mapping[str, str]
    ) -> tuple[str, Stream]:
        """Run a program on a terminal of its own, as the container's user.

        Args:
            name: of the container.
            command: the program's words.
            environment: variables added to the container's.

        Returns:
            The program's id, and its terminal, which the caller closes. It runs on without.

        Raises:
            ContainerNotFound: there is no such container.
            PolicyRefused: its lists of users are no files that can be read.
        """
        self.refuse_endless_accounts(name)
        with self._call(f"run {command[0]} in container {name}", name):
            made = self._api.exec_create(
                name,
                list(command),
                stdin=True,
                tty=True,
                environment=dict(environment),
                detach_keys=DETACH_KEYS,
            )
            return made["Id"], Stream(self._api.exec_start(made["Id"], tty=True, socket=True))

    def program(self, program: str) -> Program | None:
        """Look for a program that was run.

        Args:
            program: its id.

        Returns:
            What it does now, or None where the engine has forgotten it.
        """
        with self._call(f"look for program {program}"):
            try:
                return Program.parse(self._api.exec_inspect(program))
            except docker.errors.NotFound:
                return None

    def attach(self, name: str) -> Stream:
        """Reach the terminal of a container's own process.

        Args:
            name: of the container.

        Returns:
            The terminal, which the caller closes.

        Raises:
            ContainerNotFound: there is no such container.
        """
        asked = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1, "detachKeys": DETACH_KEYS}
        with self._call(f"attach to container {name}", name):
            return Stream(self._api.attach_socket(name, params=asked))

    def resize_program(self, program: str, rows: int, columns: int) -> None:
        """Set the size of the terminal that a program runs on.

        Args:
            program: its id.
            rows: lines.
            columns: characters of a line.
        """
        with self._call(f"resize the terminal of program {program}"):
            self._api.exec_resize(program, height=rows, width=columns)

    def resize(self, name: str, rows: int, columns: int) -> None:
        """Set the size of a container's own terminal.

        Args:
            name: of the container.
            rows: lines.
            columns: characters of a line.

        Raises:
            ContainerNotFound: there is no such container.
        """
        with self._call(f"resize the terminal of container {name}", name):
            self._api.resize(name, height=rows, width=columns)
