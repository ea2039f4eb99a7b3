# SPDX-License-Identifier: Apache-2.0
"""Description of a container after another host's."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from novadocker.policy import Settings
from novadocker.virt.docker.container.labels import (
    LABEL_HEALTH,
    LABEL_HOST,
    LABEL_KEPT,
    LABEL_MOVE,
)
from novadocker.virt.docker.engine.calls.update import replica_body


def replica_here(
    body: Mapping[str, Any],
    settings: Settings,
    binds: Mapping[str, str],
    host: str,
    migration: str,
) -> dict[str, Any]:
    """Describe a container like another host's.

    Args:
        body: answer of ``GET /containers/NAME/json`` on the other host.
        settings: limits and rights on this host.
        binds: paths on this host by the paths where the container sees them.
        host: name of this host in Nova.
        migration: id of Nova's migration.

    Returns:
        The body of ``POST /containers/create``.
    """
    had = body["Config"].get("Labels") or {}
    hosts = {name: host for name in (LABEL_HOST, LABEL_HEALTH) if name in had}
    labels = {**hosts, LABEL_MOVE: migration}
    # What was written before the container was last made anew is in its image, and part of its
    # flavor's disk all the same.
    disk = settings.limits.disk_bytes
    limits = replace(settings.limits, disk_bytes=disk and disk - int(had.get(LABEL_KEPT, 0)))
    made = replica_body(body, body["Image"], limits, settings.rights, labels)
    mounts = [
        {**mount, "Source": binds.get(mount["Target"], mount["Source"])}
        for mount in made["HostConfig"].get("Mounts") or ()
    ]
    # Volumes come with the image again; the containers that the other host took them from are
    # not here.
    there = {**made["HostConfig"], "Mounts": mounts, "VolumesFrom": None}
    return {**made, "HostConfig": there}
