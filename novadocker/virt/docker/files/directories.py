# SPDX-License-Identifier: Apache-2.0
"""Directories of containers' files, read and written by the privileged daemon without an archive.

Names such as ``.wh.x``, which a layer takes for deletions, extended attributes, access lists,
capabilities, holes, hard links and nanoseconds survive: nothing of it goes through an archive
of the engine. ``copy`` does on one host what ``packed`` and ``fill`` do between two.
"""

import contextlib
import socket
import tempfile
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from oslo_privsep.daemon import FailedToDropPrivileges

from novadocker.errors import TransferFailed
from novadocker.virt.docker.files import privileged
from novadocker.virt.docker.files.fault import Fault
from novadocker.virt.docker.files.owners import Owners

CHUNK_BYTES = 1024 * 1024
_LOOK_SECONDS = 0.5


def warm_up() -> None:
    """Start the privileged daemon; no server is to wait for that.

    Raises:
        TransferFailed: the daemon does not start.
    """
    try:
        privileged.ready()
    except (OSError, FailedToDropPrivileges) as error:
        raise TransferFailed(reason=f"its privileged daemon does not start: {error}") from error


def packed(directory: Path) -> Generator[bytes]:
    """Read a directory; a reader that stops early closes the generator.

    Args:
        directory: files of a stopped container.

    Yields:
        Pieces of a stream for ``fill``; only after the last one is it known to be whole.

    Raises:
        TransferFailed: the directory could not be read to its end.
    """

    def read(address: str) -> int:
        return privileged.send(str(directory), address)

    with _called(directory, read) as connection:
        while piece := connection.recv(CHUNK_BYTES):
            yield piece


def changing(directory: Path) -> Generator[bytes]:
    """Read a directory while a container writes to it; ``rest`` gives what has changed then.

    Args:
        directory: files of a running container.

    Yields:
        Pieces of a stream for ``fill``.

    Raises:
        TransferFailed: the directory could not be read, or was moved about meanwhile.
    """

    def read(address: str) -> int:
        return privileged.send_changing(str(directory), address)

    with _called(directory, read) as connection:
        while piece := connection.recv(CHUNK_BYTES):
            yield piece


def rest(directory: Path) -> Generator[bytes]:
    """Read what has changed in a directory since ``changing``.

    Args:
        directory: files of a frozen container.

    Yields:
        Pieces of a stream for ``amend``.

    Raises:
        TransferFailed: the directory could not be read to its end.
    """

    def read(address: str) -> int:
        return privileged.send_rest(str(directory), address)

    with _called(directory, read) as connection:
        while piece := connection.recv(CHUNK_BYTES):
            yield piece


def forget(directory: Path) -> None:
    """Forget what ``changing`` has read; no ``rest`` will be asked for.

    Args:
        directory: files of a container.
    """
    with _as_ours(directory):
        privileged.forget(str(directory))


def amend(directory: Path, pieces: Iterable[bytes], owners: Owners) -> None:
    """Bring a directory up to date.

    Args:
        directory: files that ``fill`` wrote.
        pieces: the stream, as ``rest`` gives it; what they raise is raised.
        owners: translation of users between the two hosts.

    Raises:
        TransferFailed: the stream is not whole, or does not fit the directory.
    """
    source = (owners.source.user, owners.source.group)
    here = (owners.destination.user, owners.destination.group)

    def write(address: str) -> int:
        return privileged.amend(str(directory), address, source, here)

    with _called(directory, write) as connection:
        for piece in pieces:
            connection.sendall(piece)
        connection.shutdown(socket.SHUT_WR)


def fill(directory: Path, pieces: Iterable[bytes], owners: Owners) -> None:
    """Write a directory; former content is gone.

    Args:
        directory: files of a stopped container.
        pieces: the stream, as ``packed`` gives it; what they raise is raised.
        owners: translation of users between the two hosts.

    Raises:
        TransferFailed: the stream is not whole, or the directory cannot hold it.
    """
    source = (owners.source.user, owners.source.group)
    here = (owners.destination.user, owners.destination.group)

    def write(address: str) -> int:
        return privileged.receive(str(directory), address, source, here)

    with _called(directory, write) as connection:
        for piece in pieces:
            connection.sendall(piece)
        connection.shutdown(socket.SHUT_WR)


def copy(source: Path, destination: Path) -> None:
    """Copy a directory of this host over another; former content is gone.

    Args:
        source: files of a stopped container.
        destination: files of another stopped container.

    Raises:
        TransferFailed: the one could not be read, or the other cannot hold it.
    """
    with _as_ours(source):
        privileged.copy(str(source), str(destination))


def measure(directory: Path) -> int:
    """Measure a directory.

    Args:
        directory: files of a container.

    Returns:
        Bytes on the disk; holes are none.
    """
    with _as_ours(directory):
        return privileged.measured(str(directory))


@contextlib.contextmanager
def _called(directory: Path, work: Callable[[str], int]) -> Iterator[socket.socket]:
    """Have the privileged daemon work at the other end of a socket.

    Args:
        directory: files of a container, for messages.
        work: call of the daemon with the path of the socket that it connects to.

    Yields:
        Our end; the work has succeeded when the context is left without an exception.
    """
    with (
        tempfile.TemporaryDirectory(prefix="novadocker-") as place,
        socket.socket(socket.AF_UNIX) as listener,
        ThreadPoolExecutor(1, thread_name_prefix="files") as pool,
        _as_ours(directory),
    ):
        address = str(Path(place) / "files")
        listener.bind(address)
        listener.listen(1)
        done = pool.submit(work, address)
        with _accepted(listener, done) as connection:
            try:
                yield connection
            except (BrokenPipeError, ConnectionResetError):
                connection.close()
                done.result()  # its fault, of which ours is the echo
                raise
        done.result()


def _accepted(listener: socket.socket, done: "Future[int]") -> socket.socket:
    listener.settimeout(_LOOK_SECONDS)
    while True:
        try:
            connection, _ = listener.accept()
        except TimeoutError:
            if done.done():
                done.result()  # it failed before it came so far
                raise
        else:
            connection.settimeout(None)
            return connection


@contextlib.contextmanager
def _as_ours(directory: Path) -> Iterator[None]:
    try:
        yield
    except (Fault, OSError) as error:
        # oslo.privsep brings no name of a file with an OSError.
        raise TransferFailed(reason=f"{directory}: {error}") from error
