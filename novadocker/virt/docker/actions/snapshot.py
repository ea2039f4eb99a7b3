# SPDX-License-Identifier: Apache-2.0
"""Images made of servers: committed, saved, revised and sent to Glance in passing.

The container stands still while ``docker commit`` reads its files and no longer. What it makes
has a name in a namespace of its own, with instance and Glance image in it, so that what an
interrupted snapshot leaves behind is known for what it is.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from nova.exception import ImageNotFound
from oslo_log import log as logging

from novadocker.archive import CheckedArchive, Platform
from novadocker.archive.image.index import PROPERTY as INDEX_PROPERTY
from novadocker.errors import (
    EngineError,
    ImageInvalid,
    PolicyRefused,
    SnapshotError,
)
from novadocker.virt.docker.actions import snapshot_config
from novadocker.virt.docker.actions.lock import operation
from novadocker.virt.docker.actions.upload import Upload
from novadocker.virt.docker.container.guest import Guest
from novadocker.virt.docker.container.labels import LABEL_BASE, LABEL_HOST, container_name
from novadocker.virt.docker.container.privileged import lost_in_layer
from novadocker.virt.docker.engine import Container, Engine
from novadocker.virt.docker.host.processor import platform_of_host
from novadocker.virt.docker.images import CONTAINER_FORMAT, Origin, Provenance, recorded_digits
from novadocker.virt.nova_types import ImageApi, RequestContext

LOG = logging.getLogger(__name__)

NAMESPACE = "nova-snapshot/"
PROPERTY = "docker_snapshot"
LIVE, PAUSED = "live", "paused"
DISK_FORMAT = "raw"


@dataclass(frozen=True)
class Stages:
    """Stages of a snapshot for Nova; a call raises when the server is being deleted.

    Attributes:
        pending: the commit begins.
        uploading: the upload to Glance begins.
    """

    pending: Callable[[], None]
    uploading: Callable[[], None]


def name_of(uuid: str, image_id: str) -> str:
    """Return the name of a snapshot in the engine during its making.

    Args:
        uuid: id of the instance.
        image_id: Glance's id of the image that it becomes.

    Returns:
        "REPOSITORY:TAG".
    """
    return f"{NAMESPACE}{uuid}:{image_id}"


def is_live(properties: Mapping[str, str]) -> bool:
    """Say whether a server runs on while it is committed.

    Args:
        properties: properties of the new image.

    Returns:
        Whether it does.

    Raises:
        PolicyRefused: they say neither yes nor no.
    """
    asked = properties.get(PROPERTY, PAUSED)
    if asked not in (LIVE, PAUSED):
        raise PolicyRefused(
            setting=f"image property {PROPERTY}",
            value=repr(asked),
            accepted=f"{PAUSED!r}, where the server stands still while its files are read, "
            f"or {LIVE!r}, where it does not",
        )
    return asked == LIVE


def _refuse_lost_files(image_id: str, container: Container) -> None:
    # A commit says nothing of such a file, or breaks off with a path of the host.
    if not container.writable:
        return
    if lost := lost_in_layer(container.writable, attributes=False):
        raise SnapshotError(
            image=image_id,
            reason=f"no image carries {'; '.join(lost)}; rename such files, and try again",
        )


class Snapshots:
    """Makes images of servers on this host.

    Args:
        engine: where the servers are.
        glance: Nova's ``nova.image.glance.API``.
        platform: platform of the servers; else this host's.
        provenance: where it is noted what the images hold; None for nowhere.
    """

    def __init__(
        self,
        engine: Engine,
        glance: ImageApi,
        platform: Platform | None = None,
        provenance: Provenance | None = None,
    ) -> None:
        self._engine = engine
        self._provenance = provenance
        self._glance = glance
        self._platform = platform or platform_of_host()
        self._lock = threading.Lock()
        self._busy: set[str] = set()

    def take(self, context: RequestContext, uuid: str, image_id: str, stages: Stages) -> None:
        """Fill an image of Glance's with a server as it is.

        Whatever goes wrong, the engine keeps nothing of it, and neither does Glance: Nova
        deletes the image of a snapshot that failed, but not the one of a shelving.

        Args:
            context: the request's, for Glance.
            uuid: id of the instance.
            image_id: id of the image, made by Nova and still without data.
            stages: told how far it is.

        Raises:
            ContainerNotFound: there is no container.
            PolicyRefused: the image's property ``docker_snapshot`` is not understood.
            SnapshotError: not all of it arrived.
            EngineError: the engine could not commit or save it.
        """
        try:
            self._take(context, uuid, image_id, stages)
        except BaseException as error:
            # Nova records it for the tenant, who does not see it, and tells its log nothing.
            LOG.warning("Server %s was not made image %s: %s", uuid, image_id, error)
            self._discard(context, image_id)
            raise

    def _discard(self, context: RequestContext, image_id: str) -> None:
        try:
            self._glance.delete(context, image_id)
        except ImageNotFound:
            LOG.debug("Image %s is gone already", image_id)
        except Exception as error:  # noqa: BLE001 - Glance's faults are many, and the first counts
            LOG.warning("Image %s, which is not whole, is left in Glance: %s", image_id, error)

    def sweep(self, host: str) -> list[str]:
        """Remove leftovers of interrupted snapshots from the engine.

        Args:
            host: the compute host, as the servers' labels name it.

        Returns:
            The names that are gone.
        """
        left = self._engine.image_tags(NAMESPACE, f"{LABEL_HOST}={host}")
        with self._lock:
            left = [tag for tag in left if tag not in self._busy]
        return [tag for tag in left if self._remove(tag)]

    def _take(self, context: RequestContext, uuid: str, image_id: str, stages: Stages) -> None:
        properties = self._glance.get(context, image_id).get("properties", {})
        live = is_live(properties)
        guest = Guest(self._engine, container_name(uuid))
        with operation(self._engine, uuid):
            container = guest.get()
        _refuse_lost_files(image_id, container)
        base = container.labels.get(LABEL_BASE, container.image)
        settings = self._engine.image_settings(base)
        stages.pending()
        tag = name_of(uuid, image_id)
        with self._leaving_nothing(tag):
            # Without the server's lock: a commit may take an hour, and Nova keeps all operations
            # but a deletion away by the task state. A deletion must not wait for an image that
            # nobody will want.
            committed = guest.commit(tag, live=live)
            stages.uploading()
            with contextlib.closing(self._engine.save_image(committed)) as chunks:
                archive = CheckedArchive(
                    chunks,
                    image=image_id,
                    tag=None,
                    platform=self._platform,
                    revise=partial(snapshot_config.revised, settings=settings),
                )
                size = self._send(context, image_id, archive, properties)
        LOG.info("Image %s was made of server %s: %d bytes", image_id, uuid, size)

    def _send(
        self,
        context: RequestContext,
        image_id: str,
        archive: CheckedArchive,
        properties: Mapping[str, str],
    ) -> int:
        account: dict[str, Any] = {
            "container_format": CONTAINER_FORMAT,
            "disk_format": DISK_FORMAT,
        }
        # How this one was made is not how those of its servers are to be made.
        forget = PROPERTY in properties
        if forget:
            account["properties"] = {n: v for n, v in properties.items() if n != PROPERTY}
        upload = Upload(iter(archive))
        try:
            kept = self._glance.update(context, image_id, account, data=upload, purge_props=forget)
        except ImageInvalid as error:
            raise SnapshotError(
                image=image_id,
                reason=f"the engine did not save it whole ({error.values['reason']})",
            ) from error
        if not upload.ended or kept.get("size") != upload.size:
            raise SnapshotError(
                image=image_id,
                reason=f"Glance has {kept.get('size')} bytes of it, and {upload.size} were sent",
            )
        self._note(context, image_id, archive, kept)
        return upload.size

    def _note(
        self,
        context: RequestContext,
        image_id: str,
        archive: CheckedArchive,
        kept: Mapping[str, Any],
    ) -> None:
        """Let hosts load only the missing layers of the image, this host none."""
        properties = {INDEX_PROPERTY: archive.sent_index.text()}
        try:
            self._glance.update(context, image_id, {"properties": properties}, purge_props=False)
        except Exception as error:  # noqa: BLE001 - without it, the image is only read slower
            LOG.warning("Image %s is without its index: %s", image_id, error)
        if self._provenance:
            found = {layer.diff_id: layer.unpacked for layer in archive.saved_image.layers}
            self._provenance.remember(Origin(image_id, recorded_digits(kept), found))

    @contextlib.contextmanager
    def _leaving_nothing(self, tag: str) -> Iterator[None]:
        with self._lock:
            self._busy.add(tag)
        try:
            yield
        finally:
            self._remove(tag)
            with self._lock:
                self._busy.discard(tag)

    def _remove(self, tag: str) -> bool:
        try:
            self._engine.remove_image(tag)
        except EngineError as error:
            # The next sweep finds it again.
            LOG.warning("Image %s, of an ended snapshot, stays: %s", tag, error)
            return False
        return True
