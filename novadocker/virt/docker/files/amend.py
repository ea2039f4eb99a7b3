# SPDX-License-Identifier: Apache-2.0
"""Directory of an earlier stream, brought up to date by a stream of what has changed since."""

import os
import shutil
import stat
from dataclasses import dataclass, field
from pathlib import Path

from novadocker.virt.docker.files.entry import Entry, Kind
from novadocker.virt.docker.files.fault import Fault
from novadocker.virt.docker.files.pack import CARRIED, moved
from novadocker.virt.docker.files.unpack import Unpacker


@dataclass
class Amender(Unpacker):
    """Unpacks what has changed; what the stream does not name is removed."""

    _named: list[set[str]] = field(default_factory=lambda: [set()])

    def _begin(self, root: Path) -> None:
        """Leave the content of before in its place."""

    def _take(self, root: str, directory: int, entry: Entry) -> int:
        if entry.kind is Kind.KEEP:
            self._keep(directory, entry)
            return directory
        if entry.kind is Kind.LEAVE:
            self._tidy(directory, self._named.pop())
            return super()._take(root, directory, entry)
        self._named[-1].add(entry.name)
        if entry.kind is Kind.DIRECTORY:
            self._named.append(set())
            if entry.known:
                self._within.append(entry)
                return moved(directory, entry.name)
        _remove(directory, entry.name)
        return super()._take(root, directory, entry)

    def _keep(self, directory: int, entry: Entry) -> None:
        missing = set(entry.names) - set(os.listdir(directory))
        if missing:
            raise Fault(f"{min(missing)!r} is to be kept, and did not come before")
        self._named[-1].update(entry.names)

    def _tidy(self, directory: int, named: set[str]) -> None:
        for name in set(os.listdir(directory)) - named:
            _remove(directory, name)
        # What is set below does not take away attributes of before.
        wanted = self._within[-1].attributes
        here = f"/proc/self/fd/{directory}/."
        for name in os.listxattr(here):
            if (name in CARRIED or name.startswith("user.")) and name not in wanted:
                os.removexattr(here, name)


def _remove(directory: int, name: str) -> None:
    try:
        found = os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return
    if stat.S_ISDIR(found.st_mode):
        shutil.rmtree(name, dir_fd=directory)
    else:
        os.unlink(name, dir_fd=directory)
