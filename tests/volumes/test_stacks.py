# SPDX-License-Identifier: Apache-2.0
"""Volumes that are resources of a stack, and a database that keeps its data on one."""

import pytest

from novadocker.cloud.samples import CACHE
from novadocker.cloud.samples.applications import APPLICATIONS
from tests.support.cloud_site import Site, Tenant, until
from tests.support.cloud_stacks import EXAMPLES, Stacks

TEMPLATE = EXAMPLES / "heat/volume.yaml"


@pytest.fixture(scope="module")
def redis(site: Site, owner: Tenant) -> str:
    """The id of an image with a database."""
    return owner.upload(APPLICATIONS["redis"].saved(CACHE, site.host.engine.url))


def test_a_database_of_a_stack_keeps_its_data_over_a_rebuild(
    site: Site, stacks: Stacks, redis: str
) -> None:
    """A key that was saved is there after a rebuild, and the stack takes volume and server away."""
    stack = stacks.create(TEMPLATE, image=redis)
    server, volume = stacks.output(stack, "server"), stacks.output(stack, "volume")
    assert " /var/lib/redis ext4 " in site.run(server, "cat", "/proc/mounts")
    until(lambda: _asked(site, server, "ping") == "PONG", "the database to answer")
    assert _asked(site, server, "set", "colour", "green") == "OK"
    assert _asked(site, server, "save") == "OK"
    site.demo.compute.rebuild_server(server, image=redis)
    site.wait(server, "ACTIVE")
    until(lambda: _asked(site, server, "get", "colour") == "green", "the database to know it")
    stacks.check(stack)
    stacks.delete(stack)
    assert site.demo.block_storage.find_volume(volume) is None


def _asked(site: Site, server: str, *words: str) -> str:
    script = 'redis-cli "$@" 2>&1 || true'
    return site.run(server, "sh", "-c", script, "sh", *words).strip()
