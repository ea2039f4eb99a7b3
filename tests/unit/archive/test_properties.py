# SPDX-License-Identifier: Apache-2.0
"""Archives that nobody thought of: sound ones, damaged in every way that comes to mind."""

import dataclasses
import os
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from tests.unit.archive import hostile_layers as layers
from tests.unit.archive import members as builders
from tests.unit.archive import seeds
from tests.unit.archive.soundness import image_of, members_in, unpacked

BLOCK = 512
# Longer campaigns: NOVADOCKER_EXAMPLES=100000, and another choice at each run.
EXAMPLES = os.environ.get("NOVADOCKER_EXAMPLES")
campaign = hypothesis.settings(
    max_examples=int(EXAMPLES or 50),
    derandomize=EXAMPLES is None,
    deadline=None,
    database=None,
    suppress_health_check=list(hypothesis.HealthCheck),
)


@pytest.fixture(scope="session")
def sound(saved_images: Any) -> dict[str, tuple[bytes, str]]:
    """Return sound archives of every kind, and which image each holds."""
    made = {name: (data, image_of(data)) for name, data in seeds.archives(saved_images).items()}
    assert all(image for _, image in made.values())
    return made


@dataclasses.dataclass(frozen=True)
class Edit:
    """One damage, whatever it is done to: numbers are taken modulo what there is."""

    kind: str
    where: int
    other: int
    content: bytes

    def done_to(self, data: bytes) -> bytes:
        """Return the damaged bytes."""
        return getattr(self, self.kind)(data) if data else data

    def cut(self, data: bytes) -> bytes:
        """Leave bytes out."""
        at = self.where % len(data)
        return data[:at] + data[at + self.other % 600 :]

    def change(self, data: bytes) -> bytes:
        """Write over bytes."""
        at = self.where % len(data)
        return data[:at] + self.content + data[at + len(self.content) :]

    def insert(self, data: bytes) -> bytes:
        """Put bytes in."""
        at = self.where % len(data)
        return data[:at] + self.content + data[at:]

    def drop(self, data: bytes) -> bytes:
        """Leave a member out."""
        members = members_of(data)
        del members[self.where % len(members)]
        return b"".join(members)

    def repeat(self, data: bytes) -> bytes:
        """Bring a member once more."""
        members = members_of(data)
        members.insert(self.other % len(members), members[self.where % len(members)])
        return b"".join(members)

    def move(self, data: bytes) -> bytes:
        """Bring a member elsewhere."""
        members = members_of(data)
        member = members.pop(self.where % len(members))
        members.insert(self.other % (len(members) + 1), member)
        return b"".join(members)

    def forge(self, data: bytes) -> bytes:
        """Write something else into a field of a header, and put its checksum right."""
        members = members_of(data)
        number = self.where % len(members)
        at, length = FIELDS[self.other % len(FIELDS)]
        if len(members[number]) >= BLOCK:
            members[number] = builders.changed(members[number], at, self.content[:length])
        return b"".join(members)


# Name, mode, size, kind, target, magic, prefix.
FIELDS = [(0, 100), (100, 8), (124, 12), (156, 1), (157, 100), (257, 8), (345, 155)]
TELLING = [b"..", b"/", b".wh..", b"\xff" * 12, b"\x80" + b"\1" * 11, bytes(12), b"L", b"x", b"1"]
EDITS = st.lists(
    st.builds(
        Edit,
        st.sampled_from(["cut", "change", "insert", "drop", "repeat", "move", "forge", "forge"]),
        st.integers(0, 1 << 16),
        st.integers(0, 1 << 16),
        st.binary(max_size=12) | st.sampled_from(TELLING),
    ),
    min_size=1,
    max_size=3,
)


def members_of(data: bytes) -> list[bytes]:
    """Return a tar archive's members, each from its header to the next."""
    members: list[bytes] = []
    for at in range(0, len(data), BLOCK):
        block = data[at : at + BLOCK]
        if block[257:262] == b"ustar" or not members:
            members.append(block)
        else:
            members[-1] += block
    return members


def damaged(data: bytes, edits: list[Edit]) -> bytes:
    """Return what is left of data."""
    for edit in edits:
        data = edit.done_to(data)
    return data


@pytest.mark.parametrize(
    "name", ["old_style-bytes", "new_style-_gzip", "oci-compress", "oci-streamed", "gzip", "zstd"]
)
@campaign
@hypothesis.given(edits=EDITS)
def test_a_damaged_archive_is_refused_or_the_same_image(
    sound: dict[str, tuple[bytes, str]], name: str, edits: list[Edit]
) -> None:
    """No other error, no other image, and never other bytes to the engine than were checked."""
    whole, image = sound[name]
    assert image_of(damaged(whole, edits)) in {None, image}


@campaign
@hypothesis.given(edits=EDITS)
def test_a_damaged_config_or_manifest_is_refused_or_harmless(
    sound: dict[str, tuple[bytes, str]], edits: list[Edit]
) -> None:
    """Where no name is a digest it may be another image, but one that holds what it promises."""
    image_of(damaged(sound["plain names"][0], edits))


PARTS = [*layers.SOUND.values(), *(layer for layer, _ in layers.HOSTILE.values()), builders.END]


@campaign
@hypothesis.given(parts=st.lists(st.sampled_from(PARTS), min_size=1, max_size=6), edits=EDITS)
def test_a_made_up_layer_is_read_in_one_way(parts: list[bytes], edits: list[Edit]) -> None:
    """Of all kinds of members, damaged or not, cut anywhere: the same answer."""
    layer = b"".join(parts)
    members_in(layer)
    members_in(damaged(layer, edits))


@campaign
@hypothesis.given(content=st.binary(max_size=3000), edits=EDITS)
def test_a_damaged_zstd_stream_is_refused_or_harmless(content: bytes, edits: list[Edit]) -> None:
    """A checksum is in it; what has none is checked by the layer's digest."""
    stream = seeds.streamed(content)
    assert unpacked(stream) == content
    bytewise = [edit for edit in edits if edit.kind in {"cut", "change", "insert"}]
    unpacked(damaged(stream, bytewise))


@pytest.mark.parametrize("name", layers.HOSTILE)
def test_nothing_hostile_hides_between_sound_members(name: str) -> None:
    """Wherever in a layer it stands."""
    hostile, why = layers.HOSTILE[name]
    if why == "an extended header of no member":
        hostile = hostile * 2
    before, after = builders.file("before"), builders.file("after")
    assert members_in(before + after)
    if "first" in name:
        before = b""
    assert members_in(before + hostile + after + builders.END) is None
