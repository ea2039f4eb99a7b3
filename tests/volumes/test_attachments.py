# SPDX-License-Identifier: Apache-2.0
"""Volumes attached to servers and detached from them, with every kind of backend."""

import pytest

from tests.support.cloud_site import Site
from tests.volumes.conftest import PLACE, Volumes, read, write

TYPES = ("files", "nfs")


@pytest.mark.parametrize("kind", TYPES)
def test_a_volume_comes_and_goes_and_keeps_its_data(
    site: Site, server: str, volumes: Volumes, kind: str
) -> None:
    """A running server gets a volume at once and again later, with every backend."""
    volume = volumes.make(kind, docker_mount_point=PLACE)
    volumes.attach(server, volume)
    write(site, server, "kept")
    volumes.detach(server, volume)
    assert site.run(server, "ls", PLACE) == ""
    assert volumes.remains(volume) == []
    volumes.attach(server, volume)
    assert read(site, server) == "kept"
    volumes.detach(server, volume)
