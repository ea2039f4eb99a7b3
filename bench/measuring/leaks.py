# SPDX-License-Identifier: Apache-2.0
"""Remains of many creates and deletes."""

import time
from collections.abc import Callable
from pathlib import Path

import psutil

from bench.archives import images
from bench.measuring.cloud import OURS, Cloud
from bench.measuring.figures import Verdict
from novadocker.cloud.machine.command import run
from novadocker.virt.docker.container.labels import LABEL_INSTANCE
from novadocker.virt.docker.images import NAMESPACE

FLAVOR = "c1.tiny"
WARM_UP = 5
# Pools of threads and connections fill up to their size, not with the number of servers.
ALLOWANCE = 5
SETTLE_SECONDS = 10.0
NAMESPACES = Path("/run/netns")


def measure(cloud: Cloud, count: int, tell: Callable[[str], None]) -> list[Verdict]:
    """Create and delete servers one after another, and compare the host's state.

    Args:
        cloud: where.
        count: how many.
        tell: is told how far it is.
    """
    with cloud.image(images.saved()) as image:
        _churn(cloud, image, WARM_UP, lambda _: None)
        kept, grown = _things(cloud), _growth(cloud)
        _churn(cloud, image, count, tell)
        time.sleep(SETTLE_SECONDS)
        left = {name: len(found - kept[name]) for name, found in _things(cloud).items()}
        more = {name: number - grown[name] for name, number in _growth(cloud).items()}
    suffix = f"left after {count} servers"
    return [
        *(Verdict(f"{name} {suffix}", number, 0, "") for name, number in left.items()),
        *(
            Verdict(f"{name} more than before", number, ALLOWANCE, "")
            for name, number in more.items()
        ),
    ]


def _churn(cloud: Cloud, image: str, count: int, tell: Callable[[str], None]) -> None:
    for number in range(count):
        cloud.delete(cloud.create(image, FLAVOR, OURS)[0])
        if (number + 1) % 10 == 0:
            tell(f"{number + 1} of {count} created and deleted")


def _things(cloud: Cloud) -> dict[str, set[str]]:
    """Return the host's present state, as names by kind."""
    switch = f"--db=unix:{cloud.host.switch_socket}"
    ports = run("ovs-vsctl", switch, "list-ports", cloud.host.integration_bridge)
    return {
        "containers": set(cloud.engine.labels_by_name(LABEL_INSTANCE)),
        "image tags": set(cloud.engine.image_tags(NAMESPACE)),
        "network namespaces": _entries(NAMESPACES),
        "network devices": set(psutil.net_if_addrs()),
        "switch ports": set(ports.split()),
        "Neutron ports": {port.id for port in cloud.admin.network.ports()},
        "Placement allocations": _allocations(cloud),
        "instance files": _entries(cloud.host.nova_state / "instances"),
    }


def _growth(cloud: Cloud) -> dict[str, int]:
    process = cloud.nova_compute()
    return {"threads": process.num_threads(), "descriptors": process.num_fds()}


def _allocations(cloud: Cloud) -> set[str]:
    placement = cloud.admin.placement
    query = f"/resource_providers?name={cloud.host.name}"
    (provider,) = placement.get(query).json()["resource_providers"]
    return set(
        placement.get(f"/resource_providers/{provider['uuid']}/allocations").json()["allocations"]
    )


def _entries(directory: Path) -> set[str]:
    return {each.name for each in directory.iterdir()} if directory.is_dir() else set()
