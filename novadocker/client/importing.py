# SPDX-License-Identifier: Apache-2.0
"""An archive becomes an image in Glance, or nothing does."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from novadocker.archive import Platform
from novadocker.client import properties
from novadocker.client.archives import Archive, FileArchive, StreamArchive
from novadocker.client.checked_stream import Passing
from novadocker.client.examination import HASH, Examination, Examined
from novadocker.client.glance import Glance, GlanceImage, expect_arrived
from novadocker.client.progress import Progress


@dataclass(frozen=True)
class Wanted:
    """Image as a user wants to have it.

    Attributes:
        name: in Glance.
        platform: platform that the image must be made for.
        attributes: Glance's own attributes, as far as they are given.
        properties: the user's; they win over what is found out.
        protected: True where deletion is to be refused.
    """

    name: str
    platform: Platform
    attributes: Mapping[str, Any] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)
    protected: bool = False


class Importer:
    """Imports archives.

    Args:
        glance: where to.
        progress: shows how far it is.
    """

    def __init__(self, glance: Glance, progress: Progress) -> None:
        self._glance = glance
        self._progress = progress

    def run(self, archive: Archive, wanted: Wanted) -> tuple[GlanceImage, Examined]:
        """Import one archive.

        Args:
            archive: archive to import.
            wanted: the image.

        Returns:
            The image in Glance, and what was found in the archive.

        Raises:
            ImageInvalid: the archive is unsound; Glance has nothing of it.
        """
        if isinstance(archive, FileArchive):
            return self._file(archive, wanted)
        return self._stream(archive, wanted)

    def _file(self, archive: FileArchive, wanted: Wanted) -> tuple[GlanceImage, Examined]:
        chunks = self._progress.of(archive.chunks(), "Checking ", archive.size)
        examined = _begin(chunks, archive, wanted).run()
        attributes = _before(wanted, properties.learnt(examined))
        with self._glance.making(attributes) as image:
            # Whoever changes the file now changes its digest, too.
            sent = self._progress.of(archive.chunks(), "Uploading", examined.size)
            self._glance.upload(image, sent, examined.size)
            self._expect_arrived(image, examined)
            self._finish(image, _after(wanted))
        return self._glance.show(image), examined

    def _stream(self, archive: StreamArchive, wanted: Wanted) -> tuple[GlanceImage, Examined]:
        passing = Passing(archive.chunks(), lambda chunks: _begin(chunks, archive, wanted))
        with self._glance.making(_before(wanted, {})) as image:
            self._glance.upload(image, self._progress.of(passing, "Uploading"))
            examined = passing.examined
            self._expect_arrived(image, examined)
            # A stream is examined during its upload: what is learnt of it comes afterwards, and
            # must not replace what the user gave at the beginning.
            learnt = properties.learnt(examined)
            mine = {*wanted.attributes, *wanted.properties}
            self._finish(
                image,
                {name: learnt[name] for name in learnt if name not in mine} | _after(wanted),
            )
        return self._glance.show(image), examined

    def _expect_arrived(self, image: str, examined: Examined) -> None:
        expect_arrived(self._glance.show(image), examined.size, HASH, examined.digest)

    def _finish(self, image: str, attributes: Mapping[str, Any]) -> None:
        if attributes:
            self._glance.update(image, attributes)


def _begin(chunks: Any, archive: Archive, wanted: Wanted) -> Examination:
    return Examination(
        chunks, again=archive.again, what=str(archive.origin), platform=wanted.platform
    )


def _before(wanted: Wanted, learnt: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": wanted.name,
        **properties.FORMATS,
        **properties.known(wanted.platform),
        **learnt,
        **wanted.properties,
        **wanted.attributes,
    }


def _after(wanted: Wanted) -> dict[str, Any]:
    # Last, for Glance deletes nothing that is protected.
    return {"is_protected": True} if wanted.protected else {}
