# SPDX-License-Identifier: Apache-2.0
from collections.abc import Iterator
from typing import Any

import pytest

from novadocker.virt.docker.compute import allocations
from novadocker.virt.docker.compute.allocations import Allocations
from tests.support.eventually import eventually
from tests.unit.virt.docker.nova_side import UUID

PROVIDER = "9de1c000-0000-4000-8000-000000000001"
HAD = {
    "allocations": {PROVIDER: {"generation": 7, "resources": {"VCPU": 1, "MEMORY_MB": 64}}},
    "project_id": "p1",
    "user_id": "u1",
    "consumer_generation": 3,
}


class Placement:
    """Placement with the allocation of one server."""

    def __init__(self) -> None:
        """Begin with the allocation."""
        self.has: dict[str, Any] = HAD
        self.put: list[Any] = []

    def get_allocs_for_consumer(self, context: Any, uuid: str) -> dict[str, Any]:
        """Return the allocation."""
        return self.has

    def put_allocations(self, context: Any, uuid: str, payload: Any) -> None:
        """Take an allocation."""
        self.put.append(payload)


class Nova:
    """Nova's task for one server."""

    busy = True
    knows = True

    def settled(self, uuid: str) -> bool:
        """Tell whether there is no task."""
        if not self.knows:
            raise LookupError(uuid)
        return not self.busy


@pytest.fixture
def placement(monkeypatch: pytest.MonkeyPatch) -> Iterator[Placement]:
    """Placement."""
    made = Placement()
    monkeypatch.setattr(allocations, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(allocations.report, "report_client_singleton", lambda: made)
    yield made
    made.has = HAD


def refuse(nova: Nova) -> None:
    """Refuse a rebuild."""
    with pytest.raises(ValueError, match="refused"), Allocations(nova.settled).kept(UUID):
        raise ValueError("refused")


def test_a_refused_rebuild_leaves_the_allocation(placement: Placement) -> None:
    """Nova drops the allocation before its task ends; afterwards it is as before."""
    nova = Nova()
    refuse(nova)
    placement.has = {"allocations": {}}
    assert placement.put == []
    nova.busy = False
    assert eventually(lambda: len(placement.put) == 1)
    assert placement.put == [
        {
            "allocations": {PROVIDER: {"resources": {"VCPU": 1, "MEMORY_MB": 64}}},
            "project_id": "p1",
            "user_id": "u1",
            "consumer_generation": None,
        }
    ]


@pytest.mark.parametrize("left", ["the allocation", "no instance"])
def test_nothing_is_put_where_nothing_is_missing(placement: Placement, left: str) -> None:
    """A later Nova may keep the allocation, and a deleted server needs none."""
    nova = Nova()
    refuse(nova)
    if left == "no instance":
        placement.has, nova.knows = {"allocations": {}}, False
    nova.busy = False
    assert not eventually(lambda: placement.put, 0.1)
