# SPDX-License-Identifier: Apache-2.0
"""Attachment of a volume to a server, as a frozen value."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


class Trust(enum.StrEnum):
    """Values of ``[docker] volume_filesystems``: which file systems the kernel may mount.

    Attributes:
        CHECKED: ext4 with known features that e2fsck calls clean; blank volumes get one.
        ANY: any ext4, without a check; blank volumes get one.
        BLANK: only those made here, on volumes that were blank.
        NONE: no volume at all.
    """

    CHECKED = "checked"
    ANY = "any"
    BLANK = "blank"
    NONE = "none"


@dataclass(frozen=True)
class Attachment:
    """Attachment of a volume to a server on the host.

    Attributes:
        volume: Cinder's id.
        instance: Nova's id of the server.
        place: mount point in the container, an absolute path.
        connection: Cinder's ``connection_info``, with the backend's secrets.
        read_only: refusal of writes, by Cinder's access mode.
        make: permission to make a file system where nothing is recognised.
        device_info: os-brick's answer; empty until connected.
        device: block device on the host; "" until connected.
        backing: file behind ``device`` where that is a loop device made here; else "".
        made: origin of the file system in this attachment, on a blank volume.
        ephemeral: origin of the device as a disk of this host, which no tenant ever wrote to.
    """

    volume: str
    instance: str
    place: str
    connection: Mapping[str, Any] = field(default_factory=dict)
    read_only: bool = False
    make: bool = False
    device_info: Mapping[str, Any] = field(default_factory=dict)
    device: str = ""
    backing: str = ""
    made: bool = False
    ephemeral: bool = False
