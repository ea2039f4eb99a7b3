# SPDX-License-Identifier: Apache-2.0
"""Two hosts with an agent each."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from novadocker.cloud.doubles.opensdn import routing
from novadocker.cloud.doubles.opensdn.control import ControlNode
from novadocker.cloud.machine import packages
from tests.engine.opensdn.host import Site, pair, underlay

PROGRAMS = routing.PROGRAMS | {"ping": "iputils-ping"}


@pytest.fixture(scope="package")
def two_hosts() -> Iterator[Site]:
    """Two hosts of network namespaces, with a cable between."""
    packages.ensure(PROGRAMS)
    with ExitStack() as undo:
        # FRR's own user must be able to reach it.
        where = Path(tempfile.mkdtemp(prefix="nd-vrf-", dir="/var/tmp"))
        undo.callback(shutil.rmtree, where)
        where.chmod(0o711)
        names = [f"nd-vrf{number}-{os.getpid()}" for number in (1, 2)]
        for name in names:
            undo.callback(_delete, name)
        underlay(*names)
        one, other = pair(names[0], names[1], where)
        for host in (one, other):
            host.start()
            undo.callback(host.stop)
        yield Site(one, other, ControlNode(where / "networks"))


def _delete(name: str) -> None:
    subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)


@pytest.fixture
def site(two_hosts: Site) -> Iterator[Site]:
    """Two hosts without a network; a test's remains are taken away."""
    yield two_hosts
    two_hosts.clear()
    troubles = [line for each in two_hosts.hosts for line in each.troubles()]
    assert not troubles
