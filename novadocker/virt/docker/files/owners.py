# SPDX-License-Identifier: Apache-2.0
"""Owners of files, translated between two hosts whose user namespaces lie elsewhere.

A file carries numbers of users in three places: its owner and group, the entries of its POSIX
access lists, and the namespace's root in its capabilities. A host that maps a container's
users to 100000 to 165535 and one that maps them to 231072 to 296607 mean the same user by other
numbers in each of the three.
"""

import struct
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Self

from novadocker.virt.docker.files.entry import Entry

ACCESS_LISTS = frozenset({"system.posix_acl_access", "system.posix_acl_default"})
CAPABILITY = "security.capability"
# acl(5) as the kernel keeps it: a version, then tag, permissions and id of each entry.
_ACL_VERSION, _ACL_ENTRY = struct.Struct("<I"), struct.Struct("<HHI")
_NAMED_USER, _NAMED_GROUP = 0x02, 0x08
# Revision 3 of vfs_cap_data: flags, two pairs of sets, and the root of a user namespace.
_CAPABILITY = struct.Struct("<5I I")


@dataclass(frozen=True)
class Root:
    """Root of a host's containers by the host's numbers; zero without a mapping.

    Attributes:
        user: number of the user.
        group: number of the group.
    """

    user: int = 0
    group: int = 0

    @classmethod
    def of(cls, root_directory: str) -> Self:
        """Read the numbers from where an engine keeps its data.

        Args:
            root_directory: path that ends in "USER.GROUP" where the engine maps users.
        """
        user, dot, group = PurePath(root_directory).name.partition(".")
        if dot and user.isdecimal() and group.isdecimal():
            return cls(int(user), int(group))
        return cls()


@dataclass(frozen=True)
class Owners:
    """Translation of owners from one host to another; a number below the root is the host's own.

    Attributes:
        source: root of containers on the host that files come from.
        destination: root of containers on the host that files go to.
    """

    source: Root = Root()
    destination: Root = Root()

    def translate(self, entry: Entry) -> Entry:
        """Translate a record.

        Args:
            entry: with the source's numbers.

        Returns:
            The record with the destination's.
        """
        if self.source == self.destination:
            return entry
        attributes = {
            name: self._attribute(name, value) for name, value in entry.attributes.items()
        }
        uid, gid = self._user(entry.uid), self._group(entry.gid)
        return replace(entry, uid=uid, gid=gid, attributes=attributes)

    def _user(self, number: int) -> int:
        return _moved(number, self.source.user, self.destination.user)

    def _group(self, number: int) -> int:
        return _moved(number, self.source.group, self.destination.group)

    def _attribute(self, name: str, value: bytes) -> bytes:
        if name in ACCESS_LISTS:
            return self._access_list(value)
        if name == CAPABILITY and len(value) == _CAPABILITY.size:
            *sets, root = _CAPABILITY.unpack(value)
            return _CAPABILITY.pack(*sets, self._user(root))
        return value

    def _access_list(self, value: bytes) -> bytes:
        head = _ACL_VERSION.size
        translated = bytearray(value[:head])
        for tag, rights, number in _ACL_ENTRY.iter_unpack(value[head:]):
            if tag == _NAMED_USER:
                whose = self._user(number)
            elif tag == _NAMED_GROUP:
                whose = self._group(number)
            else:
                whose = number
            translated += _ACL_ENTRY.pack(tag, rights, whose)
        return bytes(translated)


def _moved(number: int, source: int, destination: int) -> int:
    return number - source + destination if number >= source else number
