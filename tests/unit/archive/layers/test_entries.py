# SPDX-License-Identifier: Apache-2.0
"""What is in a layer: everything that tools write passes, and nothing that leads out of it."""

import gzip
import io
import tarfile
from typing import Any

import pytest
import zstandard

from novadocker.archive import Bounds
from novadocker.archive.budget import Budget
from novadocker.archive.fault import Fault
from novadocker.archive.layers.entries import Entries
from tests.unit.archive.hostile_layers import HOSTILE, SOUND
from tests.unit.archive.members import END, directory, file, hard_link, pax, symlink
from tests.unit.archive.reading import checked, reason


def look(layer: bytes, piece: int = 65536, bounds: Bounds | None = None) -> int:
    """Return how many members a layer has that is read in pieces."""
    bounds = bounds or Bounds()
    entries = Entries("layer 'x'", Budget.of(bounds), bounds)
    for at in range(0, len(layer), piece):
        entries.feed(layer[at : at + piece])
    entries.finish()
    return entries.count


@pytest.mark.parametrize("piece", [1, 4096])
@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_hostile_is_refused(name: str, piece: int) -> None:
    """However the bytes are cut, with the layer's name and the reason."""
    layer, why = HOSTILE[name]
    with pytest.raises(Fault) as refused:
        look(layer + END, piece)
    assert why in str(refused.value)
    assert str(refused.value).startswith("layer 'x': ")


@pytest.mark.parametrize("piece", [1, 4096])
@pytest.mark.parametrize("name", SOUND)
def test_what_tools_write_is_accepted(name: str, piece: int) -> None:
    """However the bytes are cut, and as many members as Python's own reader sees."""
    layer = SOUND[name] + END
    with tarfile.open(fileobj=io.BytesIO(layer), errors="surrogateescape") as tar:
        assert look(layer, piece) == len(tar.getmembers())


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstandard.compress])
@pytest.mark.parametrize(
    "name", ["a name below the parent", "a hard link to a lower layer", "a disk"]
)
def test_no_compression_hides_what_is_hostile(saved_images: Any, name: str, pack: Any) -> None:
    """In an archive the message names the layer, and nothing reaches the engine to act upon."""
    layer, why = HOSTILE[name][0] + END, HOSTILE[name][1]
    config = saved_images.config([saved_images.sha256(layer)])
    archive = saved_images.old_style(pack(layer), config=config)
    said = reason(archive.tar())
    assert why in said
    assert "/layer.tar': " in said


@pytest.mark.parametrize("end", [b"", END[:512], END, END * 10])
def test_any_end_between_members_is_one(end: bytes) -> None:
    """Engines take a missing end for one, and some tools leave it out."""
    assert look(file("a") + file("b") + end) == 2


def test_every_truncation_in_a_member_is_noticed() -> None:
    """Cut anywhere but between members, and in the zeros that fill one up, a layer is refused."""
    layer = pax(path="a") + file("x", b"y" * 700) + symlink("l", "t" * 300)
    between = {0, len(layer), *range(1024 + 512 + 700, 1024 + 512 + 1024 + 1)}
    assert all(look(layer[:length]) < 3 for length in between)
    for length in set(range(len(layer))) - between:
        with pytest.raises(Fault):
            look(layer[:length])


@pytest.mark.parametrize(
    ("bounds", "why"),
    [
        (Bounds(entries=2), "more than 2 files"),
        (Bounds(path=2), "longer than 2 bytes"),
        (Bounds(layer_header=8), "an extended header has 11 bytes, more than 8"),
    ],
)
def test_bounds_hold(bounds: Bounds, why: str) -> None:
    """Each bound stops what passes it."""
    with pytest.raises(Fault, match=why):
        look(file("a") + file("b") + pax(path="ab") + file("abc") + file("def"), bounds=bounds)


def test_members_are_counted_over_all_layers(saved_images: Any) -> None:
    """Many layers of few files are no way around the bound."""
    layers = [file("a", bytes([number])) + END for number in range(3)]
    archive = saved_images.old_style(*layers).tar()
    assert b"".join(checked(archive, bounds=Bounds(entries=3)))
    assert "more than 2 files" in reason(archive, Bounds(entries=2))


def test_a_name_is_forgotten_with_its_layer(saved_images: Any) -> None:
    """A hard link finds no file of the layer before: engines unpack each by itself."""
    layers = file("a") + END, hard_link("b", "a") + END
    assert "no file before it in the layer" in reason(saved_images.old_style(*layers).tar())


def test_links_beyond_counting_cannot_be_passed_through() -> None:
    """What is remembered has an end; beyond it the safe answer is given."""
    many = b"".join(symlink(f"l{number}", "d") for number in range(65536))
    assert look(directory("d") + many + file("l1/x"))
    with pytest.raises(Fault, match="behind the symbolic link"):
        look(many + symlink("one", "d") + directory("one/x"))


def test_umoci_s_layers_are_accepted(saved_images: Any) -> None:
    """They have neither an end nor the zeros that fill their last member up, packed or not."""
    layer = file("a", b"xyz")[:515]
    config = saved_images.config([saved_images.sha256(layer)])
    for packed in (layer, gzip.compress(layer), zstandard.compress(layer)):
        assert b"".join(checked(saved_images.oci(packed, config=config).tar()))


def test_a_large_record_in_small_pieces_is_read_in_time() -> None:
    """A stream that comes byte by byte must not cost the square of its length."""
    layer = pax(comment="x" * 900_000) + file("a")
    assert look(layer, 16) == 1
