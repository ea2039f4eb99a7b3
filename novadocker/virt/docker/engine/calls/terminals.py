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

from novadocker.virt.docker.engine.calls.files import FileCalls

STREAM_BYTES = 64 * 1024
# The engine lets go of a terminal at these keys, and holds the first of them back until the
# next is typed. Its own are ctrl-p and ctrl-q, which shells use; nobody types these.
DETACH_KEYS = ",".join(("ctrl-@", "ctrl-^") * 8)
_NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Stream:
    """A terminal's bytes, both ways; never blocks.

    Args:
        hijacked: the SDK's socket of a hijacked connection.
    """

    def __init__(self, hijacked: Any) -> None:
        self._answer = hijacked._response  # noqa: SLF001 - the SDK leaves no other way to it
        self._socket: socket.socket = getattr(hijacked, "_sock", hijacked)
        self._socket.settimeout(0)
        self._first = self._read_ahead()

    def fileno(self) -> int:
        """Return the file descriptor, for a selector."""
        return self._socket.fileno()

    def read(self) -> bytes | None:
        """Return the bytes that have come.

        Returns:
            Bytes; none at all after the end; None if nothing has come yet.
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
        """Send as many bytes as can be sent now.

        Args:
            data: keys that were typed.

        Returns:
            Number of bytes sent.
        """
        try:
            return self._socket.send(data)
        except _NOT_NOW:
            return 0
        except OSError:
            return len(data)  # nobody is there; reading tells

    @property
    def waiting(self) -> bool:
        """True if bytes can be read that no selector sees."""
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
    """Program run in a container beside the container's own, from ``GET /exec/ID/json``.

    Attributes:
        running: True until the program ends.
        pid: process on the engine's host; 0 without one.
        command: words of the program.
        exit_code: end of the program; -1 if that is not known.
    """

    running: bool
    pid: int
    command: tuple[str, ...]
    exit_code: int = -1

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> Self:
        """Read the engine's answer.

        Args:
            body: body of ``GET /exec/ID/json``.
        """
        process, code = body["ProcessConfig"], body.get("ExitCode")
        return cls(
            running=body["Running"],
            pid=body["Pid"],
            command=(process["entrypoint"], *(process.get("arguments") or ())),
            exit_code=-1 if code is None else int(code),
        )


class SessionCalls(FileCalls):
    """Calls about programs on terminals."""

    def run_on_terminal(
        self, name: str, command: tuple[str, ...], environment: Mapping[str, str]
    ) -> tuple[str, Stream]:
        """Run a program on a terminal of its own, as the container's user.

        Args:
            name: name of the container.
            command: words of the program.
            environment: variables added to the container's.

        Returns:
            Id of the program, and its terminal, for the caller to close; the program goes on.

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

    def prepare_program(self, name: str, argv: tuple[str, ...]) -> str:
        """Prepare a program without a terminal, as the container's user; nothing runs yet.

        Args:
            name: container's name.
            argv: words of the program.

        Returns:
            Id of the program.

        Raises:
            ContainerNotFound: there is no such container.
            PolicyRefused: the lists of users are no files that can be read.
        """
        self.refuse_endless_accounts(name)
        with self._call(f"prepare {argv[0]} in container {name}", name):
            return str(self._api.exec_create(name, list(argv))["Id"])

    def start_program(self, program: str) -> Stream:
        """Start a prepared program.

        Args:
            program: id of the program.

        Returns:
            Output in frames, closed by the caller; the program runs on without.
        """
        with self._call(f"start program {program}"):
            return Stream(self._api.exec_start(program, socket=True))

    def program(self, program: str) -> Program | None:
        """Look for a program run in a container.

        Args:
            program: id of the program.

        Returns:
            The program as it is now, or None if the engine has forgotten it.
        """
        with self._call(f"look for program {program}"):
            try:
                return Program.parse(self._api.exec_inspect(program))
            except docker.errors.NotFound:
                return None

    def attach(self, name: str) -> Stream:
        """Reach the terminal of a container's own process.

        Args:
            name: name of the container.

        Returns:
            The terminal, for the caller to close.

        Raises:
            ContainerNotFound: there is no such container.
        """
        asked = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1, "detachKeys": DETACH_KEYS}
        with self._call(f"attach to container {name}", name):
            return Stream(self._api.attach_socket(name, params=asked))

    def resize_program(self, program: str, rows: int, columns: int) -> None:
        """Set the size of a program's terminal.

        Args:
            program: id of the program.
            rows: number of lines.
            columns: characters a line.
        """
        with self._call(f"resize the terminal of program {program}"):
            self._api.exec_resize(program, height=rows, width=columns)

    def resize(self, name: str, rows: int, columns: int) -> None:
        """Set the size of a container's own terminal.

        Args:
            name: name of the container.
            rows: number of lines.
            columns: characters a line.

        Raises:
            ContainerNotFound: there is no such container.
        """
        with self._call(f"resize the terminal of container {name}", name):
            self._api.resize(name, height=rows, width=columns)
