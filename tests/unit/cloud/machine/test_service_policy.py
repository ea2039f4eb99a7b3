# SPDX-License-Identifier: Apache-2.0
import subprocess
import sys
from pathlib import Path

import pytest

from novadocker.cloud.machine import service_policy

_OF_EARLIER_VERSIONS = (
    "#!/bin/sh\n# Put here while packages are installed: no service may start.\nexit 101\n"
)


def test_no_service_starts_while_packages_are_installed(tmp_path: Path) -> None:
    """A policy that forbids it is there, can be run, and goes away."""
    policy = tmp_path / "policy-rc.d"
    with service_policy.no_service_starts(policy):
        assert "exit 101" in policy.read_text()
        assert policy.stat().st_mode & 0o111
    assert list(tmp_path.iterdir()) == []


def test_the_policy_goes_away_after_a_failure(tmp_path: Path) -> None:
    """A failed installation leaves the machine's services as they were."""
    policy = tmp_path / "policy-rc.d"
    with pytest.raises(ValueError, match="apt"), service_policy.no_service_starts(policy):
        raise ValueError("apt")
    assert not policy.exists()


def test_the_policy_of_a_killed_run_is_known_and_removed(tmp_path: Path) -> None:
    """A run that was killed in the middle of apt leaves no machine without services for ever."""
    policy = tmp_path / "policy-rc.d"
    code = (
        "import os, pathlib, sys; from novadocker.cloud.machine import service_policy as s\n"
        "with s.no_service_starts(pathlib.Path(sys.argv[1])): os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, policy], check=False)
    assert policy.exists()
    with service_policy.no_service_starts(policy):
        assert policy.exists()
    assert not policy.exists()


@pytest.mark.parametrize("text", [_OF_EARLIER_VERSIONS])
def test_the_policy_of_an_earlier_version_is_removed(tmp_path: Path, text: str) -> None:
    """A policy without our mark, word for word as it was once written, is ours too."""
    policy = tmp_path / "policy-rc.d"
    policy.write_text(text)
    service_policy.remove_ours(policy)
    assert not policy.exists()


def test_a_policy_of_the_machines_owner_stays(tmp_path: Path) -> None:
    """The owner's policy is neither replaced nor removed."""
    policy = tmp_path / "policy-rc.d"
    policy.write_text("theirs")
    service_policy.remove_ours(policy)
    with service_policy.no_service_starts(policy):
        assert policy.read_text() == "theirs"
    assert policy.read_text() == "theirs"
