# SPDX-License-Identifier: Apache-2.0
"""Glance's images in the engine: fetched once, checked on the way, forgotten when unused."""

import threading
import time
from collections.abc import Callable, Collection
from datetime import datetime

from oslo_log import log as logging

from novadocker.archive import Platform
from novadocker.archive.fault import TooLarge
from novadocker.errors import (
    EngineError,
    EngineUnavailable,
    ImageFetchFailed,
    ImageFormatRefused,
    ImageInvalid,
)
from novadocker.virt.docker.container.labels import LABEL_IMAGE
from novadocker.virt.docker.engine import Engine, EngineInfo, Image
from novadocker.virt.docker.engine.features import Features
from novadocker.virt.docker.host.disk import disk
from novadocker.virt.docker.host.processor import platform_of_host
from novadocker.virt.docker.images.chains import Chains
from novadocker.virt.docker.images.entitlement import HASH_DIGITS, recorded_digits
from novadocker.virt.docker.images.fetch import LOADING, NAMESPACE, Fetch, PartialLoading
from novadocker.virt.docker.images.progress import ImageWaiter, NoWaiter, Progress
from novadocker.virt.docker.images.request import Wanted, fetching
from novadocker.virt.docker.images.single_flight import SingleFlight
from novadocker.virt.docker.images.size_limit import size_limit
from novadocker.virt.nova_types import ImageApi, ImageMeta, RequestContext

LOG = logging.getLogger(__name__)

CONTAINER_FORMAT = "docker"


