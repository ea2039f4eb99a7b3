# SPDX-License-Identifier: Apache-2.0
"""Root directory of a machine, with Debian's own tools at work below."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from novadocker.cloud.machine import boot_services

FILES = [
    "/lib/systemd/system/trial.service",
    "/usr/lib/systemd/system/trial.socket",
    "/lib/systemd/system/trial@.service",
    "/lib/systemd/system/trial.conf",
    "/etc/init.d/trial",
    "/usr/sbin/trial",
]
_UNIT = "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n"
_WANTS = "etc/systemd/system/multi-user.target.wants/trial.service"


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Yield a root directory with one enabled service of the package ``trial``."""
    unit = tmp_path / "lib/systemd/system/trial.service"
    unit.parent.mkdir(parents=True)
    unit.write_text(_UNIT)
    wants = tmp_path / _WANTS
    wants.parent.mkdir(parents=True)
    wants.symlink_to("/lib/systemd/system/trial.service")
    recorded = tmp_path / "var/lib/systemd/deb-systemd-helper-enabled"
    recorded.mkdir(parents=True)
    (recorded / "trial.service.dsh-also").write_text(f"/{_WANTS}\n")
    for level in "2345":
        link = tmp_path / f"etc/rc{level}.d/S01trial"
        link.parent.mkdir()
        link.symlink_to("../init.d/trial")
    monkeypatch.setenv("DPKG_ROOT", str(tmp_path))
    return tmp_path


def test_units_and_scripts_of_a_package_are_found() -> None:
    """Services and sockets count; templates and other files do not."""
    assert boot_services.units(FILES) == ["trial.service", "trial.socket"]
    assert boot_services.scripts(FILES) == ["trial"]


@pytest.mark.skipif(not shutil.which("deb-systemd-helper"), reason="needs Debian's own tools")
def test_a_service_of_a_new_package_does_not_start_at_boot(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new package's unit and script lose their links; the journal goes afterwards."""
    there = {"dpkg"}
    monkeypatch.setattr(boot_services, "_installed", lambda: set(there))
    commands = _answer(monkeypatch)
    journal = machine / "journal/packages"
    with boot_services.kept_from_boot(journal):
        there.add("trial")
    assert not (machine / _WANTS).is_symlink()
    assert ("update-rc.d", "trial", "disable") in commands
    assert not journal.exists()


@pytest.mark.skipif(not shutil.which("deb-systemd-helper"), reason="needs Debian's own tools")
def test_a_killed_installation_is_finished_by_the_next_run(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Services left enabled by a killed run are disabled, services from before are not."""
    journal = machine / "journal/packages"
    code = (
        "import os, pathlib, sys; from novadocker.cloud.machine import boot_services as b\n"
        "b._installed = lambda: {'dpkg'}\n"
        "with b.kept_from_boot(pathlib.Path(sys.argv[1])): os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, journal], check=False)
    assert (machine / _WANTS).is_symlink()
    monkeypatch.setattr(boot_services, "_installed", lambda: {"dpkg", "trial"})
    _answer(monkeypatch)
    boot_services.finish(journal)
    assert not (machine / _WANTS).is_symlink()
    assert not journal.exists()


def test_without_a_journal_nothing_is_disabled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Packages from before any run of ours keep their services."""
    monkeypatch.setattr(boot_services, "disable", lambda _package: pytest.fail("disabled"))
    boot_services.finish(tmp_path / "none")


def test_a_journal_that_is_not_whole_disables_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty journal, as a power cut may leave, does not make all packages new."""
    monkeypatch.setattr(boot_services, "_installed", lambda: {"dpkg", "dbus"})
    monkeypatch.setattr(boot_services, "disable", lambda _package: pytest.fail("disabled"))
    journal = tmp_path / "packages"
    journal.touch()
    boot_services.finish(journal)
    assert not journal.exists()


def _answer(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    # Of Debian's tools the one for scripts looks below the real root whatever it is told.
    run = boot_services.run
    commands = []

    def answer(*argv: str, **options: object) -> str:
        commands.append(argv)
        if argv == ("dpkg-query", "--listfiles", "trial"):
            return "\n".join(FILES)
        return "" if argv[0] == "update-rc.d" else run(*argv, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(boot_services, "run", answer)
    return commands
