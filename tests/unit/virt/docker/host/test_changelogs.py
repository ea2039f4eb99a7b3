# SPDX-License-Identifier: Apache-2.0
import gzip
from pathlib import Path

import pytest

from novadocker.virt.docker.host.changelogs import mended

RUNC = """\
runc (1.1.5+ds1-1+deb12u1) bookworm-security; urgency=high

  * CVE-2024-21626: several container breakouts due to internally leaked fds

 -- Someone <x@example.org>  Fri, 02 Feb 2024 21:53:05 +0800

runc (1.1.5+ds1-1) unstable; urgency=medium

    + CVE-2023-28642: AppArmor/SELinux bypass with symlinked /proc
"""


def put(documentation: Path, package: str, text: str) -> None:
    """Put a package's changelog there."""
    (documentation / package).mkdir()
    with gzip.open(documentation / package / "changelog.Debian.gz", "wt") as file:
        file.write(text)


@pytest.mark.parametrize(
    ("version", "numbers"),
    [
        ("1.1.5+ds1", {"CVE-2024-21626", "CVE-2023-28642"}),
        ("1.1.5", set()),  # another than the package's: somebody built it
        ("1.2.0+ds1", set()),
    ],
)
def test_a_package_is_believed_of_its_own_version(
    tmp_path: Path, version: str, numbers: set[str]
) -> None:
    """What its changelog names is mended where the package is what runs."""
    put(tmp_path, "runc", RUNC)
    assert mended({"runc": version}, tmp_path) == numbers


def test_an_epoch_is_no_part_of_the_version(tmp_path: Path) -> None:
    """The engine does not tell it."""
    put(tmp_path, "docker.io", "docker.io (5:20.10.24+dfsg1-1+b6) x; y\n  * CVE-2024-41110\n")
    assert mended({"Engine": "20.10.24+dfsg1"}, tmp_path) == {"CVE-2024-41110"}


@pytest.mark.parametrize("content", [b"", b"not gzip", gzip.compress(RUNC.encode())[:60]])
def test_what_cannot_be_read_mends_nothing(tmp_path: Path, content: bytes) -> None:
    """Nor does what is not there, or a component of which nothing is known."""
    (tmp_path / "runc").mkdir()
    (tmp_path / "runc" / "changelog.Debian.gz").write_bytes(content)
    assert mended({"runc": "1.1.5+ds1", "containerd": "1", "x": "1"}, tmp_path) == frozenset()
