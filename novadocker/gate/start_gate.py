# SPDX-License-Identifier: Apache-2.0
"""The driver's side of the start gate: a FIFO at which a container waits to be let go.

The container's entrypoint is ``novadocker/gate/gate.c``, which blocks until the FIFO is opened
for writing. It and the FIFO are in one directory, bound read-only below the container's
``/dev``, which is memory: nothing of it stays in the image that a snapshot makes.
"""

import contextlib
import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import tenacity

from novadocker.errors import GateError

PROGRAM = Path(__file__).with_name("gate")
SEEN_AT = "/dev/.novadocker"
PROC = Path("/proc")
RUNC = b"runc\0init\0"  # what the engine's own program is called until it becomes the gate


def waits(pid: int) -> bool:
    """Tell whether a process still waits at its gate, or has not come to it.

    Args:
        pid: of a container's first process, on its host.

    Returns:
        Whether the image's own command has yet to begin.
    """
    try:
        words = (PROC / str(pid) / "cmdline").read_bytes()
    except OSError:  # it has ended
        return False
    return words.startswith((f"{SEEN_AT}/gate\0".encode(), RUNC))


class StartGate:
    """The gate of one instance.

    Args:
        directory: where its FIFO and program are kept, on the host.
        name: the container, for messages.
    """

    def __init__(self, directory: Path, name: str) -> None:
        self.directory = directory
        self._name = name
        self._fifo = directory / "open"

    @staticmethod
    def entrypoint() -> tuple[str, ...]:
        """Return the first words of the container's command.

        Returns:
            The gate's program and FIFO as the container sees them.
        """
        return f"{SEEN_AT}/gate", f"{SEEN_AT}/open"

    @classmethod
    def holds(cls, pid: int) -> bool:
        """Say whether a container's first process still waits to be let go.

        Args:
            pid: the process, on the host.

        Returns:
            Whether it is the gate, and not yet the image's own program.
        """
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:  # it has ended
            return False
        return words[0].decode(errors="replace") == cls.entrypoint()[0]

    def make(self) -> None:
        """Put the program and the FIFO in place; safe to repeat."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self.directory.chmod(0o755)
        shutil.copyfile(PROGRAM, self.directory / "gate")
        (self.directory / "gate").chmod(0o755)
        with contextlib.suppress(FileExistsError):
            os.mkfifo(self._fifo)
        self._fifo.chmod(0o644)

    def let_go(self) -> bool:
        """Let a container go if one waits here; call it when its network is complete.

        Returns:
            Whether one waited.
        """
        try:
            os.close(os.open(self._fifo, os.O_WRONLY | os.O_NONBLOCK))
        except OSError as error:
            if error.errno in (errno.ENXIO, errno.ENOENT):
                return False
            raise
        return True

    def open(self, timeout: float, *, alive: Callable[[], bool]) -> None:
        """Let the container go.

        Args:
            timeout: seconds that it has to come to the gate.
            alive: tells whether the container still runs.

        Raises:
            GateError: it did not come, or ended before.
        """
        attempts = tenacity.Retrying(
            retry=tenacity.retry_if_result(lambda let_go: not let_go and alive()),
            stop=tenacity.stop_after_delay(timeout),
            wait=tenacity.wait_exponential(multiplier=0.002, max=0.1),
        )
        try:
            let_go = attempts(self.let_go)
        except tenacity.RetryError:
            raise GateError(name=self._name, reason=f"not there after {timeout} s") from None
        if not let_go:
            raise GateError(name=self._name, reason="it ended before")
