# SPDX-License-Identifier: Apache-2.0
"""Root file system, file by file, and the tar archive."""

import io
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Tree:
    """Contents of the file system; everything belongs to root.

    Attributes:
        directories: modes by path, the outer before the inner.
        files: content and mode by path.
        links: targets of symbolic links by path.
    """

    directories: Mapping[str, int]
    files: Mapping[str, tuple[bytes, int]]
    links: Mapping[str, str] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """Write the archive.

        Args:
            path: where to.
        """
        with tarfile.open(path, "w") as archive:
            for name, mode in self.directories.items():
                archive.addfile(_entry(name, tarfile.DIRTYPE, mode))
            for name, (content, mode) in self.files.items():
                entry = _entry(name, tarfile.REGTYPE, mode)
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
            for name, target in self.links.items():
                entry = _entry(name, tarfile.SYMTYPE, 0o777)
                entry.linkname = target
                archive.addfile(entry)


def _entry(name: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode = kind, mode
    return entry
