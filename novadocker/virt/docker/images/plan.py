# SPDX-License-Identifier: Apache-2.0
"""Plan of an image's load: bytes read from Glance, and layers sent to the engine."""

from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from oslo_log import log as logging

from novadocker.archive import (
    Bounds,
    Fault,
    Index,
    Outline,
    Part,
    Platform,
    Scattered,
    Treatment,
    Windows,
    gaps,
    outline,
)
from novadocker.archive.image.index import PROPERTY
from novadocker.archive.image.manifest import is_named_by_digest
from novadocker.virt.docker.images.chains import Chains
from novadocker.virt.docker.images.entitlement import Custody
from novadocker.virt.docker.images.ranges import NoRanges, Ranges
from novadocker.virt.docker.images.request import Wanted, fetching
from novadocker.virt.nova_types import ImageApi

LOG = logging.getLogger(__name__)

_AT_ONCE = 4
# Below that a call to the engine costs more than it saves.
_LARGE = 8 * 1024 * 1024


@dataclass(frozen=True)
class Plan:
    """How one image is loaded in part.

    Attributes:
        outline: members of the archive.
        treatments: treatment of each layer, by path.
    """

    outline: Outline
    treatments: Mapping[str, Treatment]

    @property
    def size(self) -> int:
        """Bytes of layers that are read."""
        return sum(
            part.size
            for part in self.outline.parts
            if self.treatments[part.path] is not Treatment.LEAVE
        )

    @property
    def spared(self) -> int:
        """Bytes of layers that are not read."""
        return sum(part.size for part in self.outline.parts) - self.size

    @property
    def base(self) -> Part | None:
        """The lowest layer, where it is sent and large enough to go ahead of the others."""
        paths = self.outline.image.paths
        (lowest,) = (part for part in self.outline.parts if part.path == paths[0])
        is_sent = self.treatments[lowest.path] is Treatment.SEND and paths.count(lowest.path) == 1
        return lowest if is_sent and lowest.size >= _LARGE else None

    @property
    def fits(self) -> bool:
        """Tell if the length of each layer, as sent, is known."""
        return all(
            part.sent is not None or part == self.base
            for part in self.outline.parts
            if self.treatments[part.path] is Treatment.SEND
        )


class Planner:
    """Makes plans.

    Args:
        glance: Nova's ``nova.image.glance.API``.
        ranges: reads parts of images.
        custody: says what may stay unread.
        chains: layers in the engine.
        platform: platform of the images.
    """

    def __init__(
        self, glance: ImageApi, ranges: Ranges, custody: Custody, chains: Chains, platform: Platform
    ) -> None:
        self._glance = glance
        self._ranges = ranges
        self._custody = custody
        self._chains = chains
        self._platform = platform

    def plan(self, wanted: Wanted) -> Plan | None:
        """Find out how an image is best loaded.

        Args:
            wanted: the image.

        Returns:
            A plan; None where it is to be loaded as a whole.

        Raises:
            ImageFetchFailed: Glance did not answer.
        """
        if not self._ranges.allowed():
            return None
        with fetching(wanted.image):
            record = self._glance.get(wanted.context, wanted.image)
        index = _index(wanted.image, record)
        try:
            found = self._outline(wanted, record["size"], index)
        except (Fault, Scattered, NoRanges) as reason:
            # What is wrong with it will be said by the one who reads all of it.
            LOG.debug("Image %s is read as a whole: %r", wanted.image, reason)
            return None
        if not _is_told_by_digest(found, index):
            return None
        plan = self._of(wanted, record, found)
        return plan if plan.fits else None

    def read(self, wanted: Wanted, offset: int, length: int) -> Iterator[bytes]:
        """Read a part of an image's archive.

        Args:
            wanted: the image.
            offset: where it begins.
            length: how many bytes.

        Yields:
            All of them.

        Raises:
            ImageFetchFailed: Glance did not deliver them.
            NoRanges: Glance serves the image only as a whole.
        """
        with fetching(wanted.image):
            for piece in self._ranges.read(wanted.context, wanted.image, offset, length):
                wanted.progress.add(len(piece))
                yield piece

    def _outline(self, wanted: Wanted, size: int, index: Index | None) -> Outline:
        def fetch(offset: int, length: int) -> bytes:
            wanted.expect_wanted()
            return b"".join(self.read(wanted, offset, length))

        fetched: list[tuple[int, bytes]] = []
        if index and index.size == size:
            places = gaps(index)
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                parts = pool.map(lambda place: fetch(*place), places)
                fetched = [(offset, part) for (offset, _), part in zip(places, parts, strict=True)]
        return outline(Windows(fetch, size, fetched), self._platform, Bounds())

    def _of(self, wanted: Wanted, record: Mapping[str, Any], found: Outline) -> Plan:
        known = self._chains.known([layer.diff_id for layer in found.image.layers])
        # One place in the archive may be two layers, of which the engine has only the lower.
        lacks = set(found.image.paths[known:])
        has = {part.diff_id for part in found.parts if part.path not in lacks}
        unread = self._custody.unread(wanted.context, record, has) if has else {}
        return Plan(found, {part.path: _treatment(part, lacks, unread) for part in found.parts})


def _is_told_by_digest(found: Outline, index: Index | None) -> bool:
    """Say whether a digest fixes the config, and through the config the layers.

    Who reads an image as a whole holds it against the hash that Glance has of it.
    """
    if index is None:
        return is_named_by_digest(found.image.config_path)
    return index.config.digest == found.image.id


def _treatment(part: Part, lacks: Collection[str], unread: Collection[str]) -> Treatment:
    if part.path in lacks:
        return Treatment.SEND
    return Treatment.LEAVE if part.diff_id in unread else Treatment.CHECK


def _index(image_id: str, record: Mapping[str, Any]) -> Index | None:
    text = record.get("properties", {}).get(PROPERTY)
    if not text:
        return None
    try:
        return Index.parse(text)
    except Fault as fault:
        LOG.debug("The property %s of image %s is passed over: %s", PROPERTY, image_id, fault)
        return None
