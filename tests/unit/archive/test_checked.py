# SPDX-License-Identifier: Apache-2.0
"""Saved images of every kind come out as one, within bounds."""

import gzip
import hashlib
import json
import random
import tarfile
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest

from novadocker.archive import Bounds, CheckedArchive
from novadocker.errors import ImageInvalid
from tests.unit.archive.reading import (
    HOST,
    TAG,
    checked,
    members_of,
    reason,
)


@pytest.mark.parametrize("chunk", [1, 7, 512, 1000, 65536])
def test_every_form_comes_out_as_one_clean_archive(
    form: Any, layers: tuple[bytes, bytes], chunk: int
) -> None:
    """Whatever the form and however the bytes are cut, layers, config and our tag come out."""
    archive = checked(form(*layers).tar(), chunk=chunk)
    members = members_of(b"".join(archive))
    (manifest,) = json.loads(members["manifest.json"])
    assert manifest["RepoTags"] == [TAG]
    assert tuple(members[path] for path in manifest["Layers"]) == layers
    assert f"sha256:{hashlib.sha256(members[manifest['Config']]).hexdigest()}" == (
        archive.saved_image.id
    )
    assert [layer.unpacked for layer in archive.saved_image.layers] == [len(x) for x in layers]
    assert archive.saved_image.size == sum(map(len, layers))
    assert len(members) == 4
    assert list(members)[-1] == "manifest.json"


def test_no_piece_is_empty(form: Any, layers: tuple[bytes, bytes]) -> None:
    """An empty piece would end a chunked HTTP request before its time."""
    assert all(checked(form(*layers).tar(), chunk=100))


def test_a_layer_that_comes_twice_is_sent_once(saved_images: Any) -> None:
    """Docker up to 24 saves a repeated layer as a symbolic link; its target is loaded."""
    layer = saved_images.layer()
    archive = checked(saved_images.old_style(layer, layer).tar())
    (manifest,) = json.loads(members_of(b"".join(archive))["manifest.json"])
    assert manifest["Layers"] == ["0.tar", "0.tar"]


def test_an_archive_in_gzip_is_read(form: Any, layers: tuple[bytes, bytes]) -> None:
    """``docker save | gzip`` makes an archive that ``docker load`` takes, and so do we."""
    plain = checked(form(*layers).tar())
    packed = checked(gzip.compress(form(*layers).tar()), chunk=50)
    assert b"".join(packed) == b"".join(plain)
    assert packed.saved_image == plain.saved_image


def test_a_layer_in_gzip_is_checked_by_its_content(saved_images: Any) -> None:
    """The config names the digest of the uncompressed layer, the blob's name the other one."""
    layer = saved_images.layer()
    config = saved_images.config([saved_images.sha256(layer)])
    archive = checked(saved_images.new_style(gzip.compress(layer), config=config).tar())
    assert b"".join(archive)
    (found,) = archive.saved_image.layers
    assert found.diff_id == f"sha256:{saved_images.sha256(layer)}"
    assert found.unpacked == len(layer) > found.size


def test_a_layer_of_several_gzip_members_is_read_whole(saved_images: Any) -> None:
    """Parallel compressors write one member after the other, and the engine reads them all."""
    layer = saved_images.layer()
    packed = gzip.compress(layer[:700]) + gzip.compress(layer[700:])
    config = saved_images.config([saved_images.sha256(layer)])
    assert b"".join(checked(saved_images.old_style(packed, config=config).tar(), chunk=11))


def test_names_may_start_with_a_dot(saved_images: Any, layers: tuple[bytes, bytes]) -> None:
    """``tar -c .`` writes ``./manifest.json`` after an entry for the directory itself."""
    archive = saved_images.old_style(*layers)
    root = tarfile.TarInfo("./")
    root.type = tarfile.DIRTYPE
    dotted = {f"./{name}": content for name, content in archive.members.items()}
    for member in dotted.values():
        if isinstance(member, tarfile.TarInfo):
            member.name = f"./{member.name}"
    archive.members = {"./": root} | dotted
    assert b"".join(checked(archive.tar()))


