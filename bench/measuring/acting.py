# SPDX-License-Identifier: Apache-2.0
"""Every action, in turn with the fake driver's and the bare engine's."""

import contextlib
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bench.measuring import figures
from bench.measuring.cloud import FAKE, OURS, Cloud
from bench.measuring.figures import Verdict
from bench.measuring.twin import Twin, twin
from novadocker.policy import Flavor

# Nova resizes no server to a smaller disk than it was booted with.
FLAVOR, OTHER = "c1.nano", "c1.tiny"


@dataclass(frozen=True)
class Action:
    """Action of a tenant on a server.

    Args:
        name: word for the tables.
        ask: asks Nova for it, of a server.
        status: server's status afterwards.
        engine: does the same to a twin; None where the engine has nothing like it.
        ports: how many ports the server has when it is done.
        scheduled: Nova looks for a host, and must find the present one.
    """

    name: str
    ask: Callable[[Cloud, str], Any]
    status: str
    engine: Callable[[Twin], None] | None
    ports: int = 1
    scheduled: bool = False


def _call(name: str, *arguments: Any) -> Callable[[Cloud, str], Any]:
    return lambda cloud, server: getattr(cloud.tenant.compute, name)(server, *arguments)


def _resize(flavor: str) -> Callable[[Cloud, str], Any]:
    return lambda cloud, server: cloud.tenant.compute.resize_server(server, cloud.flavor(flavor).id)


def _rebuild(cloud: Cloud, server: str) -> None:
    image = cloud.tenant.compute.get_server(server).image.id
    cloud.tenant.compute.rebuild_server(server, image=image)


def _attach(cloud: Cloud, server: str) -> None:
    cloud.tenant.compute.create_server_interface(server, net_id=cloud.network)


def _detach(cloud: Cloud, server: str) -> None:
    *_, port = cloud.tenant.network.ports(device_id=server)
    cloud.tenant.compute.delete_server_interface(port.id, server=server)


def _nothing(_: Twin) -> None:
    """Do nothing: Nova alone is asked."""


# In an order in which each may follow the one before, from a server that runs to one that does.
ACTIONS = (
    Action("pause", _call("pause_server"), "PAUSED", Twin.pause),
    Action("unpause", _call("unpause_server"), "ACTIVE", Twin.unpause),
    Action("stop", _call("stop_server"), "SHUTOFF", Twin.stop),
    Action("start", _call("start_server"), "ACTIVE", Twin.start),
    Action("reboot, soft", _call("reboot_server", "SOFT"), "ACTIVE", Twin.reboot_softly),
    Action("reboot, hard", _call("reboot_server", "HARD"), "ACTIVE", Twin.reboot_hard),
    Action("console log", _call("get_server_console_output"), "ACTIVE", Twin.tail),
    Action("snapshot", _call("create_server_image", "bench-snapshot"), "ACTIVE", Twin.save),
    Action("rebuild", _rebuild, "ACTIVE", Twin.rebuild),
    Action("rescue", _call("rescue_server"), "RESCUE", Twin.rescue),
    Action("unrescue", _call("unrescue_server"), "ACTIVE", Twin.unrescue),
    Action("resize", _resize(OTHER), "VERIFY_RESIZE", Twin.resize, scheduled=True),
    Action("resize: revert", _call("revert_server_resize"), "ACTIVE", Twin.resize),
    Action("resize", _resize(OTHER), "VERIFY_RESIZE", Twin.resize, scheduled=True),
    Action("resize: confirm", _call("confirm_server_resize"), "ACTIVE", _nothing),
    Action("attach an interface", _attach, "ACTIVE", None, ports=2),
    Action("detach an interface", _detach, "ACTIVE", None),
    Action("shelve", _call("shelve_server"), "SHELVED_OFFLOADED", Twin.shelve),
    Action("unshelve", _call("unshelve_server"), "ACTIVE", Twin.unshelve, scheduled=True),
    Action("delete", _call("delete_server"), "", Twin.remove, ports=0),
)


@dataclass
class Measured:
    """Seconds by action, in the order of measurement."""

    ours: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    fake: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    engine: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def verdicts(self) -> list[Verdict]:
        """Judge each action known to the engine too."""
        return [
            figures.action_verdict(name, self.ours[name], self.fake[name], engine)
            for name, engine in self.engine.items()
        ]

    def table(self) -> str:
        """Write the figures as a table."""
        return figures.actions_table(self.ours, self.fake, self.engine)


def measure(
    cloud: Cloud, image: str, count: int, only: str, tell: Callable[[str], None]
) -> Measured:
    """Measure all actions in rounds, ours, the fake driver's and the engine's in turn.

    Args:
        cloud: where.
        image: a small one.
        count: how many rounds.
        only: measure no others than those whose name has this in it; all are done.
        tell: is told how far it is.
    """
    done = Measured()
    found = cloud.flavor(FLAVOR)
    flavor = Flavor(vcpus=found.vcpus, memory_mib=found.ram, root_gib=found.disk)
    cloud.delete(cloud.create(image, FLAVOR)[0])  # the first server loads the image
    for number in range(count):
        with twin(cloud, image, flavor) as bare:
            bare.create()
            bare.start()
            servers = {zone: cloud.create(image, FLAVOR, zone)[0] for zone in (OURS, FAKE)}
            for action in ACTIONS:
                _measure(cloud, action, servers, bare, done if only in action.name else Measured())
        tell(f"round {number + 1} of {count}")
    return done


def _measure(
    cloud: Cloud, action: Action, servers: dict[str, str], bare: Twin, done: Measured
) -> None:
    # In turn, since the machine is busier at one time than at another.
    for zone, seconds in ((OURS, done.ours), (FAKE, done.fake)):
        alone = action.scheduled and zone == OURS
        with cloud.without_fake() if alone else contextlib.nullcontext():
            seconds[action.name].append(
                cloud.act(servers[zone], action.ask, action.status, action.ports)
            )
    if action.engine:
        began = time.monotonic()
        action.engine(bare)
        done.engine[action.name].append(time.monotonic() - began)
