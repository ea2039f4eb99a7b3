# SPDX-License-Identifier: Apache-2.0
"""Processors that nova.conf sets aside, and those that Nova chose for a server."""

from pathlib import Path
from typing import Any

import pytest
from nova import exception, objects
from nova.objects.instance_numa import InstanceNUMACell, InstanceNUMATopology

from novadocker.virt.docker import translation
from novadocker.virt.docker.driver import CONF
from novadocker.virt.docker.translation.processors import shared_processors
from tests.unit.virt.docker.nova_side import instance


@pytest.fixture
def online(tmp_path: Path) -> Path:
    """Four processors in service."""
    path = tmp_path / "online"
    path.write_text("0-3\n")
    return path


@pytest.fixture(autouse=True)
def _as_configured() -> Any:
    """Options of one test are not the next one's."""
    yield
    for section, name in (
        ("compute", "cpu_shared_set"),
        ("compute", "cpu_dedicated_set"),
        ("libvirt", "cpu_power_management"),
    ):
        CONF.clear_override(name, group=section)


def divide(shared: str | None, dedicated: str | None) -> None:
    """Set the processors aside, as nova.conf does."""
    CONF.set_override("cpu_shared_set", shared, group="compute")
    CONF.set_override("cpu_dedicated_set", dedicated, group="compute")


@pytest.mark.parametrize(
    ("shared", "dedicated", "expected"),
    [
        (None, None, None),
        ("0-1", None, {0, 1}),
        ("0", "2-3", {0}),
        (None, "1-3", {0}),
        (None, "0-3", set()),
    ],
)
def test_servers_share_what_is_not_dedicated(
    online: Path, shared: str | None, dedicated: str | None, expected: set[int] | None
) -> None:
    """The shared set is nova.conf's, else the rest; undivided processors are no set at all."""
    divide(shared, dedicated)
    assert shared_processors(online) == expected


@pytest.mark.parametrize(
    ("shared", "dedicated", "words"),
    [
        ("2-5", None, r"cpu_shared_set names processors \[4, 5\]"),
        ("0-2", "2-3", r"both name processors \[2\]"),
    ],
)
def test_a_set_that_cannot_hold_is_refused(
    online: Path, shared: str, dedicated: str | None, words: str
) -> None:
    """The message names the processors that are absent, or in both sets."""
    divide(shared, dedicated)
    with pytest.raises(exception.Invalid, match=words):
        shared_processors(online)


def topology(*processors: int) -> InstanceNUMATopology:
    """Return the claim of a server that Nova pinned to some processors."""
    cell = InstanceNUMACell(
        id=0,
        memory=512,
        cpuset=set(),
        pcpuset=set(range(len(processors))),
        cpu_pinning_raw={str(own): host for own, host in enumerate(processors)},
    )
    return InstanceNUMATopology(cells=[cell])


def flavor(**extra_specs: str) -> objects.Flavor:
    """Return a flavor with some extra specs."""
    specs = {name.replace("__", ":"): value for name, value in extra_specs.items()}
    return objects.Flavor(
        vcpus=2, memory_mb=64, root_gb=0, swap=0, ephemeral_gb=0, extra_specs=specs
    )


@pytest.mark.parametrize("specs", [{"hw__cpu_policy": "dedicated"}, {"resources__PCPU": "2"}])
def test_a_pinned_server_has_the_processors_of_its_claim(specs: dict[str, str]) -> None:
    """Nova's choice becomes the container's processors, whichever way the flavor asks."""
    divide("0-1", "2-3")
    pinned = instance(flavor=flavor(**specs), numa_topology=topology(2, 3))
    assert translation.server(pinned).flavor.processors == {2, 3}
    assert translation.wishes(pinned, {}).dedicated


def test_a_server_that_asks_for_none_costs_no_look() -> None:
    """The topology of a server is read for those with a policy alone: it is in the database."""
    shared = instance(flavor=flavor())
    assert translation.server(shared).flavor.processors == frozenset()
    assert not shared.obj_attr_is_set("numa_topology")


def test_a_host_without_a_choice_of_novas_dedicates_nothing() -> None:
    """A server that asks for dedicated processors and got none is refused as such."""
    divide("0-1", "2-3")
    asking = instance(flavor=flavor(hw__cpu_policy="dedicated"), numa_topology=None)
    assert translation.server(asking).flavor.processors == frozenset()
    assert not translation.wishes(asking, {}).dedicated


def test_processors_that_libvirt_switches_off_are_not_dedicated() -> None:
    """A container would run on none of them: nobody would switch them on."""
    divide("0-1", "2-3")
    CONF.set_override("cpu_power_management", True, group="libvirt")
    pinned = instance(flavor=flavor(hw__cpu_policy="dedicated"), numa_topology=topology(2, 3))
    assert not translation.wishes(pinned, {}).dedicated


@pytest.mark.parametrize("shared", [None, "0-3"])
def test_a_choice_on_a_host_that_dedicates_nothing_is_no_dedication(shared: str | None) -> None:
    """Nova pins there as well, by its fallback for old hosts, and other servers run there too."""
    divide(shared, None)
    pinned = instance(flavor=flavor(hw__cpu_policy="dedicated"), numa_topology=topology(2, 3))
    assert translation.server(pinned).flavor.processors == frozenset()
    assert not translation.wishes(pinned, {}).dedicated


def test_a_resize_counts_on_the_processors_of_the_new_claim() -> None:
    """Before the resize is finished the record still has the old ones."""
    divide("0-1", "2-3")
    context = objects.MigrationContext(
        migration_id=1, old_numa_topology=None, new_numa_topology=topology(1, 3)
    )
    resizing = instance(flavor=flavor(), numa_topology=None, migration_context=context)
    new = flavor(hw__cpu_policy="dedicated")
    assert translation.server(resizing, flavor=new).flavor.processors == {1, 3}
    assert translation.wishes(resizing, {}, flavor=new).dedicated
