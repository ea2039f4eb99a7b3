# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from novadocker.virt.docker.check import kernel
from novadocker.virt.docker.check.findings import Verdict


def host(root: Path, **parameters: str) -> Path:
    """Make a tree of kernel parameters, "__" for "/"."""
    for name, value in parameters.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{value}\n")
    return root


def test_a_small_parameter_is_a_warning_with_a_value(tmp_path: Path) -> None:
    """What is possible with it, and the command that changes it."""
    root = host(tmp_path, fs__inotify__max_user_instances="128", kernel__dmesg_restrict="1")
    found = [each for each in kernel.findings(root) if each.item == "kernel"]
    assert [each.verdict for each in found] == [Verdict.WARNING, Verdict.OK]
    assert "fs.inotify.max_user_instances is 128: one server can take all" in found[0].words
    assert found[0].fix == "sysctl fs.inotify.max_user_instances=1048576"
    assert found[1].words == "1 parameters are as they should be"


@pytest.mark.parametrize("value", ["", "odd"])
def test_what_the_kernel_lacks_is_not_judged(tmp_path: Path, value: str) -> None:
    """A kernel without Yama cannot be told to use it."""
    root = host(tmp_path, kernel__dmesg_restrict=value)
    assert [each.item for each in kernel.findings(root)] == ["core dumps"]


def test_what_is_advised_would_do() -> None:
    """The value that a fix names ends the warning."""
    assert all(each.advised >= each.least for each in kernel.SYSCTLS)


@pytest.mark.parametrize(
    ("pattern", "verdict"),
    [
        ("core", Verdict.OK),
        ("/var/crash/%p", Verdict.OK),
        ("|/usr/share/apport/apport -p%p", Verdict.WARNING),
    ],
)
def test_a_handler_of_crashes_is_told(tmp_path: Path, pattern: str, verdict: Verdict) -> None:
    """It reads what a server's process left, as root."""
    found = kernel.core_pattern(host(tmp_path, kernel__core_pattern=pattern))
    assert found
    assert found.verdict is verdict


def test_security_modules_are_read_or_guessed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From securityfs, or where that is not mounted from what they leave elsewhere."""
    (tmp_path / "lsm").write_text("capability,apparmor\n")
    (tmp_path / "enabled").write_text("Y\n")
    signs = {"apparmor": tmp_path / "enabled", "selinux": tmp_path / "no"}
    monkeypatch.setattr(kernel, "MODULES", tmp_path / "lsm")
    monkeypatch.setattr(kernel, "SIGNS", signs)
    assert kernel.security_modules() == "capability,apparmor"
    (tmp_path / "lsm").unlink()
    assert kernel.security_modules() == "apparmor"
