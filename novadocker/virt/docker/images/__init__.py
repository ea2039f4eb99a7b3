# SPDX-License-Identifier: Apache-2.0
"""Glance's images in the engine.

``cache`` is the way in: what is here, what is fetched, what is forgotten. ``fetch`` brings one
image, ``plan`` decides what of it is read and sent: ``chains`` knows what the engine has,
``custody`` what may stay unread, by what ``provenance`` remembers and Glance lets a token
read. ``ranges`` reads parts of images, ``relay`` lets two threads share a stream, ``progress``
tells those who wait.
"""

from novadocker.virt.docker.images.cache import CONTAINER_FORMAT, Images
from novadocker.virt.docker.images.entitlement import recorded_digits
from novadocker.virt.docker.images.fetch import NAMESPACE, PartialLoading
from novadocker.virt.docker.images.progress import ImageWaiter
from novadocker.virt.docker.images.provenance import Origin, Provenance
from novadocker.virt.docker.images.ranges import Ranges

__all__ = [
    "CONTAINER_FORMAT",
    "NAMESPACE",
    "ImageWaiter",
    "Images",
    "Origin",
    "PartialLoading",
    "Provenance",
    "Ranges",
    "recorded_digits",
]
