# SPDX-License-Identifier: Apache-2.0
"""Connection of volumes by os-brick, Cinder's own library for every backend."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from os_brick.initiator import connector

from novadocker.errors import VolumeRefused

RAW = "raw"


@dataclass(frozen=True)
class HostIdentity:
    """Facts of the host for storage backends.

    Attributes:
        name: compute host in Nova.
        address: IP address on the storage network.
        multipath: use of several paths to a device.
        root_helper: command that os-brick's older parts get root by.
    """

    name: str
    address: str
    multipath: bool = False
    root_helper: str = "sudo"


class Connector:
    """Connects, disconnects and extends what Cinder's ``connection_info`` describes.

    Args:
        identity: source of the facts of the host, read at each use.
    """

    def __init__(self, identity: Callable[[], HostIdentity]) -> None:
        self._identity = identity

    def properties(self) -> dict[str, Any]:
        """Return the facts of the host for Cinder's backends."""
        identity = self._identity()
        found: dict[str, Any] = connector.get_connector_properties(
            identity.root_helper,
            identity.address,
            identity.multipath,
            enforce_multipath=False,
            host=identity.name,
        )
        return found

    def connect(self, volume: str, connection: Mapping[str, Any]) -> dict[str, Any]:
        """Connect a volume; a connected volume stays connected.

        Args:
            volume: Cinder's id, for messages.
            connection: Cinder's ``connection_info``.

        Returns:
            os-brick's answer, whose ``path`` is a block device or a file.

        Raises:
            VolumeRefused: its bytes are in another format than raw.
        """
        data = connection["data"]
        if data.get("format", RAW) != RAW:
            raise VolumeRefused(
                volume=volume,
                reason=f"its backend keeps it in format {data['format']}; only raw can be a "
                "device of this host",
            )
        found: dict[str, Any] = self._brick(connection).connect_volume(data)
        return {**found, "path": str(found["path"])}

    def disconnect(self, connection: Mapping[str, Any], device_info: Mapping[str, Any]) -> None:
        """Disconnect a volume; every failure is raised, since another host may write next.

        Args:
            connection: Cinder's ``connection_info``.
            device_info: os-brick's answer of the time when it was connected.
        """
        self._brick(connection).disconnect_volume(
            connection["data"], dict(device_info), force=False, ignore_errors=False
        )

    def extend(self, connection: Mapping[str, Any]) -> None:
        """Refresh the size of a connected volume.

        Args:
            connection: Cinder's ``connection_info``.
        """
        self._brick(connection).extend_volume(connection["data"])

    def _brick(self, connection: Mapping[str, Any]) -> Any:
        identity = self._identity()
        data = connection["data"]
        options = {"nfs_mount_point_base": data.get("mount_point_base")}
        return connector.InitiatorConnector.factory(
            connection["driver_volume_type"],
            identity.root_helper,
            use_multipath=identity.multipath,
            conn=dict(connection),
            **{name: value for name, value in options.items() if value},
        )
