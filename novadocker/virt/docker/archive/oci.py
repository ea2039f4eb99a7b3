# SPDX-License-Identifier: Apache-2.0
"""The way through an OCI image layout: index, manifest, config and layers by their digests."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from novadocker.virt.docker.archive.documents import Document
from novadocker.virt.docker.archive.fault import Fault, quoted
from novadocker.virt.docker.archive.platform import Platform

BLOB = re.compile(r"blobs/sha256/([0-9a-f]{64})")

_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_INDEXES = {
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
}
_MANIFESTS = {
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
}
_CONFIGS = {
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.container.image.v1+json",
}
_LAYERS = {
    "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.oci.image.layer.v1.tar+gzip",
    "application/vnd.docker.image.rootfs.diff.tar",
    "application/vnd.docker.image.rootfs.diff.tar.gzip",
}
_DEEPEST_INDEX = 3


@dataclass(frozen=True)
class Reference:
    """Where in an archive an image is.

    Attributes:
        config: the config's path.
        layers: the layers' paths, from the lowest up.
        sizes: what each layer must have, where a manifest says so.
    """

    config: str
    layers: tuple[str, ...]
    sizes: tuple[int, ...] = ()


def image_of_index(read: Callable[[str], Document], index: str, platform: Platform) -> Reference:
    """Follow an index to the one image that it has for a platform.

    Args:
        read: gives the document at a path.
        index: the index's path.
        platform: the host's.

    Returns:
        The image.
    """
    manifests = list(_manifests(read, index, platform, _DEEPEST_INDEX))
    if len(manifests) != 1:
        raise Fault(f"{index} has {len(manifests)} images for {platform}; save one")
    manifest = read(manifests[0])
    layers = manifest.objects("layers")
    return Reference(
        _blob(manifest.object("config"), _CONFIGS),
        tuple(_blob(layer, _LAYERS) for layer in layers),
        tuple(layer.number("size") for layer in layers),
    )


def _manifests(
    read: Callable[[str], Document], index: str, platform: Platform, depth: int
) -> Iterator[str]:
    if not depth:
        raise Fault(f"its indexes are nested more than {_DEEPEST_INDEX} deep")
    for descriptor in read(index).objects("manifests"):
        if descriptor.text("mediaType") in _INDEXES:
            yield from _manifests(read, _blob(descriptor, _INDEXES), platform, depth - 1)
        elif _is_for(descriptor, platform):
            yield _blob(descriptor, _MANIFESTS)


def _is_for(descriptor: Document, platform: Platform) -> bool:
    if not descriptor.has("platform"):
        return True
    made_for = descriptor.object("platform")
    return Platform(made_for.text("architecture"), made_for.text("os")) == platform


def _blob(descriptor: Document, media_types: set[str]) -> str:
    media_type, digest = descriptor.text("mediaType"), descriptor.text("digest")
    if media_type not in media_types:
        raise Fault(f"{descriptor.where} has the media type {quoted(media_type)}, unknown here")
    named = _DIGEST.fullmatch(digest)
    if not named:
        raise Fault(f"{descriptor.where} has the digest {quoted(digest)}; sha256 is accepted")
    return f"blobs/sha256/{named[1]}"


def check_name(path: str, digest: str) -> None:
    """Raise if a blob is not what its name says.

    Args:
        path: of any member of the archive.
        digest: of its bytes.
    """
    blob = BLOB.fullmatch(path)
    if blob and digest != f"sha256:{blob[1]}":
        raise Fault(f"blob {quoted(path)} has the digest {digest}")
