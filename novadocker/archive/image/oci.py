# SPDX-License-Identifier: Apache-2.0
"""The way through an OCI image layout: index, manifest, config and layers by their digests."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from novadocker.archive.fault import Fault, quoted
from novadocker.archive.image.documents import Document
from novadocker.archive.image.platform import Platform, best

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
    "application/vnd.oci.image.layer.v1.tar+zstd",
    "application/vnd.docker.image.rootfs.diff.tar",
    "application/vnd.docker.image.rootfs.diff.tar.gzip",
    "application/vnd.docker.image.rootfs.diff.tar.zstd",
}
_DEEPEST_INDEX = 3
# What buildx calls the platform of its attestations.
_NO_PLATFORM = "unknown"
_SCHEMA = 2


@dataclass(frozen=True)
class Reference:
    """Where in an archive an image is.

    Attributes:
        config: the config's path.
        layers: the layers' paths, from the lowest up.
        sizes: paths of blobs and what each must have, where a manifest says so.
    """

    config: str
    layers: tuple[str, ...]
    sizes: tuple[tuple[str, int], ...] = ()


def image_of_index(read: Callable[[str], Document], index: str, platform: Platform) -> Reference:
    """Follow an index to the image for a platform.

    Args:
        read: gives the document at a path.
        index: the index's path.
        platform: the host's.

    Returns:
        The image.
    """
    offers: dict[str, Platform] = {}
    sizes: dict[str, int] = {}
    for descriptor in _manifests(read, index, _DEEPEST_INDEX, set()):
        path = _blob(descriptor, _MANIFESTS)
        # One manifest named a thousand times is looked at once.
        if path in sizes:
            continue
        sizes[path] = descriptor.number("size")
        if (made_for := _made_for(descriptor, read)) is not None:
            offers.setdefault(path, made_for)
    if not offers:
        raise Fault(f"{index} names no image")
    chosen = best(offers, platform)
    if len(chosen) > 1:
        raise Fault(f"{index} has {len(chosen)} images for {platform}; save one")
    return _reference(read, chosen[0], sizes[chosen[0]])


def blobs_of_index(read: Callable[[str], Document | None], index: str) -> set[str]:
    """Return the paths of all blobs that an index speaks of, directly or not.

    Args:
        read: gives the document at a path, or None where there is none.
        index: the index's path.
    """
    found: set[str] = set()
    left = [index]
    while left:
        if (document := read(left.pop())) is None:
            continue
        manifests = {*_named(document.objects("manifests"))} - found
        parts = document.objects("layers")
        if document.has("config"):
            parts.append(document.object("config"))
        found |= manifests.union(_named(parts))
        left += manifests
    return found


def _named(descriptors: Iterable[Document]) -> Iterator[str]:
    for descriptor in descriptors:
        if named := _DIGEST.fullmatch(descriptor.text("digest")):
            yield f"blobs/sha256/{named[1]}"


def _manifests(
    read: Callable[[str], Document], index: str, depth: int, seen: set[str]
) -> Iterator[Document]:
    if not depth:
        raise Fault(f"its indexes are nested more than {_DEEPEST_INDEX} deep")
    # Three indexes that name each other a thousand times are a thousand million ways.
    if index in seen:
        return
    seen.add(index)
    for descriptor in _read(read, index).objects("manifests"):
        if descriptor.text("mediaType") in _INDEXES:
            yield from _manifests(read, _blob(descriptor, _INDEXES), depth - 1, seen)
        else:
            yield descriptor


def _made_for(descriptor: Document, read: Callable[[str], Document]) -> Platform | None:
    """Return the platform of a manifest's image; None for an attestation or the like."""
    if descriptor.has("platform"):
        made_for = platform_of(descriptor.object("platform"))
        return None if made_for.os == _NO_PLATFORM else made_for
    # The index of one image need not say it; its config does. Signatures have other configs.
    config = _read(read, _blob(descriptor, _MANIFESTS)).object("config")
    is_image = config.text("mediaType") in _CONFIGS
    return platform_of(read(_blob(config, _CONFIGS))) if is_image else None


def platform_of(document: Document) -> Platform:
    """Return what an image is made for.

    Args:
        document: config of the image, or a descriptor's account of the config.
    """
    # Tools that append layers to nothing leave both out, or empty.
    if not all(document.is_filled(name) for name in ("architecture", "os")):
        raise Fault(
            f"{document.where} says not for which 'os' and 'architecture' it is made; "
            "'crane mutate --set-platform linux/amd64' adds them"
        )
    variant = document.text("variant") if document.has("variant") else ""
    return Platform(document.text("architecture"), document.text("os"), variant)


def _reference(read: Callable[[str], Document], path: str, size: int) -> Reference:
    manifest = _read(read, path)
    config, layers = manifest.object("config"), manifest.objects("layers")
    described = [(_blob(config, _CONFIGS), config)]
    described += [(_blob(layer, _LAYERS), layer) for layer in layers]
    sizes = {path: size}
    for blob, descriptor in described:
        if sizes.setdefault(blob, descriptor.number("size")) != descriptor.number("size"):
            raise Fault(f"{manifest.where} has two sizes for {quoted(blob)}")
    return Reference(
        described[0][0], tuple(blob for blob, _ in described[1:]), tuple(sizes.items())
    )


def _read(read: Callable[[str], Document], path: str) -> Document:
    document = read(path)
    if document.has("schemaVersion") and document.number("schemaVersion") != _SCHEMA:
        raise Fault(f"{document.where} has another schemaVersion than {_SCHEMA}")
    return document


def _blob(descriptor: Document, media_types: set[str]) -> str:
    media_type, digest = descriptor.text("mediaType"), descriptor.text("digest")
    if media_type not in media_types:
        raise Fault(f"{descriptor.where} has the media type {quoted(media_type)}, unknown here")
    named = _DIGEST.fullmatch(digest)
    if not named:
        raise Fault(f"{descriptor.where} has the digest {quoted(digest)}; sha256 is accepted")
    return f"blobs/sha256/{named[1]}"


def check_name(path: str, digest: str) -> None:
    """Refuse a blob with a name other than the digest.

    Args:
        path: name of any member of the archive.
        digest: SHA-256 of the bytes.
    """
    blob = BLOB.fullmatch(path)
    if blob and digest != f"sha256:{blob[1]}":
        raise Fault(f"blob {quoted(path)} has the digest {digest}")
