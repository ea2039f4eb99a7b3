# SPDX-License-Identifier: Apache-2.0
"""The engine's calls for a program in a container, run to its end."""

import contextlib
import selectors
import time
from collections.abc import Iterator

import tenacity

from novadocker.errors import EngineError
from novadocker.virt.docker.engine.calls.files import FileCalls
from novadocker.virt.docker.engine.calls.terminals import Stream

OUTPUT_BYTES = 64 * 1024
FRAME_HEADER = 8  # stream, three zeros, length
_EXIT_PAUSE = 0.01


class ProgramCalls(FileCalls):
    """Calls about programs with an end of their own."""

    def run(
        self,
        name: str,
        argv: tuple[str, ...],
        stdin: bytes = b"",
        user: str = "",
        timeout: int = 30,
    ) -> tuple[int, bytes]:
        """Run a program in a running container, and wait for its end.

        Args:
            name: name of the container.
            argv: words of the program.
            stdin: input of the program, which must see the end of it by itself: the connection
                cannot be closed half on every way to the engine.
            user: user of the program; "" is the container's user.
            timeout: seconds until a program that goes on is left running.

        Returns:
            Exit code, and the beginning of the output; 126 or 127 without such a program.

        Raises:
            ContainerNotFound: there is no such container.
            EngineError: the container does not run, or the program did not end in time.
            PolicyRefused: its lists of users are no files that can be read.
        """
        self.refuse_endless_accounts(name)
        action = f"run {argv[0]} in container {name}"
        deadline = time.monotonic() + timeout
        with self._call(action, name):
            made = self._api.exec_create(name, list(argv), stdin=True, user=user)["Id"]
            with contextlib.closing(Stream(self._api.exec_start(made, socket=True))) as stream:
                try:
                    written = b"".join(_talk(stream, stdin, deadline))
                except TimeoutError as error:
                    raise EngineError(action=action, reason=f"no end after {timeout} s") from error
            return self._exit_code(made), unframed(written)

    def _exit_code(self, program: str) -> int:
        # The engine may close the connection a moment before it knows.
        attempts = tenacity.Retrying(
            retry=tenacity.retry_if_result(lambda found: found["Running"]),
            stop=tenacity.stop_after_delay(self.connection.timeout),
            wait=tenacity.wait_fixed(_EXIT_PAUSE),
            retry_error_callback=lambda state: state.outcome and state.outcome.result(),
        )
        code = attempts(self._api.exec_inspect, program)["ExitCode"]
        return -1 if code is None else int(code)


def _talk(stream: Stream, stdin: bytes, deadline: float) -> Iterator[bytes]:
    kept = 0
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ | selectors.EVENT_WRITE)
        while (data := stream.read()) != b"":
            if data and kept < OUTPUT_BYTES:
                kept += len(data)
                yield data
            if stdin:
                stdin = stdin[stream.write(stdin) :]
            if not stdin:
                selector.modify(stream, selectors.EVENT_READ)
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            if not stream.waiting:
                selector.select(left)


def unframed(written: bytes) -> bytes:
    """Take the bytes out of the engine's frames around output without a terminal.

    Args:
        written: frames; the last may be cut short.

    Returns:
        Standard output and error, in the order of arrival.
    """
    output = bytearray()
    while len(written) > FRAME_HEADER:
        size = int.from_bytes(written[4:FRAME_HEADER], "big")
        output += written[FRAME_HEADER : FRAME_HEADER + size]
        written = written[FRAME_HEADER + size :]
    return bytes(output)
