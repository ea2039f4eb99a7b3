# SPDX-License-Identifier: Apache-2.0
"""Files of a container that no image layer can carry; runs in the privileged daemon.

``docker commit`` makes a layer of a container's own files. In a layer the name ``.wh.NAME``
means that NAME was deleted, and of extended attributes a layer has the capabilities alone. So a
commit takes these files for something else, or drops their attributes, and says nothing.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from novadocker.virt.docker.privileged.context import entrypoint

WHITEOUT = ".wh."
LOST = ("user.", "system.posix_acl_")
ENOUGH = 3  # names that a message has room for


@entrypoint
def lost_in_layer(directory: str, *, attributes: bool) -> list[str]:
    """Name some files that a layer cannot carry.

    Args:
        directory: the container's own files, on the host; the container does not run.
        attributes: files with attributes that a layer lacks count as well.

    Returns:
        At most three descriptions, with paths as the container sees them; none if a layer can
        carry all of the files.
    """
    found = []
    for description in _lost(directory, attributes=attributes):
        found.append(description)
        if len(found) == ENOUGH:
            break
    return found


def _lost(directory: str, *, attributes: bool) -> Iterator[str]:
    # By descriptors: links in a tenant's files lead nowhere.
    for path, folders, files, opened in os.fwalk(directory):
        seen = Path("/") / Path(path).relative_to(directory)
        for name in (*folders, *files):
            if name.startswith(WHITEOUT):
                yield f"{seen / name} (the name means a deleted file in a layer)"
            elif attributes and (kept := _attributes(opened, name)):
                yield f"{seen / name} ({', '.join(kept)})"


def _attributes(directory: int, name: str) -> list[str]:
    names = os.listxattr(f"/proc/self/fd/{directory}/{name}", follow_symlinks=False)
    return [each for each in sorted(names) if each.startswith(LOST)]
