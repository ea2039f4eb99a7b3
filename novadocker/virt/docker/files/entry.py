# SPDX-License-Identifier: Apache-2.0
"""Records of a packed directory: one for each name, nested as the directories are.

Tar is not used because of what it loses or cannot say safely. A record names one component of
a path and never a path, so that no record can point out of the directory that is unpacked;
extents keep the holes of a file; owners inside of access lists and capabilities are numbers
that a reader can translate. Each record is a length of four bytes and as much JSON.
"""

import base64
import enum
import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from novadocker.virt.docker.files.fault import Fault

LENGTH = struct.Struct(">I")
EXTENT = struct.Struct(">QQ")
NO_EXTENT = EXTENT.pack(0, 0)
# A name has at most 255 bytes; the attributes of one file fit in 64 KiB on ext4 and XFS.
RECORD_BYTES = 1024 * 1024


class Kind(enum.StrEnum):
    """Kinds of records.

    Attributes:
        DIRECTORY: a directory, whose members follow up to its LEAVE.
        LEAVE: the end of the members of a directory.
        FILE: a regular file, whose extents follow.
        LINK: one more name of a file that came before.
        SYMLINK: a symbolic link.
        NODE: a device, a FIFO or a socket.
        KEEP: names of a directory's members that have not changed since the last stream.
        END: the end of the stream.
    """

    DIRECTORY = "directory"
    LEAVE = "leave"
    FILE = "file"
    LINK = "link"
    SYMLINK = "symlink"
    NODE = "node"
    KEEP = "keep"
    END = "end"


@dataclass(frozen=True)
class Entry:
    """One record.

    Attributes:
        kind: sort of record.
        name: one component of a path; "" for the directory that is packed.
        mode: type and permission bits, as ``st_mode``.
        uid: owner, by the source's numbers.
        gid: group, by the source's numbers.
        mtime: nanoseconds since the epoch.
        size: bytes of a file, holes included; of END the number of records before.
        device: of a device node, as ``st_rdev``.
        target: path that a symbolic link points to.
        inode: number by which later links name a file; 0 where there are none.
        attributes: extended attributes.
        names: members that a KEEP is about.
        known: True for a directory that an earlier stream has brought to the same place.
    """

    kind: Kind
    name: str = ""
    mode: int = 0
    uid: int = 0
    gid: int = 0
    mtime: int = 0
    size: int = 0
    device: int = 0
    target: str = ""
    inode: int = 0
    attributes: Mapping[str, bytes] = field(default_factory=dict)
    names: Sequence[str] = ()
    known: bool = False

    def encode(self) -> bytes:
        """Return the record's bytes, without those of a file's content."""
        body: dict[str, Any] = {
            name: value for name, value in vars(self).items() if value and name != "attributes"
        }
        if self.attributes:
            body["attributes"] = {
                name: base64.b64encode(value).decode() for name, value in self.attributes.items()
            }
        text = json.dumps(body, separators=(",", ":")).encode()
        return LENGTH.pack(len(text)) + text

    @classmethod
    def decode(cls, text: bytes) -> Self:
        """Read a record.

        Args:
            text: JSON, without the length.

        Returns:
            The record.

        Raises:
            Fault: the text is no record, or its name is no single component.
        """
        try:
            body = json.loads(text)
            kind = Kind(body.pop("kind"))
            attributes = body.pop("attributes", {})
            decoded = {name: base64.b64decode(value) for name, value in attributes.items()}
            entry = cls(kind=kind, attributes=decoded, **body)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Fault(f"a record cannot be read ({error})") from error
        # Names are the only part of a record that could lead out of the directory.
        for name in (entry.name, *entry.names):
            if "/" in name or name in (".", "..") or "\0" in name:
                raise Fault(f"a record is named {name!r}")
        return entry
