# SPDX-License-Identifier: Apache-2.0
"""Saved images, read as a stream and checked before the engine sees them.

Pure: bytes in, bytes out; no file, no network, no engine.

What ``docker save`` writes is understood in both its forms (``<id>/layer.tar`` up to
Docker 24, ``blobs/sha256`` since), and OCI image layouts in a tar; each also as a whole in
gzip or zstd, and with layers in them. ``CheckedArchive`` does the work, in one ``passage``
through the archive or two.

- ``source`` undoes an outer compression (``magic``, ``gunzip``, ``unzstd``, ``growth``),
  ``tar`` reads the outer format (``header``, ``overrides``);
- ``layer`` takes a layer's digests, ``entries`` looks at what is in it (``tree``);
- ``documents`` reads JSON; ``manifest``, ``oci`` and ``platform`` find the image and judge it;
- ``sent`` writes what comes out; ``index`` is where in an archive everything is;
- ``outline`` finds out what an archive holds by ``windows`` of it, and ``thin`` is then given
  only the layers that are read.
"""

from novadocker.archive.bounds import Bounds
from novadocker.archive.checked import CheckedArchive
from novadocker.archive.fault import Fault
from novadocker.archive.image.index import Index
from novadocker.archive.image.manifest import SavedImage
from novadocker.archive.image.platform import Platform
from novadocker.archive.layers.layer import Layer
from novadocker.archive.outline import Outline, Part, outline
from novadocker.archive.thin import ThinArchive, Treatment
from novadocker.archive.windows import Scattered, Windows, gaps

__all__ = [
    "Bounds",
    "CheckedArchive",
    "Fault",
    "Index",
    "Layer",
    "Outline",
    "Part",
    "Platform",
    "SavedImage",
    "Scattered",
    "ThinArchive",
    "Treatment",
    "Windows",
    "gaps",
    "outline",
]
