# SPDX-License-Identifier: Apache-2.0
"""Packages of other Debian releases, unpacked into a folder; nothing is installed.

The mirror is the machine's own: its sources of packages say from where, and only the release's
name is another. Lists and files have directories of their own, so that apt's stay as they are.
"""

import hashlib
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from novadocker.cloud.machine import apt, lock, packages
from novadocker.cloud.machine.command import run

CACHE = Path("/var/cache/novadocker/releases")
_PATIENCE = 300
_LIBRARIES = ("usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu")
_INTERPRETER = "ld-linux-x86-64.so.2"


@dataclass(frozen=True)
class Unpacked:
    """Unpacked packages of one release.

    Attributes:
        root: directory with "usr" and the like.
    """

    root: Path

    def program(self, *names: str) -> Path:
        """Find the first path below the root with a file that is no broken link."""
        return next(self.root / name for name in names if (self.root / name).is_file())

    def patch(self, program: Path) -> None:
        """Have a program load the release's C library in place of the machine's older one.

        The loader by itself would not do: runc runs itself anew by its own path.
        """
        packages.ensure({"patchelf": "patchelf"})
        libraries = next(
            each for name in _LIBRARIES if (each := self.root / name / _INTERPRETER).exists()
        ).parent
        loader = str(libraries / _INTERPRETER)
        paths = ("--force-rpath", "--set-rpath", str(libraries))
        run("patchelf", "--set-interpreter", loader, *paths, str(program))


def unpacked(release: str, names: Sequence[str]) -> Unpacked:
    """Return packages of a release, fetched at the first time.

    Args:
        release: name of the release, such as "forky".
        names: names of the packages; dependencies are not followed.
    """
    root = root_of(release, names)
    with lock.awaited(f"release-{root.name}"):
        if not root.exists():
            root.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=root.parent) as scratch:
                _fetch(release, names, Path(scratch)).rename(root)
    return Unpacked(root)


def root_of(release: str, names: Sequence[str]) -> Path:
    """Return the directory of packages of a release, fetched or not.

    Args:
        release: name of the release, such as "forky".
        names: names of the packages.
    """
    key = hashlib.sha256(" ".join(names).encode()).hexdigest()[:8]
    return CACHE / f"{release}-{key}"


def sources_of(release: str) -> list[str]:
    """Return the machine's sources of packages, as they are called for another release."""
    if not (found := apt.sources()):
        packages.ensure({}, lists=True)
        found = apt.sources()
    own = apt.codename()
    words = (line.split() for line in found)
    return [f"deb {uri} {release} {part}" for _, uri, suite, part in words if suite == own]


def _fetch(release: str, names: Sequence[str], scratch: Path) -> Path:
    for name in ("state/lists/partial", "cache/archives/partial", "files", "root"):
        (scratch / name).mkdir(parents=True)
    (scratch / "sources.list").write_text("\n".join(sources_of(release)) + "\n")
    options = (
        f"--option=Dir::State={scratch}/state",
        "--option=Dir::State::status=/dev/null",
        f"--option=Dir::Cache={scratch}/cache",
        f"--option=Dir::Etc::SourceList={scratch}/sources.list",
        "--option=Dir::Etc::SourceParts=/dev/null",
        "--option=Acquire::Languages=none",
        "--option=APT::Sandbox::User=root",
    )
    run("apt-get", *options, "--quiet", "update", patience=_PATIENCE)
    subprocess.run(
        ("apt-get", *options, "--quiet", "download", *names),
        cwd=scratch / "files",
        check=True,
        capture_output=True,
        timeout=_PATIENCE,
    )
    for file in (scratch / "files").glob("*.deb"):
        run("dpkg-deb", "--extract", str(file), str(scratch / "root"), patience=_PATIENCE)
    return scratch / "root"
