# SPDX-License-Identifier: Apache-2.0
"""Service: command, order of start, and test of readiness."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from novadocker.cloud.layout.layout import Layout
from novadocker.cloud.machine.command import Command


@dataclass(frozen=True)
class Service:
    """Supervised process.

    Args:
        command: program with arguments and environment.
        after: the names of the steps that must be done before.
        ready: raises unless the service answers.
        files: configuration by path; a change means a restart.
        sources: our own code that it runs; as above.
        directories: made before the start.
        port: where it listens, for tables.
        wave: when it is stopped: all of a wave at once, lower waves first.
        patience: the seconds that it gets to end by itself.
        farewell: asks it to end in its own way, before it is stopped.
    """

    command: Command
    after: tuple[str, ...]
    ready: Callable[[], None]
    files: Mapping[Path, str] = field(default_factory=dict)
    sources: tuple[Path, ...] = ()
    directories: tuple[Path, ...] = ()
    port: int | None = None
    wave: int = 1
    patience: int = 5
    farewell: Callable[[], object] | None = None

    @property
    def name(self) -> str:
        """Name in tables and logs."""
        return self.command.name

    @property
    def fingerprint(self) -> str:
        """Digest of the configuration and of our part of the code."""
        digest = hashlib.sha256()
        for path, content in sorted(self.files.items()):
            digest.update(f"{path}\n{content}\n".encode())
        for path in self.sources:
            digest.update(path.read_bytes())
        return digest.hexdigest()[:16]


def program_words(layout: Layout, name: str) -> tuple[str, ...]:
    """Return the words to run a program of ours."""
    return (layout.program("python"), "-m", f"novadocker.cloud.programs.{name}")
