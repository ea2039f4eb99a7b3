# SPDX-License-Identifier: Apache-2.0
"""Share for Cinder's NFS driver without an NFS server: a directory mounted where that would be.

Both Cinder and os-brick leave a share alone that is mounted already.
"""

import hashlib
from pathlib import Path

from novadocker.cloud.errors import CommandFailed
from novadocker.cloud.layout.layout import LOOPBACK, Layout
from novadocker.cloud.machine.command import run
from novadocker.cloud.machine.remains_of_cloud import mounts_below
from novadocker.cloud.storage import loops

# Programs of the NFS driver, and of Cinder for images, by the package of each.
PROGRAMS = {"qemu-img": "qemu-utils", "mount.nfs": "nfs-common", "losetup": "mount"}
NAME = f"{LOOPBACK}:/volumes"


def directory(layout: Layout) -> Path:
    """Return where Cinder keeps volumes."""
    return layout.data / "cinder"


def mount_base(layout: Layout) -> Path:
    """Return the directory of mounted shares, which Cinder and Nova must have alike."""
    return directory(layout) / "mnt"


def ensure(layout: Layout) -> None:
    """Mount the share; may be repeated."""
    digest = hashlib.md5(NAME.encode(), usedforsecurity=False).hexdigest()
    target, source = mount_base(layout) / digest, directory(layout) / "share"
    for path in (target, source):
        path.mkdir(parents=True, exist_ok=True)
    if str(target) not in mounts_below(layout.state):
        run("mount", "--bind", str(source), str(target))


def sweep(layout: Layout) -> None:
    """Let go of the loop devices of volumes; call it when no server runs any more."""
    for file in list(loops.below(directory(layout))):
        try:
            loops.release(file)
        except loops.StillHeld as error:
            raise CommandFailed(command="Letting go of volumes", reason=str(error)) from error
