# SPDX-License-Identifier: Apache-2.0
"""Random walk of a server through a tenant's actions, as a table."""

import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from openstack.exceptions import ConflictException

from tests.support.agreement import (
    GONE,
    Belief,
    disagreements,
    mark,
)
from tests.support.cloud_site import Site, Tenant, until

PATIENCE = 20
SMALL, LARGE = "c1.nano", "c1.tiny"
ANY = frozenset({"ACTIVE", "SHUTOFF", "PAUSED", "RESCUE", "VERIFY_RESIZE", GONE})


@dataclass
class Walker:
    """Server of the walk, with the expected state.

    Args:
        site: the cloud.
        tenant: makes its servers.
        image: image of the server.
        standing: another server, which asks for its page.
        spare: a second network.
        chance: chooses.
        due: names of actions that it prefers, so that several walkers leave none out.
    """

    site: Site
    tenant: Tenant
    image: str
    standing: str
    spare: str
    chance: random.Random
    due: frozenset[str]
    belief: Belief = field(default_factory=lambda: Belief(""))
    locked: bool = False
    extra: str = ""
    before_resize: tuple[str, str] = ("", "")
    built_large: bool = False
    story: list[str] = field(default_factory=list)

    @property
    def server(self) -> str:
        """The id of its server."""
        return self.belief.server

    def begin(self) -> None:
        """Make a server with a file in it."""
        self.extra, self.built_large = "", False
        self.belief = Belief(self.tenant.boot(self.image), mark=uuid.uuid4().hex)
        mark(self.site, self.belief)

    def end(self) -> None:
        """Let the server be deleted."""
        if self.locked:
            _unlock(self)

    def step(self) -> None:
        """Do an action allowed by Nova now, and look."""
        legal = [action for action in ACTIONS if action.allowed(self)]
        new = [action for action in legal if action.name not in self.story]
        due = [action for action in new if action.name in self.due]
        action = self.chance.choice(due or new or legal)
        self.story.append(action.name)
        action.do(self)
        self.belief.status = action.status or self.belief.status
        self.check()

    def check(self) -> None:
        """Compare the server's state among all parties."""
        self.site.wait(self.server, self.belief.status)
        found = ["not looked for yet"]

        def agreed() -> bool:
            found[:] = disagreements(self.site, self.standing, self.belief)
            return not found

        try:
            until(agreed, "agreement", PATIENCE)
        except pytest.fail.Exception:
            raise AssertionError(f"{self.server}, {self.story}: {found}") from None


@dataclass(frozen=True)
class Action:
    """Action of a tenant.

    Args:
        name: name of the action.
        when: the statuses in which Nova allows it.
        do: asks for it, and says what else of the server it changes.
        status: server's status afterwards; empty without a change, or where
            ``do`` says it.
        unless: says whether something else than the status forbids it.
        locked: the action is for locked servers, else for the others.
    """

    name: str
    when: frozenset[str]
    do: Callable[[Walker], None]
    status: str = ""
    unless: Callable[[Walker], bool] = lambda _: False
    locked: bool = False

    def allowed(self, walker: Walker) -> bool:
        """Say whether Nova allows it now."""
        return (
            walker.belief.status in self.when
            and walker.locked is self.locked
            and not self.unless(walker)
        )


def _lock(walker: Walker) -> None:
    walker.site.demo.compute.lock_server(walker.server)
    walker.locked = True


def _unlock(walker: Walker) -> None:
    walker.site.demo.compute.unlock_server(walker.server)
    walker.locked = False


def _refused(walker: Walker) -> None:
    with pytest.raises(ConflictException):
        walker.site.demo.compute.reboot_server(walker.server, "HARD")


def _illegal(walker: Walker) -> None:
    compute, status = walker.site.demo.compute, walker.belief.status
    illegal = {"ACTIVE": compute.start_server, "SHUTOFF": compute.pause_server}
    for ask in illegal[status], compute.unpause_server, compute.unrescue_server:
        with pytest.raises(ConflictException):
            ask(walker.server)


def _set_metadata(walker: Walker) -> None:
    metadata = {f"key{walker.chance.randrange(3)}": str(len(walker.story))}
    walker.site.demo.compute.set_server_metadata(walker.server, **metadata)
    walker.belief.metadata |= metadata


def _attach(walker: Walker) -> None:
    compute, network = walker.site.demo.compute, walker.site.demo.network
    made = compute.create_server_interface(
        walker.server, net_id=network.find_network(walker.spare).id
    )
    walker.extra, walker.belief.ports = made.port_id, 2


