# SPDX-License-Identifier: Apache-2.0
"""Mount points of volumes: the tenant's wish, the default, and refused paths. Pure."""

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from novadocker.errors import VolumeRefused
from novadocker.gate.start_gate import SEEN_AT

METADATA = "docker_mount_point"
DEFAULT = PurePosixPath("/volumes")
LONGEST = 1024
# The kernel's views, and the files that the driver keeps: a mount over one of them, or above
# it, would show programs of the engine a file of the tenant's in its stead.
REFUSED = tuple(
    PurePosixPath(each)
    for each in (
        "/proc",
        "/sys",
        "/dev",
        SEEN_AT,
        "/etc/hosts",
        "/etc/hostname",
        "/etc/resolv.conf",
    )
)


def place_of(volume: str, metadata: Mapping[str, str], tag: str | None, device: str) -> str:
    """Return the mount point of a volume in a server.

    Args:
        volume: Cinder's id, for messages.
        metadata: properties of the volume; ``docker_mount_point`` is the tenant's wish.
        tag: given to the attachment, if any.
        device: Nova's name for it, such as "/dev/vdb".

    Returns:
        The wish, else ``/volumes/<tag>``, else ``/volumes/vdb``.

    Raises:
        VolumeRefused: a volume cannot be mounted there.
    """
    name = tag or PurePosixPath(device).name
    place = metadata.get(METADATA) or str(DEFAULT / name)
    refuse(volume, place)
    return str(PurePosixPath(place))


def refuse(volume: str, place: str, taken: Iterable[str] = ()) -> None:
    """Refuse a mount point over files of the host or over another volume.

    Args:
        volume: Cinder's id, for messages.
        place: the mount point.
        taken: mount points of the server's other volumes.

    Raises:
        VolumeRefused: it would.
    """
    path = PurePosixPath(place)
    if not path.is_absolute() or ".." in path.parts or len(path.parts) == 1:
        raise VolumeRefused(
            volume=volume,
            reason=f"mount point {place!r} is not an absolute path below / without '..'; set "
            f"volume metadata {METADATA} to one such as /var/lib/data",
        )
    if len(place) > LONGEST or not place.isprintable():
        raise VolumeRefused(
            volume=volume,
            reason=f"its mount point has more than {LONGEST} characters, or one that is not "
            "printable",
        )
    for other in REFUSED:
        if _overlap(path, other):
            raise VolumeRefused(
                volume=volume,
                reason=f"mount point {place} would cover {other}, which is the host's; choose "
                "another path",
            )
    for other in map(PurePosixPath, taken):
        if _overlap(path, other):
            raise VolumeRefused(
                volume=volume,
                reason=f"mount point {place} overlaps {other}, where the server has another "
                "volume; choose another path",
            )


def _overlap(one: PurePosixPath, other: PurePosixPath) -> bool:
    return one.is_relative_to(other) or other.is_relative_to(one)