class Images:
    """Images for the servers of this host.

    An image of Glance's is in the engine under one name, ``nova/<id>:<hash>``, where the hash
    is the MD5 that Nova hands down with an image, or, where Glance keeps none, the first
    digits of its ``os_hash_value``. Glance never changes the bytes of an id; should an
    operator do so behind its back, the hash tells.

    Args:
        engine: where the images go.
        glance: Nova's ``nova.image.glance.API``.
        platform: platform of the images; else this host's.
        parts: for loading images in part; else they are always loaded as a whole.
        most_bytes: bytes that any image may unpack to; 0 without a limit.
    """

    def __init__(
        self,
        engine: Engine,
        glance: ImageApi,
        platform: Platform | None = None,
        parts: PartialLoading | None = None,
        most_bytes: int = 0,
    ) -> None:
        self._most_bytes = most_bytes
        self._free: Callable[[], int] | None = None
        self._engine = engine
        self._glance = glance
        self._fetch = Fetch(engine, glance, platform or platform_of_host(), parts)
        self._provenance = parts.provenance if parts else None
        self._loading: SingleFlight[Image] = SingleFlight()
        self._lock = threading.Lock()
        self._last_used: dict[str, float] = {}
        self._progress: dict[str, Progress] = {}

    def adapt(self, info: EngineInfo) -> None:
        """Adapt to the kind of engine, and remove leftovers of an earlier process.

        Args:
            info: the engine's account of itself.
        """
        self._fetch.adapt(Features.of(info))
        self._free = lambda: disk(info).free
        self._sweep()

    def ensure(
        self, context: RequestContext, image_meta: ImageMeta, waiter: ImageWaiter | None = None
    ) -> Image:
        """Return an image that the engine has, fetched from Glance if need be.

        Of several callers at a time one fetches; the others get what it gets. Whatever goes
        wrong, the engine is left without the image, not with a part of it.

        Args:
            context: the request's, for Glance.
            image_meta: Nova's ``ImageMeta``.
            waiter: server in wait; may end the wait by an exception. When nothing waits for an
                image any more, what was done is undone.

        Returns:
            The engine's account of it.

        Raises:
            ImageFormatRefused: it is no container image.
            ImageFetchFailed: Glance did not deliver it.
            ImageInvalid: its bytes are not a sound saved image.
            EngineError: the engine failed to load it.
        """
        tag = self._tag(context, image_meta)
        self._note_use(tag)
        waiter = waiter or NoWaiter()
        if image := self._engine.find_image(tag):
            _expect_fits(image_meta.id, image, waiter)
            return image
        waiter.begin()
        try:
            image = self._wait(context, image_meta, tag, waiter)
        except BaseException as fault:
            waiter.end(fault)
            raise
        waiter.end(None)
        return image

    def _wait(
        self, context: RequestContext, image_meta: ImageMeta, tag: str, waiter: ImageWaiter
    ) -> Image:
        def work(expect_wanted: Callable[[], None]) -> Image:
            progress = self._progress[tag] = Progress(image_meta.id, _size(image_meta))
            limit = size_limit(waiter.root_bytes, self._most_bytes, self._free)
            wanted = Wanted(context, image_meta.id, tag, expect_wanted, progress, limit)
            try:
                return self._engine.find_image(tag) or self._fetch.load(wanted)
            finally:
                del self._progress[tag]

        def on_wait() -> None:
            waiter.expect_wanted()
            if progress := self._progress.get(tag):
                waiter.advance(progress.done, progress.total)

        try:
            image = self._loading.run(tag, work, on_wait)
        except ImageInvalid as error:
            # Too large for the flavor of another server that asked first, not for this one.
            if not self._takes_larger(waiter, error):
                raise
            image = self._loading.run(tag, work, on_wait)
        _expect_fits(image_meta.id, image, waiter)
        return image

    def _takes_larger(self, waiter: ImageWaiter, error: ImageInvalid) -> bool:
        limit = size_limit(waiter.root_bytes, self._most_bytes, self._free)
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, TooLarge):
            cause = cause.__cause__
        return cause is not None and (limit is None or limit.bytes > cause.limit)

    def cache(self, context: RequestContext, image_meta: ImageMeta) -> bool:
        """Fetch an image ahead of its servers; its age begins now.

        Args:
            context: the request's, for Glance.
            image_meta: Nova's ``ImageMeta``.

        Returns:
            Whether it was fetched; else the engine had it.

        Raises:
            DockerDriverError: as ``ensure``.
        """
        had = self._engine.find_image(self._tag(context, image_meta))
        self.ensure(context, image_meta)
        return had is None

    def forget_unused(self, used: Collection[str], min_age: float) -> list[str]:
        """Remove images that no server uses and none has used for a time.

        The time counts from the last use that this process saw, by a waiter or in a round of
        this, or else from when the image was loaded. What any container was made from is in
        use, whatever became of its server. Images that are not in our namespace are not
        looked at.

        Args:
            used: Glance's ids of the images that servers on this host were made from.
            min_age: seconds without use.

        Returns:
            The names that are gone.
        """
        self._sweep()
        tags = self._engine.image_tags(NAMESPACE)
        used = {*used, *self._in_containers()}
        with self._lock:
            self._last_used = {tag: self._last_used[tag] for tag in tags if tag in self._last_used}
        unused = []
        for tag in tags:
            if tag.removeprefix(NAMESPACE).partition(":")[0] in used:
                self._note_use(tag)
            else:
                unused.append(tag)
        gone = [tag for tag in unused if self._idle(tag) >= min_age and self._forget(tag)]
        if self._provenance:
            has = {layer for image in Chains(self._engine).images() for layer in image}
            self._provenance.sweep(has)
        return gone

    def _sweep(self) -> None:
        # What a load that was broken off has laid; not what one lays that goes on.
        for tag in self._engine.image_tags(LOADING):
            if tag.replace(LOADING, NAMESPACE, 1) not in self._progress:
                self._remove(tag)

    def _in_containers(self) -> set[str]:
        # A rescued server has a second container, of an image that Nova does not name.
        return {labels[LABEL_IMAGE] for labels in self._engine.labels_by_name(LABEL_IMAGE).values()}

    def _tag(self, context: RequestContext, image_meta: ImageMeta) -> str:
        container_format = _field(image_meta, "container_format")
        if container_format != CONTAINER_FORMAT:
            raise ImageFormatRefused(image=image_meta.id, container_format=container_format)
        digits = _field(image_meta, "checksum") or self._recorded_hash(context, image_meta.id)
        return f"{NAMESPACE}{image_meta.id}:{digits[:HASH_DIGITS]}"

    def _recorded_hash(self, context: RequestContext, image_id: str) -> str:
        # Nova's account of an image that a server was made from lacks the checksum.
        with fetching(image_id):
            digits = recorded_digits(self._glance.get(context, image_id))
        if not digits:
            raise ImageFetchFailed(image=image_id, reason="Glance records no hash of its bytes")
        return digits

    def _note_use(self, tag: str) -> None:
        with self._lock:
            self._last_used[tag] = time.time()

    def _idle(self, tag: str) -> float:
        image = self._engine.find_image(tag)
        now = time.time()
        with self._lock:
            last_used = self._last_used.get(tag)
            if last_used is None:
                # An engine that does not say when it was loaded: counts from now on.
                last_used = _seconds(image.last_tagged if image else "") or now
                self._last_used[tag] = last_used
        return now - last_used

    def _forget(self, tag: str) -> bool:
        # A container may still stand on it that Nova no longer counts; the next round finds
        # the same image again.
        if gone := self._remove(tag):
            LOG.info("Removed image %s, which no server uses", tag)
        return gone

    def _remove(self, tag: str) -> bool:
        try:
            self._engine.remove_image(tag)
        except EngineUnavailable:
            raise
        except EngineError as error:
            LOG.warning("Image %s is unused and stays: %s", tag, error)
            return False
        return True


def _expect_fits(image_id: str, image: Image, waiter: ImageWaiter) -> None:
    if waiter.root_bytes and image.size > waiter.root_bytes:
        reason = f"it unpacks to {image.size} bytes, and the root disk of the flavor has "
        raise ImageInvalid(image=image_id, reason=f"{reason}{waiter.root_bytes}")


def _field(image_meta: ImageMeta, name: str) -> str:
    return str(getattr(image_meta, name)) if image_meta.obj_attr_is_set(name) else ""


def _size(image_meta: ImageMeta) -> int:
    size = _field(image_meta, "size")
    return int(size) if size.isdigit() else 0


def _seconds(moment: str) -> float | None:
    # Engines write the year 1 for what they do not know.
    if not moment or moment.startswith("0001-"):
        return None
    return datetime.fromisoformat(moment).timestamp()
