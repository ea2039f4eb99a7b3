# SPDX-License-Identifier: Apache-2.0
"""One server's serial line: a listener, a terminal behind it, and whoever looks at it.

A thread of its own waits on all of their connections, so nothing here is shared but the few
words that ``Consoles`` says to it. What is kept for anybody is bounded: a viewer who does not
read first holds the terminal up, as a slow line does, and is then dropped.
"""

import contextlib
import selectors
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from oslo_log import log as logging

from novadocker.virt.docker.console.keyboard import common
from novadocker.virt.docker.console.screen import Screen
from novadocker.virt.docker.console.terminal import Terminal, terminal_of
from novadocker.virt.docker.console.viewer import KEY_SECONDS, Viewer
from novadocker.virt.docker.engine import Engine, State
from novadocker.virt.docker.errors import ContainerNotFound, EngineError

LOG = logging.getLogger(__name__)

VIEWERS = 16
INPUT_BYTES = 64 * 1024
TURN_SECONDS = 0.5
RETRY_SECONDS = 1.0
END_SECONDS = 0.2


class Line(threading.Thread):
    """The console of one container, from its first viewer's token until nobody wants it.

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
        self._viewers: list[Viewer] = []
        self._screen = Screen()
        self._typed = bytearray()
        self._terminal: Terminal | None = None
        self._look_again = 0.0  # when to look whether one can begin
        self._ended = ""  # what its end means to viewers; a key begins another
        self._told = ""

    # What others say to it

    def touch(self) -> bool:
        """Keep it for another while, for somebody who was given a token.

        Returns:
            Whether it still stands.
        """
        with self._lock:
            if self._over:
                return False
            self._wanted_until = time.monotonic() + self._idle
            return True

    def hang_up(self, why: str) -> None:
        """End it soon; safe to repeat.

        Args:
            why: what viewers are told.
        """
        with self._lock:
            self._over = self._over or why
        with contextlib.suppress(OSError):  # it has just ended by itself
            self._waker.send(b"!")

    # Its thread

    def run(self) -> None:
        """Serve until it is over."""
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
        if self._terminal and self._terminal.stream.waiting:
            self._show_output()
        self._look_around()

    def _interests(self) -> list[tuple[Any, int]]:
        found: list[tuple[Any, int]] = [
            (self._listener, selectors.EVENT_READ),
            (self._wake, selectors.EVENT_READ),
        ]
        reads = selectors.EVENT_READ if len(self._typed) < INPUT_BYTES else 0
        found.extend(
            (viewer, reads | (selectors.EVENT_WRITE if viewer.behind else 0))
            for viewer in self._viewers
        )
        if self._terminal:
            reads = 0 if any(viewer.full for viewer in self._viewers) else selectors.EVENT_READ
            writes = selectors.EVENT_WRITE if self._typed else 0
            found.append((self._terminal.stream, reads | writes))
        return [(each, events) for each, events in found if events]

    def _patience(self) -> float:
        stream = self._terminal and self._terminal.stream
        if stream and stream.waiting:
            return 0.0
        holding = any(viewer.holding for viewer in self._viewers)
        return KEY_SECONDS if holding else TURN_SECONDS

    def _serve(self, what: Any, events: int) -> None:
        if what is self._listener:
            self._accept()
        elif what is self._wake:
            self._wake.recv(1)
        elif isinstance(what, Viewer):
            self._serve_viewer(what, events)
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
        if not self._admits(address):
            LOG.warning(
                "Refused %s at the console of %s: [docker] console_clients does not name it",
                address,
                self.container,
            )
        elif time.monotonic() > self._wanted_until:
            LOG.warning(
                "Refused %s at the console of %s: no token is valid now", address, self.container
            )
        elif len(self._viewers) >= VIEWERS:
            LOG.warning("Refused viewer %d of the console of %s", VIEWERS + 1, self.container)
        else:
            self._welcome(Viewer(connection, address))
            return
        connection.close()

    def _welcome(self, viewer: Viewer) -> None:
        LOG.info("%s looks at the console of %s", viewer.address, self.container)
        viewer.show(self._screen.replay())
        self._viewers.append(viewer)
        self._look_again = 0.0

    def _serve_viewer(self, viewer: Viewer, events: int) -> None:
        if events & selectors.EVENT_WRITE and not viewer.send():
            self._drop(viewer, "is gone")
        elif events & selectors.EVENT_READ:
            size = viewer.size
            keys = viewer.keys()
            if keys is None:
                self._drop(viewer, "is gone")
                return
            if viewer.size != size:
                self._fit()
            self._type(keys)

    def _drop(self, viewer: Viewer, why: str) -> None:
        LOG.info("Viewer %s of the console of %s %s", viewer.address, self.container, why)
        viewer.close()
        self._viewers.remove(viewer)
        if self._viewers:
            self._fit()
        else:
            self.touch()

    def _type(self, keys: bytes) -> None:
        if self._terminal:
            self._typed += keys
        elif keys:
            self._ended = ""
            self._look_again = 0.0

    def _show_output(self) -> None:
        if not self._terminal:
            return
        data = self._terminal.stream.read()
        if data:
            self._show(data)
        elif data is not None:
            self._forget_terminal()

    def _show(self, data: bytes) -> None:
        self._screen.show(data)
        for viewer in self._viewers:
            viewer.show(data)

    def _say(self, what: str) -> None:
        if what != self._told:
            self._told = what
            self._show(f"\r\n[nova-docker] {what}\r\n".encode())

    def _look_around(self) -> None:
        for viewer in list(self._viewers):
            self._type(viewer.release())
            if viewer.stalled:
                self._drop(viewer, "did not read and is dropped")
        now = time.monotonic()
        if not self._terminal and now >= self._look_again:
            self._look_again = now + RETRY_SECONDS
            self._look_for_terminal()
        if not self._viewers and now > self._wanted_until:
            self._give_up()

    # The terminal

    def _look_for_terminal(self) -> None:
        if not self._container_runs():
            return
        if self._ended:
            self._say(self._ended)
        elif self._viewers:
            self._begin_terminal()

    def _begin_terminal(self) -> None:
        try:
            self._terminal = terminal_of(self._engine, self.container)
        except EngineError as error:
            LOG.warning("No terminal in %s: %s", self.container, error)
            self._say("the server does not answer; still trying")
            return
        self._told = ""
        self._typed.clear()
        if self._terminal.backlog:
            self._show(self._terminal.backlog)
        self._fit()

    def _forget_terminal(self) -> None:
        if self._terminal:
            self._terminal.end()
            self._ended = self._terminal.end_message
            self._terminal = None
            # A container that ends takes its shells along, a moment before.
            self._look_again = time.monotonic() + END_SECONDS

    def _container_runs(self) -> bool:
        try:
            container = self._engine.inspect(self.container)
        except ContainerNotFound:
            self.hang_up("the server was deleted")
            return False
        except EngineError as error:
            LOG.warning("Cannot look at %s: %s", self.container, error)
            self._say("the server does not answer; still trying")
            return False
        if not container.alive:
            self.hang_up("the server has stopped")
        elif container.state is State.PAUSED:
            self._say("the server is paused")
        return container.state is State.RUNNING

    def _fit(self) -> None:
        if self._terminal:
            size = common([viewer.size for viewer in self._viewers if viewer.size])
            try:
                self._terminal.resize(size)
            except EngineError as error:  # a program that just ends has no window
                LOG.debug("The console of %s keeps its size: %s", self.container, error)

    # Its end

    def _give_up(self) -> None:
        with self._lock:
            if time.monotonic() <= self._wanted_until:
                return
            self._wanted_until = time.monotonic() + RETRY_SECONDS
        # What a frozen container runs cannot be ended before it is thawed.
        if not self._terminal or self._terminal.end():
            self.hang_up("nobody looked")

    def _end(self) -> None:
        with contextlib.ExitStack() as steps:
            steps.callback(self._report, self)
            for each in (self._wake, self._waker, self._listener):
                steps.callback(each.close)
            if self._terminal:
                steps.callback(self._terminal.end)
            for viewer in self._viewers:
                viewer.show(f"\r\n[nova-docker] {self._over}\r\n".encode())
                steps.callback(viewer.close)
