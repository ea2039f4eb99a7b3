# SPDX-License-Identifier: Apache-2.0
"""Servers on a real engine with CRIU, and the privileged daemons as in production."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from novadocker.checkpoint.places import RUNTIME_NAME
from novadocker.cloud.machine import criu as program
from novadocker.virt.docker.checkpoint.privileged import context as for_checkpoints
from novadocker.virt.docker.privileged import context as for_networks
from tests.engine.virt.conftest import (  # noqa: F401 - fixtures
    Servers,
    _gate,
    box,
    docker_api,
    engine,
    instances,
    make_image,
    make_with,
    servers,
)
from tests.engine.virt.privileges import daemon


@pytest.fixture(scope="session")
def criu() -> Path:
    """CRIU, of the version that the project is tried with."""
    return program.ensure()


@pytest.fixture(scope="module", autouse=True)
def _daemons() -> Iterator[None]:
    with daemon(for_networks), daemon(for_checkpoints):
        yield


@pytest.fixture
def suspendable(servers: Servers, criu: Path) -> Iterator[Servers]:  # noqa: F811 - the fixture
    """Servers whose host has CRIU."""
    servers.criu = str(criu)
    servers.wiring.programs = ("/",)  # CRIU has the processes when their network is made
    servers.abilities = replace(servers.abilities, default_runtime=RUNTIME_NAME)
    yield servers
    servers.checkpoints.discard(servers.asked.uuid)
