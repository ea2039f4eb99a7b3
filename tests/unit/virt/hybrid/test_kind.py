# SPDX-License-Identifier: Apache-2.0
"""Search for the engine that has a server."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from nova import exception
from nova.objects.image_meta import ImageMeta

from novadocker.virt.hybrid.kind import Finder, Kind, kind_of_image
from tests.unit.virt.hybrid.servers import Record, image


@dataclass
class FakeSide:
    """An engine with some servers, or an engine that does not answer."""

    uuids: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    away: bool = False

    def has(self, instance: Any) -> bool:
        """Look a server up."""
        self.asked.append(instance.uuid)
        if self.away:
            raise exception.HypervisorUnavailable(host="h1")
        return instance.uuid in self.uuids

    def image_of(self, uuid: str) -> str:
        """Know no image."""
        return ""


@pytest.fixture
def sides() -> dict[Kind, FakeSide]:
    """Two empty engines."""
    return {kind: FakeSide() for kind in Kind}


@pytest.mark.parametrize(
    ("meta", "kind"),
    [
        (image(container_format="docker"), Kind.CONTAINER),
        (image(container_format="bare"), Kind.MACHINE),
        (image(container_format="bare", properties={"img_hv_type": "docker"}), Kind.CONTAINER),
        (image(container_format="bare", properties={"img_hv_type": "qemu"}), Kind.MACHINE),
        (image(properties={"img_hv_type": "docker"}), Kind.CONTAINER),
        (image(), Kind.MACHINE),
    ],
)
def test_an_image_makes_one_kind(meta: ImageMeta, kind: Kind) -> None:
    """Format or hypervisor type mark an image of containers; an unmarked image makes a machine."""
    assert kind_of_image(meta) is kind


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("record", ["docker", "bare"])
def test_the_engine_that_has_a_server_decides(
    sides: dict[Kind, FakeSide], kind: Kind, record: str
) -> None:
    """A record that names the other engine, as after a refused rebuild, changes nothing."""
    sides[kind].uuids.add("a")
    finder = Finder(sides)
    assert finder.incumbent(Record("a", record)) is kind
    assert finder.kind_of(Record("a", record)) is kind
    assert finder.kinds_to_remove(Record("a", record)) == [kind]


def test_the_record_decides_where_neither_engine_has_the_server(
    sides: dict[Kind, FakeSide],
) -> None:
    """A server that is not built yet, or lost, belongs to the engine of its image."""
    finder = Finder(sides)
    assert finder.incumbent(Record("a", "docker")) is None
    assert finder.kind_of(Record("a", "docker")) is Kind.CONTAINER
    assert finder.kinds_to_remove(Record("a", "bare")) == [Kind.MACHINE]


def test_a_server_found_once_is_looked_for_there_first(sides: dict[Kind, FakeSide]) -> None:
    """The second search asks one engine and loads no record; a call's dispatch asks none."""
    sides[Kind.CONTAINER].uuids.add("a")
    finder = Finder(sides)
    finder.kind_of(Record("a", "bare"))
    for side in sides.values():
        side.asked.clear()
    assert finder.kind_of(Record("a", None)) is Kind.CONTAINER
    assert sides[Kind.CONTAINER].asked == []
    assert finder.incumbent(Record("a", None)) is Kind.CONTAINER
    assert sides[Kind.MACHINE].asked == []


def test_a_removal_forgets_where_a_server_was(sides: dict[Kind, FakeSide]) -> None:
    """A server that is built anew, as in a rebuild, is looked for again."""
    sides[Kind.CONTAINER].uuids.add("a")
    finder = Finder(sides)
    finder.kind_of(Record("a"))
    assert finder.kinds_to_remove(Record("a")) == [Kind.CONTAINER]
    sides[Kind.CONTAINER].uuids.clear()
    assert finder.kind_of(Record("a", "bare")) is Kind.MACHINE


def test_a_hint_that_is_wrong_does_no_harm(sides: dict[Kind, FakeSide]) -> None:
    """A server that moved to the other engine is found there by the next search."""
    sides[Kind.CONTAINER].uuids.add("a")
    finder = Finder(sides)
    finder.kind_of(Record("a", "docker"))
    sides[Kind.CONTAINER].uuids.clear()
    sides[Kind.MACHINE].uuids.add("a")
    assert finder.incumbent(Record("a", "docker")) is Kind.MACHINE
    assert finder.kind_of(Record("a", "docker")) is Kind.MACHINE


def test_an_engine_that_does_not_answer_is_no_guess(sides: dict[Kind, FakeSide]) -> None:
    """The error says that the hypervisor is away; the other engine's servers are still found."""
    sides[Kind.CONTAINER].away = True
    sides[Kind.MACHINE].uuids.add("vm")
    finder = Finder(sides)
    with pytest.raises(exception.HypervisorUnavailable):
        finder.kind_of(Record("a", "docker"))
    assert finder.kind_of(Record("vm", "bare")) is Kind.MACHINE
    with pytest.raises(exception.HypervisorUnavailable):
        finder.kinds_to_remove(Record("vm", "bare"))


def test_both_engines_are_named_for_a_removal(sides: dict[Kind, FakeSide]) -> None:
    """A crash can leave something of one server on each engine."""
    for side in sides.values():
        side.uuids.add("a")
    assert Finder(sides).kinds_to_remove(Record("a", "docker")) == list(Kind)
