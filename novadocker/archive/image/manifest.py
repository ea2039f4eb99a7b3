# SPDX-License-Identifier: Apache-2.0
"""Image of an archive, and the check of members against the promises of the image's config."""

import hashlib
import posixpath
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from novadocker.archive.bounds import Bounds, KiB
from novadocker.archive.fault import Fault, quoted
from novadocker.archive.image.documents import MOST_VALUES, Document, parse, values_in
from novadocker.archive.image.mistakes import by_names
from novadocker.archive.image.oci import (
    Reference,
    blobs_of_index,
    image_of_index,
    platform_of,
)
from novadocker.archive.image.platform import Platform, best, elsewhere
from novadocker.archive.image.settings import check_settings
from novadocker.archive.layers.layer import Layer
from novadocker.archive.tarball.tar import normal_path

MANIFEST = "manifest.json"
INDEX = "index.json"
LAYOUT = "oci-layout"

_DIGEST_IN_NAME = re.compile(r"(?:.*/)?(?:sha256:)?([0-9a-f]{64})(?:\.json)?")
_DIFF_ID = re.compile(r"sha256:[0-9a-f]{64}")
_VERSION = "imageLayoutVersion"
_NAMED_TAGS = 5
_NEGLIGIBLE = 64 * KiB


@dataclass(frozen=True)
class Contents:
    """Members seen on the way through an archive.

    Attributes:
        documents: JSON files, whole.
        layers: files that are layers, by their looks.
        others: sizes of all other files.
        links: targets of symbolic links.
    """

    documents: Mapping[str, bytes]
    layers: Mapping[str, Layer]
    others: Mapping[str, int]
    links: Mapping[str, str]


@dataclass(frozen=True)
class SavedImage:
    """A checked image.

    Attributes:
        id: Docker's id of it, ``sha256:`` and the digest of its config.
        config: the config's bytes.
        layers: from the lowest up.
        paths: where in the archive each of ``layers`` was.
        config_path: where the config was.
    """

    id: str
    config: bytes
    layers: tuple[Layer, ...]
    paths: tuple[str, ...]
    config_path: str = ""

    @property
    def size(self) -> int:
        """Bytes of all layers, uncompressed."""
        return sum(layer.unpacked for layer in self.layers)


def judge(
    contents: Contents, platform: Platform, bounds: Bounds, *, stranger: bool = True
) -> SavedImage:
    """Find the only image of an archive and check every document.

    Args:
        contents: the archive.
        platform: platform to choose the image for.
        bounds: on layers and nesting.
        stranger: the settings are somebody's wish, not an engine's own commit.

    Returns:
        The image, sound.
    """
    reference = _reference(contents, platform, bounds)
    paths = tuple(_layer_path(contents, path) for path in reference.layers)
    _refuse_superfluous(contents, {*paths, reference.config}, bounds)
    _check_sizes(contents, reference)
    config = _document(contents, reference.config)
    digest = hashlib.sha256(config).hexdigest()
    named = _DIGEST_IN_NAME.fullmatch(reference.config)
    if named and named[1] != digest:
        raise Fault(f"config {quoted(reference.config)} has the digest sha256:{digest}")
    layers = tuple(contents.layers[path] for path in paths)
    document = Document(parse(config, "the config", bounds.json_depth), "the config")
    _check_config(document, platform, layers, paths, bounds)
    if stranger:
        check_settings(document)
    return SavedImage(f"sha256:{digest}", config, layers, paths, reference.config)


def promised(contents: Contents, platform: Platform, bounds: Bounds) -> Mapping[str, str]:
    """Say what the layers must be.

    Args:
        contents: the archive; nothing is looked at of its layers.
        platform: platform to choose the image for.
        bounds: on nesting.

    Returns:
        By each path of a layer, the digest of its uncompressed content.
    """
    reference = _reference(contents, platform, bounds)
    paths = [_layer_path(contents, path) for path in reference.layers]
    parsed = parse(_document(contents, reference.config), "the config", bounds.json_depth)
    diff_ids = Document(parsed, "the config").object("rootfs").texts("diff_ids")
    if len(diff_ids) != len(paths):
        raise Fault(f"its config promises {len(diff_ids)} layers, and it has {len(paths)}")
    promises: dict[str, str] = {}
    for path, diff_id in zip(paths, diff_ids, strict=True):
        if promises.setdefault(path, diff_id) != diff_id:
            raise Fault(f"layer {quoted(path)} should be both {promises[path]} and {diff_id}")
    return promises


def is_named_by_digest(path: str) -> bool:
    """Say whether a config is named by its digest; ``judge`` compares name and bytes.

    Args:
        path: name of the config in the archive.
    """
    return bool(_DIGEST_IN_NAME.fullmatch(path))


def _reference(contents: Contents, platform: Platform, bounds: Bounds) -> Reference:
    read = _reader(contents, bounds)
    if _is_there(contents, MANIFEST):
        manifest = parse(_document(contents, MANIFEST), MANIFEST, bounds.json_depth)
        return _of_save(manifest, read, platform)
    if _is_there(contents, INDEX):
        if _is_there(contents, LAYOUT) and not read(LAYOUT).text(_VERSION).startswith("1."):
            raise Fault(f"{LAYOUT} has the version {quoted(read(LAYOUT).text(_VERSION))}, not 1")
        return image_of_index(read, INDEX, platform)
    kinds = (contents.documents, contents.layers, contents.others, contents.links)
    raise Fault(by_names({path for kind in kinds for path in kind}) or f"it has no {MANIFEST}")


