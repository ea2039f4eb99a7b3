# SPDX-License-Identifier: Apache-2.0
"""Processors of containers, as the kernel has them for their processes."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from novadocker.errors import PolicyRefused
from novadocker.policy import Flavor
from novadocker.virt.docker.engine import Container

SHARING = Flavor(vcpus=1, memory_mib=48, root_gib=1)
PINNED = replace(SHARING, processors=frozenset({1}))

pytestmark = pytest.mark.usefixtures("privileged")


@pytest.fixture
def divided(servers: Any) -> Any:
    """Servers of a host that shares its processor 0 and dedicates processor 1."""
    servers.abilities = replace(servers.abilities, shared_processors=frozenset({0}))
    return servers


def allowed(container: Container) -> str:
    """Return the processors on which the kernel lets a container's first process run."""
    status = Path(f"/proc/{container.pid}/status").read_text()
    return status.partition("Cpus_allowed_list:")[2].split()[0]


def resized(servers: Any, flavor: Flavor) -> Container:
    """Take a server through a resize, and return the container."""
    servers.ask(flavor=flavor)
    servers.actions.resize.prepare(servers.asked, servers.network, 0)
    servers.actions.resize.finish(servers.asked, servers.network, power_on=True)
    container: Container = servers.guest.get()
    return container


def test_a_server_keeps_off_dedicated_processors(divided: Any) -> None:
    """A container without processors of its own runs on the shared ones alone."""
    container = divided.boot(flavor=SHARING)
    assert container.limits.cpuset == allowed(container) == "0"


def test_a_pinned_server_runs_on_its_own_processors(divided: Any) -> None:
    """A container with dedicated processors runs on these and on no shared one."""
    container = divided.boot(flavor=PINNED)
    assert container.limits.cpuset == allowed(container) == "1"


def test_a_resize_pins_and_frees_the_same_container(divided: Any) -> None:
    """A resize to a pinned flavor and back moves the container between the two sets."""
    booted = divided.boot(flavor=SHARING)
    pinned = resized(divided, PINNED)
    assert (pinned.id, allowed(pinned)) == (booted.id, "1")
    assert allowed(resized(divided, SHARING)) == "0"


def test_processors_divided_later_hold_for_a_server_that_runs(
    servers: Any,
) -> None:
    """A running container moves off dedicated processors when nova-compute looks after it."""
    container = servers.boot(flavor=SHARING)
    assert allowed(container) == "0-1"
    servers.abilities = replace(servers.abilities, shared_processors=frozenset({0}))
    servers.actions.lifecycle.start(servers.asked, servers.network)
    assert servers.guest.get().pid == container.pid
    assert allowed(container) == "0"


def test_processors_divided_later_hold_at_the_next_start(servers: Any) -> None:
    """A stopped container starts on the processors that are shared by then."""
    servers.boot(flavor=SHARING)
    servers.actions.lifecycle.stop(servers.asked.uuid, servers.network, 0)
    servers.abilities = replace(servers.abilities, shared_processors=frozenset({1}))
    servers.actions.lifecycle.start(servers.asked, servers.network)
    assert allowed(servers.guest.get()) == "1"


def test_a_host_that_shares_no_processor_refuses_first(servers: Any) -> None:
    """A server without processors of its own is refused before a container is made."""
    servers.abilities = replace(servers.abilities, shared_processors=frozenset())
    with pytest.raises(PolicyRefused, match="cpu_dedicated_set has every processor here"):
        servers.boot(flavor=SHARING)
    assert servers.guest.find() is None
