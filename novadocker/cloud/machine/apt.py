# SPDX-License-Identifier: Apache-2.0
"""Debian's packages from the machine's own mirrors, by way of the machine's proxies and keys."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from novadocker.cloud.machine.command import run

_ORIGIN = "Debian"
_FORMAT = "$(ORIGIN)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)"
# How apt fetches, and nothing of what it does on this machine before and after.
_FETCHING = ("Acquire::http", "Acquire::https", "Acquire::Check-", "Acquire::Languages")
_ONLY_NEEDED = (
    "--no-recommends",
    "--no-suggests",
    "--no-enhances",
    "--no-conflicts",
    "--no-breaks",
    "--no-replaces",
)


def sources() -> list[str]:
    """Return the machine's sources of Debian's packages, one in a line; others are left out."""
    targets = run("apt-get", "indextargets", f"--format={_FORMAT}", "Created-By: Packages")
    found = (line.split("|") for line in targets.splitlines())
    return [
        f"deb {uri} {suite} {component}"
        for origin, uri, suite, component in found
        if origin == _ORIGIN
    ]


def codename() -> str:
    """Return the name of the machine's release of Debian."""
    return run("sh", "-c", '. /etc/os-release && echo "$VERSION_CODENAME"').strip()


def options() -> list[str]:
    """Return the machine's options for fetching packages."""
    dump = run("apt-config", "dump")
    return [line for line in dump.splitlines() if line.startswith(_FETCHING)]


def download(package: str, directory: Path) -> Path:
    """Fetch a package's file into an empty directory; nothing is installed."""
    (file,) = download_all([package], directory)
    return file


def download_all(packages: Sequence[str], directory: Path) -> list[Path]:
    """Fetch packages' files into an empty directory; nothing is installed."""
    subprocess.run(
        ["apt-get", "download", "--quiet", "--option=APT::Sandbox::User=root", *packages],
        check=True,
        cwd=directory,
        capture_output=True,
    )
    return list(directory.glob("*.deb"))


def with_dependencies(*packages: str) -> list[str]:
    """Return the names of packages and of all their dependencies."""
    listed = run("apt-cache", "depends", "--recurse", *_ONLY_NEEDED, *packages)
    # Indented lines tell why; in <brackets> is what no package is called.
    return [line for line in listed.splitlines() if line[:1].isalnum()]
