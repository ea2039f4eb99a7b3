# SPDX-License-Identifier: Apache-2.0
"""Serial line of one server: a listener, a terminal behind it, and viewers.

A thread of its own waits on all of their connections, so nothing here is shared but the few
words that ``Consoles`` says to it.
"""

import contextlib
import selectors
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from oslo_log import log as logging

from novadocker.errors import ContainerNotFound, EngineError, PolicyRefused
from novadocker.gate.start_gate import process_is_at_gate
from novadocker.virt.docker.console.audience import Audience
from novadocker.virt.docker.console.keyboard import Size
from novadocker.virt.docker.console.terminal import Terminal, terminal_of
from novadocker.virt.docker.console.viewer import KEY_SECONDS, Viewer
from novadocker.virt.docker.engine import Container, Engine, State

LOG = logging.getLogger(__name__)

INPUT_BYTES = 64 * 1024
TURN_SECONDS = 0.5
RETRY_SECONDS = 1.0
END_SECONDS = 0.2
UNKNOWN = Size(0, 0)


class Line(threading.Thread):
    """Console of one container, from the first viewer's token until nobody looks.

    Args:
        engine: where the container is.
        name: the container.
        listener: bound and listening; the line closes it.
        admits: tells whether an address may be a viewer's.
        idle: seconds without a viewer after which it ends.
        ended: is called with the line when it has.
    """

    def __init__(
        self,
        engine: Engine,
        name: str,
        listener: socket.socket,
        admits: Callable[[str], bool],
        idle: float,
        ended: Callable[["Line"], None],
    ) -> None:
        super().__init__(name=f"console-{name}", daemon=True)
        self.container = name
        self.port: int = listener.getsockname()[1]
        self._engine = engine
        self._listener = listener
        self._admits = admits
        self._idle = idle
        self._report = ended
        self._wake, self._waker = socket.socketpair()
        self._lock = threading.Lock()
        self._wanted_until = time.monotonic() + idle
        self._over = ""  # why, as soon as it is
        self._watched = 0.0  # when somebody last looked
        self._audience = Audience(name)
        self._typed = bytearray()
        self._terminal: Terminal | None = None
        self._size = UNKNOWN  # of the terminal
        self._look_again = 0.0  # when to look whether one can begin
        self._ended = ""  # what its end means to viewers; a key begins another

    # What others say to it

    def touch(self) -> bool:
        """Keep the console for another while, for the holder of a new token.

        Returns:
            True if the console still stands.
        """
        with self._lock:
            if self._over:
                return False
            self._wanted_until = time.monotonic() + self._idle
            return True

    def hang_up(self, why: str) -> None:
        """End the console soon; safe to repeat.

        Args:
            why: reason told to viewers.
        """
        with self._lock:
            self._over = self._over or why
        with contextlib.suppress(OSError):  # it has just ended by itself
            self._waker.send(b"!")

    def abandon(self) -> None:
        """Close the connections of a console whose thread could not start."""
        self._wake.close()
        self._waker.close()

    # Its thread

    def run(self) -> None:
        """Serve viewers until the end of the console."""
        try:
            while not self._over:
                self._turn()
        except Exception:
            # Only this console ends by what it could not understand.
            LOG.exception("The console of %s failed", self.container)
            self._over = self._over or "the console failed"
        finally:
            self._end()

    def _turn(self) -> None:
        with selectors.PollSelector() as selector:
            for each, events in self._interests():
                selector.register(each, events)
            ready = selector.select(self._patience())
        for key, events in ready:
            self._serve(key.fileobj, events)
        if self._output_waits():
            self._show_output()
        self._look_around()

    def _interests(self) -> list[tuple[Any, int]]:
        read, write = selectors.EVENT_READ, selectors.EVENT_WRITE
        found: list[tuple[Any, int]] = [(self._listener, read), (self._wake, read)]
        found += self._audience.interests(reads=len(self._typed) < INPUT_BYTES)
        events = (0 if self._audience.full else read) | (write if self._typed else 0)
        if self._terminal and events:
            found.append((self._terminal.stream, events))
        return found

    def _patience(self) -> float:
        if self._output_waits():
            return 0.0
        return KEY_SECONDS if self._audience.holding else TURN_SECONDS

    def _output_waits(self) -> bool:
        return bool(self._terminal and self._terminal.stream.waiting and not self._audience.full)

    def _serve(self, what: Any, events: int) -> None:
        if what is self._listener:
            self._accept()
        elif what is self._wake:
            self._wake.recv(1)
        elif isinstance(what, Viewer):
            self._type(self._audience.serve(what, events))
        elif self._terminal and what is self._terminal.stream:
            if events & selectors.EVENT_WRITE:
                del self._typed[: self._terminal.stream.write(self._typed)]
            if events & selectors.EVENT_READ:
                self._show_output()

    def _accept(self) -> None:
        try:
            connection, peer = self._listener.accept()
        except OSError:  # it went away again
            return
        address = str(peer[0])
        if why := self._refusal(address):
            LOG.warning("Refused %s at the console of %s: %s", address, self.container, why)
        elif self._audience.welcome(connection, address):
            self._look_again = 0.0
            return
        connection.close()

    def _refusal(self, address: str) -> str:
        if not self._admits(address):
            return "[docker] console_clients does not name it"
        return "" if time.monotonic() <= self._wanted_until else "no token is valid now"

    def _type(self, keys: bytes) -> None:
        if keys and self._ended:
            self._ended = ""
            self._look_again = 0.0
        else:  # a terminal that is to come reads what was typed for it
            self._typed += keys

    def _show_output(self) -> None:
        data = self._terminal.stream.read() if self._terminal else None
        if data:
            self._audience.show(data)
        elif data is not None:
            self._forget_terminal()

    def _look_around(self) -> None:
        now = time.monotonic()
        self._type(self._audience.late_keys())
        self._audience.drop_stalled()
        if not self._terminal and now >= self._look_again:
            self._look_again = now + RETRY_SECONDS
            self._look_for_terminal()
        if self._audience:
            self._watched = now
            self._fit()
        elif now > max(self._wanted_until, self._watched + self._idle):
            self._give_up()

    # The terminal

    def _look_for_terminal(self) -> None:
        container = self._look()
        if not container or container.state is not State.RUNNING:
            return
        if process_is_at_gate(container.pid, count_runtime=True):
            # Nothing runs in it before its network is there, a shell no more than the rest.
            self._audience.tell("the server is starting")
            self._look_again = time.monotonic() + END_SECONDS
        elif self._ended:
            self._audience.tell(self._ended)
        elif self._audience:
            self._begin_terminal()

    def _look(self) -> Container | None:
        try:
            container = self._engine.inspect(self.container)
        except ContainerNotFound:
            self.hang_up("the server was deleted")
            return None
        except EngineError as error:
            LOG.warning("Cannot look at %s: %s", self.container, error)
            self._audience.tell("the server does not answer; still trying")
            return None
        if not container.alive:
            self.hang_up("the server has stopped")
        elif container.state is State.PAUSED:
            self._audience.tell("the server is paused")
        return container

    def _begin_terminal(self) -> None:
        try:
            self._terminal = terminal_of(self._engine, self.container)
        except EngineError as error:
            LOG.warning("No terminal in %s: %s", self.container, error)
            self._audience.tell("the server does not answer; still trying")
            return
        except PolicyRefused as error:
            self._audience.tell(f"{error}; still trying")
            return
        self._size = UNKNOWN
        self._audience.tell("")
        self._audience.show(self._terminal.backlog)

    def _forget_terminal(self) -> None:
        if self._terminal:
            self._terminal.end()
            self._ended = self._terminal.end_message
            self._terminal = None
            self._typed.clear()
            # A container that ends takes its shells along, a moment before.
            self._look_again = time.monotonic() + END_SECONDS

    def _fit(self) -> None:
        size = self._audience.size
        if self._terminal and size != self._size:
            self._size = size
            try:
                self._terminal.resize(size)
            except EngineError as error:  # a program that just ends has no window
                LOG.debug("The console of %s keeps its size: %s", self.container, error)

    # Its end

    def _give_up(self) -> None:
        container = self._look()
        if self._terminal and container and container.state is State.PAUSED:
            # What a frozen container runs cannot be ended before it is thawed.
            self._watched = time.monotonic()
            return
        with self._lock:
            # Unless somebody was just given a token.
            if time.monotonic() > self._wanted_until:
                self._over = self._over or "nobody looked"

    def _end(self) -> None:
        with contextlib.ExitStack() as steps:
            steps.callback(self._report, self)
            for each in (self._wake, self._waker, self._listener):
                steps.callback(each.close)
            if self._terminal:
                steps.callback(self._terminal.end)
            steps.callback(self._audience.dismiss, self._over)
