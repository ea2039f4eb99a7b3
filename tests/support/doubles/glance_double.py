# SPDX-License-Identifier: Apache-2.0
"""Glance with images in memory, shown by owner.

As the real one of which tests/cloud has the proof: ranges or none, images that are shown and
not given, hashes that change when an operator changes the bytes.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from nova import exception

from novadocker.virt.docker.images.ranges import NoRanges

ALICE, BOB, ADMIN = "alice", "bob", "admin"


@dataclass
class Stored:
    """One image of Glance's."""

    data: bytes
    owner: str
    readers: set[str]
    seers: set[str] = field(default_factory=set)
    public: bool = False
    properties: dict[str, str] = field(default_factory=dict)

    @property
    def checksum(self) -> str:
        """The MD5 that Glance keeps."""
        return hashlib.md5(self.data, usedforsecurity=False).hexdigest()


class Glance:
    """Images and their members."""

    def __init__(self) -> None:
        self.images: dict[str, Stored] = {}
        self.serves_ranges = True
        self.permits_parts = True
        self.ranges: list[tuple[str, int, int]] = []
        self.downloads: list[str] = []

    def add(self, data: bytes, owner: str = ALICE, **account: Any) -> str:
        """Upload an image."""
        name = f"5f0c1f3e-7b0d-4f8e-9d27-0d6f6b1f9a{len(self.images):02}"
        self.images[name] = Stored(data, owner, {owner, ADMIN}, **account)
        return name

    def get(self, context: Any, image_id: str) -> dict[str, Any]:
        """Show an image to a user with access."""
        found = self.images[image_id]
        if context.user not in found.readers | found.seers:
            raise exception.ImageNotFound(image_id=image_id)
        return {
            "size": len(found.data),
            "checksum": found.checksum,
            "owner": found.owner,
            "is_public": found.public,
            "properties": found.properties,
        }

    def _readable(self, context: Any, image_id: str) -> bytes:
        self.get(context, image_id)
        if context.user not in self.images[image_id].readers:
            raise exception.ImageNotAuthorized(image_id=image_id)
        return self.images[image_id].data

    def download(self, context: Any, image_id: str) -> Iterator[bytes]:
        """Give all of one."""
        self.downloads.append(image_id)
        data = self._readable(context, image_id)
        yield from (data[at : at + 1000] for at in range(0, len(data), 1000))

    def allowed(self) -> bool:
        """Say whether parts may be read."""
        return self.permits_parts

    def read(self, context: Any, image_id: str, offset: int, length: int) -> Iterator[bytes]:
        """Give a part of one."""
        if not self.serves_ranges:
            raise NoRanges(image=image_id, status=400)
        data = self._readable(context, image_id)
        assert 0 < length <= len(data) - offset
        self.ranges.append((image_id, offset, length))
        yield data[offset : offset + length]

    def read_of(self, image_id: str) -> int:
        """Count the bytes of an image that were read in parts."""
        return sum(length for name, _, length in self.ranges if name == image_id)
