# SPDX-License-Identifier: Apache-2.0
"""Which of several images runs on a host, and which of those suits it best."""

import json
from typing import Any

import pytest

from novadocker.archive import CheckedArchive, Platform
from novadocker.errors import ImageInvalid
from novadocker.virt.docker.host import processor
from novadocker.virt.docker.host.processor import platform_of_host
from tests.unit.archive.reading import TAG

V2 = {"cx16", "lahf_lm", "popcnt", "pni", "sse4_1", "sse4_2", "ssse3"}
V3 = V2 | {"abm", "avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe", "xsave"}
V4 = V3 | {"avx512bw", "avx512cd", "avx512dq", "avx512f", "avx512vl"}


def test_processors_have_the_names_that_images_use() -> None:
    """The kernel says x86_64 where an image says amd64; unknown ones keep their name."""
    assert str(Platform.of_machine("x86_64")) == "linux/amd64"
    assert Platform.of_machine("aarch64").architecture == "arm64"
    assert Platform.of_machine("novel").architecture == "novel"
    assert str(Platform.of_machine("armv6l")) == "linux/arm/v6"
    assert platform_of_host().os == "linux"


@pytest.mark.parametrize(
    ("flags", "variant"),
    [(set(), ""), (V2, "v2"), (V3, "v3"), (V4, "v4"), (V3 - {"pni"}, ""), (V4 - {"fma"}, "v2")],
)
def test_the_level_of_an_x86_processor_is_known(flags: set[str], variant: str) -> None:
    """Each level needs all of the ones before it."""
    assert Platform.of_machine("x86_64", flags).variant == variant
    assert processor.flags(f"processor: 0\nflags\t\t: {' '.join(flags)}\n") == flags


@pytest.mark.parametrize(
    ("host", "image", "runs"),
    [
        (Platform("amd64"), Platform("amd64"), True),
        (Platform("amd64"), Platform("amd64", variant="v1"), True),
        (Platform("amd64"), Platform("amd64", variant="v2"), False),
        (Platform("amd64", variant="v3"), Platform("amd64"), True),
        (Platform("amd64", variant="v3"), Platform("amd64", variant="v4"), False),
        (Platform("amd64", variant="v4"), Platform("amd64", variant="odd"), False),
        (Platform("amd64"), Platform("386"), False),
        (Platform("amd64"), Platform("amd64", "windows"), False),
        (Platform("arm", variant="v7"), Platform("arm"), True),
        (Platform("arm", variant="v6"), Platform("arm"), False),
        (Platform("arm", variant="v7"), Platform("arm", variant="v5"), True),
        (Platform("arm64"), Platform("arm64", variant="v8"), True),
        (Platform("arm64"), Platform("arm64", variant="v8.2"), False),
        (Platform("arm64"), Platform("arm", variant="v7"), False),
        (Platform("s390x"), Platform("s390x"), True),
        (Platform("s390x"), Platform("s390x", variant="z13"), False),
    ],
)
def test_later_processors_run_what_earlier_ones_do(
    host: Platform, image: Platform, runs: bool
) -> None:
    """And not the other way round; what is not known is not run."""
    assert host.runs(image) is runs


def variants(saved_images: Any, *platforms: Platform, described: bool = True) -> dict[str, Any]:
    """Return the members of an OCI layout with a variant for each of several platforms."""
    members: dict[str, Any] = {}
    manifests = []
    for platform in platforms:
        layer = saved_images.layer(str(platform).encode())
        fields = {"os": platform.os, "architecture": platform.architecture}
        if platform.variant:
            fields["variant"] = platform.variant
        config = saved_images.config([saved_images.sha256(layer)], **fields)
        described_as = {"platform": fields} if described else {}
        one = saved_images.oci(layer, config=config, **described_as).members
        manifests += json.loads(one.pop("index.json"))["manifests"]
        members |= one
    members["index.json"] = json.dumps({"schemaVersion": 2, "manifests": manifests}).encode()
    return members


def chosen(saved_images: Any, members: dict[str, Any], host: Platform) -> bytes:
    """Return the config of the image that a host takes of them."""
    data = saved_images.Archive(members).tar()
    archive = CheckedArchive([data], image="0f5c", tag=TAG, platform=host)
    assert b"".join(archive)
    return archive.saved_image.config


ARMS = [Platform("arm", variant=variant) for variant in ("v5", "v7", "v6")]
OTHERS = [Platform("amd64"), Platform("arm64", variant="v8"), Platform("amd64", "windows")]


@pytest.mark.parametrize("described", [True, False])
@pytest.mark.parametrize(
    ("host", "expected"),
    [
        (Platform("amd64", variant="v4"), OTHERS[0]),
        (Platform("arm64"), OTHERS[1]),
        (Platform("arm", variant="v7"), ARMS[1]),
        (Platform("arm", variant="v6"), ARMS[2]),
    ],
)
def test_the_variant_that_suits_best_is_chosen(
    saved_images: Any, host: Platform, expected: Platform, described: bool
) -> None:
    """Whether the index says what each is for, or only their configs do."""
    config = json.loads(
        chosen(saved_images, variants(saved_images, *ARMS, *OTHERS, described=described), host)
    )
    assert config["architecture"] == expected.architecture
    assert config.get("variant", "") == expected.variant


