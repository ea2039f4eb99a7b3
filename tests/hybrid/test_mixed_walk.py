# SPDX-License-Identifier: Apache-2.0
"""Random walk of servers of both kinds on one host, with Placement's sums after every step."""

import os
import random
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from tests.hybrid.conftest import PATIENCE, Domains, inventory, usage
from tests.support.cloud_site import Site, Tenant, until

STEPS = int(os.environ.get("NOVADOCKER_WALK_STEPS", "24"))
SEED = int(os.environ.get("NOVADOCKER_WALK_SEED", "18"))
CONTAINER, MACHINE = "container", "machine"


@dataclass
class Server:
    """A server of the walk, as its tenant believes it to be.

    Attributes:
        kind: container or machine.
        uuid: id in Nova.
        flavor: name of the flavor.
        status: status in Nova.
    """

    kind: str
    uuid: str
    flavor: str
    status: str = "ACTIVE"


@dataclass
class Walk:
    """Servers of both kinds, and the means to act on them.

    Attributes:
        site: the cloud.
        tenant: owner of the servers.
        images: ids of the images by kind.
        chance: chooses server and action.
        servers: servers that are there.
        story: steps so far.
    """

    site: Site
    tenant: Tenant
    images: dict[str, str]
    chance: random.Random
    servers: list[Server] = field(default_factory=list)
    story: list[str] = field(default_factory=list)

    def make(self, kind: str) -> None:
        """Make a server of a kind."""
        flavor = FLAVORS[kind][0]
        uuid = self.tenant.request(self.images[kind], flavor=flavor)
        self.servers.append(Server(kind, uuid, flavor))
        self.site.wait(uuid, "ACTIVE", PATIENCE)

    def step(self) -> None:
        """Do one thing to one server, and compare all with Placement."""
        server = self.chance.choice(self.servers)
        action = self.chance.choice([each for each in ACTIONS if each.allowed(server)])
        self.story.append(f"{server.kind}: {action.name}")
        action.do(self, server)
        server.status = action.status or server.status
        self.site.wait(server.uuid, server.status, PATIENCE)


@dataclass(frozen=True)
class Action:
    """One thing that a tenant may ask for.

    Attributes:
        name: word for the story.
        when: statuses in which Nova allows it.
        do: asks for it.
        status: status afterwards, "" where none changes.
        of: kinds that can.
        unless: tells that this server cannot.
    """

    name: str
    when: tuple[str, ...]
    do: Callable[[Walk, Server], None]
    status: str = ""
    of: tuple[str, ...] = (CONTAINER, MACHINE)
    unless: Callable[[Server], bool] = lambda _: False

    def allowed(self, server: Server) -> bool:
        """Say whether a server may do it now."""
        fits = server.status in self.when and server.kind in self.of
        return fits and not self.unless(server)


FLAVORS = {CONTAINER: ("c1.nano", "c1.tiny"), MACHINE: ("c1.tiny", "c1.small")}


def _ask(name: str, *words: str) -> Callable[[Walk, Server], None]:
    return lambda walk, server: getattr(walk.site.demo.compute, name)(server.uuid, *words)


def _rebuild(walk: Walk, server: Server) -> None:
    walk.site.demo.compute.rebuild_server(server.uuid, image=walk.images[server.kind])


def _rebuild_to_the_other_kind(walk: Walk, server: Server) -> None:
    other = MACHINE if server.kind == CONTAINER else CONTAINER
    walk.site.demo.compute.rebuild_server(server.uuid, image=walk.images[other])
    until(lambda: walk.site.server(server.uuid).status != "REBUILD", "the refusal", PATIENCE)
    own = walk.images[server.kind]
    until(lambda: walk.site.server(server.uuid).image.id == own, "the record to be mended")


def _resize(walk: Walk, server: Server) -> None:
    compute, small, large = walk.site.demo.compute, *FLAVORS[server.kind]
    wanted = large if server.flavor == small else small
    compute.resize_server(server.uuid, compute.find_flavor(wanted).id)
    walk.site.wait(server.uuid, "VERIFY_RESIZE", PATIENCE)
    if walk.chance.choice((True, False)):
        compute.revert_server_resize(server.uuid)
        return
    compute.confirm_server_resize(server.uuid)
    server.flavor = wanted


def _has_grown(server: Server) -> bool:
    # Libvirt's driver makes no disk smaller.
    return server.kind == MACHINE and server.flavor == FLAVORS[MACHINE][1]


def _another(walk: Walk, server: Server) -> None:
    walk.tenant.delete(server.uuid)
    walk.servers.remove(server)
    walk.make(server.kind)
    server.uuid = walk.servers[-1].uuid


ACTIONS = (
    Action("stop", ("ACTIVE",), _ask("stop_server"), "SHUTOFF"),
    Action("start", ("SHUTOFF",), _ask("start_server"), "ACTIVE"),
    Action("pause", ("ACTIVE",), _ask("pause_server"), "PAUSED"),
    Action("unpause", ("PAUSED",), _ask("unpause_server"), "ACTIVE"),
    Action("reboot", ("ACTIVE",), _ask("reboot_server", "HARD"), "ACTIVE"),
    Action("suspend", ("ACTIVE",), _ask("suspend_server"), "SUSPENDED", (MACHINE,)),
    Action("resume", ("SUSPENDED",), _ask("resume_server"), "ACTIVE", (MACHINE,)),
    Action("rebuild", ("ACTIVE",), _rebuild, "ACTIVE"),
    Action("rebuild to the other kind", ("ACTIVE",), _rebuild_to_the_other_kind, "ACTIVE"),
    Action("resize", ("ACTIVE",), _resize, "ACTIVE", unless=_has_grown),
    Action("delete, and make another", ("ACTIVE", "SHUTOFF", "PAUSED"), _another, "ACTIVE"),
)


def fixed(site: Site) -> dict[str, int]:
    """Return the inventory without the memory, which a test machine may give back to its host."""
    return {name: total for name, total in inventory(site).items() if name != "MEMORY_MB"}


@pytest.mark.timeout(1800)
def test_placement_counts_both_kinds_through_a_random_walk(
    site: Site, tenant: Tenant, domains: Domains, web: str, machine_image: str
) -> None:
    """Usage is the sum of the flavors, the inventory stays, and each engine has its own."""
    images = {CONTAINER: web, MACHINE: machine_image}
    walk = Walk(site, tenant, images, random.Random(SEED))  # noqa: S311 - a walk
    before = fixed(site)
    for kind in (CONTAINER, MACHINE, CONTAINER):
        walk.make(kind)
    for _ in range(STEPS):
        walk.step()
        flavors = [site.demo.compute.find_flavor(each.flavor) for each in walk.servers]
        expected = {
            "VCPU": sum(each.vcpus for each in flavors),
            "MEMORY_MB": sum(each.ram for each in flavors),
            "DISK_GB": sum(each.disk for each in flavors),
        }
        until(lambda: usage(site) == expected, f"usage {expected} after {walk.story}")  # noqa: B023
        assert fixed(site) == before, walk.story
        machines = {each.uuid for each in walk.servers if each.kind == MACHINE}
        assert domains.uuids() == machines, walk.story
        containers = {
            each["Labels"]["novadocker.instance"] for each in site.engine.containers(all=True)
        }
        assert containers == {each.uuid for each in walk.servers} - machines, walk.story
