# SPDX-License-Identifier: Apache-2.0
"""What tenants are told of their servers' rights."""

from collections.abc import Callable

from oslo_log import log as logging

from novadocker.virt.docker import notice
from novadocker.virt.docker.policy import Settings
from novadocker.virt.docker.server import Server
from novadocker.virt.docker.tagging import settle
from novadocker.virt.docker.tags import ServerTags

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
