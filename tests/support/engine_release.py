# SPDX-License-Identifier: Apache-2.0
"""Releases of the Docker Engine side by side: programs in a folder, put first in PATH."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from novadocker.cloud.machine import debian_release, lock
from novadocker.cloud.machine.command import run
from novadocker.cloud.machine.debian_release import Unpacked

# Names a release for the suites of the engine; without it they run the machine's own.
VARIABLE = "NOVADOCKER_ENGINE_RELEASE"
_PACKAGES = ("docker.io", "containerd", "runc", "libc6", "libseccomp2")
_PROGRAMS = ("dockerd", "containerd", "containerd-shim-runc-v2", "ctr", "runc")
# Written against a newer C library than the oldest release has; the others run anywhere.
_PATCHED = "runc"


@dataclass(frozen=True)
class EngineRelease:
    """Release of the engine, with containerd and runc of the same time.

    Attributes:
        name: leading numbers of the version, such as "28.5".
        debian: Debian release with the engine's packages.
    """

    name: str
    debian: str

    def programs(self) -> Path:
        """Return the folder of the programs, fetched at the first time."""
        unpacked = debian_release.unpacked(self.debian, _PACKAGES)
        folder = unpacked.root / "engine"
        with lock.awaited(f"engine-{self.debian}"):
            if not folder.exists():
                _gather(unpacked, folder)
        return folder

    def version(self) -> str:
        """Return the whole version, as dockerd tells it, such as "28.5.2"."""
        told = run(str(self.programs() / "dockerd"), "--version")
        return re.sub(r"^Docker version ([\d.]+).*$", r"\1", told.strip())

    @contextmanager
    def first_in_path(self) -> Iterator[None]:
        """Put this release's programs first in the search path."""
        before = os.environ["PATH"]
        os.environ["PATH"] = f"{self.programs()}:{before}"
        try:
            yield
        finally:
            os.environ["PATH"] = before


RELEASES = {
    release.name: release
    for release in (
        EngineRelease("20.10", "bookworm"),
        EngineRelease("26.1", "trixie"),
        EngineRelease("28.5", "forky"),
    )
}
OLDEST, NEWEST = RELEASES["20.10"], RELEASES["28.5"]


def chosen() -> EngineRelease | None:
    """Return the release that the environment names, or None for the machine's engine."""
    name = os.environ.get(VARIABLE)
    return RELEASES[name] if name else None


def _gather(unpacked: Unpacked, folder: Path) -> None:
    making = folder.with_name("engine.new")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir()
    for name in _PROGRAMS:
        # Debian's packages have links from one folder to the other, which copies would break.
        found = unpacked.program(f"usr/sbin/{name}", f"usr/bin/{name}", f"sbin/{name}")
        shutil.copy(found.resolve(), making / name)
    unpacked.patch(making / _PATCHED)
    making.rename(folder)
