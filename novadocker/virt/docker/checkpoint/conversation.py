# SPDX-License-Identifier: Apache-2.0
"""Driver's side of a restore: questions of the restore, answered in turn.

The other side is ``novadocker.checkpoint.ask``. It takes a connection that ends without an
answer for a no, so that the death of the driver ends the restore as well.
"""

import json
import socket
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from novadocker.checkpoint.places import GO
from novadocker.errors import CheckpointError

_TURN = 0.05  # seconds between looks at the engine's call
_LINE_BYTES = 4096


class Conversation:
    """Questions of one restore.

    Args:
        path: socket to listen at; in an existing directory.
        seconds: time limit of each question.
    """

    def __init__(self, path: str, seconds: float) -> None:
        self._path = Path(path)
        self._seconds = seconds
        self._listener = socket.socket(socket.AF_UNIX)

    def __enter__(self) -> Self:
        self._listener.bind(str(self._path))
        self._path.chmod(0o600)
        self._listener.listen()
        self._listener.settimeout(_TURN)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._listener.close()
        with suppress(FileNotFoundError):
            self._path.unlink()

    def answer(self, word: str, start: Future[Any], work: Callable[[int], None]) -> None:
        """Wait for a question, do what it waits for, and let the restore go on.

        Args:
            word: question that comes next.
            start: engine's call that runs the restore; its failure ends the wait.
            work: takes the restored first process; its failure is the answer no.

        Raises:
            CheckpointError: the question did not come.
            EngineError: the engine's call failed.
        """
        with self._accept(word, start) as asker:
            asker.settimeout(self._seconds)
            told = json.loads(asker.makefile().readline(_LINE_BYTES) or "{}")
            if told.get("word") != word:
                raise CheckpointError(reason=f"the restore asked {told} in place of {word!r}")
            work(int(told["pid"]))
            asker.sendall(f"{GO}\n".encode())

    def _accept(self, word: str, start: Future[Any]) -> socket.socket:
        deadline = time.monotonic() + self._seconds
        while time.monotonic() < deadline:
            with suppress(TimeoutError):
                return self._listener.accept()[0]
            if start.done():
                start.result()
                raise CheckpointError(reason=f"the engine started the container without {word!r}")
        raise CheckpointError(reason=f"the restore did not come to {word!r} in {self._seconds} s")
