# SPDX-License-Identifier: Apache-2.0
"""What tenants are told of their servers' rights."""

from collections.abc import Callable

from oslo_log import log as logging

from novadocker.policy import Settings, notice
from novadocker.virt.docker.compute.tagging import settle
from novadocker.virt.docker.compute.tags import ServerTags
from novadocker.virt.docker.container.server import Server

LOG = logging.getLogger(__name__)


def tell_rights(server: Server, settings_of: Callable[[Server], Settings]) -> None:
    """Tell a tenant a server's rights by its tags; a failure is told in the log alone.

    Args:
        server: whose.
        settings_of: says what a server may use and do.
    """
    try:
        settle(ServerTags(), server.uuid, notice.PREFIXES, notice.tags(settings_of(server)))
    except Exception:  # what tags tell is in the server too
        LOG.exception("Rights of %s are not told by tags", server.container)
