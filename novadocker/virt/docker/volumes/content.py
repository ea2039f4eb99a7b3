# SPDX-License-Identifier: Apache-2.0
"""Content of a volume, told from the first bytes, and the step to be taken. Pure."""

import enum
from dataclasses import dataclass

from novadocker.errors import VolumeRefused
from novadocker.virt.docker.volumes.superblock import Superblock
from novadocker.virt.docker.volumes.values import Attachment, Trust

MAKE_METADATA = "docker_filesystem"
MAKE = "make"
# Bytes that hold every signature below; btrfs has the last.
HEAD = 68 * 1024
# Offset, signature, and name; the first that fits is told. ext comes last, since a partition
# table or a LUKS header in front of an old superblock is what the volume is used as.
SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"LUKS\xba\xbe", "a LUKS header"),
    (512, b"EFI PART", "a GPT partition table"),
    (0, b"XFSB", "an XFS file system"),
    (0x10040, b"_BHRfS_M", "a btrfs file system"),
    (4086, b"SWAPSPACE2", "a swap area"),
    (4086, b"SWAP-SPACE", "a swap area"),
    (512, b"LABELONE", "an LVM physical volume"),
    (0, b"QFI\xfb", "a qcow2 image"),
    (0, b"\x1f\x8b", "a gzip file"),
    (257, b"ustar", "a tar archive"),
    (0, b"hsqs", "a squashfs file system"),
    (0x8001, b"CD001", "an ISO 9660 file system"),
    (510, b"\x55\xaa", "an MBR partition table"),
    (1080, b"\x53\xef", "an ext file system"),
)


class Step(enum.Enum):
    """Preparation of a file system before the kernel mounts it.

    Attributes:
        MAKE: make one.
        CHECK: have e2fsck look at all of it.
        MOUNT: nothing.
    """

    MAKE = enum.auto()
    CHECK = enum.auto()
    MOUNT = enum.auto()


@dataclass(frozen=True)
class Survey:
    """A device as it was found.

    Attributes:
        size: bytes.
        head: first bytes of the device.
        blank: absence of anything but zeros in its first 4 MiB and its last.
    """

    size: int
    head: bytes
    blank: bool


def name_of(head: bytes) -> str | None:
    """Return the name of what a volume holds; None where nothing is recognised.

    Args:
        head: first bytes of the device.
    """
    fits = (
        name
        for offset, signature, name in SIGNATURES
        if head[offset : offset + len(signature)] == signature
    )
    return next(fits, None)


def decide(survey: Survey, attachment: Attachment, trust: Trust) -> Step:
    """Decide how a volume's file system is prepared.

    Args:
        survey: the device as it was found.
        attachment: wish of the server, with its history on the host.
        trust: the operator's choice.

    Returns:
        The step.

    Raises:
        VolumeRefused: neither can a file system be made, nor is there one to be mounted.
    """
    superblock = Superblock.parse(survey.head)
    name = name_of(survey.head)
    if superblock and name == "an ext file system":
        _refuse_unchecked(survey, superblock, attachment, trust)
        return Step.MOUNT if trust is Trust.ANY else Step.CHECK
    if survey.blank or (attachment.make and name is None):
        if attachment.read_only:
            raise VolumeRefused(
                volume=attachment.volume,
                reason="it holds no file system and is read-only, so none can be made",
            )
        return Step.MAKE
    raise VolumeRefused(
        volume=attachment.volume,
        reason=f"it holds {name or 'data of an unknown kind'}, and no ext4 file system; nothing "
        f"was changed. Attach a blank volume, or one with ext4"
        + ("" if name else f", or set its metadata {MAKE_METADATA}={MAKE} to give up its data"),
    )


def _refuse_unchecked(
    survey: Survey, superblock: Superblock, attachment: Attachment, trust: Trust
) -> None:
    if trust is Trust.BLANK and not attachment.made:
        raise VolumeRefused(
            volume=attachment.volume,
            reason="its file system was made elsewhere, and [docker] volume_filesystems = blank "
            "accepts blank volumes only",
        )
    oddities = [] if trust is Trust.ANY else superblock.oddities(survey.size)
    if oddities:
        raise VolumeRefused(
            volume=attachment.volume,
            reason=f"its ext4 has {' and '.join(oddities)}; accepted is what mkfs.ext4 sets by "
            "itself",
        )
