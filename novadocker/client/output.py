# SPDX-License-Identifier: Apache-2.0
"""Where a saved archive goes: all of it, or nothing."""

import contextlib
import os
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from novadocker.client.errors import OutputRefused


@contextlib.contextmanager
def opened(path: str | None) -> Iterator[BinaryIO]:
    """Open the output for writing.

    Args:
        path: path of a file, which appears when it is whole; None for standard output.

    Raises:
        OutputRefused: it cannot be written.
    """
    if path is None:
        yield _standard_output()
        return
    with _refusing(path):
        # A link stays one; what it points to is replaced.
        target = Path(os.path.realpath(path))
        with _replacing(target) if _is_replaceable(target) else target.open("wb") as file:
            yield file


def _standard_output() -> BinaryIO:
    if sys.stdout.isatty():
        raise OutputRefused(
            path="standard output", reason="it is a terminal; redirect it, or give --file"
        )
    return sys.stdout.buffer


def _is_replaceable(target: Path) -> bool:
    return target.is_file() or not target.exists()


@contextlib.contextmanager
def _replacing(target: Path) -> Iterator[BinaryIO]:
    # Beside the target, for a file is replaced at one stroke only within its file system.
    part = target.with_name(f".{target.name}.{uuid.uuid4().hex}.part")
    with part.open("xb") as file, _removing(part):
        yield file
        file.flush()
        part.replace(target)


@contextlib.contextmanager
def _removing(part: Path) -> Iterator[None]:
    try:
        yield
    finally:
        part.unlink(missing_ok=True)


@contextlib.contextmanager
def _refusing(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputRefused(path=path, reason=error.strerror or error) from error
