# SPDX-License-Identifier: Apache-2.0
"""A server as its tenant asked for it, in plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from novadocker.policy import Flavor
from novadocker.virt.docker.container.labels import container_name


@dataclass(frozen=True)
class Server:
    """A server as its tenant asked for it.

    Attributes:
        uuid: the instance's id.
        project: id of its project.
        host: the compute host that it is on.
        hostname: the name that its processes see.
        flavor: what it may use.
        metadata: its metadata, which become environment variables.
        image: id of its Glance image.
        command_line: image property ``os_command_line``; None leaves the image's command.
        public_key: its key pair's public key; None where it has none.
        rescue: whether it is the container that stands in for its own.
        image_properties: of the image that its container is made from; they may narrow what
            the flavor grants.
    """

    uuid: str
    project: str
    host: str
    hostname: str
    flavor: Flavor
    metadata: Mapping[str, str] = field(default_factory=dict)
    image: str = ""
    command_line: str | None = None
    public_key: str | None = None
    rescue: bool = False
    image_properties: Mapping[str, str] = field(default_factory=dict)

    @property
    def container(self) -> str:
        """The name of its container."""
        return container_name(self.uuid, rescue=self.rescue)
