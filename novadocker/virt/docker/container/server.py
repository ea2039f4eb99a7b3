# SPDX-License-Identifier: Apache-2.0
"""Server as requested by a tenant, in plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from novadocker.policy import Flavor
from novadocker.virt.docker.container.labels import container_name


@dataclass(frozen=True)
class Server:
    """Server as requested by a tenant.

    Attributes:
        uuid: the instance's id.
        project: id of its project.
        host: the compute host that it is on.
        hostname: the name that its processes see.
        flavor: size and extra specs.
        metadata: server metadata, turned into environment variables.
        image: id of its Glance image.
        command_line: image property ``os_command_line``; None leaves the image's command.
        public_key: public key of the key pair, or None.
        rescue: True for the stand-in during a rescue.
        image_properties: properties of the container's image; they may narrow the flavor's
            grants.
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
