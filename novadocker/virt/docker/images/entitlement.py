# SPDX-License-Identifier: Apache-2.0
"""Entitlement of a token to layers that are left unread.

A digest is no secret. Whoever only names a layer must not get it from a host that happens to
have it: he must have shown its bytes, or be able to read them in another image of Glance's.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from oslo_log import log as logging

from novadocker.virt.docker.images.provenance import Origin, Provenance
from novadocker.virt.docker.images.ranges import Ranges
from novadocker.virt.nova_types import ImageApi, RequestContext

LOG = logging.getLogger(__name__)

HASH_DIGITS = 32
# Each costs two requests, and most boots need one.
_MOST_ASKED = 8


def recorded_digits(record: Mapping[str, Any]) -> str:
    """Return the hash by which an image's bytes are known here.

    Args:
        record: Glance's of the image, as Nova has it.

    Returns:
        The first digits; none where Glance records no hash.
    """
    return str(record.get("checksum") or record.get("os_hash_value") or "")[:HASH_DIGITS]


class Custody:
    """Entitlement to layers by a token's right to read images in Glance, asked each time.

    Args:
        glance: Nova's ``nova.image.glance.API``.
        ranges: reads parts of images.
        provenance: record of verified layers.
    """

    def __init__(self, glance: ImageApi, ranges: Ranges, provenance: Provenance) -> None:
        self._glance = glance
        self._ranges = ranges
        self._provenance = provenance

    def unread(
        self, context: RequestContext, record: Mapping[str, Any], diff_ids: Collection[str]
    ) -> dict[str, int]:
        """Say which of an image's layers need not be read.

        Args:
            context: the request's, whose token is shown to Glance.
            record: Glance's of the image that is loaded.
            diff_ids: digests of layers in the engine.

        Returns:
            Those layers' sizes, by diff ID: of each, this token can read an image in which
            this host has found it.
        """
        found: dict[str, int] = {}
        for origin in self._origins(diff_ids):
            if set(diff_ids) <= set(found):
                break
            adds = set(diff_ids) & set(origin.layers) - set(found)
            if adds and self._is_readable(context, origin, record):
                found |= {diff_id: origin.layers[diff_id] for diff_id in adds}
        return found

    def _origins(self, diff_ids: Collection[str]) -> Iterator[Origin]:
        yield from self._provenance.origins(diff_ids)[:_MOST_ASKED]

    def _is_readable(
        self, context: RequestContext, origin: Origin, record: Mapping[str, Any]
    ) -> bool:
        try:
            found = self._glance.get(context, origin.image)
            if recorded_digits(found) != origin.digits:
                return False
            # An administrator's token reads everything, and says nothing of the owner's.
            if context.is_admin and not _is_readable_by_owner(found, record):
                return False
            # Really read: to be shown an image is another right than to have its bytes.
            return any(self._ranges.read(context, origin.image, 0, 1))
        except Exception as error:  # noqa: BLE001 - whatever the reason: it takes a yes
            LOG.debug("Image %s does not vouch for layers: %s", origin.image, error)
            return False


def _is_readable_by_owner(found: Mapping[str, Any], record: Mapping[str, Any]) -> bool:
    return bool(found.get("is_public")) or found.get("owner") == record.get("owner")
