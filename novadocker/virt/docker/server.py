# SPDX-License-Identifier: Apache-2.0
"""What of a Nova instance makes its container: plain values, and the container they describe."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field

from novadocker.virt.docker.engine import ContainerSpec, Image
from novadocker.virt.docker.errors import ImageError, PolicyRefused
from novadocker.virt.docker.policy import Flavor, Settings
from novadocker.virt.docker.start_gate import StartGate

LABEL_INSTANCE = "novadocker.instance"
LABEL_PROJECT = "novadocker.project"
LABEL_HOST = "novadocker.host"
LABEL_IMAGE = "novadocker.image"
NAME_PREFIX = "nova-"


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

    @property
    def container(self) -> str:
        """The name of its container."""
        return f"{NAME_PREFIX}{self.uuid}"


def container_spec(
    server: Server, image: Image, settings: Settings, binds: Mapping[str, str], log_max_size: str
) -> ContainerSpec:
    """Describe the container of a server.

    Args:
        server: what was asked for.
        image: what the engine knows of the image.
        settings: limits and rights.
        binds: paths on the host by the paths where the container sees them.
        log_max_size: size of its console log before rotation.

    Returns:
        The container to be made; its first program is the start gate.

    Raises:
        ImageError: the image has no command and the server gives it none.
        PolicyRefused: ``os_command_line`` or a metadata key cannot be used.
    """
    return ContainerSpec(
        name=server.container,
        image=image.id,
        hostname=server.hostname,
        entrypoint=StartGate.entrypoint(),
        command=_command(server, image),
        environment=_environment(server.metadata),
        labels={
            LABEL_INSTANCE: server.uuid,
            LABEL_PROJECT: server.project,
            LABEL_HOST: server.host,
            LABEL_IMAGE: server.image,
        },
        read_only_files=binds,
        settings=settings,
        log_max_size=log_max_size,
    )


def _command(server: Server, image: Image) -> tuple[str, ...]:
    command = image.command
    if server.command_line is not None:
        try:
            command = tuple(shlex.split(server.command_line))
        except ValueError as error:
            raise PolicyRefused(
                setting="image property os_command_line",
                value=repr(server.command_line),
                accepted=f"words quoted as in a shell ({error})",
            ) from error
    if not image.entrypoint + command:
        raise ImageError(
            image=server.image,
            reason="it has neither ENTRYPOINT nor CMD; set its property os_command_line",
        )
    return image.entrypoint + command


def _environment(metadata: Mapping[str, str]) -> Mapping[str, str]:
    for key in metadata:
        if "=" in key:
            raise PolicyRefused(
                setting="server metadata key",
                value=repr(key),
                accepted="a name without '=', since metadata become environment variables",
            )
    return metadata
