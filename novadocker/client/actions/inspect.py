# SPDX-License-Identifier: Apache-2.0
"""An image of Glance is looked into."""

import argparse
from typing import Any

from cliff import columns as cliff_columns
from osc_lib import utils
from osc_lib.cli import format_columns

from novadocker.client import image_facts, properties
from novadocker.client.inspection import Inspector
from novadocker.client.progress import Progress


class LayersColumn(cliff_columns.FormattableColumn[list[dict[str, Any]]]):
    """Layers: a line for each in a table, objects elsewhere."""

    def human_readable(self) -> str:
        """Return the lines."""
        return "\n".join(_line(layer) for layer in self._value)

    def machine_readable(self) -> list[dict[str, Any]]:
        """Return the objects."""
        return self._value


class WordsColumn(cliff_columns.FormattableColumn[list[str]]):
    """Words in a meaningful order."""

    def human_readable(self) -> str:
        """Return a line for each."""
        return "\n".join(str(word) for word in self._value)

    def machine_readable(self) -> list[str]:
        """Return the words."""
        return self._value


def run(app: Any, parsed_args: argparse.Namespace) -> dict[str, Any]:
    """Look into one.

    Args:
        app: the client.
        parsed_args: the command's.

    Returns:
        Columns.
    """
    glance = app.client_manager.docker
    image = glance.find(parsed_args.image)
    wanted = properties.wanted_of(parsed_args.platform, image.properties)
    inspector = Inspector(glance, Progress(wanted=parsed_args.progress))
    found = inspector.describe(image, wanted, whole=parsed_args.check)
    others = [(name, index) for name, index in inspector.others(image) if index]
    shared = image_facts.shared(found.layers, others)
    layers = [
        {
            "digest": layer.diff_id,
            "size": layer.size,
            "unpacked": layer.unpacked,
            "also_in": names,
        }
        for layer, names in zip(found.layers, shared, strict=True)
    ]
    return {
        "id": image.id,
        "name": image.name,
        "visibility": image.visibility,
        "docker_id": found.id,
        "platform": found.platform,
        **{name: _column(value) for name, value in found.settings().items()},
        "size": format_columns.SizeColumn(image.size),
        "unpacked": format_columns.SizeColumn(sum(layer.unpacked for layer in found.layers)),
        "shared": format_columns.SizeColumn(
            sum(layer.unpacked for layer, names in zip(found.layers, shared, strict=True) if names)
        ),
        "compared_with": len(others),
        "layers": LayersColumn(layers),
    }


def _column(value: Any) -> Any:
    if isinstance(value, dict):
        return format_columns.DictColumn(value)
    if isinstance(value, list):
        return WordsColumn(value)
    return value


def _line(layer: dict[str, Any]) -> str:
    line = f"{layer['digest']} {utils.format_size(layer['unpacked'])}"
    names = ", ".join(layer["also_in"])
    return f"{line} (also in {names})" if names else line
