# SPDX-License-Identifier: Apache-2.0

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
    """A program already there is kept, from whatever package."""
    assert packages.missing(lambda program: program not in absent) == wanted
