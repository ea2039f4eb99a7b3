# SPDX-License-Identifier: Apache-2.0
"""Mends of a distribution in an old version under the same number.

Debian and its kin say so in the changelog that each package brings. It is believed only where
the package is of the version that runs.
"""

import gzip
import re
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

DOCUMENTATION = Path("/usr/share/doc")
PACKAGES: Mapping[str, tuple[str, ...]] = {
    "Engine": ("docker.io", "docker-engine", "moby-engine"),
    "containerd": ("containerd", "containerd-app"),
    "runc": ("runc", "runc-app"),
}
MOST_BYTES = 8 * 1024**2
_CVE = re.compile(r"CVE-\d{4}-\d{4,}")
_HEAD = re.compile(r"^\S+ \((?:\d+:)?([^)]+)\)", re.MULTILINE)


def mended(components: Mapping[str, str], documentation: Path = DOCUMENTATION) -> frozenset[str]:
    """Name the vulnerabilities that the installed packages have mended.

    Args:
        components: versions by component, as the engine tells them.
        documentation: where packages have their changelogs.

    Returns:
        CVE numbers.
    """
    return frozenset(
        number
        for component, version in components.items()
        for text in _changelogs(component, documentation)
        if _upstream(text) == version
        for number in _CVE.findall(text)
    )


def _changelogs(component: str, documentation: Path) -> Iterator[str]:
    for package in PACKAGES.get(component, ()):
        try:
            with gzip.open(documentation / package / "changelog.Debian.gz") as file:
                yield file.read(MOST_BYTES).decode(errors="replace")
        except (OSError, EOFError, zlib.error):  # not installed, or its documentation left out
            continue


def _upstream(changelog: str) -> str:
    head = _HEAD.search(changelog)
    return head[1].rpartition("-")[0] if head else ""
