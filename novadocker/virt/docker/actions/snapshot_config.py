# SPDX-License-Identifier: Apache-2.0
"""Config of an image committed from a server, revised to its own image's settings.

A server's container starts with our gate, has its server's metadata in its environment and
our labels, and ``docker commit`` merges all of that into what it makes. What a container of
the new image is to do is what the server's image said; only the files are new.
"""

import json
from collections.abc import Mapping
from typing import Any

from novadocker.archive.bounds import Bounds
from novadocker.archive.fault import Fault
from novadocker.archive.image.documents import parse
from novadocker.gate.start_gate import SEEN_AT

HISTORY = "snapshot of a server"

# What describes an image. "container" and "container_config", which old engines add, tell of
# the container it was made from, with the server's metadata in it.
_KEPT = (
    "architecture",
    "variant",
    "os",
    "os.version",
    "os.features",
    "author",
    "created",
    "rootfs",
)


def revised(config: bytes, settings: Mapping[str, Any]) -> bytes:
    """Return the config of a committed image with the settings of another.

    Args:
        config: JSON of the committed image's config.
        settings: the ``config`` of the image that its container was made from.

    Returns:
        The config of an image with the files of the one and the settings of the other.
    """
    committed = parse(config, "the committed image's config", Bounds().json_depth)
    if not isinstance(committed, dict):
        raise Fault("the committed image's config is not an object")
    document = {name: committed[name] for name in _KEPT if name in committed}
    document["config"] = dict(settings)
    document["history"] = _history(committed.get("history"))
    return json.dumps(document, separators=(",", ":")).encode()


def _history(entries: Any) -> list[Any]:
    # As many as before, for they go with the layers. The last one is the commit's, and quotes
    # the container's command: our gate. So does that of a container that was made anew.
    history = entries if isinstance(entries, list) else []
    return [
        _without_mark(entry) | {"created_by": HISTORY}
        if _is_ours(entry, last=number == len(history))
        else entry
        for number, entry in enumerate(history, 1)
    ]


def _is_ours(entry: Any, *, last: bool) -> bool:
    return isinstance(entry, dict) and (last or SEEN_AT in str(entry.get("created_by")))


def _without_mark(entry: Any) -> dict[str, Any]:
    # The engine's client tells its commits from one another by their comments.
    return {name: value for name, value in entry.items() if name != "comment"}
