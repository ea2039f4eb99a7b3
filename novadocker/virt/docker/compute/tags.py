# SPDX-License-Identifier: Apache-2.0
"""A server's tags in Nova."""

import contextlib

from nova import context, exception, objects


class ServerTags:
    """The tags of all servers, each by itself; see ``tagging.Tags``."""

    def of(self, uuid: str) -> frozenset[str]:
        """Return a server's tags.

        Args:
            uuid: of the instance.

        Returns:
            All of them.
        """
        found = objects.TagList.get_by_resource_id(context.get_admin_context(), uuid)
        return frozenset(each.tag for each in found)

    def add(self, uuid: str, tag: str) -> None:
        """Add a tag; one that is there is left alone.

        Args:
            uuid: of the instance.
            tag: the tag.

        Raises:
            LookupError: Nova knows no such instance.
        """
        try:
            objects.Tag(context.get_admin_context(), resource_id=uuid, tag=tag).create()
        except exception.InstanceNotFound as error:
            raise LookupError(uuid) from error

    def remove(self, uuid: str, tag: str) -> None:
        """Take a tag away; absence is no error.

        Args:
            uuid: of the instance.
            tag: the tag.
        """
        with contextlib.suppress(exception.InstanceTagNotFound, exception.InstanceNotFound):
            objects.Tag.destroy(context.get_admin_context(), uuid, tag)
