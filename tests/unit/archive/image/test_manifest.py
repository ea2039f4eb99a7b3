# SPDX-License-Identifier: Apache-2.0
"""What an image says of itself."""

import json
import lzma
from typing import Any

import pytest

from tests.unit.archive.reading import checked, reason

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


def test_an_archive_without_manifest_is_refused(saved_images: Any) -> None:
    """A plain backup is no image."""
    archive = saved_images.Archive({"letters/one": b"x"})
    assert "it has no manifest.json" in reason(archive.tar())


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"architecture": "s390x"}, "made for 'linux/s390x'; linux/amd64 is wanted"),
        ({"os": "windows"}, "made for 'windows/amd64'"),
        ({"os": None}, "says not for which 'os'"),
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
            "made for 'linux/s390x'; linux/amd64 is wanted",
        ),
    ],
)
def test_a_bad_oci_index_is_refused(
    saved_images: Any, layers: Any, descriptor: dict[str, Any], why: str
) -> None:
    """Without manifest.json the index must lead to one image that runs here."""
    assert why in reason(saved_images.oci(*layers, **descriptor).tar())


# ---- what comes along ------------------------------------------------------------------


def blob(saved_images: Any, content: bytes) -> str:
    """Return a blob's path."""
    return f"blobs/sha256/{saved_images.sha256(content)}"


@pytest.mark.parametrize("form_name", ["oci", "new_style"])
def test_a_large_blob_that_nothing_speaks_of_is_refused(
    saved_images: Any, layers: Any, form_name: str
) -> None:
    """Its right digest does not make it part of an image; a small one does no harm."""
    archive = getattr(saved_images, form_name)(*layers)
    for ballast in (saved_images.layer(bytes(100_000)), b"x" * 100_000):
        path = blob(saved_images, ballast)
        archive.members[path] = ballast
        assert f"member '{path}' ({len(ballast)} bytes) belongs to no image" in reason(
            archive.tar()
        )
        del archive.members[path]
    archive.members[blob(saved_images, b"{}")] = b"{}"
    assert b"".join(checked(archive.tar()))


def changed_manifest(saved_images: Any, archive: Any, **changes: Any) -> bytes:
    """Return an OCI archive whose manifest has something else in it, under its new name."""
    index = json.loads(archive.members["index.json"])
    entry = index["manifests"][0]
    manifest = json.loads(archive.members.pop(entry["digest"].replace("sha256:", "blobs/sha256/")))
    for name, change in changes.items():
        manifest[name] = change(manifest[name])
    content = json.dumps(manifest).encode()
    path = blob(saved_images, content)
    entry["digest"], entry["size"] = path.replace("blobs/sha256/", "sha256:"), len(content)
    archive.members |= {path: content, "index.json": json.dumps(index).encode()}
    return archive.tar()


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"schemaVersion": lambda _: 1}, "another schemaVersion than 2"),
        ({"schemaVersion": lambda _: "2"}, "as 'schemaVersion', not a number"),
        ({"config": lambda x: x | {"size": 1}}, "has not the 1 bytes that its manifest says"),
        ({"config": lambda x: x | {"size": -1}}, "not a size"),
        ({"config": lambda x: x | {"mediaType": "text/html"}}, "names no image"),
        ({"config": lambda _: None}, "not an object"),
        ({"layers": lambda x: [x[0] | {"size": 1}, x[1]]}, "has not the 1 bytes"),
        ({"layers": lambda x: [x[0], x[0] | {"size": 1}]}, "has two sizes for"),
        ({"layers": lambda x: x[:1]}, "promises 2 layers, and it has 1"),
        ({"layers": lambda x: [*x, x[0]]}, "promises 2 layers, and it has 3"),
        ({"layers": lambda x: x[::-1]}, "has the digest"),
        ({"layers": lambda _: []}, "promises 2 layers, and it has 0"),
        ({"layers": lambda x: [x[0], x[1] | {"digest": "sha512:0"}]}, "sha256 is accepted"),
        ({"layers": lambda x: [x[0], x[1] | {"digest": f"sha256:{7:064}"}]}, "is missing"),
        (
            {"layers": lambda x: [x[0], x[1] | {"mediaType": f"{x[1]['mediaType']}+encrypted"}]},
            "+encrypted', unknown here",
        ),
    ],
)
def test_a_bad_oci_manifest_is_refused(
    saved_images: Any, layers: Any, changes: dict[str, Any], why: str
) -> None:
    """Versions, sizes, digests, media types, and layers that are too many or too few."""
    assert why in reason(changed_manifest(saved_images, saved_images.oci(*layers), **changes))


@pytest.mark.parametrize(
    ("layout", "why"),
    [
        (b'{"imageLayoutVersion": "2.0.0"}', "has the version '2.0.0', not 1"),
        (b"{}", "nothing as 'imageLayoutVersion'"),
        (b"1.0.0", "should be JSON"),
    ],
)
def test_another_layout_is_refused(saved_images: Any, layers: Any, layout: bytes, why: str) -> None:
    """What a later version means is not known."""
    archive = saved_images.oci(*layers)
    archive.members["oci-layout"] = layout
    assert why in reason(archive.tar())


@pytest.mark.parametrize("depth", [2, 3, 30])
def test_indexes_in_indexes_have_an_end(saved_images: Any, layers: Any, depth: int) -> None:
    """Docker nests one; each further one is only work."""
    archive = saved_images.oci(*layers)
    for _ in range(depth):
        inner = archive.members["index.json"]
        digest = f"sha256:{saved_images.sha256(inner)}"
        media_type = "application/vnd.oci.image.index.v1+json"
        entry = {"mediaType": media_type, "digest": digest, "size": len(inner)}
        archive.members[blob(saved_images, inner)] = inner
        archive.members["index.json"] = json.dumps({"manifests": [entry]}).encode()
    if depth == 2:
        assert b"".join(checked(archive.tar()))
    else:
        assert "nested more than 3 deep" in reason(archive.tar())
