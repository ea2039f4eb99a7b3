# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from novadocker.cloud.machine import packages


@pytest.mark.parametrize(
    ("absent", "wanted"),
    [
        (set(), []),
        ({"ethtool"}, ["ethtool"]),
        ({"mariadbd", "mariadb-install-db"}, ["mariadb-server"]),
        ({"dockerd", "haproxy"}, ["docker.io", "haproxy"]),
    ],
)
def test_only_packages_of_missing_programs_are_wanted(absent: set[str], wanted: list[str]) -> None:
    """Whoever has the program keeps it, from whatever package it came."""
    assert packages.missing(lambda program: program not in absent) == wanted


def test_no_service_starts_while_packages_are_installed(tmp_path: Path) -> None:
    """A policy that forbids it is there, can be run, and goes away."""
    policy = tmp_path / "policy-rc.d"
    with packages.no_service_starts(policy):
        assert "exit 101" in policy.read_text()
        assert policy.stat().st_mode & 0o111
    assert not policy.exists()


def test_the_policy_goes_away_after_a_failure(tmp_path: Path) -> None:
    """A failed installation does not leave the machine without services for ever."""
    policy = tmp_path / "policy-rc.d"
    with pytest.raises(ValueError, match="apt"), packages.no_service_starts(policy):
        raise ValueError("apt")
    assert not policy.exists()


def test_a_policy_of_the_machines_owner_stays(tmp_path: Path) -> None:
    """It is neither replaced nor removed."""
    policy = tmp_path / "policy-rc.d"
    policy.write_text("theirs")
    with packages.no_service_starts(policy):
        assert policy.read_text() == "theirs"
    assert policy.read_text() == "theirs"