@pytest.mark.parametrize("tar_format", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_long_names_are_read_in_both_dialects(
    saved_images: Any, layers: tuple[bytes, bytes], tar_format: int
) -> None:
    """Names beyond a header's hundred bytes come in an extra record."""
    archive = saved_images.old_style(*layers)
    deep = "d" * 80 + "/" + "e" * 80
    entry = json.loads(archive.members["manifest.json"])[0]
    archive.members = {f"{deep}/{n}": c for n, c in archive.members.items() if n in entry["Layers"]}
    config = saved_images.config([saved_images.sha256(layer) for layer in layers])
    archive.members |= {f"{deep}/config": config}
    manifest = {"Config": f"{deep}/config", "Layers": [f"{deep}/{n}" for n in entry["Layers"]]}
    archive.members["manifest.json"] = json.dumps([manifest]).encode()
    archive.format = tar_format
    assert b"".join(checked(archive.tar()))


def test_zeros_after_the_end_are_harmless(form: Any, layers: tuple[bytes, bytes]) -> None:
    """``tar`` fills an archive up to a full record."""
    assert b"".join(checked(form(*layers).tar() + bytes(10240)))


def test_the_host_s_variant_is_chosen_from_an_oci_index(
    saved_images: Any, layers: tuple[bytes, bytes]
) -> None:
    """Variants for other processors, and attestations, may come along."""
    ours = saved_images.oci(layers[0])
    theirs = saved_images.oci(
        layers[1],
        config=saved_images.config([saved_images.sha256(layers[1])], architecture="s390x"),
        platform={"os": "linux", "architecture": "s390x"},
    )
    manifests = [json.loads(x.members["index.json"])["manifests"][0] for x in (ours, theirs)]
    members = theirs.members | ours.members
    members["index.json"] = json.dumps({"schemaVersion": 2, "manifests": manifests}).encode()
    archive = checked(saved_images.Archive(members).tar())
    assert b"".join(archive)
    (layer,) = archive.saved_image.layers
    assert layer.digest == f"sha256:{saved_images.sha256(layers[0])}"


def test_what_breaks_the_source_passes_through(form: Any, layers: tuple[bytes, bytes]) -> None:
    """Glance breaking off is not the image's fault, and is not called so."""
    data = form(*layers).tar()

    def breaking() -> Iterator[bytes]:
        yield data[:2000]
        raise OSError("connection reset")

    archive = CheckedArchive(breaking(), image="0f5c", tag=TAG, platform=HOST)
    with pytest.raises(OSError, match="connection reset"):
        list(archive)
    with pytest.raises(RuntimeError):
        _ = archive.saved_image


def test_the_source_is_heard_out_before_the_manifest(form: Any, layers: Any) -> None:
    """Glance's client finds a wrong checksum only after the last byte; that must count."""
    data = form(*layers).tar()

    def corrupt() -> Iterator[bytes]:
        yield data
        raise OSError("wrong checksum")

    given: list[bytes] = []
    with pytest.raises(OSError, match="wrong checksum"):
        given.extend(CheckedArchive(corrupt(), image="0f5c", tag=TAG, platform=HOST))
    assert b"manifest.json" not in b"".join(given)


def test_a_refused_archive_ends_its_source(form: Any, layers: Any) -> None:
    """What is behind the source ends at once, though somebody keeps the fault."""
    data = form(*layers).tar()
    ends: list[bool] = []

    def source() -> Iterator[bytes]:
        try:
            for at in range(0, len(data), 100):
                yield b"x" * 600 + data[at : at + 100]
        finally:
            ends.append(True)

    with pytest.raises(ImageInvalid) as kept:
        list(CheckedArchive(source(), image="0f5c", tag=TAG, platform=HOST))
    assert kept.value
    assert ends == [True]


# ---- bounds -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bounds", "why"),
    [
        (Bounds(size=4096), "larger than 4096 bytes"),
        (Bounds(unpacked=3000), "over the size that it may unpack to"),
        (Bounds(members=5), "more than 5 members"),
        (Bounds(layers=1), "2 layers; 1 to 1 are accepted"),
        (Bounds(json=100), "should be JSON, and is something else or too large"),
        (Bounds(json_kept=300), "should be JSON, and is something else or too large"),
        (Bounds(json_depth=2), "nested more than 2 deep"),
        (Bounds(name=20), "longer than 20 bytes"),
    ],
)
def test_bounds_hold(saved_images: Any, layers: Any, bounds: Bounds, why: str) -> None:
    """Each bound stops what passes it."""
    assert why in reason(saved_images.old_style(*layers).tar(), bounds)


@pytest.mark.parametrize("outer", [True, False])
def test_a_gzip_bomb_is_refused(saved_images: Any, outer: bool) -> None:
    """Whether it is a layer or all of the archive, growth beyond reason stops the reading."""
    layer = saved_images.layer(bytes(4 << 20))
    config = saved_images.config([saved_images.sha256(layer)])
    packed = gzip.compress(saved_images.old_style(layer).tar())
    inner = saved_images.old_style(gzip.compress(layer), config=config).tar()
    bounds = Bounds(ratio=50, ratio_from=1 << 20)
    assert "more than 50 times its compressed size" in reason(packed if outer else inner, bounds)


def test_memory_stays_flat(saved_images: Any) -> None:
    """200 MB pass through and less than 8 MB are held at any time."""
    megabyte = random.Random(1).randbytes(1 << 20)  # noqa: S311 - filling
    count, digest = 200, hashlib.sha256()
    head = tarfile.TarInfo("big")
    head.size = count << 20
    end = bytes(1024)
    layer_head = head.tobuf()
    for piece in [layer_head, *[megabyte] * count, end]:
        digest.update(piece)
    layer = tarfile.TarInfo("layer.tar")
    layer.size = len(layer_head) + head.size + len(end)
    config = saved_images.config([digest.hexdigest()])
    manifest = json.dumps([{"Config": "config", "Layers": ["layer.tar"]}]).encode()
    rest = saved_images.Archive({"config": config, "manifest.json": manifest}).tar()

    def stream() -> Iterator[bytes]:
        yield layer.tobuf() + layer_head
        for _ in range(count):
            yield megabyte
        yield end + bytes(-layer.size % 512) + rest

    tracemalloc.start()
    try:
        passed = sum(map(len, CheckedArchive(stream(), image="0f5c", tag=TAG, platform=HOST)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert passed > count << 20
    assert peak < 8 << 20
