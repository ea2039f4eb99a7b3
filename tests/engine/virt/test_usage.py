# SPDX-License-Identifier: Apache-2.0
from typing import Any

import pytest

from novadocker.errors import ContainerNotFound
from novadocker.virt.docker.engine import Engine
from tests.support.eventually import eventually

MIB = 1024**2


def test_a_server_that_works_uses_what_it_uses(servers: Any, engine: Engine) -> None:
    """Time passes, memory is counted without the cache, and its limit is the flavor's."""
    servers.boot("while :; do :; done")
    name = servers.asked.container
    before = engine.usage(name)
    assert eventually(lambda: engine.usage(name).cpu_nanoseconds > before.cpu_nanoseconds + 10**8)
    now = engine.usage(name)
    assert 0 < now.memory_bytes < now.memory_limit_bytes == 32 * MIB
    assert now.processes == 1


def test_a_server_that_is_not_there_uses_nothing(servers: Any, engine: Engine) -> None:
    """It is an error to ask; one that is stopped can be asked."""
    servers.boot(power_on=False)
    assert engine.usage(servers.asked.container).cpu_nanoseconds == 0
    servers.guest.remove()
    with pytest.raises(ContainerNotFound):
        engine.usage(servers.asked.container)
