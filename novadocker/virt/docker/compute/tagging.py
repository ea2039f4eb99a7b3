# SPDX-License-Identifier: Apache-2.0
"""Tags of ours among those of a server: known by how they begin, and kept as they should be."""

from collections.abc import Collection
from typing import Protocol


class Tags(Protocol):
    """A server's tags in Nova."""

    def of(self, uuid: str) -> frozenset[str]:
        """Return a server's tags.

        Args:
            uuid: of the instance.

        Returns:
            All of them.
        """

    def add(self, uuid: str, tag: str) -> None:
        """Add a tag; one that is there is left alone.

        Args:
            uuid: of the instance.
            tag: the tag.
        """

    def remove(self, uuid: str, tag: str) -> None:
        """Take a tag away; absence is no error.

        Args:
            uuid: of the instance.
            tag: the tag.
        """


def settle(tags: Tags, uuid: str, prefixes: Collection[str], wanted: Collection[str]) -> None:
    """Give a server the tags of ours that it should have, and leave its tenant's alone.

    Args:
        tags: of the servers.
        uuid: of the instance.
        prefixes: how those begin that are meant.
        wanted: those that it should have.
    """
    present = {tag for tag in tags.of(uuid) if tag.startswith(tuple(prefixes))}
    for tag in sorted({*wanted} - present):
        tags.add(uuid, tag)
    for tag in sorted(present - {*wanted}):
        tags.remove(uuid, tag)
