# SPDX-License-Identifier: Apache-2.0
"""Consoles of a host, by server."""

import contextlib
import errno
import ipaddress
import socket
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from oslo_log import log as logging

from novadocker.errors import ConsoleUnavailable, EngineError
from novadocker.virt.docker.conf.networks import IPNetwork, networks
from novadocker.virt.docker.console.line import Line
from novadocker.virt.docker.console.terminal import end_left_shells
from novadocker.virt.docker.engine import Engine, State

LOG = logging.getLogger(__name__)

LOOPBACK = ("127.0.0.0/8", "::1/128")
ATTEMPTS = 10  # at a port that somebody takes between the look and the bind
END_SECONDS = 5.0


@dataclass(frozen=True)
class ConsoleSettings:
    """Where consoles are, and for whom.

    Attributes:
        address: that listeners are bound to.
        acquire: gives a free port of that address, and keeps it.
        release: gives a port back.
        clients: networks, as CIDR, that proxies may come from beside this host itself.
        idle: seconds that a console without viewers is kept, as long as a token is valid.
    """

    address: str
    acquire: Callable[[str], int]
    release: Callable[[str, int], None]
    clients: tuple[str, ...] = ()
    idle: float = 600.0

    def admits(self, peer: str) -> bool:
        """Tell whether a connection is a proxy's.

        Args:
            peer: address that it comes from.

        Returns:
            Whether it is from this host or from one of ``clients``.
        """
        address = ipaddress.ip_address(peer.partition("%")[0])
        mapped = getattr(address, "ipv4_mapped", None)
        return any((mapped or address) in network for network in self._networks())

    def _networks(self) -> Iterable[IPNetwork]:
        yield from networks((*LOOPBACK, *self.clients))
        own = socket.getaddrinfo(self.address, None, type=socket.SOCK_STREAM)
        yield from networks(str(each[4][0]).partition("%")[0] for each in own)


class Consoles:
    """The consoles of one host; safe to use from many threads.

    Args:
        engine: where the containers are.
        place: where the consoles are.
    """

    def __init__(self, engine: Engine, place: ConsoleSettings) -> None:
        self._engine = engine
        self._place = place
        self._lock = threading.Lock()
        self._lines: dict[str, Line] = {}
        self._closing = threading.Event()

    def open(self, uuid: str, name: str) -> tuple[str, int]:
        """Give a server a console; an open console is kept for another while.

        Args:
            uuid: id of the instance.
            name: container's name.

        Returns:
            Address and port of its listener.

        Raises:
            ContainerNotFound: there is no such container.
            ConsoleUnavailable: it does not run, or no listener can be had.
        """
        container = self._engine.inspect(name)
        if container.state not in (State.RUNNING, State.PAUSED):
            raise ConsoleUnavailable(name=name, reason=f"it is {container.state}")
        with self._lock:
            line = self._lines.get(uuid)
            if not line or line.container != name or not line.touch():
                if line:
                    line.hang_up("the server runs something else now")
                line = self._start(name)
                self._lines[uuid] = line
            return self._place.address, line.port

    def close(self, uuid: str) -> None:
        """End a server's console soon; absence is no error.

        Args:
            uuid: the instance.
        """
        with self._lock:
            line = self._lines.get(uuid)
        if line:
            line.hang_up("the server has stopped")

    def close_all(self) -> None:
        """End all consoles and wait a few seconds until their shells have ended."""
        self._closing.set()
        with self._lock:
            lines = list(self._lines.values())
        for line in lines:
            line.hang_up("the compute host stops")
        for line in lines:
            line.join(END_SECONDS)

    def sweep(self, label: str) -> threading.Thread:
        """End shells left by an earlier driver's consoles, in a separate thread.

        Args:
            label: "NAME=VALUE" that our containers carry.

        Returns:
            The thread, begun.
        """
        thread = threading.Thread(
            target=self._sweep, args=(label,), name="console-sweep", daemon=True
        )
        thread.start()
        return thread

    def _start(self, name: str) -> Line:
        place, listener = self._place, self._listen(name)
        with contextlib.ExitStack() as undo:
            undo.callback(place.release, place.address, listener.getsockname()[1])
            undo.callback(listener.close)
            line = Line(self._engine, name, listener, place.admits, place.idle, self._ended)
            undo.callback(line.abandon)
            line.start()  # fails where the host has no room for another thread
            undo.pop_all()
        return line

    def _listen(self, name: str) -> socket.socket:
        address = self._place.address
        for _ in range(ATTEMPTS):
            port = self._place.acquire(address)
            try:
                family = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)[0][0]
                return socket.create_server((address, port), family=family)
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    self._place.release(address, port)
                    raise ConsoleUnavailable(
                        name=name, reason=f"{address}:{port} cannot be listened at: {error}"
                    ) from error
                # The port stays ours, so that the next attempt is at another.
        raise ConsoleUnavailable(name=name, reason=f"no port of {address} is free")

    def _ended(self, line: Line) -> None:
        self._place.release(self._place.address, line.port)
        with self._lock:
            for uuid, each in list(self._lines.items()):
                if each is line:
                    del self._lines[uuid]

    def _sweep(self, label: str) -> None:
        try:
            for name in self._engine.labels_by_name(label):
                if self._closing.is_set():
                    return  # the service stops; the next one sweeps again
                # Who opens a console meanwhile ends left shells of that container first.
                if not any(line.container == name for line in list(self._lines.values())):
                    end_left_shells(self._engine, name)
        except EngineError as error:
            LOG.warning("Shells of earlier consoles may be left in containers: %s", error)
