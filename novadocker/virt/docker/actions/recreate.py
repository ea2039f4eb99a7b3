# SPDX-License-Identifier: Apache-2.0
"""One container under another flavor, on the host where it is.

A resized server is the same container: its files and its addresses stay, its limits change.
Only its rights, the size of its disk, and how fast that is read and written, are fixed when a
container is made. A container for which these change is made anew, from an image of itself.
What it wrote is a layer of that image then, and the limit of its new writable layer is what is
left of its disk; but btrfs limits all of a container's files, its image's too.
"""

from contextlib import ExitStack
from dataclasses import replace

from novadocker.errors import ResizeRefused
from novadocker.policy import (
    GIB,
    MIB,
    Limits,
    Rights,
)
from novadocker.virt.docker.container.labels import LABEL_BASE, LABEL_KEPT, container_name
from novadocker.virt.docker.engine import Container, Engine

NAMESPACE = "nova-resized/"
LIMITS_ALL_FILES = "btrfs"
SUCCESSOR, PREDECESSOR = "-successor", "-predecessor"
# What can be written still where a server that is reverted has filled the larger disk: a limit
# of 0 would be none, and one of less than is there cannot be set.
SLACK = 16 * MIB


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
        limits: what its flavor lets it use.

    Raises:
        ResizeRefused: it does not fit.
    """
    if not 0 < limits.disk_bytes < current_limits(container).disk_bytes:
        return
    written = _used(engine, container)
    if limits.disk_bytes < written + SLACK:
        raise ResizeRefused(
            reason=f"its files take {written / GIB:.1f} GiB and the new flavor's disk is "
            f"{limits.disk_bytes / GIB:.0f} GiB; delete some, or take a larger flavor"
        )


def kept_bytes(container: Container) -> int:
    """Return what a container had written when it was last made anew.

    Args:
        container: as it is now.

    Returns:
        Bytes, which are part of its flavor's disk and not of its writable layer.
    """
    return int(container.labels.get(LABEL_KEPT, 0))


def current_limits(container: Container) -> Limits:
    """Return what a container's flavor let it use when its limits were last set.

    Args:
        container: as it is now.

    Returns:
        The limits, the disk's with what is kept.
    """
    limits = container.limits
    kept = kept_bytes(container) if limits.disk_bytes else 0
    return replace(limits, disk_bytes=limits.disk_bytes + kept)


def apply(engine: Engine, uuid: str, limits: Limits, rights: Rights) -> None:
    """Give a container that does not run limits and rights of its flavor. Idempotent.

    Args:
        engine: where it is.
        uuid: of the instance.
        limits: what its flavor lets it use.
        rights: what its flavor lets it do.

    Raises:
        ContainerNotFound: there is no container.
    """
    recover(engine, uuid)
    container = engine.inspect(container_name(uuid))
    before = current_limits(container)
    fixed = before.disk_bytes, before.rates, container.rights
    if (limits.disk_bytes, limits.rates, rights) == fixed:
        engine.update(container.name, limits)
    else:
        _make_anew(engine, uuid, container, limits, rights)


def recover(engine: Engine, uuid: str) -> None:
    """End what a driver that died while it made a container anew has begun.

    Args:
        engine: where it is.
        uuid: of the instance.
    """
    name = container_name(uuid)
    if engine.find(name + PREDECESSOR) and not engine.find(name):
        engine.rename(name + PREDECESSOR, name)
    for leftover in (name + SUCCESSOR, name + PREDECESSOR):
        engine.remove(leftover)


def remove_leftovers(engine: Engine, uuid: str) -> None:
    """Remove all that containers made anew have left; call it when the last is gone.

    Args:
        engine: where they were.
        uuid: of the instance.
    """
    name = container_name(uuid)
    for leftover in (name + SUCCESSOR, name + PREDECESSOR):
        engine.remove(leftover)
    for tag in engine.image_tags(f"{NAMESPACE}{uuid}:"):
        engine.remove_image(tag)


def _used(engine: Engine, container: Container) -> int:
    written, whole = engine.sizes(container.name)
    if container.storage_driver == LIMITS_ALL_FILES:
        return whole
    return kept_bytes(container) + written


def _make_anew(
    engine: Engine, uuid: str, container: Container, limits: Limits, rights: Rights
) -> None:
    name, used = container.name, _used(engine, container)
    tag = f"{NAMESPACE}{uuid}:{container.id[:12]}"
    kept = 0 if container.storage_driver == LIMITS_ALL_FILES else used
    disk = max(limits.disk_bytes, used + SLACK) - kept if limits.disk_bytes else 0
    labels = {
        LABEL_BASE: container.labels.get(LABEL_BASE, container.image),
        LABEL_KEPT: str(kept),
    }
    with ExitStack() as undo:
        undo.callback(engine.remove_image, tag)
        image = engine.commit(name, tag, pause=False)
        undo.callback(engine.remove, name + SUCCESSOR)
        made = replace(limits, disk_bytes=disk)
        engine.replicate(name, name + SUCCESSOR, image, made, rights, labels)
        engine.rename(name, name + PREDECESSOR)
        undo.callback(engine.rename, name + PREDECESSOR, name)
        engine.rename(name + SUCCESSOR, name)
        undo.pop_all()
    engine.remove(name + PREDECESSOR)
