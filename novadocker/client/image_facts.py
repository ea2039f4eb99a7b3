# SPDX-License-Identifier: Apache-2.0
"""Facts of an image for ``inspect`` (pure)."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from novadocker.archive import Index, Outline
from novadocker.archive.layers.layer import Content
from novadocker.client.examination import Examined


@dataclass(frozen=True)
class LayerFigures:
    """One layer.

    Attributes:
        diff_id: digest of its uncompressed content.
        size: bytes in the archive.
        unpacked: bytes of its uncompressed content.
    """

    diff_id: str
    size: int
    unpacked: int


@dataclass(frozen=True)
class Description:
    """An image's config and layers.

    Attributes:
        id: Docker's.
        config: the document.
        layers: from the lowest up.
    """

    id: str
    config: Mapping[str, Any]
    layers: tuple[LayerFigures, ...]

    @property
    def platform(self) -> str:
        """Platform of the image, as OS/ARCHITECTURE."""
        return f"{self.config.get('os')}/{self.config.get('architecture')}"

    def settings(self) -> dict[str, Any]:
        """Return the settings of the image's containers, under the command's names."""
        settings = _object(self.config.get("config"))
        return {
            "created": self.config.get("created"),
            "author": self.config.get("author"),
            "entrypoint": settings.get("Entrypoint") or [],
            "command": settings.get("Cmd") or [],
            "environment": settings.get("Env") or [],
            "user": settings.get("User") or "",
            "working_dir": settings.get("WorkingDir") or "",
            "exposed_ports": sorted(_object(settings.get("ExposedPorts"))),
            "volumes": sorted(_object(settings.get("Volumes"))),
            "labels": _object(settings.get("Labels")),
            "healthcheck": _object(settings.get("Healthcheck")),
            "stop_signal": settings.get("StopSignal") or "",
        }


def of_examined(examined: Examined) -> Description:
    """Describe an archive after a whole reading.

    Args:
        examined: archive that was read.
    """
    layers = (
        LayerFigures(layer.diff_id, layer.size, layer.unpacked) for layer in examined.image.layers
    )
    return Description(examined.image.id, json.loads(examined.image.config), tuple(layers))


def of_index(index: Index, config: bytes) -> Description | None:
    """Describe an archive from its index and config alone.

    Args:
        index: where things are in it.
        config: the bytes at the config's place; their digest is right.

    Returns:
        The description; None where the index tells of other layers than the config does.
    """
    document = _object(json.loads(config))
    layers = tuple(
        LayerFigures(layer.diff_id, layer.size, layer.unpacked) for layer in index.layers
    )
    promised = _object(document.get("rootfs")).get("diff_ids")
    if promised != [layer.diff_id for layer in layers]:
        return None
    return Description(index.config.digest, document, layers)


def of_outline(outlined: Outline) -> Description | None:
    """Describe an archive without a reading of the layers.

    Args:
        outlined: outline of the archive.

    Returns:
        The description; None where a layer is compressed: nobody knows then what it unpacks to.
    """
    if any(part.content is not Content.TAR_LAYER for part in outlined.parts):
        return None
    image = outlined.image
    # A plain tar unpacks to its own size.
    layers = (LayerFigures(layer.diff_id, layer.size, layer.size) for layer in image.layers)
    return Description(image.id, json.loads(image.config), tuple(layers))


def shared(layers: Sequence[LayerFigures], others: Iterable[tuple[str, Index]]) -> list[list[str]]:
    """Find the images with the same layers.

    A layer is the same only upon the same lower ones: so does the engine keep them.

    Args:
        layers: layers of an image, from the lowest up.
        others: names and indexes of other images.

    Returns:
        For each layer the names of images that have it, too.
    """
    names: list[list[str]] = [[] for _ in layers]
    for name, index in others:
        pairs = zip(layers, index.layers, names, strict=False)
        for mine, other, found in pairs:
            if mine.diff_id != other.diff_id:
                break
            found.append(name)
    return names


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