def _detach(walker: Walker) -> None:
    walker.site.demo.compute.delete_server_interface(walker.extra, server=walker.server)
    walker.extra, walker.belief.ports = "", 1
    until(lambda: len(walker.site.ports(walker.server)) == 1, "the port to be detached")


def _resize(walker: Walker) -> None:
    flavor = SMALL if walker.belief.flavor == LARGE else LARGE
    compute = walker.site.demo.compute
    compute.resize_server(walker.server, compute.find_flavor(flavor).id)
    walker.before_resize = (walker.belief.flavor, walker.belief.status)
    walker.belief.flavor = flavor
    walker.belief.powered = walker.belief.status == "ACTIVE"


def _confirm(walker: Walker) -> None:
    walker.site.demo.compute.confirm_server_resize(walker.server)
    walker.belief.status = walker.before_resize[1]


def _revert(walker: Walker) -> None:
    walker.site.demo.compute.revert_server_resize(walker.server)
    walker.belief.flavor, walker.belief.status = walker.before_resize


def _rebuild(walker: Walker) -> None:
    walker.site.demo.compute.rebuild_server(walker.server, image=walker.image)
    walker.belief.mark, walker.built_large = "", walker.belief.flavor == LARGE


def _snapshot(walker: Walker) -> None:
    glance = walker.site.demo.image
    name = f"test-{uuid.uuid4().hex[:8]}"
    made = walker.site.demo.compute.create_server_image(walker.server, name)
    walker.site.wait(walker.server, walker.belief.status)
    until(lambda: glance.get_image(made.id).status == "active", f"image {made.id} to be active")
    glance.delete_image(made.id)


def _another(walker: Walker) -> None:
    walker.tenant.delete(walker.server)
    walker.begin()


def _ask(name: str) -> Callable[[Walker], None]:
    return lambda walker: getattr(walker.site.demo.compute, name)(walker.server)


def _reboot(kind: str) -> Callable[[Walker], None]:
    return lambda walker: walker.site.demo.compute.reboot_server(walker.server, kind)


def _when(*statuses: str) -> frozenset[str]:
    return frozenset(statuses)


ACTIONS = (
    Action("stop", _when("ACTIVE"), _ask("stop_server"), "SHUTOFF"),
    Action("start", _when("SHUTOFF"), _ask("start_server"), "ACTIVE"),
    Action("reboot softly", _when("ACTIVE"), _reboot("SOFT"), "ACTIVE"),
    Action("reboot hard", _when("ACTIVE", "SHUTOFF", "PAUSED"), _reboot("HARD"), "ACTIVE"),
    Action("pause", _when("ACTIVE"), _ask("pause_server"), "PAUSED"),
    Action("unpause", _when("PAUSED"), _ask("unpause_server"), "ACTIVE"),
    Action("lock", _when("ACTIVE", "SHUTOFF", "PAUSED"), _lock),
    Action("be refused while locked", ANY, _refused, locked=True),
    Action("unlock", ANY, _unlock, locked=True),
    Action("ask for what is not legal", _when("ACTIVE", "SHUTOFF"), _illegal),
    Action("set metadata", _when("ACTIVE", "SHUTOFF", "PAUSED"), _set_metadata),
    Action(
        "attach an interface",
        _when("ACTIVE", "SHUTOFF", "PAUSED"),
        _attach,
        unless=lambda walker: bool(walker.extra),
    ),
    Action(
        "detach an interface",
        _when("ACTIVE", "SHUTOFF", "PAUSED"),
        _detach,
        unless=lambda walker: not walker.extra,
    ),
    Action(
        "resize",
        _when("ACTIVE", "SHUTOFF"),
        _resize,
        "VERIFY_RESIZE",
        # Nova resizes no server to a smaller disk than it was built with.
        unless=lambda walker: walker.built_large,
    ),
    Action("confirm the resize", _when("VERIFY_RESIZE"), _confirm),
    Action("revert the resize", _when("VERIFY_RESIZE"), _revert),
    Action("rescue", _when("ACTIVE", "SHUTOFF"), _ask("rescue_server"), "RESCUE"),
    Action("unrescue", _when("RESCUE"), _ask("unrescue_server"), "ACTIVE"),
    Action("rebuild", _when("ACTIVE", "SHUTOFF"), _rebuild),
    Action("snapshot", _when("ACTIVE", "SHUTOFF", "PAUSED"), _snapshot),
    Action("shelve", _when("ACTIVE", "SHUTOFF", "PAUSED"), _ask("shelve_server"), GONE),
    Action("unshelve", _when(GONE), _ask("unshelve_server"), "ACTIVE"),
    Action("delete, and make another", ANY, _another, "ACTIVE"),
)
