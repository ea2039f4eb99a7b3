# SPDX-License-Identifier: Apache-2.0
"""A cloud with Cinder, and volumes of a tenant in it; ``./test volumes`` brings it up."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from openstack.exceptions import NotFoundException

from novadocker.cloud.storage import loops, share
from tests.support.cloud_fixtures import additions
from tests.support.cloud_site import Site, Tenant, until

PLACE = "/var/lib/data"
FILE = f"{PLACE}/file"
GIB = 1 << 30


@pytest.fixture(scope="session", autouse=True)
def _cinder(site: Site) -> Iterator[None]:
    with additions(site, "cinder"):
        yield


@dataclass
class Volumes:
    """Volumes of a tenant; none is left afterwards.

    Attributes:
        site: the cloud.
        made: ids of the volumes that are to be deleted.
    """

    site: Site
    made: list[str] = field(default_factory=list)

    @property
    def storage(self) -> Any:
        """Cinder's API for the tenant."""
        return self.site.demo.block_storage

    def make(self, kind: str = "files", **metadata: str) -> str:
        """Make a volume of 1 GiB and return its id."""
        name = f"test-{uuid.uuid4().hex[:8]}"
        made = self.storage.create_volume(size=1, name=name, volume_type=kind, metadata=metadata)
        self.made.append(made.id)
        self.wait(made.id, "available")
        return str(made.id)

    def status(self, volume: str) -> str:
        """Return the status of a volume."""
        return str(self.storage.get_volume(volume).status)

    def wait(self, volume: str, status: str) -> None:
        """Wait until a volume has a status."""
        until(lambda: self.status(volume) == status, f"volume {volume} to be {status}")

    def attach(self, server: str, volume: str, **values: Any) -> None:
        """Attach a volume and wait until it is in use."""
        compute = self.site.demo.compute
        compute.create_volume_attachment(server, volume_id=volume, **values)
        self.wait(volume, "in-use")

    def detach(self, server: str, volume: str, left: str = "available") -> None:
        """Detach a volume and wait until it has the status that is left to it."""
        self.site.demo.compute.delete_volume_attachment(server, volume)
        until(lambda: volume not in self.of(server), f"volume {volume} to be detached")
        self.wait(volume, left)

    def of(self, server: str) -> set[str]:
        """Return the volumes of a server, as Nova knows them."""
        found = self.site.demo.compute.volume_attachments(server)
        return {each.volume_id for each in found}

    def remains(self, volume: str) -> list[str]:
        """Return whatever of a detached volume is left on the host."""
        files = loops.below(share.directory(self.site.layout))
        devices = [f"loop device of {file}" for file in files if volume in file.name]
        records = self.site.host.nova_state.glob(f"novadocker/volumes/*/{volume}.json")
        attachments = self.site.admin.block_storage.get_volume(volume).attachments
        return [*devices, *map(str, records), *(f"attachment {each}" for each in attachments)]

    def leave(self) -> None:
        """Delete all; each has to be held by nobody."""
        for volume in self.made:
            self.wait(volume, "available")
            assert not self.remains(volume)
            self.storage.delete_volume(volume)
        for volume in self.made:
            until(lambda volume=volume: self._is_gone(volume), f"volume {volume} to be deleted")

    def _is_gone(self, volume: str) -> bool:
        try:
            self.storage.get_volume(volume)
        except NotFoundException:
            return True
        return False


@pytest.fixture(scope="module")
def server(owner: Tenant, web: str) -> str:
    """A web server, ACTIVE before and after each test."""
    return owner.boot(web)


@pytest.fixture
def volumes(site: Site, server: str) -> Iterator[Volumes]:
    """A maker of volumes, which are deleted before the server is."""
    made = Volumes(site)
    yield made
    for volume in made.made:
        if volume in made.of(server):  # of a test that failed
            made.detach(server, volume)
    made.leave()


def write(site: Site, server: str, text: str) -> None:
    """Write a file on the volume, down to the device."""
    site.run(server, "sh", "-c", f"echo {text} > {FILE}; sync")


def read(site: Site, server: str) -> str:
    """Return that file."""
    return site.run(server, "cat", FILE).strip()
