# SPDX-License-Identifier: Apache-2.0
"""Port files, read by the vRouter agent at each start.

Reading takes no rights; ``write`` and ``remove`` do, see ``privileged``.
"""

import json
import os
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from errno import EINVAL
from pathlib import Path

_MODE = 0o644


def names(directory: Path) -> list[str]:
    """List the ports with a file.

    Args:
        directory: folder of the files.

    Returns:
        Their ids; none where there is no such directory.
    """
    with suppress(FileNotFoundError):
        return sorted(path.name for path in directory.iterdir() if _is_port(path.name))
    return []


def read(directory: Path, port: str) -> str | None:
    """Read a port's file.

    Args:
        directory: folder of the files.
        port: the port's id.

    Returns:
        The text, or None where there is none.
    """
    with suppress(FileNotFoundError):
        return (directory / port).read_text(errors="replace")
    return None


def write(directory: str, port: str, text: str) -> None:
    """Write a port's file, whole or not at all.

    It is written under a name that the agent passes over: one that begins with a port's id is
    loaded, whatever follows.

    Args:
        directory: folder of the files; made if need be.
        port: the port's id.
        text: a JSON object with that id, and nothing else.
    """
    if not _is_port(port) or json.loads(text).get("id") != port:
        raise OSError(EINVAL, f"this is no file of port {port!r}")
    Path(directory).mkdir(mode=0o755, parents=True, exist_ok=True)
    with _opened(directory) as folder:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
        with os.fdopen(os.open(_draft(port), flags, _MODE, dir_fd=folder), "w") as draft:
            os.fchmod(draft.fileno(), _MODE)
            draft.write(text)
        os.rename(_draft(port), port, src_dir_fd=folder, dst_dir_fd=folder)


def remove(directory: str, ports: Sequence[str]) -> None:
    """Remove ports' files, and remains of a broken-off ``write``; absence is no error.

    Args:
        directory: folder of the files.
        ports: the ports' ids.
    """
    if not all(_is_port(port) for port in ports):
        raise OSError(EINVAL, f"one of these is no port's id: {', '.join(ports)}")
    with suppress(FileNotFoundError), _opened(directory) as folder:
        for port in ports:
            for name in (port, _draft(port)):
                with suppress(FileNotFoundError):
                    os.unlink(name, dir_fd=folder)


def left_over(directory: Path, port: str) -> bool:
    """Tell whether there is anything for ``remove`` to do.

    Args:
        directory: folder of the files.
        port: the port's id.

    Returns:
        Whether there is.
    """
    return any((directory / name).exists() for name in (port, _draft(port)))


def _draft(port: str) -> str:
    return f".{port}.novadocker"


def _is_port(name: str) -> bool:
    with suppress(ValueError):
        return str(uuid.UUID(name)) == name
    return False


@contextmanager
def _opened(directory: str) -> Iterator[int]:
    folder = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield folder
    finally:
        os.close(folder)
