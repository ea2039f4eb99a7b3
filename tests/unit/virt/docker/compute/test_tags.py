# SPDX-License-Identifier: Apache-2.0
"""The driver's tags among those of a server's owner."""

import pytest
from nova.objects.instance import MAX_TAG_COUNT

from novadocker.virt.docker.compute.tags import MOST_TAGS, replace_tags
from tests.unit.virt.docker.nova_side import Tags

OURS = {"docker_profile=baseline", "docker_cap=NET_RAW"}


@pytest.mark.parametrize(
    ("owned", "written"), [(0, True), (38, True), (39, False), (49, False), (50, False)]
)
def test_the_owners_tags_go_first(owned: int, written: bool) -> None:
    """Where the owner uses most of Nova's fifty tags, the driver writes none of its own."""
    own = {f"own{number}" for number in range(owned)}
    tags = Tags(*own)
    replace_tags(tags, "u", ("docker_profile=", "docker_cap="), OURS)
    assert tags.tags == own | (OURS if written else set())
    assert len(tags.tags) <= MAX_TAG_COUNT


def test_a_tag_of_the_driver_gives_way_to_the_owners() -> None:
    """A server that has filled up since its boot loses the driver's tag at the next change."""
    own = {f"own{number}" for number in range(MOST_TAGS)}
    tags = Tags(*own, "docker_health=starting")
    replace_tags(tags, "u", ("docker_health=",), {"docker_health=healthy"})
    assert tags.tags == own
