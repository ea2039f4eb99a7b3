# SPDX-License-Identifier: Apache-2.0
"""Kinds of server, and the search for a server's engine."""

import enum
from collections.abc import Mapping
from typing import Any, Protocol

CONTAINER_FORMAT = "docker"
HYPERVISOR_TYPE = "docker"


class Kind(enum.Enum):
    """Kind of a server.

    Attributes:
        CONTAINER: a container of the Docker Engine.
        MACHINE: a virtual machine of libvirt.
    """

    CONTAINER = "container"
    MACHINE = "virtual machine"

    @property
    def other(self) -> "Kind":
        """The kind of the host's other engine."""
        return Kind.MACHINE if self is Kind.CONTAINER else Kind.CONTAINER


def kind_of_image(image_meta: Any) -> Kind:
    """Return the kind of server that an image makes.

    Args:
        image_meta: nova.objects.ImageMeta. Nova drops the container format of an image that is
            a volume by now; the property hw/img_hv_type survives.

    Returns:
        The kind; images without a mark of ours make virtual machines.
    """
    known = image_meta.obj_attr_is_set("container_format")
    if known and image_meta.container_format == CONTAINER_FORMAT:
        return Kind.CONTAINER
    if image_meta.properties.get("img_hv_type") == HYPERVISOR_TYPE:
        return Kind.CONTAINER
    return Kind.MACHINE


class Side(Protocol):
    """One engine of the host, asked about a server."""

    def has(self, instance: Any) -> bool:
        """Return True where the engine has the server.

        Args:
            instance: nova.objects.Instance.

        Raises:
            nova.exception.HypervisorUnavailable: the engine cannot be asked.
        """

    def image_of(self, uuid: str) -> str:
        """Return the Glance id of the image that the engine's server was made from.

        Args:
            uuid: id of the instance.

        Returns:
            The id, "" where the engine does not know.
        """


class Finder:
    """Search for the engine that has a server.

    The engine decides, not the record: Nova's API writes the image of a rebuild down before
    anyone is asked, and calls for the old server come with the new record.

    Args:
        sides: the host's engines.
    """

    def __init__(self, sides: Mapping[Kind, Side]) -> None:
        self._sides = sides
        # By server, where the server was found last. Asking costs more than many calls, and the
        # record more still: Nova's periodic calls come without one. A server leaves its engine
        # by a removal alone, which forgets the hint; the dispatch survives a wrong one.
        self._hints: dict[str, Kind] = {}

    def incumbent(self, instance: Any) -> Kind | None:
        """Return the kind of a server, if either engine has the server.

        Args:
            instance: nova.objects.Instance.

        Returns:
            The kind, None where neither engine has the server.

        Raises:
            nova.exception.HypervisorUnavailable: an engine that may have the server cannot be
                asked.
        """
        first = self._hints.get(instance.uuid) or kind_of_image(instance.image_meta)
        for kind in (first, first.other):
            if self._sides[kind].has(instance):
                self._hints[instance.uuid] = kind
                return kind
        self._hints.pop(instance.uuid, None)
        return None

    def kind_of(self, instance: Any) -> Kind:
        """Return the kind of a server; the record decides where neither engine has it.

        Args:
            instance: nova.objects.Instance.

        Returns:
            The kind, as it was found last where the server was found before.
        """
        return (
            self._hints.get(instance.uuid)
            or self.incumbent(instance)
            or kind_of_image(instance.image_meta)
        )

    def kinds_to_remove(self, instance: Any) -> list[Kind]:
        """Return every kind of which an engine has something, for a removal.

        Args:
            instance: nova.objects.Instance.

        Returns:
            The kinds; the record's where neither engine has anything.
        """
        self._hints.pop(instance.uuid, None)
        found = [kind for kind in Kind if self._sides[kind].has(instance)]
        return found or [kind_of_image(instance.image_meta)]