def _reader(contents: Contents, bounds: Bounds) -> Callable[[str], Document]:
    """Return a reader of documents with a cache, for documents with many references."""
    known: dict[str, Document] = {}
    values = 0

    def read(path: str) -> Document:
        nonlocal values
        if path not in known:
            where = f"member {quoted(path)}"
            content = _document(contents, path)
            values += values_in(content)
            if values > MOST_VALUES:
                raise Fault(f"with {where} its documents have more than {MOST_VALUES} values")
            known[path] = Document(parse(content, where, bounds.json_depth), where)
        return known[path]

    return read


def _of_save(manifest: object, read: Callable[[str], Document], platform: Platform) -> Reference:
    if not isinstance(manifest, list):
        raise Fault(f"{MANIFEST} is not a list")
    images = [Document(image, MANIFEST) for image in manifest]
    if not images:
        raise Fault(f"{MANIFEST} names no image")
    references = {_of_entry(image): image for image in images}
    chosen = list(references)
    if len(references) > 1:
        # Variants of one image are told apart by their configs.
        offers = {each: platform_of(read(each.config)) for each in references}
        chosen = best(offers, platform)
    if len(chosen) > 1:
        tags = [tag for each in chosen for tag in references[each].texts("RepoTags")]
        some = ", ".join(quoted(tag) for tag in tags[:_NAMED_TAGS])
        raise Fault(f"it has {len(chosen)} images ({some or 'untagged'}); save one")
    return chosen[0]


def _of_entry(image: Document) -> Reference:
    return Reference(normal_path(image.text("Config")), tuple(image.texts("Layers")))


def _is_there(contents: Contents, path: str) -> bool:
    return any(path in kind for kind in (contents.documents, contents.layers, contents.others))


def _document(contents: Contents, path: str) -> bytes:
    if (document := contents.documents.get(path)) is not None:
        return document
    if _is_there(contents, path):
        raise Fault(f"member {quoted(path)} should be JSON, and is something else or too large")
    raise Fault(f"member {quoted(path)} is missing")


def _layer_path(contents: Contents, named: str) -> str:
    path = normal_path(named)
    if path in contents.links:
        path = _link_target(contents, path)
    if path in contents.layers:
        return path
    if _is_there(contents, path):
        raise Fault(f"layer {quoted(path)} is neither a tar archive nor a gzip or zstd of one")
    raise Fault(f"layer {quoted(path)} is missing")


def _link_target(contents: Contents, path: str) -> str:
    target = contents.links[path]
    joined = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    if joined not in contents.layers:
        raise Fault(f"member {quoted(path)} is a link to {quoted(target)}, which is no layer")
    return joined


def _refuse_superfluous(contents: Contents, used: set[str], bounds: Bounds) -> None:
    for path in contents.links:
        _link_target(contents, path)
    sizes = {path: layer.size for path, layer in contents.layers.items()} | dict(contents.others)
    large = {path for path, size in sizes.items() if size > _NEGLIGIBLE} - used
    if large and INDEX in contents.documents:
        # Images for other processors do come along, and what is said of an image.
        large -= _blobs(contents, bounds)
    for path in sorted(large):
        raise Fault(f"member {quoted(path)} ({sizes[path]} bytes) belongs to no image")


def _blobs(contents: Contents, bounds: Bounds) -> set[str]:
    read = _reader(contents, bounds)
    return blobs_of_index(lambda path: read(path) if path in contents.documents else None, INDEX)


def _check_sizes(contents: Contents, reference: Reference) -> None:
    for path, size in reference.sizes:
        layer, document = contents.layers.get(path), contents.documents.get(path, b"")
        if size != (layer.size if layer else len(document)):
            raise Fault(f"blob {quoted(path)} has not the {size} bytes that its manifest says")


def _check_config(
    config: Document,
    platform: Platform,
    layers: Sequence[Layer],
    paths: Sequence[str],
    bounds: Bounds,
) -> None:
    made_for = platform_of(config)
    if not platform.runs(made_for):
        raise Fault(
            f"it is made for {quoted(str(made_for))}; {platform} is wanted: {elsewhere(platform)}"
        )
    rootfs = config.object("rootfs")
    if rootfs.text("type") != "layers":
        raise Fault(f"the config has a rootfs of type {quoted(rootfs.text('type'))}, not 'layers'")
    diff_ids = rootfs.texts("diff_ids")
    if not diff_ids or len(diff_ids) > bounds.layers:
        raise Fault(f"it has {len(diff_ids)} layers; 1 to {bounds.layers} are accepted")
    if len(diff_ids) != len(layers):
        raise Fault(f"its config promises {len(diff_ids)} layers, and it has {len(layers)}")
    for diff_id, layer, path in zip(diff_ids, layers, paths, strict=True):
        if not _DIFF_ID.fullmatch(diff_id):
            raise Fault(f"the config has the impossible digest {quoted(diff_id)}")
        if layer.diff_id != diff_id:
            raise Fault(f"layer {quoted(path)} has the digest {layer.diff_id}, not {diff_id}")
