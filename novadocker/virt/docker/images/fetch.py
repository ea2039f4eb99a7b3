# SPDX-License-Identifier: Apache-2.0
"""Transfer of an image from Glance into the engine, on the shortest safe path."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial

from oslo_log import log as logging

from novadocker.archive import (
    CheckedArchive,
    Layer,
    Part,
    Platform,
    SavedImage,
    ThinArchive,
)
from novadocker.errors import (
    EngineError,
    EngineOutOfSpace,
    EngineReplyLost,
    EngineUnavailable,
    ImageInvalid,
)
from novadocker.virt.docker.engine import Engine, Image
from novadocker.virt.docker.engine.features import Features
from novadocker.virt.docker.engine.settling import seen
from novadocker.virt.docker.images.blame import blamed
from novadocker.virt.docker.images.chains import Chains
from novadocker.virt.docker.images.entitlement import Custody
from novadocker.virt.docker.images.plan import Plan, Planner
from novadocker.virt.docker.images.provenance import Origin, Provenance
from novadocker.virt.docker.images.ranges import NoRanges, Ranges
from novadocker.virt.docker.images.relay import relayed
from novadocker.virt.docker.images.request import Wanted, fetching
from novadocker.virt.docker.telemetry import figures
from novadocker.virt.nova_types import ImageApi

LOG = logging.getLogger(__name__)

NAMESPACE = "nova/"
LOADING = "nova-loading/"


@dataclass(frozen=True)
class PartialLoading:
    """Collaborators for loading images in part.

    Attributes:
        ranges: reads parts of images.
        provenance: record of the layers found in each image.
    """

    ranges: Ranges
    provenance: Provenance


class Fetch:
    """Loads images.

    Args:
        engine: where they go.
        glance: Nova's ``nova.image.glance.API``.
        platform: platform of the images.
        parts: for loading in part; None where images are only loaded as a whole.
    """

    def __init__(
        self, engine: Engine, glance: ImageApi, platform: Platform, parts: PartialLoading | None
    ) -> None:
        self._engine = engine
        self._glance = glance
        self._platform = platform
        self._provenance = parts.provenance if parts else None
        self._planner: Planner | None = None
        self._by_manifest = False
        if parts:
            custody = Custody(glance, parts.ranges, parts.provenance)
            self._planner = Planner(glance, parts.ranges, custody, Chains(engine), platform)

    def adapt(self, features: Features) -> None:
        """Mind what keeps the engine's images.

        containerd names an image by its manifest, and wants every layer of what it loads.

        Args:
            features: features of the engine.
        """
        self._by_manifest = features.images_by_manifest

    def load(self, wanted: Wanted) -> Image:
        """Bring an image into the engine, or leave the engine as it was.

        Args:
            wanted: request for the image.

        Returns:
            The engine's account of it.

        Raises:
            ImageFetchFailed: Glance did not deliver it.
            ImageInvalid: its bytes are not a sound saved image.
            EngineError: the engine failed to load it.
            CancelledError: nobody waits for it any more.
        """
        started = time.monotonic()
        try:
            image = self._load_thin(wanted) or self._load_whole(wanted)
        except (EngineError, ImageInvalid) as error:
            fault = blamed(wanted, error)
            if fault is error:
                raise
            raise fault from error
        figures.READ_BYTES.inc(wanted.progress.done)
        LOG.info(
            "Loaded image %s as %s: %d layers, %d bytes read, %.1f s",
            wanted.image,
            wanted.tag,
            len(image.layers),
            wanted.progress.done,
            time.monotonic() - started,
        )
        return image

    def _load_whole(self, wanted: Wanted) -> Image:
        archive = CheckedArchive(
            self._whole(wanted),
            image=wanted.image,
            tag=wanted.tag,
            platform=self._platform,
            bounds=wanted.bounds,
            again=lambda: self._whole(wanted),
        )
        image = self._send(wanted, archive, lambda: archive.saved_image)
        self._remember(wanted, archive.saved_image.layers)
        figures.FETCHES.labels("whole").inc()
        return image

    def _load_thin(self, wanted: Wanted) -> Image | None:
        if self._planner is None or self._by_manifest:
            return None
        plan = self._planner.plan(wanted)
        if plan is None:
            return None
        archive = self._thin_archive(wanted, plan, self._planner)
        try:
            with self._laid(wanted, plan.base, archive):
                image = self._send(wanted, archive, lambda: archive.saved_image)
        except (EngineUnavailable, EngineOutOfSpace):
            raise
        except (EngineError, NoRanges) as error:
            if isinstance(blamed(wanted, error), ImageInvalid):
                raise
            # A layer that the engine had may be gone by now: it says so, and makes no image.
            LOG.warning("Image %s is loaded again as a whole: %s", wanted.image, error)
            return None
        self._remember(wanted, archive.checked)
        figures.FETCHES.labels("thin").inc()
        figures.SPARED_BYTES.inc(plan.spared)
        return image

    @contextmanager
    def _laid(self, wanted: Wanted, base: Part | None, archive: ThinArchive) -> Iterator[None]:
        """Lay a large lowest layer while the image is loaded on top of it.

        The engine unpacks it as it comes. What it loads as an archive, it stores first.
        """
        if base is None:
            yield
            return
        tag = wanted.tag.replace(NAMESPACE, LOADING, 1)
        try:
            with closing(relayed(archive.alone(base.path))) as pieces:
                self._engine.import_layer(pieces, tag)
            laid = self._engine.find_image(tag)
            if laid is None or laid.layers != (base.diff_id,):
                raise EngineError(action="import a layer", reason=f"{base.diff_id} is not there")
            yield
        finally:
            with suppress(EngineUnavailable):
                self._engine.remove_image(tag)

    def _thin_archive(self, wanted: Wanted, plan: Plan, planner: Planner) -> ThinArchive:
        wanted.progress.expect(plan.size)

        def read(offset: int, length: int) -> Iterator[bytes]:
            return relayed(planner.read(wanted, offset, length), wanted.expect_wanted)

        return ThinArchive(
            plan.outline,
            plan.treatments,
            read,
            image=wanted.image,
            tag=wanted.tag,
            bounds=wanted.bounds,
        )

    def _send(
        self, wanted: Wanted, archive: Iterable[bytes], saved: Callable[[], SavedImage]
    ) -> Image:
        try:
            self._load_pieces(wanted, archive, saved)
            return self._loaded(wanted, saved())
        except BaseException:
            # An engine that is gone has no image of that name, or has all of it: it looks at
            # nothing before the manifest, and that was sent only when all was found right.
            with suppress(EngineUnavailable):
                self._engine.remove_image(wanted.tag)
            raise

    def _load_pieces(
        self, wanted: Wanted, archive: Iterable[bytes], saved: Callable[[], SavedImage]
    ) -> None:
        sent = threading.Event()
        try:
            with closing(relayed(archive)) as pieces:
                self._engine.load_image(_until_end(pieces, sent))
        except EngineReplyLost as lost:
            if not sent.is_set():  # no image can come of a part
                raise
            seen(partial(self._find, wanted, saved()), lost)

    def _find(self, wanted: Wanted, saved: SavedImage) -> Image | None:
        image = self._engine.find_image(wanted.tag)
        return image if image and self._is(image, saved) else None

    def _loaded(self, wanted: Wanted, saved: SavedImage) -> Image:
        image = self._engine.find_image(wanted.tag)
        if image is None or not self._is(image, saved):
            found = image.id if image else "nothing"
            raise ImageInvalid(
                image=wanted.image,
                reason=f"the engine made {found} of it, where {saved.id} was sent",
            )
        return image

    def _is(self, image: Image, saved: SavedImage) -> bool:
        if self._by_manifest:
            return image.layers == tuple(layer.diff_id for layer in saved.layers)
        return image.id == saved.id

    def _remember(self, wanted: Wanted, layers: Iterable[Layer]) -> None:
        if self._provenance:
            found = {layer.diff_id: layer.unpacked for layer in layers}
            self._provenance.remember(Origin(wanted.image, wanted.digits, found))

    def _whole(self, wanted: Wanted) -> Iterator[bytes]:
        return relayed(self._chunks(wanted), wanted.expect_wanted)

    def _chunks(self, wanted: Wanted) -> Iterator[bytes]:
        with fetching(wanted.image):
            for chunk in self._glance.download(wanted.context, wanted.image):
                wanted.progress.add(len(chunk))
                yield chunk


def _until_end(pieces: Iterable[bytes], ended: threading.Event) -> Iterator[bytes]:
    yield from pieces
    ended.set()
