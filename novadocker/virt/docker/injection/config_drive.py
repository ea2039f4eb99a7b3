# SPDX-License-Identifier: Apache-2.0
"""Config drive of a server: Nova's metadata as a tree of files.

The tree lies beside the gate and is seen with it, read-only, below the container's ``/dev``;
links lead there from ``/config-drive`` and from where cloud-init looks for a seed. Mounted at
those two paths themselves it would leave folders in the writable layer that belong to nobody,
since the engine makes mount points as the host's root.
"""

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from novadocker.errors import PolicyRefused
from novadocker.gate.start_gate import SEEN_AT
from novadocker.virt.docker.injection.files import CONFIG_DRIVE, Entry, link

NAME = "config-drive"
MAX_BYTES = 64 * 1024**2  # the size of the disk that Nova makes for a VM

Tree = Iterable[tuple[str, bytes | str]]
Render = Callable[[Any], Tree]


def links() -> tuple[Entry, ...]:
    """Describe the links to the config drive inside a container.

    Returns:
        The links, in no order that matters.
    """
    return tuple(link(path.removeprefix("/"), f"{SEEN_AT}/{NAME}") for path in CONFIG_DRIVE)


def write(gate: Path, tree: Tree) -> None:
    """Write the tree beside the gate, in place of an earlier tree.

    Args:
        gate: directory of the instance's gate.
        tree: contents by relative path, written piece by piece so that no whole drive is in
            memory.

    Raises:
        PolicyRefused: the tree is larger than a VM's config drive.
    """
    root = gate / NAME
    if root.exists():
        shutil.rmtree(root)
    root.mkdir()
    root.chmod(0o755)
    size = 0
    for path, content in tree:
        data = content.encode() if isinstance(content, str) else content
        size += len(data)
        if size > MAX_BYTES:
            raise PolicyRefused(
                setting="config drive",
                value=f"more than {size >> 20} MiB",
                accepted=f"at most {MAX_BYTES >> 20} MiB of metadata, user data and files",
            )
        _write(root, path, data)


def _write(root: Path, path: str, data: bytes) -> None:
    # Readable for the container's users, who are strangers here, whatever the umask is.
    *directories, name = path.split("/")
    place = root
    for each in directories:
        place /= each
        if not place.exists():
            place.mkdir()
            place.chmod(0o755)
    (place / name).write_bytes(data)
    (place / name).chmod(0o644)
