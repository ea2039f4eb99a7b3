# SPDX-License-Identifier: Apache-2.0
"""Container under another flavor, on the same host.

A resized server is the same container: files and addresses stay, limits change. Only rights, the
size of the disk, and the disk's rates are fixed when a container is made. A container for which
these change is made anew.

On overlay2 the new container is of the same image, and the writable layer is copied file by file.
With other storage drivers the new container is of an image of the old one. The files that were
written are a layer of that image then, and the limit of the new writable layer is the rest of the
disk; but btrfs limits all of a container's files, the image's too.

The original container stays, stopped, until the resize is confirmed: a revert brings it back as
it was.
"""

from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from novadocker.errors import ResizeRefused
from novadocker.policy import (
    GIB,
    MIB,
    Limits,
    Rights,
)
from novadocker.virt.docker.actions.recovery.recreations import (
    PREDECESSOR,
    SUCCESSOR,
    end_recreation,
)
from novadocker.virt.docker.container.labels import (
    LABEL_BASE,
    LABEL_KEPT,
    container_name,
)
from novadocker.virt.docker.engine import Container, Engine
from novadocker.virt.docker.files import directories

NAMESPACE = "nova-resized/"
LIMITS_ALL_FILES = "btrfs"
# Minimum of writable space: a limit of 0 means "unlimited" to the engine, and a limit below the
# bytes that are there cannot be set.
SLACK = 16 * MIB


@dataclass(frozen=True)
class _Layer:
    """Writable layer of a container that is made anew.

    Attributes:
        copied: the files go into the new writable layer, not into an image.
        used: bytes of the flavor's disk in use.
        kept: bytes of them below the new writable layer.
    """

    copied: bool
    used: int
    kept: int


def refuse_smaller_disk(engine: Engine, container: Container, limits: Limits) -> None:
    """Refuse a disk that is too small for the files of a container.

    Args:
        engine: Docker Engine of the container.
        container: state of the container at the moment.
        limits: limits of the new flavor.

    Raises:
        ResizeRefused: the files do not fit.
    """
    before = current_limits(container).disk_bytes
    if 0 < limits.disk_bytes < before:
        refuse_disk(used(engine, container), before, limits.disk_bytes)


def refuse_disk(written: int, before: int, wanted: int) -> None:
    """Refuse a flavor whose disk is too small for the files of a server.

    Args:
        written: bytes in use.
        before: bytes of the disk until now; 0 without a limit.
        wanted: bytes of the new disk; 0 without a limit.

    Raises:
        ResizeRefused: the files do not fit.
    """
    shrinks = wanted > 0 and (before == 0 or wanted < before)
    if shrinks and wanted < written + SLACK:
        raise ResizeRefused(
            reason=f"its files take {written / GIB:.1f} GiB and the new flavor's disk is "
            f"{wanted / GIB:.0f} GiB; delete some, or take a larger flavor"
        )


def kept_bytes(container: Container) -> int:
    """Return the bytes in a container's image from its last recreation.

    They are part of the flavor's disk, and not of the writable layer.
    """
    return int(container.labels.get(LABEL_KEPT, 0))


def current_limits(container: Container) -> Limits:
    """Return a container's limits by its flavor, the disk's with the kept bytes."""
    limits = container.limits
    kept = kept_bytes(container) if limits.disk_bytes else 0
    return replace(limits, disk_bytes=limits.disk_bytes + kept)


def apply(engine: Engine, uuid: str, limits: Limits, rights: Rights) -> None:
    """Give a stopped container limits and rights of its flavor; safe to repeat.

    Args:
        engine: Docker Engine of the container.
        uuid: id of the instance.
        limits: limits of the flavor.
        rights: rights of the flavor.

    Raises:
        ContainerNotFound: there is no container.
    """
    end_recreation(engine, uuid)
    container = engine.inspect(container_name(uuid))
    if _needs_another(container, limits, rights):
        _make_anew(engine, uuid, container, limits, rights)
    else:
        engine.update(container.name, limits)


