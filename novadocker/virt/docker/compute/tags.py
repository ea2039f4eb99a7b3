# SPDX-License-Identifier: Apache-2.0
"""Tags of servers in Nova, with rights and health for tenants to see.

A tag is one row that is added and taken away by itself, and servers can be listed by it. The
driver's own tags are known by their prefixes; all others are the tenant's and left alone.
"""

import contextlib
from collections.abc import Collection
from typing import Protocol

from nova import context, exception, objects
from oslo_log import log as logging

from novadocker.policy import Settings, notice
from novadocker.virt.docker.container.server import Server

LOG = logging.getLogger(__name__)

# Nova takes fifty from a server's owner, the driver's own counted, and a fifty-first makes each
# list of servers break its schema. Ten stay free for the owner whenever the driver adds one.
MOST_TAGS = 40


class Tags(Protocol):
    """Tags of all servers."""

    def of(self, uuid: str) -> frozenset[str]:
        """Return all tags of a server, the tenant's too."""

    def add(self, uuid: str, tag: str) -> None:
        """Add a tag to a server; a second time changes nothing."""

    def remove(self, uuid: str, tag: str) -> None:
        """Take a tag from a server; absence is no error."""


class ServerTags:
    """Tags of all servers in Nova's database; see ``Tags``."""

    def of(self, uuid: str) -> frozenset[str]:
        """Return all tags of a server, the tenant's too."""
        found = objects.TagList.get_by_resource_id(context.get_admin_context(), uuid)
        return frozenset(each.tag for each in found)

    def add(self, uuid: str, tag: str) -> None:
        """Add a tag to a server; a second time changes nothing.

        Raises:
            LookupError: Nova knows no such instance.
        """
        try:
            objects.Tag(context.get_admin_context(), resource_id=uuid, tag=tag).create()
        except exception.InstanceNotFound as error:
            raise LookupError(uuid) from error

    def remove(self, uuid: str, tag: str) -> None:
        """Take a tag from a server; absence is no error."""
        # A server that is gone has no tags: a deletion may overtake an event of the engine.
        with contextlib.suppress(exception.InstanceTagNotFound, exception.InstanceNotFound):
            objects.Tag.destroy(context.get_admin_context(), uuid, tag)


def replace_tags(tags: Tags, uuid: str, prefixes: Collection[str], wanted: Collection[str]) -> None:
    """Replace the tags of a server that begin with some prefixes; others are left alone.

    A server whose owner uses the space has none of these: the owner's tags go first.

    Args:
        tags: tags of all servers.
        uuid: id of the instance.
        prefixes: beginnings of the tags that are replaced.
        wanted: tags that the server should have of these.
    """
    found = tags.of(uuid)
    present = {tag for tag in found if tag.startswith(tuple(prefixes))}
    has_room = len(found - present) + len(wanted) <= MOST_TAGS
    chosen = {*wanted} if has_room else set()
    for tag in sorted(chosen - present):
        tags.add(uuid, tag)
    for tag in sorted(present - chosen):
        tags.remove(uuid, tag)


def tell_rights(tags: Tags, server: Server, settings: Settings) -> None:
    """Tell a tenant the rights of a server by its tags; a failure is logged alone.

    Args:
        tags: tags of all servers.
        server: the server.
        settings: limits and rights of the server.
    """
    try:
        replace_tags(tags, server.uuid, notice.PREFIXES, notice.tags(settings))
    except Exception:  # tags repeat what the server itself can read: no boot fails for them
        LOG.exception("Rights of %s are not told by tags", server.container)
