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
INIT = f"{SEEN_AT}/gate", "--init"  # words before a command that does not wait for orphans
RUNC = b"runc\0init\0"  # what the engine's own program is called until it becomes the gate


def process_is_at_gate(pid: int, *, count_runtime: bool = False) -> bool:
    """Tell whether a container's first process has yet to become the image's own program.

    Args:
        pid: the process, on its host.
        count_runtime: True counts a runtime on the way to the gate as well.
    """
    try:
        words = (PROC / str(pid) / "cmdline").read_bytes()
    except OSError:  # the process has ended
        return False
    gate = "".join(f"{word}\0" for word in StartGate.entrypoint()).encode()
    return words.startswith((gate, RUNC) if count_runtime else gate)


def process_is_init(pid: int) -> bool:
    """Tell whether a container's first process is our init, with the image's command below.

    Args:
        pid: the process, on its host.
    """
    try:
        words = (PROC / str(pid) / "cmdline").read_bytes()
    except OSError:  # the process has ended
        return False
    return words.startswith("".join(f"{word}\0" for word in INIT).encode())


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

    def make(self) -> None:
        """Put the program and the FIFO in place; safe to repeat."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self.directory.chmod(0o755)
        shutil.copyfile(PROGRAM, self.directory / "gate")
        (self.directory / "gate").chmod(0o755)
        with contextlib.suppress(FileExistsError):
            os.mkfifo(self._fifo)
        self._fifo.chmod(0o644)

    def open_if_reached(self) -> bool:
        """Let a waiting container go; to be called when the network is complete.

        Returns:
            True if a container waited.
        """
        # Never blocks: a reader may vanish between a look and an open that waits.
        try:
            os.close(os.open(self._fifo, os.O_WRONLY | os.O_NONBLOCK))
        except OSError as error:
            if error.errno in (errno.ENXIO, errno.ENOENT):
                return False
            raise
        return True

    def open_when_reached(self, timeout: float, *, alive: Callable[[], bool]) -> None:
        """Let the container go, as soon as it is at its gate.

        Args:
            timeout: seconds for the container to come to the gate.
            alive: looks whether the container still runs.

        Raises:
            GateError: the container did not come, or ended before.
        """
        attempts = tenacity.Retrying(
            retry=tenacity.retry_if_result(lambda opened: not opened and alive()),
            stop=tenacity.stop_after_delay(timeout),
            wait=tenacity.wait_exponential(multiplier=0.002, max=0.1),
        )
        try:
            opened = attempts(self.open_if_reached)
        except tenacity.RetryError:
            raise GateError(name=self._name, reason=f"not there after {timeout} s") from None
        if not opened:
            raise GateError(name=self._name, reason="it ended before")
