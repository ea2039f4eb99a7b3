# SPDX-License-Identifier: Apache-2.0
"""Virtual environment with Cinder: made once, kept for every cloud that has volumes.

Apart from the cloud's own, since two of Cinder's libraries want older versions than other
services have; whoever has no volumes need not carry them.
"""

import hashlib
import shutil
import sys
from pathlib import Path

import novadocker
from novadocker.cloud.machine import lock
from novadocker.cloud.machine.command import run

CACHE = Path("/var/cache/novadocker/cinder")
LOCK = Path(__file__).with_name("constraints.txt")
_PACKAGE = Path(novadocker.__file__).parent
_STAMP = "made"
_PATIENCE = 900


def current() -> Path:
    """Return the environment of this version of the launcher, made or not yet made."""
    digest = hashlib.sha256(f"{sys.version}\n{_PACKAGE}\n".encode())
    for path in (LOCK, Path(__file__)):
        digest.update(path.read_bytes())
    return CACHE / digest.hexdigest()[:12]


def program(name: str) -> str:
    """Return the path of a program of the environment."""
    return str(current() / "bin" / name)


def ensure() -> None:
    """Make the environment unless complete; a half-made environment is made again."""
    path = current()
    with lock.awaited("cinder"):
        if (path / _STAMP).exists():
            return
        shutil.rmtree(path, ignore_errors=True)
        _make(path)
        (path / _STAMP).touch()


def _make(path: Path) -> None:
    run(sys.executable, "-m", "venv", str(path))
    options = ("--quiet", "--quiet", "--disable-pip-version-check", "--no-cache-dir", "--no-deps")
    install = (program("python"), "-m", "pip", "install", *options)
    run(*install, "--requirement", str(LOCK), patience=_PATIENCE)
    packages = next(path.glob("lib/python3*/site-packages"))
    # Cinder loads our driver by its name; nothing else of our environment is to be seen there.
    (packages / "novadocker").symlink_to(_PACKAGE)
