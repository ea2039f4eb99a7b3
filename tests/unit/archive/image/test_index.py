# SPDX-License-Identifier: Apache-2.0
"""An index tells where everything is, and one from a stranger is read with suspicion."""

import gzip
import json
from typing import Any

import pytest

from novadocker.archive import Fault, Index
from tests.unit.archive.reading import checked

DIGEST = "ab" * 32
SOUND = {"version": 1, "size": 9000, "config": [512, 40, DIGEST], "layers": [[1024, 8, DIGEST, 9]]}


def text_of(**changed: Any) -> str:
    """Return an index with some of it changed."""
    return json.dumps(SOUND | changed)


def part(data: bytes, offset: int, size: int) -> bytes:
    """Return what an index points to."""
    return data[offset : offset + size]


def test_an_archive_is_indexed_while_it_is_read(form: Any, layers: tuple[bytes, bytes]) -> None:
    """What it points to in the archive that was read are the layers and the config."""
    data = form(*layers).tar()
    archive = checked(data)
    b"".join(archive)
    index = archive.index
    assert index.size == len(data)
    assert [part(data, each.offset, each.size) for each in index.layers] == list(layers)
    config = part(data, index.config.offset, index.config.size)
    assert config == archive.saved_image.config
    assert index.config.digest == archive.saved_image.id


def test_what_comes_out_is_indexed_too(form: Any, layers: tuple[bytes, bytes]) -> None:
    """A snapshot is uploaded as it comes out, and its index goes with it."""
    archive = checked(form(*layers).tar())
    data = b"".join(archive)
    index = archive.sent_index
    assert index.size == len(data)
    assert [part(data, each.offset, each.size) for each in index.layers] == list(layers)
    assert part(data, index.config.offset, index.config.size) == archive.saved_image.config


def test_an_archive_in_gzip_has_no_index(saved_images: Any) -> None:
    """Nothing in it can be reached without all that is before it."""
    archive = checked(gzip.compress(saved_images.old_style(saved_images.layer()).tar()))
    b"".join(archive)
    assert archive.index is None


def test_a_layer_that_comes_twice_has_one_place(saved_images: Any) -> None:
    """The config names it twice, and so does the index."""
    layer = saved_images.layer()
    archive = checked(saved_images.old_style(layer, layer).tar())
    b"".join(archive)
    assert archive.index is not None
    first, second = archive.index.layers
    assert first == second


def test_an_index_is_read_as_it_was_written(form: Any, layers: tuple[bytes, bytes]) -> None:
    """Text and value are the same."""
    archive = checked(form(*layers).tar())
    b"".join(archive)
    assert archive.index is not None
    assert Index.parse(archive.index.text()) == archive.index


def test_the_longest_index_fits_into_glance(saved_images: Any) -> None:
    """An image of 125 layers of 100 GiB each is one line of less than 32 KiB."""
    layers = [[2**37, 2**37, DIGEST, 2**38]] * 125
    index = Index.parse(text_of(size=2**39, layers=layers))
    assert len(index.text()) < 20_000


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not sound JSON"),
        ("[]", "not an object"),
        ("{}", "'version'"),
        ("\ud800", "not Unicode"),
        (" " * 40_000, "40000 characters"),
        (text_of(version=2), "version 2"),
        (text_of(version=True), "'version'"),
        (text_of(size=-1), "'size'"),
        (text_of(size=1e9), "'size'"),
        (text_of(config=[512, 40]), "another kind"),
        (text_of(config={"offset": 512}), "'config'"),
        (text_of(config=[True, 40, DIGEST]), "another kind"),
        (text_of(config=[512, -1, DIGEST]), "negative"),
        (text_of(config=[0, 40, DIGEST]), "points to 0"),
        (text_of(config=[513, 40, DIGEST]), "points to 513"),
        (text_of(config=[8704, 400, DIGEST]), "points to 8704"),
        (text_of(config=[512, 40, "AB" * 32]), "impossible digest"),
        (text_of(layers=[]), "0 layers"),
        (text_of(layers=[[1024, 8, DIGEST, 9]] * 126), "126 layers"),
        (text_of(layers=[[1024, 8, DIGEST, -9]]), "negative"),
        (text_of(layers=[[1024, 8, DIGEST[:-1], 9]]), "impossible digest"),
        (text_of(layers=[[10**30, 8, DIGEST, 9]]), "points to 1"),
        (text_of(layers=[[[]]]), "another kind"),
        (json.dumps(SOUND)[:-1] + ', "size": 1}', "comes twice"),
        (json.dumps(SOUND)[:-1] + ', "Size": 1}', "both"),
    ],
)
def test_an_impossible_index_is_refused(text: str, reason: str) -> None:
    """It comes from anybody who may change an image's properties."""
    with pytest.raises(Fault, match=reason):
        Index.parse(text)
