# SPDX-License-Identifier: Apache-2.0
"""Provenance: layers read and verified by this host in images of Glance.

One small file for each image, on this host's own disk. To lose one costs no more than that a
layer is read again.
"""

import contextlib
import json
import os
import re
import tempfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from oslo_log import log as logging

from novadocker.archive import Fault
from novadocker.archive.image.documents import Document, parse

LOG = logging.getLogger(__name__)

MOST_IMAGES = 1024
_SUFFIX = ".json"
_NAME = re.compile(r"([0-9A-Za-z-]+)\.([0-9a-f]+)\.json")
_DIFF_ID = re.compile(r"sha256:[0-9a-f]{64}")
_DEPTH = 4


@dataclass(frozen=True)
class Origin:
    """Image of Glance with the layers found by this host.

    Attributes:
        image: Glance's id of it.
        digits: the hash of its bytes, as its tag in the engine has it.
        layers: sizes of its layers, uncompressed, by their diff IDs.
    """

    image: str
    digits: str
    layers: Mapping[str, int]


class Provenance:
    """Record of images with layers verified by this host.

    Args:
        directory: where; made when it is needed.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def remember(self, origin: Origin) -> None:
        """Record the layers found in an image, in place of an earlier record.

        A host that cannot write it down says so in its log, and remembers nothing.

        Args:
            origin: the image and those of its layers that were read.
        """
        name = f"{origin.image}.{origin.digits}{_SUFFIX}"
        if not _NAME.fullmatch(name):
            LOG.warning("Image %s has an id that is no file's name; nothing is noted", name)
            return
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._replace(self._directory / name, json.dumps({"layers": dict(origin.layers)}))
            self._forget_oldest()
        except OSError as error:
            LOG.warning("What image %s holds cannot be noted: %s", origin.image, error)

    def origins(self, diff_ids: Collection[str]) -> list[Origin]:
        """Return images in which some layers were found.

        Args:
            diff_ids: digests of the layers.

        Returns:
            The images, those with most of them first.
        """
        found = [(len(set(diff_ids) & set(each.layers)), each) for each in self._all()]
        found = [(count, each) for count, each in found if count]
        return [each for _, each in sorted(found, key=lambda pair: -pair[0])]

    def sweep(self, diff_ids: Collection[str]) -> None:
        """Forget images of which the engine has nothing any more.

        Args:
            diff_ids: digests of all layers in the engine.
        """
        for origin in list(self._all()):
            if not set(diff_ids) & set(origin.layers):
                self._path(origin).unlink(missing_ok=True)

    def _path(self, origin: Origin) -> Path:
        return self._directory / f"{origin.image}.{origin.digits}{_SUFFIX}"

    def _replace(self, path: Path, text: str) -> None:
        with contextlib.ExitStack() as undo:
            descriptor, name = tempfile.mkstemp(dir=self._directory)
            undo.callback(Path(name).unlink, missing_ok=True)
            with os.fdopen(descriptor, "w") as file:
                file.write(text)
            Path(name).replace(path)

    def _forget_oldest(self) -> None:
        paths = sorted(self._directory.glob(f"*{_SUFFIX}"), key=lambda path: path.stat().st_mtime)
        for path in paths[:-MOST_IMAGES]:
            path.unlink(missing_ok=True)

    def _all(self) -> Iterator[Origin]:
        for path in sorted(self._directory.glob(f"*{_SUFFIX}")):
            try:
                yield _origin(path)
            except (OSError, Fault) as error:
                # A host that lost its power may leave half a file; it is no use to anybody.
                LOG.warning("The note %s is not understood and is removed: %s", path, error)
                path.unlink(missing_ok=True)


def _origin(path: Path) -> Origin:
    name = _NAME.fullmatch(path.name)
    document = Document(parse(path.read_bytes(), "the note", _DEPTH), "the note")
    layers = document.mapping("layers")
    sound = all(_DIFF_ID.fullmatch(name) and type(size) is int for name, size in layers.items())
    if not name or not sound:
        raise Fault("it is not one of ours")
    return Origin(name[1], name[2], layers)
