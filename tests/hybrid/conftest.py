# SPDX-License-Identifier: Apache-2.0
"""A cloud whose host runs virtual machines beside containers; ``./test hybrid`` brings it up."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from novadocker.cloud.samples import CACHE, machine
from novadocker.cloud.underlay import libvirt
from tests.support.cloud_site import Site, Tenant, until

# QEMU interprets here: a kernel takes its time.
PATIENCE = 240


@dataclass(frozen=True)
class Domains:
    """Domains of the host's libvirtd.

    Attributes:
        site: the cloud.
    """

    site: Site

    def uuids(self) -> set[str]:
        """Return the ids of all domains, running or not."""
        return set(self._virsh("list", "--all", "--uuid").split())

    def state(self, server: str) -> str:
        """Return a domain's state, in virsh's words."""
        return self._virsh("domstate", server).strip()

    def define(self, server: str) -> None:
        """Define a machine without disks under a server's id; the machine does not run."""
        described = (
            f"<domain type='qemu'><name>foreign-{server[:8]}</name><uuid>{server}</uuid>"
            "<memory unit='MiB'>64</memory><vcpu>1</vcpu>"
            "<os><type arch='x86_64'>hvm</type></os></domain>"
        )
        self._virsh("define", "/dev/stdin", text=described)

    def _virsh(self, *words: str, text: str = "") -> str:
        done = subprocess.run(
            ["virsh", "--connect", libvirt.uri(self.site.host), *words],
            check=True,
            input=text,
            capture_output=True,
            text=True,
            timeout=60,
        )
        return done.stdout


def inventory(site: Site) -> dict[str, int]:
    """Return the host's amounts in Placement."""
    (provider,) = site.admin.placement.resource_providers()
    url = f"/resource_providers/{provider.id}/inventories"
    found = site.admin.placement.get(url).json()["inventories"]
    return {name: each["total"] for name, each in found.items()}


def usage(site: Site) -> dict[str, int]:
    """Return the host's amounts in use."""
    (provider,) = site.admin.placement.resource_providers()
    answer = site.admin.placement.get(f"/resource_providers/{provider.id}/usages").json()
    return dict(answer["usages"])


def killed(site: Site) -> None:
    """Kill nova-compute, and wait until it answers again."""
    dead = site.pid("nova-compute")
    os.kill(dead, signal.SIGKILL)
    until(lambda: site.pid("nova-compute") not in (0, dead), "the supervisor to start Nova")
    site.start("nova-compute")


@pytest.fixture(scope="session")
def domains(site: Site) -> Domains:
    """Libvirt's side of the host."""
    assert site.host.has_machines, "the cloud is not hybrid: novadocker-cloud up --driver hybrid"
    return Domains(site)


@pytest.fixture(scope="session")
def machine_image(site: Site) -> Iterator[str]:
    """The id of the uploaded image of a tiny virtual machine."""
    tenant = Tenant(site)
    try:
        yield tenant.upload(machine.saved(CACHE), container_format="bare", disk_format="qcow2")
    finally:
        tenant.leave()


@pytest.fixture(scope="module")
def boot_machine(
    site: Site, owner: Tenant, domains: Domains, machine_image: str
) -> Callable[..., str]:
    """A function that boots a virtual machine and returns its id."""

    def boot(**values: str) -> str:
        server = owner.request(machine_image, **({"flavor": "c1.small"} | values))
        site.wait(server, "ACTIVE", PATIENCE)
        assert server in domains.uuids()
        return server

    return boot
