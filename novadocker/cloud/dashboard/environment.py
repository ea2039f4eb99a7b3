# SPDX-License-Identifier: Apache-2.0
"""Virtual environment of Horizon, with the assets: made once, kept for every cloud.

Its own, since what Horizon needs is large and nothing that a cloud without it should carry.
"""

import hashlib
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from novadocker.cloud.config import horizon
from novadocker.cloud.machine import lock
from novadocker.cloud.machine.command import run

CACHE = Path("/var/cache/novadocker/dashboard")
LOCK = Path(__file__).with_name("constraints.txt")
_STAMP = "made"
_PATIENCE = 900
_LOCAL = "openstack_dashboard/local"
# Where Horizon looks for what a plug-in brings: pages, settings, policies.
_PLUGIN = {
    "heat_dashboard/enabled/_[0-9]*.py": f"{_LOCAL}/enabled",
    "heat_dashboard/local_settings.d/_[0-9]*.py": f"{_LOCAL}/local_settings.d",
    "heat_dashboard/conf/*.yaml": "openstack_dashboard/conf",
    "heat_dashboard/conf/default_policies/*.yaml": "openstack_dashboard/conf/default_policies",
}


@dataclass(frozen=True)
class Environment:
    """Virtual environment of Horizon.

    Args:
        path: where it is.
    """

    path: Path

    @property
    def python(self) -> str:
        """Interpreter of the environment."""
        return str(self.path / "bin/python")

    @property
    def assets(self) -> Path:
        """Directory of scripts, styles and pictures for browsers."""
        return self.path / "assets"

    @property
    def is_whole(self) -> bool:
        """Tell that the environment was made to the end."""
        return (self.path / _STAMP).exists()


def current() -> Environment:
    """Return the environment for the installed version of the launcher, made or not."""
    settings = repr(horizon.of_assets(Path()))
    digest = hashlib.sha256(f"{sys.version}\n{settings}\n".encode())
    for path in (LOCK, Path(__file__)):
        digest.update(path.read_bytes())
    # By its key in its name: one of another version may be in use by another cloud.
    return Environment(CACHE / digest.hexdigest()[:12])


def ensure() -> None:
    """Make the environment unless present; a half made environment is made again."""
    environment = current()
    with lock.awaited("dashboard"):
        if environment.is_whole:
            return
        shutil.rmtree(environment.path, ignore_errors=True)
        _make(environment)
        (environment.path / _STAMP).touch()


def _make(environment: Environment) -> None:
    python = environment.python
    run(sys.executable, "-m", "venv", str(environment.path))
    options = ("--quiet", "--quiet", "--disable-pip-version-check", "--no-cache-dir")
    run(python, "-m", "pip", "install", *options, "--requirement", str(LOCK), patience=_PATIENCE)
    _add_plugin(environment)
    _collect(environment)


def _add_plugin(environment: Environment) -> None:
    packages = next(environment.path.glob("lib/python3*/site-packages"))
    for pattern, directory in _PLUGIN.items():
        for path in packages.glob(pattern):
            shutil.copy(path, packages / directory)


def _collect(environment: Environment) -> None:
    root = environment.path / "settings"
    for path, text in horizon.package(root, horizon.of_assets(environment.assets)).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    variables = {
        "PATH": f"{environment.path / 'bin'}:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(root),
        "DJANGO_SETTINGS_MODULE": "openstack_dashboard.settings",
    }
    for words in (("collectstatic", "--noinput"), ("compress", "--force")):
        run(environment.python, "-m", "django", *words, env=variables, patience=_PATIENCE)
