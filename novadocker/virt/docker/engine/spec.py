# SPDX-License-Identifier: Apache-2.0
"""Description of a container to be made, and its form for the engine."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from novadocker.policy import Settings
from novadocker.virt.docker.engine.limits import disk_body, limits_body
from novadocker.virt.docker.engine.rights import (
    rights_body,
    rights_entrypoint,
    rights_labels,
)


@dataclass(frozen=True)
class Shared:
    """Files of another container, shared for writing.

    Attributes:
        source: mount point of the other's root, or name of a volume.
        seen: path in this container.
        volume: True for a volume, False for a directory.
    """

    source: str
    seen: str
    volume: bool = False

    def body(self) -> dict[str, Any]:
        """Write a member of ``HostConfig.Mounts``.

        Returns:
            The member.
        """
        body: dict[str, Any] = {"Source": self.source, "Target": self.seen, "ReadOnly": False}
        if self.volume:
            # Its files are its own: none come from the image that is mounted over.
            return body | {"Type": "volume", "VolumeOptions": {"NoCopy": True}}
        return body | {"Type": "bind"}


@dataclass(frozen=True)
class ContainerSpec:
    """A container to be made.

    Attributes:
        name: name of the container.
        image: id of the image.
        hostname: host name inside the container.
        entrypoint: first words of the command.
        command: the rest of the command.
        environment: variables added to the image's.
        labels: labels by which the container is found again.
        read_only_files: paths on the host by paths inside, bound read-only.
        settings: limits and rights.
        log_max_size: size of the console log before rotation, in the engine's form ("8m").
        shared: files of another container.
    """

    name: str
    image: str
    hostname: str
    entrypoint: tuple[str, ...]
    command: tuple[str, ...]
    environment: Mapping[str, str]
    labels: Mapping[str, str]
    read_only_files: Mapping[str, str]
    settings: Settings
    log_max_size: str = "8m"
    shared: tuple[Shared, ...] = ()

    def body(self) -> dict[str, Any]:
        """Write the body of ``POST /containers/create``.

        Returns:
            The body, ready for JSON.
        """
        return {
            "Image": self.image,
            "Hostname": self.hostname,
            "Entrypoint": rights_entrypoint(self.entrypoint, self.settings.rights),
            "Cmd": list(self.command),
            "Env": [f"{name}={value}" for name, value in self.environment.items()],
            "Labels": {**self.labels, **rights_labels(self.settings.rights)},
            # The console is a terminal, as a VM's is: shells stay, output is not held back.
            "Tty": True,
            "OpenStdin": True,
            "NetworkDisabled": True,
            "HostConfig": self._host_config(),
            # The engine would probe as soon as the gate waits: before the network is there, and
            # in a rescued server's own container. The driver probes instead, behind the gate.
            "Healthcheck": {"Test": ["NONE"]},
        }

    def _host_config(self) -> dict[str, Any]:
        settings = self.settings
        return {
            "Mounts": [
                {"Type": "bind", "Source": path, "Target": seen, "ReadOnly": True}
                for seen, path in self.read_only_files.items()
            ]
            + [each.body() for each in self.shared],
            "LogConfig": {
                "Type": "json-file",
                "Config": {"max-size": self.log_max_size, "max-file": "2"},
            },
            **rights_body(settings.rights),
            **limits_body(settings.limits),
            **disk_body(settings.limits),
        }
