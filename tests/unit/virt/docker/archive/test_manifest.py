# SPDX-License-Identifier: Apache-2.0
"""What an image says of itself."""

import json
import lzma
from typing import Any

import pytest

from tests.unit.virt.docker.archive.reading import reason

# ---- what the image says of itself ------------------------------------------------------


def with_manifest(archive: Any, manifest: Any) -> bytes:
    """Return an archive with another manifest.json."""
    archive.members["manifest.json"] = (
        manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode()
    )
    return archive.tar()


@pytest.mark.parametrize(
    ("manifest", "why"),
    [
        (b"[", "not sound JSON"),
        (b"\xff\xfe[]", "should be JSON"),
        (b'[{"Config": "\xff"}]', "not sound JSON"),
        (b'["\\ud800"]', "not sound JSON"),
        (b"[NaN]", "not sound JSON"),
        (b"[" * 100_000, "nested more than 32 deep"),
        (b"[" * 40 + b"]" * 40, "nested more than 32 deep"),
        (b'[{"Config": "a", "Config": "b"}]', "one key comes twice"),
        (b'[{"Config": "a", "config": "b"}]', "has both"),
        (b'[{"Config": "a", "LAYERS": [], "Layer\xc5\xbf": []}]', "has both"),
        (b"1" * 5000, "should be JSON"),
        ({}, "is not a list"),
        ([], "names no image"),
        ([1], "not an object"),
        ([{}], "nothing as 'Config'"),
        ([{"Config": 1}], "as 'Config', not a string"),
        ([{"Config": "x", "Layers": "y"}], "as 'Layers', not a list"),
        ([{"Config": "x", "Layers": [1]}], "something else than strings"),
        ([{"Config": "x.json", "Layers": []}], "member 'x.json' is missing"),
        ([{"Config": "x.json", "Layers": ["y"]}], "layer 'y' is missing"),
        ([{"Config": "x.json", "Layers": ["../y"]}], "'..' in its name"),
        ([{"Config": "/etc/passwd", "Layers": []}], "absolute name"),
        ([{"Config": "x", "Layers": ["repositories"]}], "neither a tar archive nor a gzip"),
    ],
)
def test_a_bad_manifest_is_refused(saved_images: Any, layers: Any, manifest: Any, why: str) -> None:
    """Syntax, types and references, each with its own word."""
    assert why in reason(with_manifest(saved_images.old_style(*layers), manifest))


def test_two_images_are_refused(saved_images: Any, layers: Any) -> None:
    """Which of them was meant cannot be known; the message names them."""
    one, two = (saved_images.old_style(each, RepoTags=[each[512:517].decode()]) for each in layers)
    two.members |= one.members | {
        "manifest.json": json.dumps(
            [json.loads(each.members["manifest.json"])[0] for each in (one, two)]
        ).encode()
    }
    assert "it has 2 images ('lower', 'upper'); save one" in reason(two.tar())


def test_an_archive_without_manifest_is_refused(saved_images: Any, layers: Any) -> None:
    """Such as ``docker export`` or a plain backup."""
    archive = saved_images.old_style(*layers)
    del archive.members["manifest.json"]
    assert "it has no manifest.json" in reason(archive.tar())


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"architecture": "s390x"}, "made for 'linux/s390x'; this host runs linux/amd64"),
        ({"os": "windows"}, "made for 'windows/amd64'"),
        ({"os": None}, "nothing as 'os'"),
        ({"rootfs": None}, "not an object"),
        ({"rootfs": {"type": "other", "diff_ids": []}}, "rootfs of type 'other'"),
        ({"rootfs": {"type": "layers", "diff_ids": []}}, "0 layers"),
        ({"rootfs": {"type": "layers", "diff_ids": ["sha256:x"]}}, "promises 1 layers"),
        ({"rootfs": {"type": "layers", "diff_ids": ["x", "y"]}}, "impossible digest 'x'"),
        ({"RootFS": {"type": "layers", "diff_ids": []}}, "has both 'rootfs' and 'RootFS'"),
    ],
)
def test_a_bad_config_is_refused(
    saved_images: Any, layers: Any, changes: dict[str, Any], why: str
) -> None:
    """Platform, layers and their count must be what the host and the archive have."""
    config = saved_images.config([saved_images.sha256(layer) for layer in layers], **changes)
    assert why in reason(saved_images.old_style(*layers, config=config).tar())


def test_a_layer_with_another_digest_is_refused(saved_images: Any, layers: Any) -> None:
    """The message says which layer, what it has and what was promised."""
    promised = [saved_images.sha256(layers[0]), saved_images.sha256(b"other")]
    why = reason(saved_images.old_style(*layers, config=saved_images.config(promised)).tar())
    assert f"has the digest sha256:{saved_images.sha256(layers[1])}, not sha256:" in why


def test_layers_in_another_order_are_refused(saved_images: Any, layers: Any) -> None:
    """What is below and what above makes a difference."""
    config = saved_images.config([saved_images.sha256(layer) for layer in reversed(layers)])
    assert "has the digest" in reason(saved_images.old_style(*layers, config=config).tar())


def test_a_config_under_a_wrong_digest_is_refused(saved_images: Any, layers: Any) -> None:
    """Its name is the image's id; another content is another image."""
    archive = saved_images.old_style(*layers)
    name = json.loads(archive.members["manifest.json"])[0]["Config"]
    archive.members[name] += b" "
    assert "has the digest sha256:" in reason(archive.tar())


@pytest.mark.parametrize("number", range(4))
def test_a_blob_under_a_wrong_name_is_refused(saved_images: Any, layers: Any, number: int) -> None:
    """Layers, config and manifests of the new form are named by their digest."""
    archive = saved_images.new_style(*layers)
    name = [name for name in archive.members if name.startswith("blobs/")][number]
    content = bytearray(archive.members[name])
    content[-1 if content[-1] else 600] ^= 1
    archive.members[name] = bytes(content)
    assert f"blob '{name}' has the digest" in reason(archive.tar())


def test_a_layer_in_another_compression_is_refused(saved_images: Any, layers: Any) -> None:
    """The engine would start a decompressor that the image has chosen."""
    config = saved_images.config([saved_images.sha256(layers[0])])
    archive = saved_images.old_style(lzma.compress(layers[0]), config=config)
    assert "is compressed with xz" in reason(archive.tar())


@pytest.mark.parametrize(
    ("descriptor", "why"),
    [
        ({"mediaType": "text/html"}, "media type 'text/html'"),
        ({"mediaType": 1}, "as 'mediaType', not a string"),
        ({"digest": "md5:0"}, "sha256 is accepted"),
        ({"digest": f"sha256:{'0' * 64}"}, "is missing"),
        (
            {"platform": {"os": "linux", "architecture": "s390x"}},
            "made for 'linux/s390x'; this host",
        ),
    ],
)
def test_a_bad_oci_index_is_refused(
    saved_images: Any, layers: Any, descriptor: dict[str, Any], why: str
) -> None:
    """Without manifest.json the index must lead to one image that runs here."""
    assert why in reason(saved_images.oci(*layers, **descriptor).tar())
