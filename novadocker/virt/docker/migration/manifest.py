# SPDX-License-Identifier: Apache-2.0
"""Account of a moving server, judged by the destination before the source stops."""

import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from novadocker.errors import ResizeRefused
from novadocker.virt.docker.engine import Container, EngineInfo
from novadocker.virt.docker.engine.calls.stores import LAYERED, Stores
from novadocker.virt.docker.files.owners import Root

# What a container needs beside its files: the log of its console, its gate, its directory.
SPARE_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class Manifest:
    """Account of a moving server.

    Attributes:
        uuid: id of the instance.
        migration: id of Nova's migration.
        host: name of the source in Nova.
        image: the engine's id of the container's image.
        base: the engine's id of the image that the server began as.
        written: bytes of the writable layer and the volumes on the disk.
        used: bytes of the flavor's disk in use.
        disk: bytes of the flavor's disk on the source; 0 without a limit.
        process: user of the container's process; "root" where any name may be root's.
        machine: architecture of the source, as the kernel names it.
        driver: storage driver of the source.
        user: number of the containers' root on the source.
        group: number of that root's group.
        owner: number of the user that nova-compute runs as.
        owners_group: number of that user's group.
    """

    uuid: str
    migration: str
    host: str
    image: str
    base: str
    written: int
    used: int
    disk: int
    process: str
    machine: str
    driver: str
    user: int
    group: int
    owner: int
    owners_group: int

    @property
    def root(self) -> Root:
        """Root of containers on the source."""
        return Root(self.user, self.group)

    @property
    def service(self) -> Root:
        """User of nova-compute on the source, who has the instance directories."""
        return Root(self.owner, self.owners_group)

    def as_dictionary(self) -> dict[str, Any]:
        """Return the account as Nova's bus carries it."""
        return asdict(self)

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        """Read an account from Nova's bus; a newer source may tell more than is known here.

        Args:
            told: names and values.
        """
        return cls(**{name: told[name] for name in cls.__dataclass_fields__})


def refuse_source(container: Container, stores: Stores) -> None:
    """Refuse a server without a writable layer of plain files.

    Args:
        container: the server's own.
        stores: where its files are.

    Raises:
        ResizeRefused: they cannot.
    """
    if stores.writable is None:
        raise ResizeRefused(
            reason=f"the engine keeps container {container.name} by the storage driver "
            f"{stores.driver or 'of containerd'}, of which only a commit could leave this host: "
            "deleted files, attributes, holes and names such as .wh.x would be lost; the "
            f"storage driver must be {LAYERED}"
        )


def refuse_destination(manifest: Manifest, info: EngineInfo, free: int) -> None:
    """Refuse a server beyond the means of this host.

    Args:
        manifest: account of the server.
        info: this host's engine.
        free: bytes on the disk of its containers.

    Raises:
        ResizeRefused: the host cannot take it.
    """
    if info.storage_driver != manifest.driver or info.containerd_store:
        raise ResizeRefused(
            reason=f"its files are kept by {manifest.driver} and the destination's engine keeps "
            f"them by {info.storage_driver}"
        )
    if (machine := platform.machine()) != manifest.machine:
        raise ResizeRefused(
            reason=f"it runs on {manifest.machine} and the destination is {machine}"
        )
    if free < manifest.written + SPARE_BYTES:
        raise ResizeRefused(
            reason=f"its files take {manifest.written} bytes and the destination has {free} left"
        )