def confirm(engine: Engine, uuid: str) -> None:
    """Remove the original of a recreated container; absence is no error."""
    engine.remove(container_name(uuid) + PREDECESSOR)


def put_back(engine: Engine, uuid: str) -> None:
    """Bring back the original of a recreated container; absence is no error.

    Files that were written since are gone with the other container, as with a VM's reverted disk.
    """
    end_recreation(engine, uuid)
    name = container_name(uuid)
    if original := engine.find(name + PREDECESSOR):
        # Removed first: a death in between leaves the original alone, and the begin of the next
        # operation renames the original.
        engine.remove(name)
        engine.rename(original.name, name)
        engine.remove_image(_image_of(uuid, original))


def remove_leftovers(engine: Engine, uuid: str) -> None:
    """Remove everything that recreations of a removed server's container have left."""
    name = container_name(uuid)
    for leftover in (name + SUCCESSOR, name + PREDECESSOR):
        engine.remove(leftover)
    for tag in engine.image_tags(f"{NAMESPACE}{uuid}:"):
        engine.remove_image(tag)


def _needs_another(container: Container, limits: Limits, rights: Rights) -> bool:
    before = current_limits(container)
    fixed = before.disk_bytes, before.rates, container.rights
    return (limits.disk_bytes, limits.rates, rights) != fixed


def used(engine: Engine, container: Container) -> int:
    """Measure the files of a container, as far as they count for the disk of a flavor.

    Args:
        engine: Docker Engine of the container.
        container: state of the container at the moment.

    Returns:
        Bytes, with those that the container had written when it was last made anew.
    """
    written, whole = engine.sizes(container.name)
    if _limits_all(container):
        return whole
    return kept_bytes(container) + written


def _image_of(uuid: str, container: Container) -> str:
    return f"{NAMESPACE}{uuid}:{container.id[:12]}"


def _make_anew(
    engine: Engine, uuid: str, container: Container, limits: Limits, rights: Rights
) -> None:
    name, layer = container.name, _layer_of(engine, container)
    disk = max(limits.disk_bytes, layer.used + SLACK) - layer.kept if limits.disk_bytes else 0
    labels = {
        LABEL_BASE: container.labels.get(LABEL_BASE, container.image),
        LABEL_KEPT: str(layer.kept),
    }
    with ExitStack() as undo:
        image = container.image if layer.copied else _image_for(engine, uuid, container, undo)
        undo.callback(engine.remove, name + SUCCESSOR)
        made = replace(limits, disk_bytes=disk)
        engine.replicate(name, name + SUCCESSOR, image, made, rights, labels)
        if layer.copied:
            successor = engine.inspect(name + SUCCESSOR)
            directories.copy(Path(container.writable), Path(successor.writable))
        # Before the renames: a reply may be lost, and the engine may have renamed all the same.
        undo.callback(end_recreation, engine, uuid)
        if engine.find(name + PREDECESSOR):
            engine.remove(name)  # the oldest is the original that a revert wants
        else:
            engine.rename(name, name + PREDECESSOR)
        engine.rename(name + SUCCESSOR, name)
        undo.pop_all()


def _layer_of(engine: Engine, container: Container) -> _Layer:
    written = used(engine, container)
    if container.writable:
        return _Layer(copied=True, used=written, kept=kept_bytes(container))
    return _Layer(copied=False, used=written, kept=0 if _limits_all(container) else written)


def _image_for(engine: Engine, uuid: str, container: Container, undo: ExitStack) -> str:
    tag = _image_of(uuid, container)
    undo.callback(engine.remove_image, tag)
    # One that came after its commit was given up holds the files of that time.
    engine.remove_image(tag)
    return engine.commit(container.name, tag, pause=False)


def _limits_all(container: Container) -> bool:
    return container.storage_driver == LIMITS_ALL_FILES
