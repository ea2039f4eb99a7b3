# SPDX-License-Identifier: Apache-2.0
"""Services of newly installed packages, kept from starting at the machine's next boot.

Debian enables a package's services when the package is installed. A machine on which a cloud
is tried would from its next boot on run a second MariaDB, RabbitMQ and Docker Engine, with
default settings and on all addresses.
"""

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from novadocker.cloud.machine.command import run

JOURNAL = Path("/var/lib/novadocker/packages-before")
_ALWAYS_THERE = "dpkg"
_HELPER = "deb-systemd-helper"
_UNITS = ("/lib/systemd/system", "/usr/lib/systemd/system")
_KINDS = {".service", ".socket", ".timer", ".path"}
_SCRIPTS = "/etc/init.d"


@contextmanager
def kept_from_boot(journal: Path = JOURNAL) -> Iterator[None]:
    """Disable the services of all packages installed meanwhile, also after a failure."""
    journal.parent.mkdir(parents=True, exist_ok=True)
    # Written before the first package comes: a run that is killed is finished by the next.
    draft = journal.with_suffix(".draft")
    draft.write_text("\n".join(sorted(_installed())))
    draft.rename(journal)
    try:
        yield
    finally:
        finish(journal)


def finish(journal: Path = JOURNAL) -> None:
    """Disable the services of packages newer than the journal; may be repeated."""
    if not journal.exists():
        return
    before = set(journal.read_text().split())
    # One that is not whole, after a power cut, would make every package of the machine new.
    if _ALWAYS_THERE in before:
        for package in sorted(_installed() - before):
            disable(package)
    journal.unlink()


def disable(package: str) -> None:
    """Keep the services of an installed package from starting at boot."""
    files = run("dpkg-query", "--listfiles", package).splitlines()
    # The helper obeys only who names the package; absent, no systemd unit was ever enabled.
    name = package.partition(":")[0]
    environment = {**os.environ, "DPKG_MAINTSCRIPT_PACKAGE": name}
    found = units(files)
    if found and shutil.which(_HELPER):
        run(_HELPER, "disable", *found, env=environment)
    for script in scripts(files):
        if _starts_at_boot(script):
            run("update-rc.d", script, "disable", env=environment)


def units(files: Iterable[str]) -> list[str]:
    """Return the systemd units among a package's files, templates left out."""
    paths = [Path(name) for name in files]
    return [
        path.name
        for path in paths
        if str(path.parent) in _UNITS and path.suffix in _KINDS and not path.stem.endswith("@")
    ]


def scripts(files: Iterable[str]) -> list[str]:
    """Return the SysV init scripts among a package's files."""
    return [Path(name).name for name in files if str(Path(name).parent) == _SCRIPTS]


def _starts_at_boot(script: str) -> bool:
    root = Path(os.environ.get("DPKG_ROOT") or "/")
    return any(root.glob(f"etc/rc[2-5].d/S[0-9][0-9]{script}"))


def _installed() -> set[str]:
    listing = run("dpkg-query", "--show", "--showformat=${db:Status-Abbrev} ${binary:Package}\\n")
    rows = (line.split() for line in listing.splitlines())
    # Half configured packages count: their services may be enabled already.
    return {row[-1] for row in rows if row[0] not in {"rc", "un", "pn"}}