def test_variants_are_found_in_an_index_below_the_index(saved_images: Any) -> None:
    """As Docker saves an image of several platforms; what it left out is not missed."""
    members = variants(saved_images, *OTHERS)
    inner = json.loads(members["index.json"])
    absent = {"os": "linux", "architecture": "s390x"}
    inner["manifests"].append(
        inner["manifests"][0] | {"digest": f"sha256:{'5' * 64}", "platform": absent}
    )
    nested = json.dumps(inner).encode()
    digest = saved_images.sha256(nested)
    members[f"blobs/sha256/{digest}"] = nested
    entry = {
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "digest": f"sha256:{digest}",
        "size": len(nested),
    }
    members["index.json"] = json.dumps({"schemaVersion": 2, "manifests": [entry]}).encode()
    assert b'"arm64"' in chosen(saved_images, members, Platform("arm64"))


def test_an_attestation_is_no_image(saved_images: Any) -> None:
    """Docker's builder adds them for the platform unknown/unknown; signatures have none."""
    members = variants(saved_images, Platform("amd64"))
    index = json.loads(members["index.json"])
    for platform in ({"os": "unknown", "architecture": "unknown"}, None):
        statement = json.dumps({"_type": "statement", "of": platform}).encode()
        manifest = {
            "schemaVersion": 2,
            "config": descriptor(saved_images, b"{}", "application/vnd.dev.cosign.x+json"),
            "layers": [descriptor(saved_images, statement, "application/vnd.in-toto+json")],
        }
        blob = json.dumps(manifest).encode()
        entry = descriptor(saved_images, blob, "application/vnd.oci.image.manifest.v1+json")
        index["manifests"].append(entry | ({"platform": platform} if platform else {}))
        members |= {
            f"blobs/sha256/{saved_images.sha256(each)}": each for each in (blob, statement, b"{}")
        }
    members["index.json"] = json.dumps(index).encode()
    assert b'"amd64"' in chosen(saved_images, members, Platform("amd64"))


def descriptor(saved_images: Any, blob: bytes, media_type: str) -> dict[str, Any]:
    """Return what an index says of a blob."""
    digest = f"sha256:{saved_images.sha256(blob)}"
    return {"mediaType": media_type, "digest": digest, "size": len(blob)}


def test_one_image_under_two_tags_is_one(saved_images: Any) -> None:
    """Docker and skopeo list it once for each."""
    members = variants(saved_images, Platform("amd64"))
    index = json.loads(members["index.json"])
    index["manifests"] *= 2
    members["index.json"] = json.dumps(index).encode()
    assert chosen(saved_images, members, Platform("amd64"))


@pytest.mark.parametrize("described", [True, False])
def test_a_host_that_none_suits_is_told_what_there_is(saved_images: Any, described: bool) -> None:
    """The message lists what the archive has."""
    members = variants(saved_images, *ARMS, *OTHERS, described=described)
    with pytest.raises(ImageInvalid) as refused:
        chosen(saved_images, members, Platform("riscv64"))
    assert (
        "made for 'linux/amd64', 'linux/arm/v5', 'linux/arm/v6', 'linux/arm/v7', 'linux/arm64/v8', "
        "'windows/amd64'; linux/riscv64 is wanted"
    ) in str(refused.value)


def test_two_images_for_one_platform_are_refused(saved_images: Any) -> None:
    """Which of them was meant cannot be known."""
    one = variants(saved_images, Platform("amd64"))
    two = saved_images.oci(saved_images.layer(b"two"))
    entries = [json.loads(each["index.json"])["manifests"][0] for each in (one, two.members)]
    members = one | two.members | {"index.json": json.dumps({"manifests": entries}).encode()}
    with pytest.raises(ImageInvalid, match="has 2 images for linux/amd64; save one"):
        chosen(saved_images, members, Platform("amd64"))


def test_a_config_for_another_platform_than_the_index_says_is_refused(saved_images: Any) -> None:
    """It is the config that the engine believes."""
    members = variants(saved_images, Platform("s390x"))
    index = json.loads(members["index.json"])
    index["manifests"][0]["platform"]["architecture"] = "amd64"
    members["index.json"] = json.dumps(index).encode()
    with pytest.raises(ImageInvalid, match="made for 'linux/s390x'"):
        chosen(saved_images, members, Platform("amd64"))


def test_variants_in_a_manifest_of_docker_are_told_apart(saved_images: Any) -> None:
    """Their configs say what they are for."""
    members: dict[str, Any] = {}
    entries: list[Any] = []
    for platform in OTHERS:
        layer = saved_images.layer(str(platform).encode())
        fields = {"os": platform.os, "architecture": platform.architecture}
        config = saved_images.config([saved_images.sha256(layer)], **fields)
        one = saved_images.new_style(layer, config=config).members
        entries += json.loads(one.pop("manifest.json"))
        members |= one
    members["manifest.json"] = json.dumps(entries).encode()
    assert b'"arm64"' in chosen(saved_images, members, Platform("arm64"))
