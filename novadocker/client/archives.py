# SPDX-License-Identifier: Apache-2.0
"""Archives opened, wherever they come from."""

import contextlib
import stat
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from novadocker.archive import Platform
from novadocker.client import registry
from novadocker.client.errors import NoEngine, NoWayToRegistry, OriginUnreadable
from novadocker.client.origin import Origin, Reference, SavedFile, StandardInput

_CHUNK = 1024 * 1024


@dataclass(frozen=True)
class FileArchive:
    """Archive in a regular file, readable any number of times.

    Attributes:
        path: file of the archive.
        origin: name of the archive in messages.
        size: bytes, when it was opened.
    """

    path: Path
    origin: Origin
    size: int

    def chunks(self) -> Iterator[bytes]:
        """Give the bytes from the beginning.

        Raises:
            OriginUnreadable: it has vanished, or cannot be read.
        """
        with _reading(self.origin), self.path.open("rb") as file:
            yield from iter(lambda: file.read(_CHUNK), b"")

    def again(self) -> Iterator[bytes]:
        """Give the bytes once more."""
        return self.chunks()


@dataclass(frozen=True)
class StreamArchive:
    """Archive in a stream, readable once.

    Attributes:
        stream: bytes of the archive.
        origin: name of the archive in messages.
    """

    stream: Iterator[bytes]
    origin: Origin

    def chunks(self) -> Iterator[bytes]:
        """Give the bytes."""
        with _reading(self.origin):
            yield from self.stream

    def again(self) -> Iterator[bytes]:
        """Refuse a second reading.

        Raises:
            OriginUnreadable: always.
        """
        raise OriginUnreadable(
            origin=self.origin,
            reason="it has layers in zstd that do not say how long they are, and must be read "
            "twice; save it to a file, and give that",
        )


Archive = FileArchive | StreamArchive


@contextlib.contextmanager
def opened(origin: Origin, platform: Platform) -> Iterator[Archive]:
    """Open an archive.

    Args:
        origin: where it is.
        platform: variant to ask for, where a registry offers several.

    Raises:
        OriginUnreadable: it is not there, or nothing can read it.
    """
    if isinstance(origin, StandardInput):
        yield StreamArchive(_pieces(_standard_input(origin)), origin)
    elif isinstance(origin, SavedFile):
        with _file(origin) as archive:
            yield archive
    else:
        with _referenced(origin, platform) as archive:
            yield archive


def _standard_input(origin: Origin) -> BinaryIO:
    if sys.stdin is None or sys.stdin.isatty():
        raise OriginUnreadable(origin=origin, reason="it is a terminal; pipe an archive into it")
    return sys.stdin.buffer


@contextlib.contextmanager
def _file(origin: SavedFile) -> Iterator[Archive]:
    path = Path(origin.path)
    with _reading(origin):
        status = path.stat()
    if stat.S_ISREG(status.st_mode):
        yield FileArchive(path, origin, status.st_size)
        return
    with _reading(origin):
        file = path.open("rb")  # a pipe that a shell made, say
    with file:
        yield StreamArchive(_pieces(file), origin)


@contextlib.contextmanager
def _referenced(origin: Reference, platform: Platform) -> Iterator[Archive]:
    # The Docker SDK takes a third of a second to import.
    from novadocker.client import engine  # noqa: PLC0415

    with contextlib.ExitStack() as stack:
        try:
            api = stack.enter_context(engine.connected(origin))
        except NoEngine as error:
            if not origin.names_registry:
                raise
            if not registry.is_installed():
                raise NoWayToRegistry(**error.values) from error
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            path = registry.fetch(origin, platform, directory)
            yield FileArchive(path, origin, path.stat().st_size)
            return
        if origin.names_registry:
            engine.pull(api, origin, platform)
        yield StreamArchive(engine.saved(api, origin), origin)


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    return iter(lambda: file.read(_CHUNK), b"")


@contextlib.contextmanager
def _reading(origin: Origin) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OriginUnreadable(origin=origin, reason=error.strerror or error) from error
