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
  only the layers that are read;
- ``revised`` makes the config of an image that was committed from a server its own again.
"""

from novadocker.virt.docker.archive.bounds import Bounds
from novadocker.virt.docker.archive.checked import CheckedArchive
from novadocker.virt.docker.archive.fault import Fault
from novadocker.virt.docker.archive.index import Index
from novadocker.virt.docker.archive.layer import Layer
from novadocker.virt.docker.archive.manifest import SavedImage
from novadocker.virt.docker.archive.outline import Outline, Part, outline
from novadocker.virt.docker.archive.platform import Platform
from novadocker.virt.docker.archive.revised import revised
from novadocker.virt.docker.archive.thin import ThinArchive, Treatment
from novadocker.virt.docker.archive.windows import Scattered, Windows, gaps

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
    "revised",
]
