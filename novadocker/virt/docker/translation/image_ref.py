# SPDX-License-Identifier: Apache-2.0
"""Image of a server in Nova's records."""

import contextlib
from collections.abc import Callable, Iterator

from nova import exception, utils
from oslo_log import log as logging

from novadocker.errors import DockerDriverError
from novadocker.virt.nova_types import ImageApi, Instance, RequestContext

LOG = logging.getLogger(__name__)

PREFIX = utils.SM_IMAGE_PROP_PREFIX


def restore(context: RequestContext, instance: Instance, glance: ImageApi, image_id: str) -> None:
    """Let Nova know again which image a server is of.

    Nova's API writes the new image of a rebuild down before the driver is asked, and has no
    way back where the driver refuses. Follows ``API.rebuild`` in nova/compute/api.py.

    Args:
        context: request, with its token.
        instance: Nova's; saved.
        glance: Nova's ``nova.image.glance.API``.
        image_id: Glance id of the server's true image.
    """
    if image_id == instance.image_ref:
        return
    try:
        image = glance.get(context, image_id)
    except (exception.ImageNotFound, exception.ImageNotAuthorized) as error:
        LOG.warning("What image %s was like is not known any more: %s", image_id, error)
        image = {}
    # All of the properties go first: the refused image may have brought some of its own.
    for name in [each for each in instance.system_metadata if each.startswith(PREFIX)]:
        del instance.system_metadata[name]
    known = utils.get_system_metadata_from_image(image, instance.flavor)
    instance.system_metadata.update(known | {f"{PREFIX}base_image_ref": image_id})
    instance.image_ref = image_id
    instance.kernel_id = instance.ramdisk_id = ""
    instance.save()


@contextlib.contextmanager
def kept(
    context: RequestContext, instance: Instance, glance: ImageApi, image_of: Callable[[str], str]
) -> Iterator[None]:
    """Restore Nova's record of a server's image after a refused rebuild.

    Args:
        context: request, with its token.
        instance: Nova's.
        glance: Nova's ``nova.image.glance.API``.
        image_of: says by the instance's uuid of which image it is in truth; "" of none.

    Yields:
        Nothing.
    """
    try:
        yield
    except (exception.NovaException, DockerDriverError):
        if image := image_of(instance.uuid):
            restore(context, instance, glance, image)
        raise
