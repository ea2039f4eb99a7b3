# SPDX-License-Identifier: Apache-2.0
"""One container under another flavor, on the host where it is.

A resized server is the same container: its files and its addresses stay, its limits change.
"""

from novadocker.virt.docker.engine import Container, Engine
from novadocker.virt.docker.errors import ResizeRefused
from novadocker.virt.docker.guest import Guest
from novadocker.virt.docker.policy import GIB, Limits


def refuse_move(host: str, destination: str) -> None:
    """Refuse to resize to another host.

    Args:
        host: where the server is.
        destination: where Nova wants it to be.

    Raises:
        ResizeRefused: that is elsewhere.
    """
    if destination != host:
        raise ResizeRefused(
            reason=f"it is a container on {host} and cannot move to {destination}; let "
            "allow_resize_to_same_host be true, and its host have room for the new flavor"
        )


def refuse_smaller_disk(engine: Engine, container: Container, limits: Limits) -> None:
    """Refuse a disk that what was written does not fit in.

    Args:
        engine: where the container is.
        container: as it is now.
        limits: what it is to use.

    Raises:
        ResizeRefused: it does not fit.
    """
    if not 0 < limits.disk_bytes < container.limits.disk_bytes:
        return
    written = engine.written_bytes(container.name)
    if limits.disk_bytes < written:
        raise ResizeRefused(
            reason=f"its files take {written / GIB:.1f} GiB and the new flavor's disk is "
            f"{limits.disk_bytes / GIB:.0f} GiB; delete some, or take a larger flavor"
        )


def fit(engine: Engine, guest: Guest, limits: Limits) -> None:
    """Give a container the limits of its flavor. Idempotent.

    Args:
        engine: where it is.
        guest: the container.
        limits: what it is to use.

    Raises:
        ContainerNotFound: it is gone.
    """
    engine.update(guest.name, limits)
