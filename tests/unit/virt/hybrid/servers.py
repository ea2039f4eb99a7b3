# SPDX-License-Identifier: Apache-2.0
"""Records of servers and images, as Nova hands them to its driver."""

from typing import Any

from nova.objects.image_meta import ImageMeta

IMAGE = "91a9ce00-0000-4000-8000-000000000001"


def image(**properties: Any) -> ImageMeta:
    """Return an image's metadata; ``properties`` are those of Glance."""
    named = properties.pop("properties", {})
    return ImageMeta.from_dict({"id": IMAGE, **properties, "properties": named})


class Record:
    """A server's record; reading an image that a test does not give is a fault.

    Args:
        uuid: id of the server.
        container_format: format of the server's image, None where it must not be read.
    """

    def __init__(self, uuid: str, container_format: str | None = "docker") -> None:
        self.uuid = uuid
        self.host = "h1"
        self._format = container_format

    @property
    def image_meta(self) -> ImageMeta:
        """The image of the record."""
        assert self._format is not None, "the record was loaded"
        return image(container_format=self._format)
