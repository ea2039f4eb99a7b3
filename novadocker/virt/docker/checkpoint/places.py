# SPDX-License-Identifier: Apache-2.0
"""Places of a server's checkpoint on its host."""

import re
from errno import EINVAL
from pathlib import Path

CHECKPOINTS = Path("/var/lib/novadocker/checkpoints")
IMAGES = "images"
LOGS = "logs"
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_CONTAINER = re.compile(r"[0-9a-f]{64}")


def directory_of(uuid: str) -> Path:
    """Return the directory of a server's checkpoint, for root alone.

    Args:
        uuid: Nova's id of the server.

    Raises:
        OSError: the id is none, and could name another directory.
    """
    if not _UUID.fullmatch(uuid):
        raise OSError(EINVAL, f"{uuid!r} is no id of a server")
    return CHECKPOINTS / uuid


def leaving_of(uuid: str) -> Path:
    """Return the directory of the memory of a server that goes to another host, for root alone.

    Args:
        uuid: Nova's id of the server.

    Raises:
        OSError: the id is none, and could name another directory.
    """
    return directory_of(uuid).with_suffix(".leaving")


def handover_of(uuid: str) -> Path:
    """Return the note that a server was handed over to another host, which anybody may read.

    Args:
        uuid: Nova's id of the server.
    """
    return directory_of(uuid).with_suffix(".handover")


def record_of(uuid: str) -> Path:
    """Return the record of a server's complete checkpoint, which anybody may read.

    Args:
        uuid: Nova's id of the server.
    """
    return directory_of(uuid).with_suffix(".json")


def refuse_container(container_id: str) -> None:
    """Refuse what is no id of a container, and could name another directory.

    Raises:
        OSError: EINVAL.
    """
    if not _CONTAINER.fullmatch(container_id):
        raise OSError(EINVAL, f"{container_id!r} is no id of a container")
