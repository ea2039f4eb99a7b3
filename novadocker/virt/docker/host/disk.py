# SPDX-License-Identifier: Apache-2.0
"""Disk of the containers: size, device, and means to limit it."""

import os
import shutil
from pathlib import Path

from novadocker.virt.docker.engine import EngineInfo

QUOTAS_BUILT_IN = frozenset({"btrfs", "zfs"})


PROJECT_QUOTA_OPTIONS = frozenset({"prjquota", "pquota"})


MOUNTS = Path("/proc/self/mounts")


# These keep containers' files as files below the engine's root directory, and nowhere else.
FILES_BELOW_ROOT = frozenset({"overlay2", "vfs"})


# How an engine says, for cgroup v1 and v2, that it passes over rates of disks.
PASSED_OVER = ("No blkio throttle.", "No io.max ")


BLOCK_DEVICES = Path("/sys/dev/block")


DEVICES = Path("/dev")


def limits_disk(info: EngineInfo, mounts: Path = MOUNTS) -> bool:
    """Tell whether the storage driver can limit a container's writable layer.

    Args:
        info: facts that the engine reports.
        mounts: the mounts of this host, as in proc(5).

    Returns:
        True for btrfs and ZFS, and for overlay2 on XFS with project quotas.
    """
    if info.storage_driver in QUOTAS_BUILT_IN:
        return True
    if (info.storage_driver, info.backing_filesystem) != ("overlay2", "xfs"):
        return False
    root = Path(info.root_directory)
    options = {
        Path(where): set(flags.split(","))
        for _, where, _, flags, *_ in map(str.split, mounts.read_text().splitlines())
    }
    mount = next((each for each in (root, *root.parents) if each in options), None)
    return mount is not None and bool(options[mount] & PROJECT_QUOTA_OPTIONS)


def data_disk(
    info: EngineInfo, block_devices: Path = BLOCK_DEVICES, devices: Path = DEVICES
) -> str | None:
    """Find the containers' disk, whole, as the kernel limits no rates of partitions.

    Args:
        info: facts that the engine reports.
        block_devices: as in sysfs(5): links by the numbers of devices.
        devices: where their files are.

    Returns:
        Path of its device; None where it has none of its own, as on btrfs, ZFS or a network, or
        where the engine does not limit rates.
    """
    told = any(each in warning for each in PASSED_OVER for warning in info.warnings)
    if told or info.storage_driver not in FILES_BELOW_ROOT:
        return None
    try:
        number = Path(info.root_directory).stat().st_dev
        found = (block_devices / f"{os.major(number)}:{os.minor(number)}").resolve(strict=True)
    except OSError:  # an anonymous device, or files that we do not see
        return None
    whole = found.parent if (found / "partition").exists() else found
    device = devices / whole.name.replace("!", "/")  # sysfs's way to write a name with "/"
    return str(device) if device.exists() else None


def disk(info: EngineInfo) -> shutil._ntuple_diskusage:
    """Return the size of the containers' disk.

    Args:
        info: facts that the engine reports.

    Returns:
        Total, used and free bytes.
    """
    return shutil.disk_usage(_existing(Path(info.root_directory)))


def apart(info: EngineInfo, directory: Path) -> bool:
    """Tell whether the containers' disk is another file system than a directory's.

    Args:
        info: facts that the engine reports.
        directory: path on the host, which may be made later.

    Returns:
        True for two file systems. Subvolumes of one btrfs count as two, and show one size.
    """
    root = _existing(Path(info.root_directory))
    return root.stat().st_dev != _existing(directory).stat().st_dev


def _existing(path: Path) -> Path:
    return next(each for each in (path, *path.parents) if each.exists())
