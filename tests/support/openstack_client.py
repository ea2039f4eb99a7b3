# SPDX-License-Identifier: Apache-2.0
"""Ordinary client, run in this process to save two seconds a start."""

import contextlib
import importlib
import io
import json
import logging
import os
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

with warnings.catch_warnings():
    # osc-lib and what it stands on warn of themselves when they are imported.
    warnings.simplefilter("ignore")
    shell = importlib.import_module("openstackclient.shell")


@dataclass(frozen=True)
class Outcome:
    """Result of a command."""

    code: int
    output: bytes
    errors: str

    @property
    def text(self) -> str:
        """Output of the command."""
        return self.output.decode()

    @property
    def result(self) -> Any:
        """Output of the command with ``-f json``, parsed."""
        assert self.code == 0, self.errors
        return json.loads(self.output)


def openstack(*argv: str, stdin: bytes = b"", **environment: str) -> Outcome:
    """Run a command as a tenant would type it.

    Args:
        *argv: words of the command.
        stdin: text for the standard input.
        **environment: variables of the command; other OS_ variables are unset.
    """
    output, errors = io.TextIOWrapper(io.BytesIO()), io.StringIO()
    with (
        _environment(environment),
        _no_logging(),
        warnings.catch_warnings(),
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(errors),
        _input(stdin),
    ):
        warnings.simplefilter("ignore")
        try:
            code = shell.OpenStackShell().run(list(argv))
        except SystemExit as end:  # argparse
            code = int(end.code or 0)
    output.flush()
    written = output.buffer.getvalue()  # type: ignore[attr-defined]
    told = errors.getvalue().splitlines(keepends=True)
    return Outcome(code, written, "".join(line for line in told if not _of_others(line)))


def _of_others(line: str) -> bool:
    # Heat's libraries bring plugins along that the client cannot load.
    return line.startswith("Could not load '") and "docker" not in line


@contextlib.contextmanager
def _environment(changes: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    for name in before:
        if name.startswith("OS_"):
            del os.environ[name]
    os.environ.update(changes)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextlib.contextmanager
def _no_logging() -> Iterator[None]:
    # Each shell adds handlers of its own, to the streams of its time.
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers.clear()
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)


@contextlib.contextmanager
def _input(data: bytes) -> Iterator[None]:
    before, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(data))
    try:
        yield
    finally:
        sys.stdin = before
